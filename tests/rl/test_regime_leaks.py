"""The leak gate on regimes: a clean configuration and policy pass; smoothed beliefs and a fit on all bars are named."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM  # type: ignore[import-untyped]

from backtest.leaks.gate import Gate
from backtest.leaks.report import LeakReport
from marketdata.bars import Bars
from marketdata.features import build_features, plan_of
from marketdata.regime import RegimeModel, inputs_hash, market_inputs
from marketdata.regime_fit import fit_regime
from marketdata.splits import Range
from rl import policy_file
from rl.config import RewardConfig, TrainConfig, TrainingConfig
from rl.learned_days import LearnedDays, rows_hash
from rl.model_config import ModelConfig
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.task import FeatureTable, make_task
from rl.untrained import UntrainedPolicy
from simulator.market import prepare_market
from tests.marketdata.build import random_ohlcv
from tests.rl.test_leaks import CONFIG, SEEN, TEST, TRAIN, VALIDATION, states, training

REGIME = {"enabled": True, "n_states": 2}


def bars() -> Bars:
    return random_ohlcv(480, 3)


def smoothed(self: RegimeModel, data: Bars) -> np.ndarray:
    """P(state | all bars), as the library gives it."""
    model = GaussianHMM(self.n_states, covariance_type="full")
    model.startprob_, model.transmat_ = self.start, self.transition
    model.means_, model.covars_ = self.means, self.covariances
    inputs = market_inputs(data, self.inputs)
    known = np.isfinite(inputs).all(axis=1)
    beliefs = np.tile(self.start, (data.n_bars, 1))
    beliefs[known] = model.predict_proba((inputs[known] - self.centre) / self.scale)
    return beliefs


def of_configuration() -> LeakReport:
    config: TrainConfig = training(bars(), regime=REGIME)
    untrained = UntrainedPolicy(config, bars())
    return Gate(untrained, bars(), config, untrained.span).check()


def stored(path: Path, fitted_on: Range) -> PolicyStrategy:
    data = bars()
    regime = fit_regime(data, fitted_on, n_states=2, inputs=("return", "volatility"), seed=0)
    features = build_features(data, plan_of(SEEN, data))
    table = FeatureTable(features.values, features.names)
    task = make_task(prepare_market(data, CONFIG), CONFIG, RewardConfig(), SEEN, table, train=TRAIN, regime=regime)
    model = make_model(task, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4)).learn(64)
    learned = LearnedDays.of(
        data.session, TRAIN, VALIDATION, rows_hash(features.values, TRAIN), inputs_hash(data, regime.inputs, TRAIN)
    )
    return PolicyStrategy(path, policy_file.save(path, model, task.normaliser, task.layout, learned, regime))


def test_a_configuration_with_regimes_passes() -> None:
    report = of_configuration()
    assert set(states(report).values()) == {"passed"}, report.sentence


def test_smoothed_beliefs_of_a_configuration_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RegimeModel, "beliefs", smoothed)
    report = of_configuration()
    assert states(report)["features"] == "failed" and states(report)["statistics"] == "passed"
    assert report.sentence.startswith("regime: regime(")


def test_a_configuration_whose_model_is_fitted_on_all_bars_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rl.regime.fit_regime", lambda data, train, **asked: fit_regime(data, Range(train.t0, data.n_bars - 1), **asked)
    )
    report = of_configuration()
    found = [check.sentence for check in report.checks if check.key == "statistics"]
    assert states(report)["statistics"] == "failed" and found[0].startswith("regime: "), found


def test_a_policy_with_regimes_passes_and_its_smoothed_beliefs_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = stored(tmp_path / "policy.zip", TRAIN)
    report = Gate(policy, bars(), CONFIG, TEST).check()
    assert set(states(report).values()) == {"passed"}, report.sentence
    monkeypatch.setattr(RegimeModel, "beliefs", smoothed)
    report = Gate(policy, bars(), CONFIG, TEST).check()
    assert states(report)["features"] == "failed" and report.sentence.startswith("regime: regime(")


def test_a_policy_whose_model_was_fitted_on_all_bars_is_named(tmp_path: Path) -> None:
    wrong = stored(tmp_path / "policy.zip", Range(TRAIN.t0, 479))
    report = Gate(wrong, bars(), CONFIG, TEST).check()
    assert states(report)["statistics"] == "failed" and report.sentence.startswith("regime: ")


def shaken(model: RegimeModel, size: float) -> RegimeModel:
    """The model with every mean and covariance moved by up to `size`, as another machine's rounding moves them."""
    chance = np.random.default_rng(5)
    noise = chance.uniform(-1, 1, model.covariances.shape)
    return dataclasses.replace(
        model,
        means=model.means + size * chance.uniform(-1, 1, model.means.shape),
        covariances=model.covariances + size * (noise + noise.swapaxes(1, 2)) / 2,
    )


@pytest.mark.parametrize(("size", "state"), [(1e-12, "passed"), (1e-6, "failed")])
def test_a_fit_of_other_rounding_passes_and_one_that_is_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: float, state: str
) -> None:
    policy = stored(tmp_path / "policy.zip", TRAIN)
    monkeypatch.setattr("rl.regime.fit_regime", lambda *args, **asked: shaken(fit_regime(*args, **asked), size))
    report = Gate(policy, bars(), CONFIG, TEST).check()
    assert states(report)["statistics"] == state, report.sentence


def test_a_policy_whose_model_knows_one_bar_more_is_named(tmp_path: Path) -> None:
    report = Gate(stored(tmp_path / "policy.zip", Range(TRAIN.t0, TRAIN.t1 + 1)), bars(), CONFIG, TEST).check()
    found = [check.sentence for check in report.checks if check.key == "statistics"]
    assert states(report)["statistics"] == "failed"
    assert "fitted on the training bars alone; it was fitted on bars after the training range." in found[0]


_FIT = """
import sys
from pathlib import Path
from tests.rl.test_regime_leaks import TRAIN, stored
stored(Path(sys.argv[1]), TRAIN)
"""


@pytest.mark.slow
def test_a_policy_from_a_cpu_of_other_kernels_passes(tmp_path: Path) -> None:
    """The same training in a process whose OpenBLAS takes the kernels of an old CPU, or of this one: both pass here."""
    for kernels in ("Prescott", "Haswell"):
        path = tmp_path / f"{kernels}.zip"
        environment = {**os.environ, "OPENBLAS_CORETYPE": kernels, "DJANGO_SETTINGS_MODULE": "stockbot_site.settings"}
        subprocess.run([sys.executable, "-c", _FIT, str(path)], env=environment, check=True)
        policy = PolicyStrategy(path, hashlib.sha256(path.read_bytes()).hexdigest())
        report = Gate(policy, bars(), CONFIG, TEST).check()
        assert set(states(report).values()) == {"passed"}, report.sentence
