"""A stored policy beside the baselines: acts as stock SB3 says it would, refuses what it was not trained on."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO

from marketdata.bars import Bars
from marketdata.config import FeaturesConfig
from marketdata.features import build_features, feature_plan
from marketdata.splits import Range
from rl import policy_file
from rl.actor import Actor, whole_episode
from rl.config import RewardConfig, TrainingConfig
from rl.episodes import Episodes
from rl.learned_days import LearnedDays
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.observation_layout import ObservationMismatch
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.task import FeatureTable, Task, make_task
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.backtest.books import run_strategy
from tests.rl.planted import costs, planted
from tests.rl.small import OWN

SEEN = FeaturesConfig(feature_set=("ohlcv",), indicators=("sma_gap(30)",), lookback=6)
TRAIN, VALIDATION = Range(40, 300), Range(320, 380)
LEARNED = LearnedDays.of(planted(n_bars=500, n_assets=3).bars.session, TRAIN, VALIDATION)


def bars() -> Bars:
    return planted(n_bars=500, n_assets=3).bars


def task_on(data: Bars, config: SimulatorConfig, reward: RewardConfig | None = None) -> Task:
    features = build_features(data, feature_plan(SEEN, data.fields, data.adjustment))
    table = FeatureTable(features.values, features.names)
    return make_task(prepare_market(data, config), config, reward or RewardConfig(), SEEN, table, train=TRAIN)


def stored(task: Task, path: Path, policy: str = "asset_shared") -> tuple[PPO, str]:
    settings = ModelConfig(policy=policy, n_steps=16, batch_size=32, **OWN.get(policy, {}))  # type: ignore[arg-type]
    model = make_model(task, settings, TrainingConfig(n_envs=4))
    return model.learn(256), policy_file.save(path, model, task.normaliser, task.layout, LEARNED)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("policy") / "policy.zip"
    return path, stored(task_on(bars(), costs()), path)[1]


def seen_by(task: Task, episodes: Episodes) -> dict[str, np.ndarray]:
    sight = episodes.sight()
    return {"window": task.windows.gather(sight.bars), "portfolio": sight.portfolio}


@pytest.mark.parametrize("mode", ["simplex_cash", "discrete"])
@pytest.mark.parametrize("policy", list(NETS))
def test_it_acts_as_stock_load_and_predict_say(tmp_path: Path, mode: str, policy: str) -> None:
    config = costs(mapping_mode=mode, max_step_change=0.3)
    task = task_on(bars(), config, RewardConfig(mode="diff_sharpe"))
    path = tmp_path / "policy.zip"
    _, sha256 = stored(task, path, policy)
    strategy, stock = PolicyStrategy(path, sha256), PPO.load(path)
    strategy.prepare(task.market, config)
    session, episodes = BookSession(task.market, config, 310, 360), Episodes(task, 1)
    episodes.begin(np.zeros(1, np.int64), np.array([310]), np.array([50]))
    while not session.done:
        said = stock.predict(seen_by(task, episodes), deterministic=True)[0]
        acted = strategy.decide(session.t, session)
        assert acted is not None
        np.testing.assert_allclose(acted, said[0], rtol=0, atol=1e-6)
        session.step(acted)
        episodes.step(acted[None])
    assert session.ledger().equity[-1] == episodes.books.equity[0]


def test_two_runs_of_it_are_the_same_to_the_last_bit(kept: tuple[Path, str]) -> None:
    market = prepare_market(bars(), costs())

    first, second = (run_strategy(PolicyStrategy(*kept), market, costs(), 310, 400) for _ in range(2))

    assert np.array_equal(first.equity, second.equity) and first.equity[-1] != first.equity[0]


def test_the_score_is_the_growth_of_its_own_backtest(tmp_path: Path) -> None:
    task = task_on(bars(), costs())
    model, sha256 = stored(task, tmp_path / "p.zip")
    actor = Actor(model.policy, task.layout, task.windows, task.market)

    score = whole_episode(actor, task.market, task.config, 310, 400).score

    ledger = run_strategy(PolicyStrategy(tmp_path / "p.zip", sha256), task.market, costs(), 310, 400)
    assert score == pytest.approx(np.log(ledger.equity[-1] / ledger.equity[0]) / 90, abs=1e-12)


def test_a_stopped_book_is_left_alone(kept: tuple[Path, str]) -> None:
    config = costs().model_copy(update={"guards": costs().guards.model_copy(update={"stop_eq_frac": 0.9999})})
    ledger = run_strategy(PolicyStrategy(*kept), prepare_market(bars(), config), config, 310, 400)

    assert ledger.ended == "stop" and ledger.gross_value[-1] == 0.0
    assert ledger.equity[-1] == ledger.equity[-2] == ledger.cash[-1]


def refused(kept: tuple[Path, str], data: Bars, config: SimulatorConfig) -> str:
    with pytest.raises(ObservationMismatch) as caught:
        PolicyStrategy(*kept).prepare(prepare_market(data, config), config)
    return caught.value.errors["policy"][0]


def test_every_difference_is_named(kept: tuple[Path, str]) -> None:
    two = bars().select(("P0", "P2"))
    without_volume = dataclasses.replace(bars(), volume=None)
    free = costs().model_copy(update={"exec": costs().exec.model_copy(update={"participation_cap": "auto"})})

    assert "symbols lacks P1" in refused(kept, two, costs())
    assert "symbols stand in another order" in refused(kept, bars().select(("P1", "P0", "P2")), costs())
    assert "features lacks volume_z(20)" in refused(kept, without_volume, free)
    assert "logit_scale is 3.0 here, 5.0 in training" in refused(kept, bars(), costs(logit_scale=3.0))
    assert "portfolio adds previous_target" in refused(kept, bars(), costs(max_step_change=0.5))
    both = refused(kept, two, costs(mapping_mode="discrete"))
    assert "symbols lacks P1" in both and "mapping_mode is discrete here, simplex_cash in training" in both


def test_too_few_bars_before_the_range_are_refused(kept: tuple[Path, str]) -> None:
    with pytest.raises(ObservationMismatch, match=r"needs \d+ bars before its first decision; the range leaves 10"):
        run_strategy(PolicyStrategy(*kept), prepare_market(bars(), costs()), costs(), 10, 60)


def test_it_must_know_its_market_first(kept: tuple[Path, str]) -> None:
    session = BookSession(prepare_market(bars(), costs()), costs(), 310, 400)
    with pytest.raises(RuntimeError, match="prepare before decide"):
        PolicyStrategy(*kept).decide(310, session)


@pytest.mark.parametrize(
    ("t0", "t1", "seen"),
    [
        (100, 200, 100),  # all of it trained on
        (250, 310, 50),  # bars 251..300; those between the ranges were neither trained nor selected on
        (310, 340, 21),  # bars 320..340 of validation
        (30, 400, 261 + 61),  # both ranges, their first bars counted
        (380, 450, 0),  # decided on the last bar of validation: its first return is new
        (400, 450, 0),
    ],
)
def test_bars_that_it_was_made_from_are_counted(kept: tuple[Path, str], t0: int, t1: int, seen: int) -> None:
    assert PolicyStrategy(*kept).seen_bars(prepare_market(bars(), costs()), t0, t1) == seen
