"""Walk-forward folds: by hand, by date, and that no bar serves two sets of a fold."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from marketdata import walk_forward
from marketdata.config import SplitConfig
from marketdata.config_base import ConfigFault, sentences
from marketdata.splits import Range, Ranges, make_ranges
from marketdata.walk_forward import make_folds
from tests.marketdata.build import weekdays


def walk(n_folds: int, test: int, validation: int, rolling: int | None = None, **more: Any) -> SplitConfig:
    window = {} if rolling is None else {"train_window": "rolling", "train_bars": rolling}
    return SplitConfig(
        scheme="walk_forward", n_folds=n_folds, test_bars=test, validation_bars=validation, **window, **more
    )


# bars, folds, test, validation, rolling, embargo, lookback, warmup -> (train, validation, test) of each fold, by hand
TABLE = [
    (100, 1, 20, 10, None, 5, 5, 0, [((5, 49), (59, 69), (79, 99))]),
    (100, 2, 20, 10, None, 5, 5, 0, [((5, 29), (39, 49), (59, 79)), ((5, 49), (59, 69), (79, 99))]),
    (100, 2, 20, 10, 20, 5, 5, 0, [((9, 29), (39, 49), (59, 79)), ((29, 49), (59, 69), (79, 99))]),
    (100, 2, 20, 10, None, 0, 0, 0, [((0, 49), (49, 59), (59, 79)), ((0, 69), (69, 79), (79, 99))]),
    (100, 1, 20, 10, None, 5, 5, 30, [((35, 49), (59, 69), (79, 99))]),
    (50, 3, 10, 4, None, 1, 1, 0, [((1, 11), (13, 17), (19, 29)), ((1, 21), (23, 27), (29, 39)),
                                   ((1, 31), (33, 37), (39, 49))]),
    (50, 3, 10, 4, 10, 1, 1, 0, [((1, 11), (13, 17), (19, 29)), ((11, 21), (23, 27), (29, 39)),
                                 ((21, 31), (33, 37), (39, 49))]),
    (12, 1, 2, 2, None, 1, 1, 0, [((1, 3), (5, 7), (9, 11))]),  # as short as it can be
]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "folds", "test", "validation", "rolling", "embargo", "lookback", "warmup", "by_hand"), TABLE
)
def test_folds_by_hand(n, folds, test, validation, rolling, embargo, lookback, warmup, by_hand):
    split = walk(folds, test, validation, rolling, embargo_bars=embargo)
    found = make_folds(split, weekdays(n), lookback=lookback, warmup=warmup)
    assert found == tuple(Ranges(*(Range(*pair) for pair in fold)) for fold in by_hand)
    assert walk_forward.tested(split, weekdays(n), lookback=lookback, warmup=warmup) == Range(
        n - 1 - folds * test, n - 1
    )


# last session, folds, test bars -> session of the first test decision and of each border, weekdays without holidays
DATES = [
    ("2024-02-29", 1, 261, ["2023-03-01", "2024-02-29"]),  # ends on a leap day
    ("2025-02-28", 1, 261, ["2024-02-29", "2025-02-28"]),  # begins on one
    ("2024-12-31", 2, 131, ["2023-12-29", "2024-07-01", "2024-12-31"]),  # the leap year has 262 weekdays
    ("2023-12-29", 2, 130, ["2022-12-30", "2023-06-30", "2023-12-29"]),
    ("2021-06-30", 4, 65, ["2020-07-01", "2020-09-30", "2020-12-30", "2021-03-31", "2021-06-30"]),  # middle of a year
    ("2022-08-15", 3, 5, ["2022-07-25", "2022-08-01", "2022-08-08", "2022-08-15"]),  # weeks
]


@pytest.mark.parametrize(("last", "folds", "test", "borders"), DATES)
def test_the_tests_adjoin_and_end_at_the_last_session(last, folds, test, borders):
    days = weekdays(10_000, "2010-01-01")
    days = days[days <= np.datetime64(last)]
    found = make_folds(walk(folds, test, 60), days, lookback=20, warmup=30)
    assert [str(days[fold.test.t0]) for fold in found] + [str(days[found[-1].test.t1])] == borders
    assert all(one.test.t1 == after.test.t0 for one, after in pairwise(found))


def bars_used(found: Range, lookback: int) -> range:
    return range(found.t0 - lookback + 1, found.t1 + 1)


@pytest.mark.parametrize("seed", range(200))
def test_no_bar_serves_two_sets_of_a_fold(seed):
    rng = np.random.default_rng(seed)
    n_bars, folds = int(rng.integers(30, 3000)), int(rng.integers(1, 9))
    test, validation, train, lookback, warmup, embargo = (int(rng.integers(*b)) for b in (
        (2, 300), (2, 200), (2, 500), (1, 150), (0, 400), (0, 40)))  # fmt: skip
    split = walk(folds, test, validation, train if seed % 2 else None, embargo_bars=embargo)
    try:
        found = make_folds(split, weekdays(n_bars), lookback=lookback, warmup=warmup)
    except ConfigFault:
        return
    for fold in found:
        train_bars, validated, judged = (bars_used(r, lookback) for r in (fold.train, fold.validation, fold.test))
        assert train_bars[0] >= warmup
        assert validated[0] - train_bars[-1] > embargo and judged[0] - validated[-1] > embargo
        assert (fold.validation.n_bars, fold.test.n_bars) == (validation, test)
        assert fold.train.n_bars == train if seed % 2 else fold.train.n_bars >= 2
    assert found[-1].test.t1 == n_bars - 1 and len(found) == folds


FAULTS = [
    (walk(10, 50, 20), 300, 5, 0, "split.n_folds", 5),
    (walk(1, 400, 20), 300, 5, 0, "split.test_bars", None),
    (walk(2, 50, 300), 300, 5, 0, "split.validation_bars", 194),
    (walk(2, 50, 50, 200), 300, 5, 0, "split.train_bars", 146),
    (walk(2, 50, 50), 300, 5, 200, "features.feature_set", None),
    (walk(2, 50, 50, embargo_bars=90), 300, 5, 0, "split.embargo_bars", 72),
    (walk(2, 50, 50), 300, 64, 0, "features.lookback", 45),
]


@pytest.mark.parametrize(("split", "n_bars", "lookback", "warmup", "field", "most"), FAULTS)
def test_data_that_are_too_short_name_the_field_and_what_fits(split, n_bars, lookback, warmup, field, most):
    with pytest.raises(ConfigFault) as caught:
        make_folds(split, weekdays(n_bars), lookback=lookback, warmup=warmup)
    ((named, (sentence,)),) = caught.value.errors.items()
    assert named == field and f"{n_bars} bars, 2020-01-01 to" in sentence
    if most is None:
        return
    assert f"at most {most} " in sentence
    leaf = field.split(".")[1]
    least = {"embargo_bars": 0} if leaf not in ("embargo_bars", "lookback") else {}  # what comes later is at its least
    for value, fits in ((most, True), (most + 1, False)):
        changed = split.model_copy(update=least | ({} if leaf == "lookback" else {leaf: value}))
        lookback = value if leaf == "lookback" else 1
        if fits:
            make_folds(changed, weekdays(n_bars), lookback=lookback, warmup=warmup)
            continue
        with pytest.raises(ConfigFault):
            make_folds(changed, weekdays(n_bars), lookback=lookback, warmup=warmup)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"scheme": "walk_forward"}, "n_folds", "must be given"),
        ({"scheme": "walk_forward", "n_folds": 2, "test_bars": 9}, "validation_bars", "must be given"),
        ({"n_folds": 2}, "n_folds", "belongs to walk_forward"),
        ({"fold": 1}, "fold", "belongs to walk_forward"),
        ({"scheme": "walk_forward", "n_folds": 2, "test_bars": 9, "validation_bars": 9, "fold": 3}, "fold",
         "at most n_folds 2"),
        ({"scheme": "80_20", "train_window": "rolling"}, "train_window", "rolling is of walk_forward"),
        ({"scheme": "walk_forward", "n_folds": 2, "test_bars": 9, "validation_bars": 9, "train_window": "rolling"},
         "train_bars", "must be given"),
        ({"scheme": "walk_forward", "n_folds": 2, "test_bars": 9, "validation_bars": 9, "train_bars": 9},
         "train_bars", "must be empty"),
        ({"scheme": "walk_forward", "n_folds": 0, "test_bars": 9, "validation_bars": 9}, "n_folds", "at least 1"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_go_with_the_scheme_are_refused(values, field, words):
    with pytest.raises(ValidationError) as fault:
        SplitConfig(**values)
    ((named, (sentence,)),) = sentences(fault.value).items()
    assert named == field and words in sentence


def test_other_schemes_are_tested_on_their_test_range():
    days, split = weekdays(900), SplitConfig()
    assert walk_forward.tested(split, days, lookback=5, warmup=0) == make_ranges(split, days, lookback=5, warmup=0).test


def test_a_training_takes_one_fold():
    split, days = walk(3, 20, 20), weekdays(400)
    with pytest.raises(ConfigFault, match=r"split\.fold: walk_forward has many training ranges"):
        walk_forward.ranges_of(split, days, lookback=1, warmup=0)
    folds = make_folds(split, days, lookback=1, warmup=0)
    for number in (1, 2, 3):
        one = split.model_copy(update={"fold": number})
        assert walk_forward.ranges_of(one, days, lookback=1, warmup=0) == folds[number - 1]
        assert walk_forward.tested(one, days, lookback=1, warmup=0) == folds[number - 1].test


def test_other_schemes_have_one_training_range():
    days, split = weekdays(900), SplitConfig()
    assert walk_forward.ranges_of(split, days, lookback=5, warmup=0) == make_ranges(split, days, lookback=5, warmup=0)


@pytest.mark.parametrize("bars_a_day", [1, 4, 7])
def test_folds_start_at_their_bar_of_their_day(bars_a_day):
    """On days of m bars each, bar t is number t % m of day t // m; the test folds of 13 returns end at the last bar."""
    days = weekdays(70)
    sessions, split = np.repeat(days, bars_a_day), walk(2, 13, 10, embargo_bars=1)
    starts = walk_forward.fold_starts(split, sessions, lookback=2, warmup=0)
    for number, start in enumerate(starts, start=1):
        bar = len(sessions) - 1 - (3 - number) * 13
        assert (start.fold, start.day, start.bar) == (number, days[bar // bars_a_day].item(), bar % bars_a_day)
    assert len(starts) == 2
    assert walk_forward.fold_starts(split.model_copy(update={"fold": 1}), sessions, lookback=2, warmup=0) == ()
    assert walk_forward.fold_starts(SplitConfig(), sessions, lookback=2, warmup=0) == ()
