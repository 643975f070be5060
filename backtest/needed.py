"""How much more would be needed to tell: years and seeds, from the error of the excess over the best baseline.

The bars' part of the error shrinks with one over the root of time, the seeds' part with one over the root of their
number; the test tells in four of five draws when the error is the size of the excess over 2.8.
"""

import math
from dataclasses import dataclass

from backtest.statistics import POWER, Excess

MOST_YEARS = 100


@dataclass(frozen=True)
class Needed:
    """Beyond what there is: `years` of bars with as many seeds, or `seeds` with as many bars.

    Infinite where no amount is enough; `seeds` is None with one seed, which cannot say how far seeds lie apart.
    """

    years: float
    seeds: float | None


def needed(excess: Excess) -> Needed | None:
    """None where the test can tell an excess of this size already."""
    theta = abs(float(excess.theta[excess.best]))
    whole, of_seeds = float(excess.error[excess.best]) ** 2, excess.seed_error**2
    of_bars, aim = max(whole - of_seeds, 0.0), (theta / POWER) ** 2
    if whole <= aim:
        return None
    years = excess.years * more(of_bars, aim - of_seeds)
    seeds = None
    if excess.seeds > 1:
        some = excess.seeds * more(of_seeds, aim - of_bars)
        seeds = some if math.isinf(some) else float(math.ceil(some))
    return Needed(years, seeds)


def more(part: float, room: float) -> float:
    """How many times as much is to be added so that `part`, which shrinks with it, fits into `room`."""
    return max(part / room - 1.0, 0.0) if room > 0 else math.inf


def sentence(found: Needed | None) -> str:
    """`At this edge and variance, about 12 more years or 5 more seeds would be needed to tell.` Empty for None."""
    if found is None:
        return ""
    years = _years(found.years)
    if found.seeds is None:
        if math.isinf(found.years):
            return "At this edge and variance, no amount of time would be enough to tell."
        return f"At this edge and variance, {years} would be needed to tell."
    if math.isinf(found.years) and math.isinf(found.seeds):
        return "At this edge and variance, neither more years alone nor more seeds alone would be enough to tell."
    if math.isinf(found.seeds):
        return f"At this edge and variance, {years} would be needed to tell; no number of seeds alone is enough."
    seeds = f"{found.seeds:,.0f} more seed{'' if found.seeds == 1 else 's'}"
    if math.isinf(found.years):
        return f"At this edge and variance, {seeds} would be needed to tell; no amount of time alone is enough."
    return f"At this edge and variance, {years} or {seeds} would be needed to tell."


def _years(years: float) -> str:
    if years > MOST_YEARS:
        return f"more than {MOST_YEARS} more years"
    if years < 1:
        months = max(1, math.ceil(years * 12))
        return f"about {months} more month{'' if months == 1 else 's'}"
    whole = math.ceil(years)
    return f"about {whole} more year{'' if whole == 1 else 's'}"
