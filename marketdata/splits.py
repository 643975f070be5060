"""Train, validation and test ranges on the master index, and ranges by dates.

A range is decided on from the close of `t0` to the bar before `t1`, and marked last at `t1`. Between ranges lie at
least lookback + embargo bars, so that no bar is in a window or reward of both: the earlier range is cut at its end.
Features may look back across a border (that is the past), statistics may not.
"""

import calendar
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marketdata.bars import Days
from marketdata.config import SplitConfig
from marketdata.config_base import ConfigFault

NAMES = ("train", "validation", "test")
LEAST_BARS = 2
"""A volatility needs two returns."""


@dataclass(frozen=True)
class Range:
    """`t0`: first decision bar; `t1`: last mark; both indices of the master index."""

    t0: int
    t1: int

    @property
    def n_bars(self) -> int:
        """Returns of the range: marks after the first decision."""
        return self.t1 - self.t0


@dataclass(frozen=True)
class Ranges:
    train: Range
    validation: Range
    test: Range


def make_ranges(config: SplitConfig, sessions: Days, *, lookback: int, warmup: int) -> Ranges:
    """The three ranges of a split.

    `sessions` (T,) datetime64[D]; `lookback` bars of an observation window; `warmup` bars before the first
    finite feature.
    The train range begins at the first bar with lookback + warmup bars before it.
    Raises ConfigFault at the field whose change would help, ValueError for walk_forward, whose folds
    `walk_forward.ranges_of` knows.
    """
    if config.scheme == "walk_forward":
        raise ValueError("walk_forward has folds, each with ranges of its own")
    nominal = _nominal(config, sessions)
    ranges = _cut(nominal, lookback=lookback, warmup=warmup, embargo=config.embargo_bars)
    if _fits(ranges):
        return Ranges(*ranges)
    raise _why_not(config, sessions, nominal, lookback, warmup)


def range_between(sessions: Days, start: dt.date, end: dt.date, *, needed: int = 0) -> Range:
    """The range of a backtest by dates: first decision on the first session from `start` on, last mark by `end`.

    `needed`: bars that must lie before the first decision (lookback + warm-up of a policy).
    Raises ConfigFault naming `start` or `end`.
    """
    if start >= end:
        raise ConfigFault({"end": [f"Must lie after start {start}."]})
    for name, day in (("start", start), ("end", end)):
        if not sessions[0] <= np.datetime64(day, "D") <= sessions[-1]:
            raise ConfigFault({name: [f"Must lie within the data, {sessions[0]} to {sessions[-1]}."]})
    found = _between(sessions, start, end)
    if found.n_bars < LEAST_BARS:
        raise ConfigFault({"end": [f"Fewer than {LEAST_BARS + 1} sessions lie between {start} and {end}."]})
    if found.t0 < needed:
        first = sessions[needed] if needed < len(sessions) else "the end of the data"
        sentence = f"Must be {first} or later: the policy needs {needed} bars before its first decision."
        raise ConfigFault({"start": [sentence]})
    return found


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of the month `months` earlier, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _nominal(config: SplitConfig, sessions: Days) -> list[Range]:
    """Ranges before warm-up and purge. An index may be out of order here; `_fits` sees that after the cut."""
    if config.scheme == "custom_ranges":
        return [_custom(sessions, index, r.start, r.end) for index, r in enumerate(config.custom_ranges)]
    last = len(sessions) - 1
    if config.scheme == "80_20":
        test = len(sessions) - len(sessions) // 5
        validation = test - test // 5
    else:
        end: dt.date = sessions[-1].item()
        test, validation = (_first_after(sessions, months_before(end, months)) for months in (12, 24))
    return [Range(0, validation), Range(validation, test), Range(test, last)]


def _first_after(sessions: Days, day: dt.date) -> int:
    return int(np.searchsorted(sessions, np.datetime64(day, "D"), side="right"))


def _between(sessions: Days, start: dt.date, end: dt.date) -> Range:
    first = int(np.searchsorted(sessions, np.datetime64(start, "D"), side="left"))
    return Range(first, _first_after(sessions, end) - 1)


def _custom(sessions: Days, index: int, start: dt.date, end: dt.date) -> Range:
    if np.datetime64(start, "D") < sessions[0] or np.datetime64(end, "D") > sessions[-1]:
        span = f"{sessions[0]} to {sessions[-1]}"
        sentence = f"The {NAMES[index]} range {start} to {end} must lie within the data, {span}."
        raise ConfigFault({"split.custom_ranges": [sentence]})
    return _between(sessions, start, end)


def _cut(nominal: list[Range], *, lookback: int, warmup: int, embargo: int) -> list[Range]:
    train, validation, test = nominal
    gap = lookback + embargo
    train = Range(max(train.t0, lookback + warmup), min(train.t1, validation.t0 - gap))
    return [train, Range(validation.t0, min(validation.t1, test.t0 - gap)), test]


def _fits(ranges: list[Range]) -> bool:
    return all(found.n_bars >= LEAST_BARS for found in ranges)


def _why_not(config: SplitConfig, sessions: Days, nominal: list[Range], lookback: int, warmup: int) -> ConfigFault:
    """The first of scheme, warm-up, embargo, lookback at which the split stops to fit, the later ones being least."""

    def fits(lookback: int = 1, warmup: int = 0, embargo: int = 0) -> bool:
        return _fits(_cut(nominal, lookback=lookback, warmup=warmup, embargo=embargo))

    span = f"the data has {len(sessions)} bars, {sessions[0]} to {sessions[-1]}"
    if not fits():
        return ConfigFault(_scheme_fault(config, span))
    if not fits(warmup=warmup):
        sentence = f"These features need {warmup} bars before their first value, more than the split leaves; {span}."
        return ConfigFault({"features.feature_set": [sentence]})
    embargo = config.embargo_bars
    if not fits(warmup=warmup, embargo=embargo):
        most = _largest(lambda n: fits(warmup=warmup, embargo=n), 0, embargo)
        return ConfigFault({"split.embargo_bars": [f"Must be at most {most} with this split and data; {span}."]})
    most = _largest(lambda n: fits(n, warmup, embargo), 1, lookback)
    return ConfigFault({"features.lookback": [f"Must be at most {most} with this split and data; {span}."]})


def _scheme_fault(config: SplitConfig, span: str) -> dict[str, list[str]]:
    if config.scheme == "custom_ranges":
        return {"split.custom_ranges": [f"Each range must hold at least {LEAST_BARS + 1} sessions; {span}."]}
    if config.scheme != "last_year":
        return {"split.scheme": [f"{config.scheme} needs more sessions; {span}."]}
    way_out = "80_20 takes shares of what there is, custom_ranges days of your own"
    return {"split.scheme": [f"last_year needs more than two years of sessions; {span}. {way_out}."]}


def _largest(fits: Callable[[int], bool], good: int, bad: int) -> int:
    """The largest number that fits, given one that does and a larger one that does not."""
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good
