"""`make calibrate`: does the product's own trainer find `planted-v1`, and does it stay silent where nothing is planted?

python -m rl.calibrate.standard [--only planted,mlp,null] [--first K] [--worlds N] [--quick]

A table as it is made, each goal beside what was reached; the exit code is 1 where a goal was missed. `--quick` tries
each once, on less data and with fewer steps, and holds it to no goal.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from marketdata.splits import make_ranges
from rl.calibrate.attempt import Attempt, attempt
from rl.calibrate.chance import at_most, below
from rl.calibrate.outcome import BPS
from rl.calibrate.planted import KAPPA, SETUPS, TEST, VALIDATION, Setup, configuration, planted

STEPS, QUICK_STEPS, QUICK_BARS = 1_000_000, 120_000, 7_000
GOAL = 0.80
MOST_SHOWN = 1


@dataclass(frozen=True)
class Trial:
    """Worlds of one kind: a set-up, how much is planted, how many bars to train on, and how many worlds."""

    setup: Setup
    kappa: float
    train_bars: int
    worlds: int
    goal: Callable[[Sequence[Attempt]], str]
    met: Callable[[Sequence[Attempt]], bool]


def captures(attempts: Sequence[Attempt]) -> list[float]:
    """One of each attempt: these have one seed each."""
    return [one.capture[0] for one in attempts if one.capture is not None]


def _each_captures(attempts: Sequence[Attempt]) -> bool:
    return all(one.capture is not None and one.capture[0] >= GOAL for one in attempts)


def _capture_told(attempts: Sequence[Attempt]) -> str:
    return f"capture {min(captures(attempts), default=0):.3f} at least, goal {GOAL:.2f} in each"


def _silent(attempts: Sequence[Attempt]) -> bool:
    return sum(one.shown for one in attempts) <= MOST_SHOWN and mean_growth(attempts) <= 0


def _silence_told(attempts: Sequence[Attempt]) -> str:
    shown, tried = sum(one.shown for one in attempts), len(attempts)
    rate = f"the rate is below {below(at_most(shown, tried))} with 95 % confidence"
    grew = f"mean growth {mean_growth(attempts) * BPS:+.2f} bps a bar, goal 0 at most"
    return f"shown in {shown} of {tried}, goal {MOST_SHOWN} of 20 at most ({rate}); {grew}"


def mean_growth(attempts: Sequence[Attempt]) -> float:
    return float(np.mean([one.mean_growth for one in attempts]))


TRIALS = {
    "planted": Trial(SETUPS["asset_shared"], KAPPA, 20_000, 5, _capture_told, _each_captures),
    "mlp": Trial(SETUPS["mlp"], KAPPA, 20_000, 5, _capture_told, _each_captures),
    "null": Trial(SETUPS["asset_shared"], 0.0, 4_000, 20, _silence_told, _silent),
}


def try_one(trial: Trial, k: int, *, steps: int | None = None, train_bars: int | None = None) -> Attempt:
    """World k of a trial, trained with seed k; with a million steps on the bars of the trial unless told otherwise."""
    bars = train_bars or trial.train_bars
    setup = trial.setup
    config = configuration(setup, train_bars=bars, steps=steps or STEPS, seed=k)
    world = planted(k, bars + VALIDATION + TEST, setup.n_assets, trial.kappa, setup.n_noise)
    ranges = make_ranges(config.split, world.bars.session, lookback=setup.lookback, warmup=0)
    return attempt(world, config, ranges, trial.kappa, k, lambda seed, steps: None)


def row(name: str, one: Attempt, seconds: float) -> str:
    """Of the table: growth in bps a test bar, net of costs."""
    oracle = "-" if one.oracle is None else f"{one.oracle * BPS:.2f}"
    capture = "-" if one.capture is None else f"{one.capture[0]:.3f}"
    grew, took = f"{one.growth[0] * BPS:>8.2f}", f"{seconds:>7.0f} s"
    return f"{name:<8} {one.number:>2} {grew} {oracle:>7} {capture:>8} {one.code:>10} {took}"


def main(argv: Sequence[str]) -> int:
    """0: every goal was met, or none was asked for; 1: one was missed."""
    parser = argparse.ArgumentParser(prog="python -m rl.calibrate.standard", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(TRIALS), help="some of " + ", ".join(TRIALS))
    parser.add_argument("--first", type=int, default=0, help="the first world, 0 where it is not given")
    parser.add_argument("--worlds", type=int, help="how many worlds of each; all where it is not given")
    parser.add_argument("--quick", action="store_true", help="one world of each, smaller, and no goal")
    asked = parser.parse_args(argv)
    names = asked.only.split(",")
    if unknown := [name for name in names if name not in TRIALS]:
        parser.error(f"there is no {unknown[0]}; it is one of {', '.join(TRIALS)}")
    if asked.first < 0 or (asked.worlds is not None and asked.worlds < 1):
        parser.error("--first must be 0 or more, and --worlds 1 or more")
    _say(f"{'':<8} {'k':>2} {'bps/bar':>8} {'oracle':>7} {'capture':>8} {'verdict':>10} {'time':>9}")
    met = [_tried(name, TRIALS[name], asked) for name in names]
    return 0 if all(met) or asked.quick else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _tried(name: str, trial: Trial, asked: argparse.Namespace) -> bool:
    worlds = 1 if asked.quick else asked.worlds or trial.worlds
    found = []
    for k in range(asked.first, asked.first + worlds):
        began = time.monotonic()
        smaller = {"steps": QUICK_STEPS, "train_bars": min(QUICK_BARS, trial.train_bars)} if asked.quick else {}
        found.append(try_one(trial, k, **smaller))
        _say(row(name, found[-1], time.monotonic() - began))
    if asked.quick:
        _say(f"{name}: tried once in small, which is held to no goal")
        return True
    met = trial.met(found)
    _say(f"{name}: {trial.goal(found)}: {'met' if met else 'MISSED'}")
    return met


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
