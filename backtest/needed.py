"""How much more would be needed to tell: years and seeds, until the lower limit against every baseline lies above zero.

The points and the variance are taken to stay what they are. With d_b = theta_b - low_b, its part from seeds
t(S-1) s/sqrt(S) (the t quantile at 0.975) and from bars the root of what is left of d_b^2, the bars' part shrinks with
one over the root of time, the seeds' part as its own formula says. A limit passes zero where
sqrt(bars^2 + seeds^2) = theta_b; the baseline that asks for most binds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.series import Floats
from backtest.statistics import ALPHA, Excess

MOST_YEARS = 100
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Needed:
    """Beyond what there is: `years` of bars with as many seeds, or `seeds` with as many bars.

    Infinite where no amount is enough; `seeds` is None with one seed, which cannot say how far seeds lie apart.
    `years_against`, `seeds_against`: the baseline, as its column, whose limit is the last to pass zero. `trailed`: the
    baselines whose excess is not above zero as it stands; where there is one, no amount of either is enough.
    """

    years: float
    seeds: float | None
    years_against: int
    seeds_against: int
    trailed: tuple[int, ...] = ()


def needed(excess: Excess) -> Needed | None:
    """None where every lower limit lies above zero already."""
    if excess.least_low > 0:
        return None
    trailed = tuple(int(b) for b in np.argsort(excess.theta, kind="stable") if excess.theta[b] <= 0)
    one = excess.seeds == 1
    if trailed:
        return Needed(math.inf, None if one else math.inf, trailed[0], trailed[0], trailed)
    apart = 0.0 if one else student(excess.seeds) * excess.seed_error
    bars = np.maximum((excess.theta - excess.low) ** 2 - apart**2, 0.0)
    years = _years_more(excess, bars, apart)
    seeds = None if one else _seeds_more(excess, bars)
    hardest = int(np.argmax(years)), excess.best if seeds is None else int(np.argmax(seeds))
    return Needed(float(years.max()), None if seeds is None else float(seeds.max()), *hardest)


def _years_more(excess: Excess, bars: Floats, apart: float) -> Floats:
    """(B,) years until each limit is at zero, with as many seeds."""
    room = excess.theta**2 - apart**2
    times = np.divide(bars, room, out=np.full(len(bars), math.inf), where=room > 0)
    more: Floats = excess.years * np.maximum(times - 1.0, 0.0)
    return more


def _seeds_more(excess: Excess, bars: Floats) -> Floats:
    """(B,) seeds until each limit is at zero, with as many bars: whole ones, by bisection."""
    spread = excess.seed_error * math.sqrt(excess.seeds)
    return np.array([_seeds_for(math.sqrt(room) if room > 0 else 0.0, spread, excess.seeds)
                     for room in excess.theta**2 - bars])  # fmt: skip


def _seeds_for(room: float, spread: float, have: int) -> float:
    """The least k >= 0 with t(S+k-1) spread / sqrt(S+k) <= `room`; infinite beyond MOST_SEEDS."""

    def fits(more: int) -> bool:
        return student(have + more) * spread / math.sqrt(have + more) <= room

    if fits(0):
        return 0.0
    if not fits(MOST_SEEDS):
        return math.inf
    low, high = 0, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return float(high)


def student(seeds: int) -> float:
    """Quantile of Student's t at 1 - ALPHA with seeds - 1 degrees of freedom; `seeds` >= 2."""
    from scipy.special import stdtrit  # half a second that only several seeds pay

    return float(stdtrit(seeds - 1, 1 - ALPHA))


def sentence(found: Needed | None, labels: Sequence[str]) -> str:
    """`At this edge and variance, about 12 more years or 5 more seeds would be needed to tell; …`, and the baseline
    whose limit is the last to pass zero. `labels` of the baselines by column. Empty for None.
    """
    if found is None:
        return ""
    if found.trailed:
        more = "years" if found.seeds is None else "years or seeds"
        behind = listed([labels[b] for b in found.trailed])
        return (
            f"At these points it does not lie ahead of {behind}: no number of {more} makes an edge that is not above "
            "zero shown."
        )
    return f"At this edge and variance, {_amounts(found)}{_binding(found, labels)}."


def _amounts(found: Needed) -> str:
    years = _years(found.years)
    if found.seeds is None:
        return f"{years} would be needed to tell"
    if math.isinf(found.years) and math.isinf(found.seeds):
        return "neither more years alone nor more seeds alone would be enough to tell"
    if math.isinf(found.seeds):
        return f"{years} would be needed to tell; no number of seeds alone is enough"
    seeds = f"{found.seeds:,.0f} more seed{'' if found.seeds == 1 else 's'}"
    if math.isinf(found.years):
        return f"{seeds} would be needed to tell; no amount of time alone is enough"
    return f"{years} or {seeds} would be needed to tell"


def _binding(found: Needed, labels: Sequence[str]) -> str:
    """Which baseline asks for most; nothing where there is one alone."""
    if len(labels) < 2:
        return ""
    told = "; the limit against {} is the last to pass zero"
    if found.seeds is None or found.years_against == found.seeds_against:
        return told.format(labels[found.years_against])
    return told.format(f"{labels[found.years_against]} (by years) or {labels[found.seeds_against]} (by seeds)")


def listed(names: Sequence[str]) -> str:
    """`A, B and C`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _years(years: float) -> str:
    if years > MOST_YEARS:
        return f"more than {MOST_YEARS} more years"
    if years < 1:
        months = max(1, math.ceil(years * 12))
        return f"about {months} more month{'' if months == 1 else 's'}"
    whole = math.ceil(years)
    return f"about {whole} more year{'' if whole == 1 else 's'}"
