"""How much more would be needed to tell: years and seeds, until the lower limit against every baseline lies above zero.

The points and the variance are taken to stay what they are. With one seed the distance d_b = theta_b - low_b shrinks
with one over the root of time. With several it has two parts that do not add in squares: the bars' own, the distance of
the limit that the same paths have without the luck of seeds, which shrinks likewise and which no seeds make smaller,
and the seeds' s/sqrt(S) times Student's t. The limit of both is that of Behrens and Fisher (`backtest.few_seeds`), and
it passes zero where its distance is theta_b. The baseline that asks for most binds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtest.few_seeds import limit
from backtest.series import Floats
from backtest.statistics import ALPHA, Excess

MOST_YEARS = 100
MOST_SEEDS = 10_000
HALVINGS = 40
NORMAL = NormalDist().inv_cdf(1 - ALPHA)


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
    years = _years_of_one(excess) if one else _each(_years_more, excess)
    seeds = None if one else _each(_seeds_more, excess)
    hardest = int(np.argmax(years)), excess.best if seeds is None else int(np.argmax(seeds))
    return Needed(float(years.max()), None if seeds is None else float(seeds.max()), *hardest)


def _years_of_one(excess: Excess) -> Floats:
    """(B,) years until each limit is at zero, of a subject without seeds."""
    bars, room = (excess.theta - excess.low) ** 2, excess.theta**2
    times = np.divide(bars, room, out=np.full(len(bars), math.inf), where=room > 0)
    more: Floats = excess.years * np.maximum(times - 1.0, 0.0)
    return more


def _each(more: Callable[[Excess, int, float], float], excess: Excess) -> Floats:
    """(B,) `more` of each baseline and the standard error of its bars; 0 where the limit lies above zero already."""
    bars = (excess.theta - excess.bars_low) / NORMAL
    return np.array([more(excess, b, float(bars[b])) if excess.low[b] <= 0 else 0.0 for b in range(len(bars))])


def _years_more(excess: Excess, baseline: int, bars: float) -> float:
    """Years until its limit is at zero, with as many seeds: by halving the share that is left of the bars' error."""
    room, freedom = float(excess.theta[baseline]), excess.seeds - 1
    if limit(0.0, excess.seed_error, freedom, ALPHA) >= room:
        return math.inf
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fits = limit(middle * bars, excess.seed_error, freedom, ALPHA) <= room
        low, high = (middle, high) if fits else (low, middle)
    return excess.years * (1 / low**2 - 1) if low > 0 else math.inf


def _seeds_more(excess: Excess, baseline: int, bars: float) -> float:
    """The least k >= 1 whose S + k seeds, as far apart, have their limit at zero; infinite beyond MOST_SEEDS."""
    room, spread, have = float(excess.theta[baseline]), excess.seed_error * math.sqrt(excess.seeds), excess.seeds

    def fits(more: int) -> bool:
        return limit(bars, spread / math.sqrt(have + more), have + more - 1, ALPHA) <= room

    if not fits(MOST_SEEDS):
        return math.inf
    low, high = 0, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return float(high)


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
    """Which baseline asks for most of what would be enough; nothing where nothing is, or there is one alone."""
    told = []
    if math.isfinite(found.years):
        told.append((labels[found.years_against], "years"))
    if found.seeds is not None and math.isfinite(found.seeds):
        told.append((labels[found.seeds_against], "seeds"))
    if len(labels) < 2 or not told:
        return ""
    if len({label for label, _ in told}) == 1:
        return f"; the limit against {told[0][0]} is the last to pass zero"
    return f"; the limit against {' or '.join(f'{label} (by {what})' for label, what in told)} is the last to pass zero"


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
