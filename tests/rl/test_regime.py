"""Regimes as a policy sees them: channels of its window, kept in its file, never fitted again, and off by default."""

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from marketdata import regime_fit
from marketdata.bars import Bars
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import build_features, plan_of
from marketdata.regime import WARMUP, RegimeModel
from marketdata.splits import Range
from rl import policy_file
from rl.config import RegimeConfig, RewardConfig, TrainConfig, TrainingConfig
from rl.episodes import Episodes
from rl.learned_days import LearnedDays
from rl.model_config import ModelConfig
from rl.policy_format import own
from rl.policy_format.fault import PolicyFileFault
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.regime import regime_of
from rl.task import FeatureTable, Task, make_task
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.backtest.books import run_strategy
from tests.marketdata.build import random_bars
from tests.rl.planted import costs

SEEN = FeaturesConfig(feature_set=("ohlcv",), lookback=6)
TRAIN, VALIDATION = Range(40, 300), Range(320, 380)
N = 500


def bars() -> Bars:
    return random_bars(N, assets=3)


def fitted(data: Bars, **asked: object) -> RegimeModel | None:
    config = TrainConfig(regime=RegimeConfig(enabled=True, n_states=2).model_copy(update=asked))
    return regime_of(config, data, TRAIN)


def task_on(data: Bars, regime: RegimeModel | None) -> Task:
    features = build_features(data, plan_of(SEEN, data))
    table = FeatureTable(features.values, features.names)
    market = prepare_market(data, costs())
    return make_task(market, costs(), RewardConfig(), SEEN, table, train=TRAIN, regime=regime)


def stored(task: Task, path: Path) -> str:
    model = make_model(task, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4)).learn(256)
    learned = LearnedDays.of(task.market.bars.session, TRAIN, VALIDATION)
    return policy_file.save(path, model, task.normaliser, task.layout, learned, task.regime)


@pytest.fixture(scope="module")
def task() -> Task:
    return task_on(bars(), fitted(bars()))


@pytest.fixture(scope="module")
def kept(task: Task, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("policy") / "policy.zip"
    return path, stored(task, path)


def window(task: Task, t: int) -> np.ndarray:
    return task.windows.gather(np.array([t]))[0]


def test_beliefs_are_channels_of_every_asset_as_they_are(task: Task) -> None:
    plain, regime = task_on(bars(), None), task.regime
    assert regime is not None and task.layout.channels == (*plain.layout.features, "regime(1)", "regime(2)")
    assert window(task, 200).shape == task.layout.space()["window"].shape == (6, 3, 8)
    np.testing.assert_array_equal(window(task, 200)[:, :, :6], window(plain, 200))
    beliefs = regime.beliefs(bars())[195:201].astype(np.float32)
    for asset in range(3):
        np.testing.assert_array_equal(window(task, 200)[:, asset, 6:], beliefs)
    np.testing.assert_array_equal(window(task, WARMUP - 1)[-1, 0, 6:], regime.start.astype(np.float32))


def test_off_nothing_is_said_of_them() -> None:
    plain = task_on(bars(), None)
    model = make_model(plain, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4))
    content = policy_file.pack(model, plain.normaliser, plain.layout, LearnedDays.of(bars().session, TRAIN, VALIDATION))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert tuple(archive.namelist()) == own.ORDER[:-2]
        assert "regime" not in json.loads(archive.read(own.OBSERVATION))
    assert regime_of(TrainConfig(), bars(), TRAIN) is None


def test_the_policy_sees_in_its_file_what_it_saw_in_training(kept: tuple[Path, str], task: Task) -> None:
    strategy = PolicyStrategy(*kept)
    strategy.prepare(task.market, costs())
    session, episodes = BookSession(task.market, costs(), 310, 340), Episodes(task, 1)
    episodes.begin(np.zeros(1, np.int64), np.array([310]), np.array([30]))
    while not session.done:
        action = strategy.decide(session.t, session)
        session.step(action)
        episodes.step(action[None])  # type: ignore[index]
    assert session.ledger().equity[-1] == episodes.books.equity[0]
    assert policy_file.load(*kept).regime.as_dict() == task.regime.as_dict()  # type: ignore[union-attr]


def test_judging_never_fits(kept: tuple[Path, str], task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr("hmmlearn.hmm.GaussianHMM.fit", fit)
    assert run_strategy(PolicyStrategy(*kept), task.market, costs(), 310, 400).equity[-1] != 0


def test_a_decision_does_not_change_with_later_bars(kept: tuple[Path, str], task: Task) -> None:
    later = np.arange(N)[:, None] > 360
    columns = {name: np.where(later, 2 * getattr(random_bars(N, 3, seed=9), name), getattr(bars(), name))
               for name in ("open", "high", "low", "close", "vwap", "volume")}  # fmt: skip
    other = prepare_market(dataclasses.replace(bars(), **columns), costs())
    one, two = (run_strategy(PolicyStrategy(*kept), market, costs(), 310, 360) for market in (task.market, other))
    np.testing.assert_array_equal(one.equity, two.equity)


def test_beliefs_reach_the_decision(kept: tuple[Path, str], task: Task, tmp_path: Path) -> None:
    """The same policy with the states of its model swapped acts otherwise."""
    regime = task.regime
    assert regime is not None
    swapped = dataclasses.replace(regime, start=regime.start[::-1], transition=regime.transition[::-1, ::-1],
                                  means=regime.means[::-1], covariances=regime.covariances[::-1])  # fmt: skip
    model = policy_file.load(*kept)
    sha256 = policy_file.save(
        tmp_path / "p.zip", _learning(kept), model.normaliser, model.layout, model.learned, swapped
    )
    one = run_strategy(PolicyStrategy(*kept), task.market, costs(), 310, 400)
    two = run_strategy(PolicyStrategy(tmp_path / "p.zip", sha256), task.market, costs(), 310, 400)
    assert not np.array_equal(one.equity, two.equity)


def _learning(kept: tuple[Path, str]):  # type: ignore[no-untyped-def]
    from stable_baselines3 import PPO

    return PPO.load(kept[0])


def test_a_file_without_its_model_or_with_another_is_refused(kept: tuple[Path, str], tmp_path: Path) -> None:
    stored_policy = policy_file.load(*kept)
    parts = _learning(kept), stored_policy.normaliser, stored_policy.layout, stored_policy.learned
    without = policy_file.save(tmp_path / "a.zip", *parts, None)
    with pytest.raises(PolicyFileFault, match=r"lacks stockbot/regime\.json"):
        policy_file.load(tmp_path / "a.zip", without)
    three = policy_file.save(tmp_path / "b.zip", *parts, fitted(bars(), n_states=3))
    with pytest.raises(PolicyFileFault, match=r"has 3 regimes, and .* sees 2"):
        policy_file.load(tmp_path / "b.zip", three)


def test_the_same_seed_gives_the_same_file(kept: tuple[Path, str], tmp_path: Path) -> None:
    assert stored(task_on(bars(), fitted(bars())), tmp_path / "again.zip") == kept[1]


def test_each_field_changes_what_is_seen(task: Task) -> None:
    other = {"n_states": 3, "features": ("return",)}
    for name, value in other.items():
        again = task_on(bars(), fitted(bars(), **{name: value}))
        seen = [window(each, 200)[..., 6:] for each in (again, task)]
        assert seen[0].shape != seen[1].shape or not np.allclose(*seen)


def test_what_cannot_be_fitted_is_told_at_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigFault) as caught:
        fitted(bars(), n_states=6)
    assert caught.value.errors["regime.n_states"][0].startswith("6 states need 360 training bars with a market return")
    with pytest.raises(
        ConfigFault, match=r"regime\.n_states: 6 states need 360 training bars; the train range has 200\."
    ):
        RegimeConfig(enabled=True, n_states=6).require(200)
    RegimeConfig(n_states=6).require(200)
    regime_fit._best.cache_clear()
    monkeypatch.setattr(regime_fit, "MOST_STEPS", 1)
    with pytest.raises(ConfigFault, match="did not converge"):
        fitted(bars())
