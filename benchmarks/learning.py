"""R6: CPU time until half of what an oracle earns is captured on bars that nobody saw; throughput that learns less is
worth nothing.

Ours with the product's own settings beside stock SB3 with the same network and environment at its best of six settings.
Where stock does not come to 0.5 within 3 million steps in each seed, both are held to the highest step of 0.05 that it
reaches in all of them. The median over the seeds counts. Equality is that of R1, on our first network.
"""

import importlib.metadata
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Goal, Work, make_figure, void_figure
from benchmarks.peer import ONE_THREAD, ROOT

R6 = Work("R6", "CPU time to capture 0.5 on held-out bars", "s", "time", Goal(8, "ratio"))
STEP = 0.05
Curve = Sequence[Sequence[float]]
"""Points of CPU seconds, steps and capture, in order."""


@dataclass(frozen=True)
class Plan:
    """Stock's settings (batch, learning rate), ours, and how far each training may go."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    grid: tuple[tuple[int, float], ...] = tuple(itertools.product((64, 512, 2048), (3e-4, 1e-3)))
    ours: tuple[int, float] = (1024, 1e-3)
    steps: int = 3_000_000
    target: float = 0.5
    more: tuple[tuple[str, int], ...] = ()
    """Other settings of benchmarks.learning_process.Asked."""


def run(folder: Path, wanted: list[str], plan: Plan = Plan()) -> list[Figure]:
    """The figure of R6. Seed by seed all sides take turns."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "stable_baselines3", "numpy")}
    ours: list[Curve] = []
    stock: dict[tuple[int, float], list[Curve]] = {setting: [] for setting in plan.grid}
    for k in plan.seeds:
        answer = asked(plan, "ours", k, *plan.ours)
        if answer["differences"]:
            for difference in answer["differences"]:
                print(f"R6: {difference}", file=sys.stderr)
            return [void_figure(R6, versions)]
        ours.append(answer["curve"])
        for setting in plan.grid:
            stock[setting].append(asked(plan, "stock", k, *setting)["curve"])
    return [figure_of(ours, stock, plan.target, versions)]


def figure_of(
    ours: Sequence[Curve], stock: Mapping[tuple[int, float], Sequence[Curve]], target: float, versions: dict[str, str]
) -> Figure:
    """Void where ours does not come as far as stock in each seed, and where stock comes nowhere."""
    setting = min(
        stock, key=lambda one: (-reached(stock[one], target), time_to(stock[one], reached(stock[one], target)))
    )
    level = reached(stock[setting], target)
    mine, theirs = time_to(ours, level), time_to(stock[setting], level)
    print(f"R6: to a capture of {level:.2f}, stock with batch {setting[0]} and learning rate {setting[1]:g}",
          file=sys.stderr)  # fmt: skip
    if level <= 0 or mine == float("inf"):
        return void_figure(R6, versions)
    return make_figure(R6, mine, theirs, versions)


def reached(curves: Iterable[Curve], target: float) -> float:
    """The highest step of 0.05, at most `target`, that every curve comes to; 0 or less where one comes to none."""
    least = min(max(capture for _, _, capture in curve) for curve in curves)
    return min(target, int(least / STEP + 1e-9) * STEP)


def time_to(curves: Sequence[Curve], level: float) -> float:
    """Median over the curves of the first CPU second at which `level` is captured; infinite where one never does."""
    firsts = [next((spent for spent, _, capture in curve if capture >= level - 1e-9), float("inf")) for curve in curves]
    return float("inf") if float("inf") in firsts else statistics.median(firsts)


def asked(plan: Plan, side: str, k: int, batch: int, learning_rate: float) -> dict[str, Any]:
    """What a process says of one training. Raises CalledProcessError where it fails."""
    wanted = {"side": side, "k": k, "batch": batch, "learning_rate": learning_rate, "steps": plan.steps,
              "target": plan.target, **dict(plan.more)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.learning_process", json.dumps(wanted)],
        cwd=ROOT, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
