"""Walk-forward folds on the master index, as ranges: what a fold trains, validates and is tested on.

Test folds adjoin and end at the last bar: fold k of n is tested from bar T-1 - (n-k)*test_bars on, and one book goes
through all of them. What a fold may learn from is everything before, cut at its end by lookback + embargo bars; the
last `validation_bars` of that validate, and the training range ends lookback + embargo bars before these. `expanding`
trains on all that is left, `rolling` on the last `train_bars` of it. So no bar is in a window or reward of two sets.
"""

import numpy as np

from marketdata.bars import Days
from marketdata.config import SplitConfig
from marketdata.config_base import ConfigFault
from marketdata.splits import LEAST_BARS, Range, Ranges, make_ranges
from runfiles.policy_list import Start


def make_folds(config: SplitConfig, sessions: Days, *, lookback: int, warmup: int) -> tuple[Ranges, ...]:
    """The folds of a `walk_forward` split, in order of time; the arguments are those of `make_ranges`.

    Raises ConfigFault at the field whose change would help.
    """
    folds, test, validation = _sizes(config)
    short = _short_by(config, len(sessions), lookback, warmup)
    if short > 0:
        raise _why_not(config, sessions, lookback, warmup)
    gap, earliest = lookback + config.embargo_bars, lookback + warmup
    found = []
    for k in range(folds):
        begin = len(sessions) - 1 - (folds - k) * test
        learned = begin - gap
        trained = learned - validation - gap
        first = trained - (config.train_bars or 0) if config.train_window == "rolling" else earliest
        found.append(
            Ranges(Range(first, trained), Range(learned - validation, learned), Range(begin, begin + test)),
        )
    return tuple(found)


def ranges_of(config: SplitConfig, sessions: Days, *, lookback: int, warmup: int) -> Ranges:
    """The ranges of one training: those of the split, or of the one fold that it names; arguments of `make_ranges`.

    Raises ConfigFault, also for a walk_forward that names no fold.
    """
    if config.scheme != "walk_forward":
        return make_ranges(config, sessions, lookback=lookback, warmup=warmup)
    if config.fold is None:
        sentence = "walk_forward has many training ranges and a training takes one: say which, or start a walk-forward."
        raise ConfigFault({"split.fold": [sentence]})
    return make_folds(config, sessions, lookback=lookback, warmup=warmup)[config.fold - 1]


def tested(config: SplitConfig, sessions: Days, *, lookback: int, warmup: int) -> Range:
    """The bars that a split's subject is judged on: the test range, that of its one fold, or the test folds as one.

    Raises ConfigFault.
    """
    if config.scheme != "walk_forward" or config.fold is not None:
        return ranges_of(config, sessions, lookback=lookback, warmup=warmup).test
    folds = make_folds(config, sessions, lookback=lookback, warmup=warmup)
    return Range(folds[0].test.t0, folds[-1].test.t1)


def fold_starts(config: SplitConfig, sessions: Days, *, lookback: int, warmup: int) -> tuple[Start, ...]:
    """Where each test fold begins, its day with its place among the bars of that day; none where the split has no folds
    or names one. Raises ConfigFault.
    """
    if config.scheme != "walk_forward" or config.fold is not None:
        return ()
    found = []
    for number, one in enumerate(make_folds(config, sessions, lookback=lookback, warmup=warmup), start=1):
        day = sessions[one.test.t0]
        found.append(Start(number, day.item(), one.test.t0 - int(np.searchsorted(sessions, day, side="left"))))
    return tuple(found)


def _sizes(config: SplitConfig) -> tuple[int, int, int]:
    if config.n_folds is None or config.test_bars is None or config.validation_bars is None:
        raise ValueError("folds need a split by walk_forward, whose sizes its model has checked")
    return config.n_folds, config.test_bars, config.validation_bars


def _short_by(
    config: SplitConfig, n_bars: int, lookback: int, warmup: int, *, embargo: int | None = None,
    validation: int | None = None, train: int | None = None,
) -> int:  # fmt: skip
    """How many bars the first fold, which has the least before it, lacks; <= 0 where it fits."""
    folds, test, validated = _sizes(config)
    validated = validated if validation is None else validation
    gap = lookback + (config.embargo_bars if embargo is None else embargo)
    if train is None:
        train = config.train_bars if config.train_window == "rolling" else None
    needed = folds * test + 2 * gap + validated + (train or LEAST_BARS) + lookback + warmup
    return needed - (n_bars - 1)


def _why_not(config: SplitConfig, sessions: Days, lookback: int, warmup: int) -> ConfigFault:
    """The first field at which the split stops to fit, the later ones of this order being least."""
    count = len(sessions)
    span = f"the data has {count:,} bars, {sessions[0]} to {sessions[-1]}"
    least = {"embargo": 0, "validation": LEAST_BARS, "train": LEAST_BARS}
    folds, test, validation = _sizes(config)
    if (short := _short_by(config, count, 1, 0, **least)) > 0:
        most = folds - -(-short // test)
        if most < 1:
            return ConfigFault({"split.test_bars": [f"{test:,} bars of test leave nothing to train on; {span}."]})
        return ConfigFault({"split.n_folds": [f"Must be at most {most} with {test:,} test bars each; {span}."]})
    del least["validation"]
    if (short := _short_by(config, count, 1, 0, **least)) > 0:
        most = validation - short
        return ConfigFault({"split.validation_bars": [f"Must be at most {most:,} with these folds; {span}."]})
    del least["train"]
    if (short := _short_by(config, count, 1, 0, **least)) > 0:
        most = (config.train_bars or 0) - short
        return ConfigFault({"split.train_bars": [f"Must be at most {most:,} with these folds; {span}."]})
    if _short_by(config, count, 1, warmup, **least) > 0:
        sentence = f"These features need {warmup} bars before their first value, more than the folds leave; {span}."
        return ConfigFault({"features.feature_set": [sentence]})
    del least["embargo"]
    if (short := _short_by(config, count, 1, warmup)) > 0:
        most = config.embargo_bars - -(-short // 2)
        return ConfigFault({"split.embargo_bars": [f"Must be at most {most} with these folds; {span}."]})
    short = _short_by(config, count, lookback, warmup)
    most = lookback - -(-short // 3)
    return ConfigFault({"features.lookback": [f"Must be at most {most} with these folds; {span}."]})
