"""A whole backtest with all that `evaluation.baselines` may hold, over walk-forward folds."""

import json
from typing import Any

import pytest

from backtest.config import BacktestConfig
from backtest.registry import BASELINES, CHOICES, IN_VERDICT, STRATEGIES
from backtest.run import run
from runfiles import layout
from runfiles.job import Job, JobRefused
from tests.backtest.conftest import MakeJob

FOLDS = {"scheme": "walk_forward", "n_folds": 3, "test_bars": 84, "validation_bars": 60}
CONFIG: dict[str, Any] = {
    "policy": "momentum",
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"], "start": "2015-01-02", "end": "2019-12-31"},
    "split": FOLDS,
    "evaluation": {
        "baselines": [key for key in CHOICES if key != "momentum"],
        "fixed_weights": {"KO": 0.6, "XOM": 0.3}, "matched_random_draws": 100, "bootstrap_paths": 1000,
    },
}  # fmt: skip


def summary(job: Job, key: str = "") -> dict[str, Any]:
    below = layout.baseline_folder(key) if key else layout.REPORT
    found: dict[str, Any] = json.loads((job.folder / below / "summary.json").read_text())
    return found


def contents(job: Job) -> dict[str, bytes]:
    root = job.folder / layout.REPORT
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, datasets: Any) -> Job:
    from runfiles import yamlio
    from runfiles.events import EventWriter

    folder = tmp_path_factory.mktemp("every")
    (folder / layout.CONFIG).write_text(yamlio.dump(CONFIG), encoding="utf-8")
    job = Job(folder, datasets, EventWriter(folder / layout.EVENTS), CONFIG)
    run(job)
    return job


def test_each_baseline_has_its_tables_and_the_percentile_none(done: Job) -> None:
    folders = {path.name for path in (done.folder / layout.REPORT / layout.BASELINES).iterdir()}
    assert folders == set(BASELINES) - {"momentum"}
    assert all(summary(done, key)["label"] == STRATEGIES[key].label for key in folders)


def test_the_judged_bars_are_those_of_the_test_folds(done: Job) -> None:
    assert summary(done)["range"] == {"start": "2018-12-31", "end": "2019-12-31", "n_bars": 252}


def test_only_those_of_the_verdict_are_in_it_and_none_is_left_out(done: Job) -> None:
    counted = {one["baseline"] for one in summary(done)["excesses"]}
    assert counted == set(IN_VERDICT) - {"momentum", "benchmark"}  # buy_hold stands for the benchmark
    assert not [text for text in summary(done)["stamps"] if text.startswith("Left out of the verdict")]


def test_the_percentile_of_luck_is_told(done: Job) -> None:
    found = summary(done)["matched_random"]
    assert found["draws"] == 100 and 0 < found["percentile"] < 1
    assert found["total_return"] == summary(done)["metrics"]["total_return"]
    (told,) = [text for text in summary(done)["stamps"] if text.startswith("Luck: ")]
    assert f"Luck: {found['percentile'] * 100:.0f} % of 100 draws of its own decisions of earlier dates" in told
    assert told in (done.folder / layout.REPORT / layout.REPORT_HTML).read_text().replace("&#39;", "'")
    assert "matched_random" not in summary(done, "equal")


def test_fixed_weights_are_held(done: Job) -> None:
    metrics = summary(done, "fixed_weights")["metrics"]
    assert metrics["gross"] == pytest.approx(0.9, abs=0.02)


def test_the_same_bytes_again(done: Job, make_job: MakeJob) -> None:
    again = make_job(**CONFIG)
    run(again)
    assert contents(again) == contents(done)


@pytest.mark.parametrize(
    ("group", "change", "key", "field"),
    [
        ("evaluation", {"matched_random_draws": 150}, "", "matched_random"),
        ("evaluation", {"seed": 5}, "", "matched_random"),
        ("evaluation", {"fixed_weights": {"KO": 0.5}}, "fixed_weights", "metrics"),
        ("split", {"n_folds": 2}, "", "range"),
        ("split", {"test_bars": 85}, "", "range"),
    ],
)
def test_each_setting_changes_the_result(
    done: Job, make_job: MakeJob, group: str, change: dict[str, Any], key: str, field: str
) -> None:
    job = make_job(**{**CONFIG, group: {**CONFIG[group], **change}})
    run(job)
    assert summary(job, key)[field] != summary(done, key)[field]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"split": {**FOLDS, "validation_bars": 1100}}, "split.validation_bars: Must be at most "),
        ({"split": {**FOLDS, "train_window": "rolling", "train_bars": 1000}}, "split.train_bars: Must be at most "),
        ({"split": {**FOLDS, "embargo_bars": 500}}, "split.embargo_bars: Must be at most "),
        ({"split": {"scheme": "walk_forward"}}, "split.n_folds: n_folds must be given"),
        ({"evaluation": {"baselines": ["fixed_weights"], "fixed_weights": {"MSFT": 0.5}}},
         "evaluation.fixed_weights: MSFT is not among the run's symbols."),
        ({"evaluation": {"baselines": ["fixed_weights"], "fixed_weights": {"KO": 1.5}}},
         "evaluation.fixed_weights: evaluation.fixed_weights KO is 1.5; times episode.invest_max 1 it is over "),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(make_job: MakeJob, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(JobRefused) as refused:
        run(make_job(**{**CONFIG, **change}))
    assert str(refused.value).startswith(sentence)


def test_by_default_nothing_of_the_verdict_is_left_out() -> None:
    assert set(IN_VERDICT) <= set(BacktestConfig(policy="equal").evaluation.baselines)
