"""`set_attention` is one policy for any number of symbols: trained on five, judged on three that it has never seen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import backtest.run
from marketdata.features import build_features, plan_of
from marketdata.setup_samples import put_samples
from marketdata.store import Store
from rl import policy_file, train_ppo
from rl.actor import Actor
from rl.config import ANY_SYMBOLS, TrainingConfig
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.observation_layout import ObservationMismatch
from rl.policy_format.registry import POLICIES
from rl.policy_strategy import PolicyStrategy
from rl.ppo import make_model
from rl.set_attention import SetAttentionPolicy
from rl.task import Task
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.rl.planted import Planted, costs, planted
from tests.rl.test_policy_strategy import LEARNED, SEEN, task_on
from tests.rl.test_train_job import backtest_of, changed

FIVE, OTHERS = ("P0", "P2", "P3", "P5", "P7"), ("P1", "P4", "P6")
SHORT = costs(allow_short=True, mapping_mode="tanh_leverage")
DATA: Planted = planted(n_bars=500, n_assets=8)


def market(symbols: tuple[str, ...], config: SimulatorConfig) -> Market:
    return prepare_market(DATA.bars.select(symbols), config)


def trained(path: Path, config: SimulatorConfig, network: str = "set_attention") -> tuple[Task, Any, str]:
    """A policy that learned from five symbols, in a file."""
    task = task_on(DATA.bars.select(FIVE), config)
    model = make_model(task, ModelConfig(policy=network, n_steps=16, batch_size=32), TrainingConfig(n_envs=4))  # type: ignore[arg-type]
    model.learn(256)
    with torch.no_grad():  # scores that can be told apart
        model.policy.action_net.asset.weight.mul_(30)
    return task, model, policy_file.save(path, model, task.normaliser, task.layout, LEARNED)


@pytest.mark.parametrize(
    "config", [costs(), SHORT, costs(mapping_mode="discrete")], ids=lambda c: c.episode.mapping_mode
)
def test_it_acts_on_symbols_it_has_never_seen(tmp_path: Path, config: SimulatorConfig) -> None:
    """As a policy of plain SB3 built for three symbols does, that is given the very same weights."""
    task, model, sha256 = trained(tmp_path / "p.zip", config)
    strategy, here = PolicyStrategy(tmp_path / "p.zip", sha256), market(OTHERS, config)
    ledger = run_strategy(strategy, here, config, 310, 340)

    seen = task_on(DATA.bars.select(OTHERS), config)
    kwargs = model.policy_kwargs["features_extractor_kwargs"] | {"parts": seen.layout.parts}
    plain = SetAttentionPolicy(
        seen.layout.space(), seen.layout.action_space(), lambda _: 0.0,
        **{**model.policy_kwargs, "features_extractor_kwargs": kwargs},
    )  # fmt: skip
    plain.load_state_dict(model.policy.state_dict(), strict=True)
    session, found = BookSession(here, config, 310, 340, layers="policy"), []
    windows = type(task.windows)(task.normaliser.apply(features_of(seen)), task.layout.lookback)
    actor = Actor(plain, seen.layout, windows, here)
    while not session.done:
        session.step(actor.decide(session))
        found.append(session.equity)
    assert np.array_equal(np.asarray(found), ledger.equity[1:]) and ledger.equity[-1] != ledger.equity[0]


def features_of(task: Task) -> np.ndarray:
    """The features of a task, as they were before its own normaliser."""
    return build_features(task.market.bars, plan_of(SEEN, task.market.bars)).values


@pytest.mark.parametrize("config", [costs(), SHORT], ids=lambda c: c.episode.mapping_mode)
def test_the_order_of_the_symbols_changes_nothing_for_any_of_them(tmp_path: Path, config: SimulatorConfig) -> None:
    _, _, sha256 = trained(tmp_path / "p.zip", config)
    weights = {}
    for symbols in (FIVE, FIVE[::-1]):
        strategy, here = PolicyStrategy(tmp_path / "p.zip", sha256), market(symbols, config)
        session = run_strategy(strategy, here, config, 310, 350)
        weights[symbols] = session.weights if symbols == FIVE else session.weights[:, ::-1]
    np.testing.assert_allclose(weights[FIVE], weights[FIVE[::-1]], atol=1e-5)
    assert weights[FIVE][1:].std(axis=1).min() > 1e-4


def test_one_or_many(tmp_path: Path) -> None:
    _, _, sha256 = trained(tmp_path / "p.zip", costs())
    for symbols in (("P4",), tuple(f"P{k}" for k in range(8))):
        ledger = run_strategy(PolicyStrategy(tmp_path / "p.zip", sha256), market(symbols, costs()), costs(), 310, 330)
        assert np.isfinite(ledger.equity).all()


def test_any_other_difference_is_still_refused(tmp_path: Path) -> None:
    _, _, sha256 = trained(tmp_path / "p.zip", costs())
    other = costs(mapping_mode="discrete")
    with pytest.raises(ObservationMismatch, match="observations: mapping_mode is discrete here"):
        PolicyStrategy(tmp_path / "p.zip", sha256).prepare(market(OTHERS, other), other)


def test_too_many_symbols_are_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, sha256 = trained(tmp_path / "p.zip", costs())
    monkeypatch.setattr("rl.set_attention.MOST_COMPARED", 5)
    strategy = PolicyStrategy(tmp_path / "p.zip", sha256)
    with pytest.raises(ObservationMismatch, match="cannot act on 8 symbols: its network cannot be built"):
        strategy.prepare(market(tuple(f"P{k}" for k in range(8)), costs()), costs())


def test_the_configuration_names_the_networks_that_can() -> None:
    """It is read where torch is not: it must say what the registry says."""
    by_class = {entry.dotted.rpartition(":")[2]: entry.any_assets for entry in POLICIES.values()}
    made = {name: by_class.get(getattr(kind.policy, "__name__", ""), False) for name, kind in NETS.items()}
    assert {name for name, can in made.items() if can} == ANY_SYMBOLS


@pytest.mark.slow
def test_a_training_on_five_symbols_is_judged_on_three_others(tmp_path: Path) -> None:
    """From the training job to the report of a backtest, which says whose symbols these are."""
    datasets, folder = tmp_path / "datasets", tmp_path / "train"
    put_samples(Store(datasets))
    folder.mkdir()
    five, three = ["AAPL", "KO", "XOM", "PG", "GE"], ["JPM", "KO", "MRK"]
    asked = changed({"dataset": {"symbols": five}, "model": {"policy": "set_attention"}})
    train_ppo.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), asked))
    judged = tmp_path / "judged"
    asked = backtest_of(folder, judged, dataset={"id": "sample/us20", "symbols": three, "start": "2014-01-02"})
    backtest.run.run(Job(judged, datasets, EventWriter(judged / layout.EVENTS), asked))

    summary = json.loads((judged / layout.REPORT / "summary.json").read_text())
    assert "2 of 3 symbols were not in its training: JPM, MRK." in summary["stamps"]
    own = json.loads((folder / layout.REPORT / "summary.json").read_text())
    assert not [text for text in own["stamps"] if "its training" in text or "Judged on" in text]
    head = (judged / layout.REPORT / "weights.csv").read_text().splitlines()[0]
    assert head == "time,JPM,KO,MRK"
