"""The leak gate on what `rl` makes: a small trained policy, and a configuration without its training."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.leaks.gate import Gate
from backtest.leaks.report import LeakReport
from marketdata.bars import Bars
from marketdata.catalog import Catalog
from marketdata.config import FeaturesConfig
from marketdata.features import build_features, feature_plan
from marketdata.setup_samples import put_samples
from marketdata.splits import Range
from marketdata.store import Store
from rl import policy_file
from rl.config import RewardConfig, TrainConfig, TrainingConfig
from rl.learned_days import LearnedDays, rows_hash
from rl.model_config import ModelConfig
from rl.normaliser import Normaliser
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.task import FeatureTable, Task, make_task
from rl.untrained import UntrainedPolicy
from simulator.config import SimulatorConfig
from simulator.market import prepare_market
from tests.marketdata.build import random_ohlcv

SEEN = FeaturesConfig(feature_set=("ohlcv",), indicators=("sma_gap(30)", "rank(close/mean(close,9)-1)*gap"), lookback=6)
TRAIN, VALIDATION, TEST = Range(40, 300), Range(320, 380), Range(400, 470)
CONFIG = SimulatorConfig()


def ragged() -> Bars:
    """Bars of three assets; the last one starts at bar 120, the second misses two bars of the test range."""
    bars = random_ohlcv(480, 3)
    columns: dict[str, Any] = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in columns.values():
        column[:120, 2] = np.nan
        column[430:432, 1] = np.nan
    return dataclasses.replace(bars, **columns)


def task_on(bars: Bars) -> Task:
    features = build_features(bars, feature_plan(SEEN, bars.fields, bars.adjustment))
    table = FeatureTable(features.values, features.names)
    return make_task(prepare_market(bars, CONFIG), CONFIG, RewardConfig(), SEEN, table, train=TRAIN)


def stored(bars: Bars, path: Path, normaliser: Normaliser | None = None) -> PolicyStrategy:
    """A policy of 256 steps in a file; `normaliser` in the place of its own."""
    task, values = task_on(bars), build_features(bars, feature_plan(SEEN, bars.fields, bars.adjustment)).values
    model = make_model(task, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4)).learn(256)
    learned = LearnedDays.of(bars.session, TRAIN, VALIDATION, rows_hash(values, TRAIN))
    return PolicyStrategy(path, policy_file.save(path, model, normaliser or task.normaliser, task.layout, learned))


def states(report: LeakReport) -> dict[str, str]:
    return {check.key: check.state for check in report.checks}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PolicyStrategy:
    return stored(ragged(), tmp_path_factory.mktemp("policy") / "policy.zip")


def test_a_trained_policy_passes(kept: PolicyStrategy) -> None:
    report = Gate(kept, ragged(), CONFIG, TEST).check()
    assert report.sentence.startswith("No leak found") and set(states(report).values()) == {"passed"}
    assert all(check.cases for check in report.checks)


def test_a_normaliser_of_the_full_sample_in_the_policy_file(tmp_path: Path) -> None:
    bars = ragged()
    values = build_features(bars, feature_plan(SEEN, bars.fields, bars.adjustment)).values
    wrong = stored(bars, tmp_path / "policy.zip", Normaliser.fit(values, 0, bars.n_bars - 1))
    report = Gate(wrong, bars, CONFIG, TEST).check()
    assert states(report)["statistics"] == "failed" and report.state == "failed"
    assert report.sentence.startswith("normaliser: the mean of log_return(1) is ")
    assert "fitted on the training bars alone" in report.sentence


def test_bars_that_have_grown_since_are_examined(kept: PolicyStrategy) -> None:
    bars = ragged()
    shorter = bars.between(bars.session[0].item(), bars.session[460].item())
    assert states(Gate(kept, shorter, CONFIG, Range(400, 450)).check())["statistics"] == "passed"


def test_on_foreign_bars_the_normaliser_is_not_examined(kept: PolicyStrategy) -> None:
    bars = ragged()
    other = dataclasses.replace(bars, close=bars.close * np.linspace(1, 1.001, bars.n_bars)[:, None])
    report = Gate(kept, other, CONFIG, TEST).check()
    assert states(report)["statistics"] == "not_examined" and report.state == "incomplete"
    assert report.sentence.startswith("normaliser: the bars that it was fitted on are not in this dataset")


def test_a_policy_whose_windows_end_one_bar_later(kept: PolicyStrategy, monkeypatch: pytest.MonkeyPatch) -> None:
    from rl.observation import Windows

    gather = Windows.gather
    monkeypatch.setattr(Windows, "gather", lambda self, bars: gather(self, np.minimum(bars + 1, self.n_bars - 1)))
    report = Gate(kept, ragged(), CONFIG, TEST).check()
    assert states(report)["features"] == "passed"
    assert report.sentence.startswith("observation: window on ") and states(report)["lag"] == "failed"


def training(bars: Bars, **more: Any) -> TrainConfig:
    days = bars.session
    ranges = [{"start": days[r.t0].item(), "end": days[r.t1].item()} for r in (TRAIN, VALIDATION, TEST)]
    split = {"scheme": "custom_ranges", "custom_ranges": ranges, "embargo_bars": 5}
    return TrainConfig.model_validate({"split": split, "features": SEEN.model_dump(mode="json"), **more})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"episode": {"mapping_mode": "tanh_leverage"}, "margin": {"allow_short": True}},
        {"episode": {"mapping_mode": "discrete", "max_step_change": 0.3}, "reward": {"mode": "diff_sharpe"}},
    ],
)
def test_a_configuration_passes_without_a_training(more: dict[str, Any]) -> None:
    bars = ragged()
    config = training(bars, **more)
    untrained = UntrainedPolicy(config, bars)
    report = Gate(untrained, bars, config, untrained.span).check()
    assert report.sentence.startswith("No leak found") and set(states(report).values()) == {"passed"}


def test_a_configuration_whose_normaliser_sees_all_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = Normaliser.fit.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Normaliser, "fit", classmethod(lambda cls, values, first, last: fit(cls, values, 0, len(values)))
    )
    bars = ragged()
    config = training(bars)
    untrained = UntrainedPolicy(config, bars)
    report = Gate(untrained, bars, config, untrained.span).check()
    assert states(report)["statistics"] == "failed" and states(report)["features"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sample/us20", "sample/us-indices"])
def test_the_default_configuration_passes_on_both_samples(name: str, tmp_path: Path) -> None:
    put_samples(Store(tmp_path))
    catalog = Catalog(tmp_path)
    bars = catalog.store.load(catalog.find(name, None).version)
    config = TrainConfig.model_validate({"dataset": {"id": name}})
    untrained = UntrainedPolicy(config, bars)
    report = Gate(untrained, bars, config, untrained.span).check()
    assert report.state == "passed", report.sentence
