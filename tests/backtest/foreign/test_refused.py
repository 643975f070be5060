"""What is no result is refused before anything is judged, with one sentence of the column, the row and the day."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from backtest.config import POLICY_FIELDS, RERUN_FIELDS, EvaluationConfig, ImportConfig
from backtest.foreign import run
from backtest.imported import ABSENT
from runfiles import layout
from runfiles.job import JobRefused
from tests.backtest.foreign.conftest import Import

Rows = list[tuple[str, str]]


def table(rows: Rows, head: str = "date,equity") -> str:
    return head + "\n" + "".join(f"{day},{value}\n" for day, value in rows)


def curve(days: list[str]) -> Rows:
    return [(day, f"{1000 + k}") for k, day in enumerate(days[:60])]


def put(place: int, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:place], (rows[place][0], value), *rows[place + 1 :]]


CASES: dict[str, tuple[Callable[[Rows], Rows], dict[str, Any], str]] = {
    "newest first": (lambda r: r[::-1], {}, r"Column date, row 3 of the file: .* comes after .*the oldest first"),
    "twice": (lambda r: [*r[:5], r[4], *r[5:]], {}, r"row 7 of the file: 2019-01-08 stands there twice"),
    "empty": (put(3, ""), {}, r"Row 5 of the file has no equity; one row for each bar is right, with a "
              "finite number in it, so write the value of that bar"),
    "nan": (put(3, "NaN"), {}, r"Row 5 of the file has no equity"),
    "inf": (put(3, "inf"), {}, r'Row 5 of the file has an equity of "inf", which is no number'),
    "huge": (put(3, "1e999"), {}, r"Row 5 of the file"),
    "zero": (put(3, "0"), {}, r"Column equity, row 5 of the file: equity of 0 on 2019-01-07; it must be above 0"),
    "below zero": (put(3, "-1"), {}, r"equity of -1 on 2019-01-07"),
    "a word": (put(3, "lots"), {}, r'"lots", which is no number'),
    "a gap": (lambda r: [*r[:3], *r[5:]], {}, r"2019-01-07 is missing after row 4 of the file, the first of 2 bars"),
    "a weekend": (
        lambda r: [*r[:3], ("2019-01-05", "1003"), *r[3:]], {},
        r"Row 5 of the file is 2019-01-05, no session of this dataset \(XNYS\); 1 of 61 rows",
    ),
    "too late": (
        lambda r: [*r, ("2040-01-03", "1")], {}, r"Row 62 of the file is 2040-01-03, outside the data's 1990-01-02 to"
    ),
    "too early": (lambda r: [("1980-01-03", "1"), *r], {}, r"Row 2 of the file is 1980-01-03, outside the data's"),
    "no day": (lambda r: [*r[:3], ("soon", "3")], {}, r'The date in row 5 of the file is "soon"'),
    "two rows": (lambda r: r[:2], {}, r"The file has 2 rows to be judged; at least 3 are needed"),
    "none in range": (lambda r: r, {"start": "2021-01-04"}, r"The file has no row between 2021-01-04 and its end"),
    "no such column": (lambda r: r, {"result": {"value": "nav"}}, r"result.value: the file has no column nav; it has"),
    "not named": (lambda r: r, {"result": {"holds": "returns"}}, r"result.value: no column is named like the"),
    "held otherwise": (
        lambda r: r, {"result": {"holds": "returns"}},
        r"Or result.holds is not returns: equity is named like equity, for which it must say equity\.",
    ),
    "days twice": (lambda r: r, {"result": {"value": "date"}}, r"result.value: date is the column of days already"),
    "no closes": (lambda r: r, {"result": {"times": "close"}}, r"result.times: column date holds days and no times"),
    "percents": (
        lambda r: [(day, "0.7") for day, _ in r], {"result": {"holds": "returns", "value": "equity"}},
        r"the usual return is 0.7, which is 70% a bar.*say result.holds: returns_percent",
    ),
    "fractions": (
        lambda r: [(day, "0.007") for day, _ in r], {"result": {"holds": "returns_percent", "value": "equity"}},
        r"the usual return is 0.007 %.*say result.holds: returns ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_sentence(importing: Import, days: list[str], name: str) -> None:
    change, config, sentence = CASES[name]
    job = importing(table(change(curve(days))), **config)
    with pytest.raises(JobRefused, match=sentence) as refused:
        run.run(job)
    assert "\n" not in str(refused.value) and not (job.folder / layout.REPORT).exists()


def test_a_return_that_loses_all(importing: Import, days: list[str]) -> None:
    rows = put(9, "-1.5")([(day, "0.001") for day in days[:60]])
    with pytest.raises(JobRefused, match=r"Column ret, row 11 of the file: a return of -1.5 on .* loses all"):
        run.run(importing(table(rows, "date,ret"), result={"holds": "returns"}))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04....", "zip archive or an Excel workbook"),
        (b"\x80\x04pickled", "Python pickle, which is never read"),
        (b"PAR1 and no more", "damaged Parquet"),
        (b"date,equity\n2019-01-02,1\x00\n", "NUL character in row 2; a CSV is text: save it as UTF-8"),
        (b"date,equity,\x81\n2019-01-02,1,x\n", "not written in cp1252: row 1 holds other bytes; save it as UTF-8"),
        (b"date,equity\n", "a header and no rows"),
        (b"date,equity\n2019-01-02\n", "has 1 cells, and the header 2"),
        (b"date;date\n1;2\n", "two columns named date"),
        (b"date,equity\n03/04/2019,1\n04/04/2019,2\n", "result.date_format: Dates such as 03/04/2019 may be"),
        (b"x" * (16 * 1024 * 1024 + 1), "at most 16,777,216 are taken"),
    ],
)
def test_files_that_are_no_table(importing: Import, content: bytes, sentence: str) -> None:
    with pytest.raises(JobRefused, match=sentence):
        run.run(importing(content))


def test_a_file_that_is_not_the_one_that_was_taken(importing: Import, days: list[str]) -> None:
    job = importing(table(curve(days)))
    (job.folder / layout.RESULT).write_text(table(curve(days)[1:]))
    with pytest.raises(JobRefused, match=r"^file_sha256: the file .* is not the one that was taken"):
        run.run(job)
    (job.folder / layout.RESULT).unlink()
    with pytest.raises(JobRefused, match="no file lies in the run directory"):
        run.run(job)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"split": {"scheme": "80_20"}}, "Split must be left out: the days of the file are judged"),
        ({"evaluation": {"baselines": ["cash", "matched_random"]}}, "must not hold matched_random"),
        ({"evaluation": {"benchmark": "NOPE"}}, "evaluation.benchmark: NOPE is not among"),
        ({"policy": "equal"}, "policy: Unknown field"),
        ({"start": "2020-01-02", "end": "2019-01-02"}, "must lie before end"),
    ],
)
def test_what_would_change_nothing_is_refused_by_name(
    importing: Import, days: list[str], config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(JobRefused, match=sentence):
        run.run(importing(table(curve(days)), **config))


OTHERWISE = {
    "sensitivity": ("cost_multipliers", [1.0, 3.0]), "delays": ("delays", [1, 3]),
    "stress": ("stress_windows", ["gulf_1990"]),
    "capacity": ("capacity_multipliers", [1.0, 2.0]), "matched_random": ("matched_random_draws", 100),
    "weights": ("waterfall", True), "leaks": ("policy", "last"),
}  # fmt: skip
"""What the report of an import lacks: the field of `evaluation` that asks for it, and another value of it."""
FOLLOWED = {
    "baselines", "benchmark", "bootstrap_paths", "metric_bootstrap_paths", "fixed_weights", "rolling_window", "trials",
    "trials_variance", "seed",
}  # fmt: skip


def test_each_field_is_followed_or_refused() -> None:
    assert {field for field, _ in OTHERWISE.values()} == set(RERUN_FIELDS)
    assert set(EvaluationConfig.model_fields) == FOLLOWED | set(RERUN_FIELDS)
    again = {key for key, why in ABSENT.items() if "cannot be run again" in why}
    assert again <= set(OTHERWISE) <= set(ABSENT)


@pytest.mark.parametrize("absent", OTHERWISE)
def test_what_nothing_can_follow_is_refused_by_name(importing: Import, days: list[str], absent: str) -> None:
    field, value = OTHERWISE[absent]
    job = importing(table(curve(days)), evaluation={field: value})
    with pytest.raises(
        JobRefused, match=rf"evaluation.{field} cannot be followed: .* cannot be run again; leave it out"
    ):
        run.run(job)


POLICY_ALONE = {
    "guards.daily_loss_limit": 0.05, "guards.max_drawdown": 0.1, "guards.stop_eq_frac": 0.5,
    "sizing.kelly": {"fraction": 0.3}, "sizing.vol_target": {"annual_vol": 0.2},
    "episode.max_steps": 100, "episode.randomize_start": False, "episode.logit_scale": 2.0,
    "episode.mapping_mode": "discrete", "episode.max_step_change": 0.1, "episode.min_hold_bars": 5,
    "episode.rebalance_eps": 0.01,
}  # fmt: skip


@pytest.mark.parametrize("path", POLICY_ALONE)
def test_what_binds_a_policy_alone_is_refused_by_name(path: str) -> None:
    group, name = path.split(".")
    with pytest.raises(ValidationError, match=rf"({path}|{group}) cannot be followed: it binds a policy"):
        ImportConfig.model_validate({group: {name: POLICY_ALONE[path]}})


def test_the_money_and_the_share_invested_of_the_baselines_are_followed() -> None:
    config = ImportConfig.model_validate({"episode": {"start_cash": 5e4, "invest_max": 0.9}})
    assert (config.episode.start_cash, config.episode.invest_max) == (5e4, 0.9)
    named = {path.partition(".")[2] for path in POLICY_FIELDS if path.startswith("episode.")}
    assert named == {path.partition(".")[2] for path in POLICY_ALONE if path.startswith("episode.")}
