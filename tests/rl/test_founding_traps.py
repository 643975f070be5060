"""Faults of the founding system that must not come back (learning): each was wrong there in the way told."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from marketdata.features import build_features, plan_of
from marketdata.regime_fit import fit_regime
from marketdata.splits import Range
from rl import policy_file
from rl.actor import Actor, whole_episode
from rl.config import RewardConfig, TrainConfig, TrainingConfig
from rl.learned_days import LearnedDays
from rl.model_config import ModelConfig
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.task import FeatureTable, Task, make_task
from rl.training import train
from runfiles import layout
from runfiles.events import EventWriter
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.marketdata.build import random_bars
from tests.rl.planted import costs, planted, task_of
from tests.rl.test_policy_strategy import SEEN, bars, stored, task_on

TRAIN, VALIDATION, TEST = Range(20, 400), Range(413, 489), Range(502, 599)


@pytest.mark.parametrize("t", [40, 310, 470])
def test_trap_2_a_judged_policy_sees_what_it_was_trained_on_normalised(tmp_path: Path, t: int) -> None:
    """There scores and backtests showed raw numbers to a policy of normalised ones.

    (x − mean) / deviation of the training bars 40 to 300, within ±10, 0 where unknown: by numpy, of the raw features.
    """
    sha256 = stored(task_on(bars(), costs()), tmp_path / "policy.zip")[1]
    strategy = PolicyStrategy(tmp_path / "policy.zip", sha256)
    strategy.prepare(prepare_market(bars(), costs()), costs())
    strategy.decide(t, BookSession(prepare_market(bars(), costs()), costs(), t, t + 5))

    raw = build_features(bars(), plan_of(SEEN, bars())).values
    seen = raw[40:301].reshape(-1, raw.shape[2])
    deviation = np.nanstd(seen, axis=0)
    scaled = np.clip((raw - np.nanmean(seen, axis=0)) / np.where(deviation < 1e-8, 1, deviation), -10, 10)
    rows = slice(t - SEEN.lookback + 1, t + 1)
    window = strategy.observed()["window"]
    np.testing.assert_allclose(window, np.nan_to_num(scaled[rows]), rtol=2e-6, atol=2e-6)
    assert not np.allclose(window, np.nan_to_num(raw[rows]), atol=0.5)


def with_another_test_range(task: Task) -> Task:
    """The same bars up to the end of validation, and a market of its own after it."""
    data, later = planted(n_bars=600, n_assets=3), np.arange(600)[:, None] > VALIDATION.t1
    other = planted(k=1, n_bars=600, n_assets=3)
    columns = {name: np.where(later, getattr(other.bars, name), getattr(data.bars, name))
               for name in ("open", "high", "low", "close")}  # fmt: skip
    values = np.where(later[:, :, None], other.features.values, data.features.values)
    changed = dataclasses.replace(
        data, bars=dataclasses.replace(data.bars, **columns), features=FeatureTable(values, data.features.names)
    )
    assert task.market.n_bars == 600
    return task_of(changed, TRAIN)


def test_trap_7_the_test_range_chooses_nothing_and_the_best_is_what_is_judged(tmp_path: Path) -> None:
    """There the policy was chosen on the range that was reported, and the last one was saved as the result.

    With another market after the validation range training leaves the same two files; the best is the policy whose
    growth on the validation bars, run again from its file, is the greatest of all looks.
    """
    chosen = TrainConfig(
        model=ModelConfig(n_steps=16, batch_size=64),
        training=TrainingConfig(total_timesteps=1024, n_envs=8, eval_every=256),
    )
    task = task_of(planted(n_bars=600, n_assets=3), TRAIN)
    files = []
    for name, each in (("one", task), ("two", with_another_test_range(task))):
        folder = tmp_path / name
        folder.mkdir()
        done = train(each, chosen, VALIDATION, folder, EventWriter(folder / layout.EVENTS), lambda text: None)
        files.append([(folder / key).read_bytes() for key in (layout.BEST_POLICY, layout.LAST_POLICY)])
    assert files[0] == files[1]
    assert done.best.score == max(look.score for look in done.looks)
    kept = policy_file.load(tmp_path / "one" / layout.BEST_POLICY, hashlib.sha256(files[0][0]).hexdigest())
    actor = Actor(kept.policy, task.layout, task.windows, task.market)
    score = whole_episode(actor, task.market, task.config, VALIDATION.t0, VALIDATION.t1).score
    assert score == done.best.score
    assert VALIDATION.t0 - TRAIN.t1 > task.layout.lookback + 4 and TEST.t0 - VALIDATION.t1 > task.layout.lookback + 4


def test_trap_7_judging_takes_the_best_unless_asked() -> None:
    assert TrainConfig().evaluation.policy == "best"


def test_trap_8_a_decision_reads_the_belief_of_its_own_close(tmp_path: Path) -> None:
    """There it read the row of the bar that it was about to trade, under another name than the network looked for."""
    data = random_bars(500, assets=3)
    regime = fit_regime(data, Range(40, 300), n_states=2, inputs=("return", "volatility"), seed=0)
    features = build_features(data, plan_of(SEEN, data))
    market, table = prepare_market(data, costs()), FeatureTable(features.values, features.names)
    task = make_task(market, costs(), RewardConfig(), SEEN, table, train=Range(40, 300), regime=regime)
    model = make_model(task, ModelConfig(n_steps=16, batch_size=32), TrainingConfig(n_envs=4)).learn(64)
    learned = LearnedDays.of(data.session, Range(40, 300), Range(320, 380))
    sha256 = policy_file.save(tmp_path / "p.zip", model, task.normaliser, task.layout, learned, regime)
    strategy = PolicyStrategy(tmp_path / "p.zip", sha256)
    strategy.prepare(market, costs())
    t = 350
    strategy.decide(t, BookSession(market, costs(), t, t + 5))

    believed = regime.beliefs(data.between(data.session[0].item(), data.session[t].item()))
    names = task.layout.channels[-2:]
    assert tuple(names) == regime.names
    for asset in range(3):
        np.testing.assert_array_equal(
            strategy.observed()["window"][:, asset, -2:], believed[t - SEEN.lookback + 1 :].astype(np.float32)
        )
