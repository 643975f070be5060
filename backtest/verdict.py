"""The first line of a report: does the subject beat every baseline, and how sure can one be.

First match: `too_short`, `worse`, `shown`, else `not_shown`. `shown` also needs every baseline of the verdict, bars
that the subject was not made from, and the leak gate passed. Where a leak was found, the sentence begins with it; where
the gate was not run or could not examine all, it says so. Absence of proof is no proof of absence: the power figure
tells what the test could have shown.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from backtest import needed
from backtest.config import LEAST_BARS
from backtest.leaks.report import GateState, LeakReport
from backtest.statistics import Excess, grown

Code = Literal["too_short", "worse", "shown", "not_shown"]
LeakGate = GateState | Literal["not_run"]

LEAST_BLOCKS = 10
SURE = 0.95
NOTABLY = 1.5
"""Times wider than against the hardest baseline, from where on the widest is told too."""
TOO_FINE = 5e-5
"""A logarithm a year that would be written as 0.00 %."""
MOST_TOLD = 100.0
"""A fraction a year (10,000 %) above which a sentence names no figure."""
AFTER_COSTS = "after costs"
NOT_RUN = "The leak gate has not been run, and without it nothing is called shown."


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Excess, limits and power are fractions a year, e^x - 1 of their logarithms; `baseline` is the hardest to beat.

    `equal_risk_excess`: fraction a year, an arithmetic mean of returns as it stands.
    `p`: of the test that every baseline is beaten, the largest of the single ones.
    `seed_points`: each seed's own excess over `baseline`; their mean, as logarithms, is the subject's.
    `low`, `high`: of the excess over the best of the baselines, the least over all of them; not of `baseline` alone.
    `years_needed`, `seeds_needed`: how much more would bring every baseline's lower limit above zero; None where they
    lie there already, where that is not known, and where no amount would: the sentence says which. `years_against`,
    `seeds_against`: the baseline that asks for most.
    `seen`: bars of the range that the subject was trained or selected on.
    `leak_gate`: what the leak gate found.
    """

    code: Code
    excess_per_year: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: str | None = None
    equal_risk_excess: float | None = None
    power: float | None = None
    p: float | None = None
    years_needed: float | None = None
    seeds_needed: float | None = None
    years_against: str | None = None
    seeds_against: str | None = None
    seed_points: tuple[float, ...] = ()
    n_bars: int
    trials: int
    seeds: int
    seen: int
    leak_gate: LeakGate
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    excess: Excess | None, keys: list[str], labels: dict[str, str], *, subject: str, n_bars: int, trials: int,
    seen: int = 0, left_out: Sequence[str] = (), leaks: LeakReport | None = None, costs: str = AFTER_COSTS,
) -> Verdict:  # fmt: skip
    """The verdict on `subject` (its label) from its excess over the baselines `keys`; None where there is none.

    What it says begins with a leak that the gate found (`leaks`; None: not run), then with what the subject has `seen`
    of the bars; `left_out` are the labels of baselines that it should have been compared with; `costs` says what the
    figures are after.
    """
    gate: LeakGate = "not_run" if leaks is None else leaks.state
    front = f"Leak found, nothing can be shown: {leaks.sentence} " if leaks and gate == "failed" else ""
    front += f"No out-of-sample result: {seen_of(seen, n_bars)}. " if seen else ""
    if excess is None:
        sentence = f"{front}Nothing to judge: {subject} has no baseline beside it."
        return Verdict(
            code="not_shown", n_bars=n_bars, trials=trials, seeds=1, seen=seen, leak_gate=gate, sentence=sentence
        )
    lacking = _lacking(left_out, leaks)
    code = code_of(excess, n_bars, may_be_shown=not lacking and not seen and gate == "passed")
    best = keys[excess.best]
    figures = Figures(
        *(grown(x) for x in (excess.theta[excess.best], excess.least_low, excess.least_upper, excess.power))
    )
    more = needed.needed(excess) if code == "not_shown" else None
    names = [labels[key] for key in keys]
    reading = _reading(
        code, excess, figures, subject, names, f"{costs} over {n_bars} bars", n_bars, more, lacking
    ).strip()
    return Verdict(
        code=code,
        excess_per_year=figures.excess,
        low=figures.low,
        high=figures.high,
        baseline=best,
        equal_risk_excess=float(excess.equal_risk.min()),
        power=figures.power,
        p=excess.greatest_p,
        years_needed=_finite(more.years if more else None),
        seeds_needed=_finite(more.seeds if more else None),
        years_against=keys[more.years_against] if more else None,
        seeds_against=keys[more.seeds_against] if more and more.seeds is not None else None,
        seed_points=tuple(grown(x) for x in excess.seed_points),
        n_bars=n_bars,
        trials=trials,
        seeds=excess.seeds,
        seen=seen,
        leak_gate=gate,
        sentence=front + reading,
    )


@dataclass(frozen=True)
class Figures:
    """Fractions a year."""

    excess: float
    low: float
    high: float
    power: float


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def seen_of(seen: int, n_bars: int) -> str:
    """How much of a range the subject knew, as a clause."""
    return f"{seen:,} of {n_bars:,} bars were trained or selected on"


def _blocks(excess: Excess, n_bars: int) -> float:
    return n_bars / max(excess.unclipped_block, 1.0)


def code_of(excess: Excess, n_bars: int, *, may_be_shown: bool) -> Code:
    """The verdict in one word. `may_be_shown`: every baseline is there, no bar was seen, and the gate passed."""
    if n_bars < LEAST_BARS or _blocks(excess, n_bars) < LEAST_BLOCKS:
        return "too_short"
    if excess.least_upper < 0:
        return "worse"
    return "shown" if may_be_shown and passes_every_test_of_chance(excess) else "not_shown"


def passes_every_test_of_chance(excess: Excess) -> bool:
    """Lower limit and every seed's excess above 0, equal-risk excess too, over each baseline; dsr_excess >= 0.95."""
    least = excess.least_dsr
    sure = least is not None and least >= SURE
    return excess.least_low > 0 and bool((excess.by_seed > 0).all()) and bool((excess.equal_risk > 0).all()) and sure


def signed(value: float) -> str:
    """A fraction in percent with its sign and three significant digits at most: +2.1 %, −0.35 %; no figure that says
    nothing but that it is large.
    """
    if value > MOST_TOLD:
        return f"more than +{MOST_TOLD * 100:,.0f} %"
    percent = value * 100
    digits = 0 if abs(percent) >= 100 else 1 if abs(percent) >= 1 else 2
    return f"{percent:+,.{digits}f}".replace("-", "−") + " %"


def _lacking(left_out: Sequence[str], leaks: LeakReport | None) -> str:
    """What would have to be there before anything could be called shown; empty where nothing lacks."""
    parts = []
    if left_out:
        was, them = ("were", "them") if len(left_out) > 1 else ("was", "it")
        parts.append(f"{needed.listed(left_out)} {was} left out, and without {them} nothing is called shown.")
    if leaks is None:
        parts.append(NOT_RUN)
    elif leaks.state == "incomplete":
        parts.append(f"The leak gate could not examine everything, so nothing is called shown: {leaks.sentence}")
    return " ".join(parts)


def _reading(
    code: Code, excess: Excess, figures: Figures, subject: str, names: Sequence[str], over: str, n_bars: int,
    more: needed.Needed | None, lacking: str,
) -> str:  # fmt: skip
    """`names` are the baselines' labels by column; `over` says after which costs and over how many bars."""
    told = _told(excess, figures, subject, names, over)
    if code == "too_short":
        return f"Too short to tell: {_why_short(excess, n_bars)}. {told}. That proves nothing either way."
    if code == "worse":
        return f"Worse: {told}. The whole interval lies below zero."
    if code == "shown":
        return (
            f"Shown: {told}. The whole interval lies above zero, it holds at equal risk and after "
            "allowing for the trials, and the leak gate found nothing."
        )
    if passes_every_test_of_chance(excess):
        return f"Not shown: {told}. It passed every test of chance. {lacking}"
    parts = [
        f"Not shown to be skill: {told}.", _what_fails(excess, names), _no_proof(excess, names),
        needed.sentence(more, names), lacking,
    ]  # fmt: skip
    return " ".join(part for part in parts if part)


def _no_proof(excess: Excess, names: Sequence[str]) -> str:
    """What the test could have shown, so that absence of proof is not taken for proof of absence; empty where the
    interval lies above zero, as chance is not what fails then.
    """
    if excess.least_low > 0:
        return ""
    if excess.power < TOO_FINE:
        alike = "as good as" if abs(excess.theta[excess.best]) < TOO_FINE else "at a constant distance from"
        return f"Bar for bar it is {alike} {names[excess.best]}, so that no luck hides an excess over it."
    return f"This test could have shown {_could(excess, names)}, so it is no proof that there is none."


def _could(excess: Excess, names: Sequence[str]) -> str:
    """The least excess over the hardest baseline, and over the one that is told apart worst, as all must be beaten."""
    best, worst = excess.best, int(np.argmax(excess.error))
    least, wide = excess.power, excess.power if worst == best else excess.could_show(worst)
    if grown(least) > MOST_TOLD:
        return f"no excess below {MOST_TOLD * 100:,.0f} % a year over {names[best]}"
    said = f"an excess of about {_size(least)} a year or more over {names[best]}"
    if wide <= NOTABLY * least:
        return said
    return f"{said} and of {'about ' if grown(wide) <= MOST_TOLD else ''}{_size(wide)} over {names[worst]}"


def _size(log_excess: float) -> str:
    return signed(grown(log_excess)).replace("+", "")


def _told(excess: Excess, figures: Figures, subject: str, names: Sequence[str], over: str) -> str:
    """The point against the hardest baseline, and whose interval stands beside it."""
    best, is_so = names[excess.best], f"is {signed(figures.excess)} a year"
    if excess.seeds > 1:
        is_so += f" in the mean of its {excess.seeds} seeds ({points_of(excess)})"
    limits = f"{signed(figures.low)} to {signed(figures.high)}"
    if len(names) == 1:
        return f"the excess of {subject} over {best}, the only baseline, {is_so} (95 % interval {limits}), {over}"
    return (
        f"the excess of {subject} over {best}, the best of {len(names)} baselines, {is_so} {over}; the 95 % interval "
        f"of the excess over the best of them, whichever it is, runs from {limits}"
    )


def points_of(excess: Excess) -> str:
    """`each alone from −1.0 % to +4.1 %, median +2.2 %` of the seeds' own points."""
    low, median, high = (signed(grown(x)) for x in np.quantile(excess.seed_points, (0, 0.5, 1)))
    return f"each alone from {low} to {high}, median {median}"


def _what_fails(excess: Excess, names: Sequence[str]) -> str:
    """Why an interval above zero is not enough; empty where it is not above zero."""
    if excess.least_low <= 0:
        return ""
    fails = []
    if not (excess.by_seed > 0).all():
        fails.append(f"not every seed lies {'above zero' if len(names) == 1 else 'ahead of every baseline'}")
    behind = [names[b] for b in range(len(names)) if excess.equal_risk[b] <= 0]
    if behind:
        fails.append(f"at equal risk it does not lie ahead of {needed.listed(behind)}")
    least = excess.least_dsr
    if least is None or least < SURE:
        fails.append(f"the deflated Sharpe of the excess is {'undefined' if least is None else f'{least:.2f}'}, "
                     f"and {SURE} is asked for")  # fmt: skip
    return f"The interval lies above zero, but {needed.listed(fails)}."


def _why_short(excess: Excess, n_bars: int) -> str:
    if n_bars < LEAST_BARS:
        return f"{n_bars} bars, and at least {LEAST_BARS} are needed"
    block = f"{excess.unclipped_block:.0f}"
    return f"differences hang together over {block} bars, so {n_bars} bars are fewer than {LEAST_BLOCKS} blocks"
