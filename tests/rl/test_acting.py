"""A policy taken apart acts as plain `PPO.load(...).predict` says, on every network, mapping and state of a book; whole
episodes of it are its decisions bar by bar, to the bit.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from torch import nn

from marketdata.bars import Bars
from marketdata.splits import Range
from rl import date_parts, needs
from rl.actor import Actor, whole_episode
from rl.config import RewardConfig, TrainingConfig
from rl.episodes import Episodes
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.ppo import make_model
from rl.rewards import log_growth
from rl.task import Task
from simulator.books import ActionError
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from tests.rl.planted import Planted, costs, planted, task_of
from tests.rl.small import OWN

NEAR = 1e-6
SPAN = Range(150, 290)
"""Across several stretches of dates, beginning and ending within one."""
MODES: dict[str, dict[str, Any]] = {
    "simplex_cash": {},
    "tanh_leverage": {"allow_short": True},
    "discrete": {"allow_short": True},
}
EVERY_PART = (
    "cash", "gross", "drawdown", "weights", "previous_target", "held_bars", "under_way", "halted", "has_bar",
    "sharpe_state",
)  # fmt: skip


def ragged(bars: Bars) -> Bars:
    """The last asset starts at bar 60; the second has no bars from 180 to 183."""
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in columns.values():
        column[:60, -1] = np.nan
        column[180:184, 1] = np.nan
    return dataclasses.replace(bars, **columns)


def with_every_part(config: SimulatorConfig) -> SimulatorConfig:
    """Rules that put every part into `portfolio`: a guard that halts the book for a while among them."""
    return config.model_copy(update={
        "exec": config.exec.model_copy(update={"latency_bars": 1}),
        "episode": config.episode.model_copy(update={"max_step_change": 0.4, "min_hold_bars": 3}),
        "guards": config.guards.model_copy(update={"daily_loss_limit": 0.004}),
    })  # fmt: skip


def made(task: Task, policy: str, **model: Any) -> PPO:
    """Fresh, with weights by which every number of the observation reaches the action."""
    settings = {"n_steps": 16, "batch_size": 32, **OWN.get(policy, {}), **model}
    fresh = make_model(task, ModelConfig(policy=policy, **settings), TrainingConfig(n_envs=2))  # type: ignore[arg-type]
    chance = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in fresh.policy.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=chance) * 0.1)
        for parameter in fresh.policy.action_net.parameters():
            parameter.mul_(0.3)
    return fresh


def stock_of(model: PPO, folder: Path) -> PPO:
    model.save(folder / "p.zip", exclude=["rollout_buffer_class", "rollout_buffer_kwargs"])
    return PPO.load(folder / "p.zip", device="cpu")


def actor_of(model: PPO, task: Task) -> Actor:
    return Actor(model.policy, task.layout, task.windows, task.market)


def predicted(stock: PPO, task: Task, episodes: Episodes) -> np.ndarray:
    """By stock SB3, on what a training's environment shows of the same book."""
    sight = episodes.sight()
    seen = {"window": task.windows.gather(sight.bars), "portfolio": sight.portfolio}
    action: np.ndarray = stock.predict(seen, deterministic=True)[0][0]
    return action


def same_as_stock(model: PPO, task: Task, folder: Path, span: Range = SPAN) -> BookSession:
    """Each decision beside stock's, on one book; what is seen to the bit. The book at its end."""
    stock, actor, episodes = stock_of(model, folder), actor_of(model, task), Episodes(task, 1)
    session = BookSession(task.market, task.config, span.t0, span.t1)
    episodes.begin(np.zeros(1, np.int64), np.array([span.t0]), np.array([span.t1 - span.t0]))
    said = []
    while not session.done:
        wanted = predicted(stock, task, episodes)
        acted = actor.decide(session)
        assert acted is not None
        assert np.array_equal(actor.observer.eyes.row, episodes.sight().portfolio)
        np.testing.assert_allclose(acted, wanted, rtol=0, atol=NEAR)
        said.append(acted)
        session.step(acted)
        episodes.step(acted[None])
    assert np.std(said, axis=0).max() > 1e-3, "it always says the same"
    assert (np.abs(said) < 1).mean() > 0.5 or task.layout.mapping_mode == "discrete", "it is clipped most of the time"
    return session


def same_bits(model: PPO, task: Task, span: Range = SPAN) -> None:
    """A whole episode in compiled code beside the same, decision by decision; and stopped in between."""
    by_hand, flown, shared = (BookSession(task.market, task.config, span.t0, span.t1) for _ in range(3))
    actor = actor_of(model, task)
    while not by_hand.done:
        by_hand.step(actor.decide(by_hand))
    actor_of(model, task).fly(flown)
    other = actor_of(model, task)
    for _ in range(7):
        shared.step(other.decide(shared))
    other.fly(shared)
    for session in (flown, shared):
        for name in ("equity", "cash", "gross_value", "shares", "fees"):
            assert np.array_equal(getattr(by_hand.ledger(), name), getattr(session.ledger(), name)), name
        for name, column in vars(by_hand.ledger().orders).items():
            other_column = getattr(session.ledger().orders, name)
            assert np.array_equal(column, other_column, equal_nan=column.dtype.kind == "f"), name


@pytest.fixture(scope="module")
def bars() -> Planted:
    return planted(n_bars=300, n_assets=4)


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("network", list(NETS))
def test_it_acts_as_stock_predicts(bars: Planted, network: str, mode: str, tmp_path: Path) -> None:
    task = task_of(bars, Range(20, 250), config=costs(mapping_mode=mode, **MODES[mode]))
    model = made(task, network)
    same_as_stock(model, task, tmp_path)
    same_bits(model, task)


@pytest.mark.parametrize("network", list(NETS))
def test_every_part_of_a_books_state_reaches_the_decision(bars: Planted, network: str, tmp_path: Path) -> None:
    data = dataclasses.replace(bars, bars=ragged(bars.bars))
    config = with_every_part(costs(mapping_mode="tanh_leverage", allow_short=True))
    task = task_of(data, Range(20, 250), config=config, reward=RewardConfig(mode="diff_sharpe"))
    assert task.layout.portfolio == EVERY_PART
    model = made(task, network)
    same_as_stock(model, task, tmp_path)
    same_bits(model, task)


@pytest.mark.parametrize("activation", ["tanh", "relu", "elu"])
@pytest.mark.parametrize("net_arch", [(), (5,), (9, 6, 4)])
@pytest.mark.parametrize("network", ["asset_shared", "mlp"])
def test_every_depth_and_activation(
    bars: Planted, network: str, net_arch: tuple[int, ...], activation: str, tmp_path: Path
) -> None:
    task = task_of(bars, Range(20, 250))
    same_as_stock(made(task, network, net_arch=net_arch, activation=activation), task, tmp_path, Range(95, 115))


@pytest.mark.parametrize("network", list(NETS))
def test_the_whole_equity_path_is_that_of_stock(bars: Planted, network: str, tmp_path: Path) -> None:
    """Each with a book of its own, so that differences could grow."""
    task = task_of(bars, Range(20, 250))
    model = made(task, network)
    stock, episodes, path = stock_of(model, tmp_path), Episodes(task, 1), []
    episodes.begin(np.zeros(1, np.int64), np.array([SPAN.t0]), np.array([SPAN.t1 - SPAN.t0]))
    for _ in range(SPAN.t0, SPAN.t1):
        episodes.step(predicted(stock, task, episodes)[None].astype(np.float64))
        path.append(float(episodes.books.equity[0]))
    flown = BookSession(task.market, task.config, SPAN.t0, SPAN.t1)
    actor_of(model, task).fly(flown)
    np.testing.assert_allclose(flown.ledger().equity[1:], path, rtol=1e-7)


@pytest.mark.parametrize("network", list(NETS))
def test_bars_that_come_later_do_not_change_a_bit(bars: Planted, network: str) -> None:
    """Nor does the bar at which the book begins: only its own past counts."""
    task = task_of(bars, Range(20, 250))
    model = made(task, network)
    values = bars.features.values.copy()
    values[270:] = np.random.default_rng(5).normal(size=values[270:].shape)
    other = dataclasses.replace(bars, features=dataclasses.replace(bars.features, values=values))
    there = dataclasses.replace(task_of(other, Range(20, 250)), normaliser=task.normaliser)
    windows = type(task.windows)(task.normaliser.apply(values), task.layout.lookback)
    short = type(task.windows)(task.normaliser.apply(values[:270]), task.layout.lookback)
    paths = []
    for shown in (task.windows, windows, short):
        session = BookSession(task.market, task.config, 150, 269)
        Actor(model.policy, there.layout, shown, task.market).fly(session)
        paths.append(session.ledger().equity)
    assert np.array_equal(paths[0], paths[1]) and np.array_equal(paths[0], paths[2])
    assert len(np.unique(paths[0])) > 40


def test_a_whole_episode_is_scored_as_its_bars(bars: Planted) -> None:
    task = task_of(bars, Range(20, 250))
    model = made(task, "asset_shared")
    session, equity, weights = (
        BookSession(task.market, task.config, SPAN.t0, SPAN.t1),
        [task.config.episode.start_cash],
        [],
    )
    actor = actor_of(model, task)
    while not session.done:
        session.step(actor.decide(session))
        equity.append(session.equity)
        weights.append(session.weights)
    found = whole_episode(actor_of(model, task), task.market, task.config, SPAN.t0, SPAN.t1)
    path = np.array(equity)
    assert found.score == float(log_growth(path[1:], path[:-1]).sum()) / (SPAN.t1 - SPAN.t0)
    assert np.array_equal(found.weights, np.array(weights))


def test_a_book_that_ends_early_is_scored_to_its_end(bars: Planted) -> None:
    config = costs()
    config = config.model_copy(update={"guards": config.guards.model_copy(update={"stop_eq_frac": 0.99})})
    task = task_of(bars, Range(20, 250), config=config)
    model = made(task, "asset_shared")
    session = BookSession(task.market, config, SPAN.t0, SPAN.t1)
    actor_of(model, task).fly(session)
    lived = session.t - SPAN.t0
    assert session.terminated and 1 < lived < SPAN.t1 - SPAN.t0
    found = whole_episode(actor_of(model, task), task.market, config, SPAN.t0, SPAN.t1)
    assert len(found.weights) == lived and not found.weights[-1].any()
    assert found.score == pytest.approx(np.log(session.equity / config.episode.start_cash) / (SPAN.t1 - SPAN.t0))


@pytest.mark.parametrize("network", ["asset_shared", "mlp"])
def test_another_network_acts_by_its_own_forward_pass(bars: Planted, network: str, tmp_path: Path) -> None:
    """One whose activation has no compiled form."""
    task = task_of(bars, Range(20, 250))
    model = made(task, network)
    model.policy.activation_fn = nn.GELU
    same_as_stock(model, task, tmp_path, Range(150, 170))
    same_bits(model, task, Range(150, 170))


def test_an_answer_that_is_no_number_is_refused_at_its_bar(bars: Planted) -> None:
    task = task_of(bars, Range(20, 250))
    model = made(task, "mlp")
    table = task.windows.table.copy()
    table[200, 2, 1] = np.nan
    session = BookSession(task.market, task.config, SPAN.t0, SPAN.t1)
    actor = Actor(model.policy, task.layout, type(task.windows)(table, task.layout.lookback), task.market)
    day = str(task.market.bars.session[200])
    with pytest.raises(ActionError, match=f"gave nan for cash at {day}"):
        actor.fly(session)
    assert session.t == 200


def test_a_window_before_the_data_is_refused(bars: Planted) -> None:
    task = task_of(bars, Range(20, 250))
    with pytest.raises(IndexError, match="a window of 8 bars must lie within 300 bars"):
        actor_of(made(task, "mlp"), task).fly(BookSession(task.market, task.config, 3, 20))


def test_the_probe_knows_what_is_kept() -> None:
    assert date_parts.KEPT == needs.DATES
