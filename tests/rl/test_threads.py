"""What is judged does not depend on how many threads torch has been given: not the ledger, not a validation score."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from marketdata.config import FeaturesConfig
from marketdata.features import build_features, feature_plan
from marketdata.splits import Range
from rl import policy_file
from rl.actor import Actor, whole_episode
from rl.config import RewardConfig, TrainingConfig
from rl.learned_days import LearnedDays
from rl.model_config import ModelConfig
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.task import FeatureTable, Task, make_task
from simulator.market import prepare_market
from tests.backtest.books import run_strategy
from tests.rl.planted import costs, planted

TRAIN, VALIDATION, JUDGED = Range(60, 300), Range(320, 380), Range(400, 499)


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def task(lookback: int) -> Task:
    data, seen = planted(n_bars=500, n_assets=5).bars, FeaturesConfig(feature_set=("ohlcv",), lookback=lookback)
    features = build_features(data, feature_plan(seen, data.fields, data.adjustment))
    table = FeatureTable(features.values, features.names)
    return make_task(prepare_market(data, costs()), costs(), RewardConfig(), seen, table, train=TRAIN)


@pytest.mark.parametrize("lookback", [16, 32])
def test_one_thread_or_two_give_the_same_ledger_and_score(tmp_path: Path, lookback: int) -> None:
    given, path = task(lookback), tmp_path / "policy.zip"
    model = make_model(given, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4)).learn(64)
    learned = LearnedDays.of(given.market.bars.session, TRAIN, VALIDATION)
    sha256 = policy_file.save(path, model, given.normaliser, given.layout, learned)
    ledgers, scores = [], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        ledgers.append(run_strategy(PolicyStrategy(path, sha256), given.market, costs(), JUDGED.t0, JUDGED.t1))
        actor = Actor(model.policy, given.layout, given.windows, given.market)
        scores.append(whole_episode(actor, given.market, costs(), VALIDATION.t0, VALIDATION.t1).score)
        assert torch.get_num_threads() == threads  # a training goes on with its own

    assert np.array_equal(ledgers[0].equity, ledgers[1].equity) and scores[0] == scores[1]
    assert ledgers[0].equity[-1] != ledgers[0].equity[0]
