"""Every network on indices: what it makes of a date rests on that date's window, on all of it, and on nothing else."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from marketdata.splits import Range
from rl.config import TrainingConfig
from rl.date_nets import ConvNet
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.observation import Windows
from rl.ppo import make_model
from rl.task import Task
from tests.rl.planted import Planted, planted, task_of
from tests.rl.small import NOT_EVEN, settings
from tests.rl.test_window_cnn import by_hand

BAR = 200
ROWS = torch.arange(BAR - 84, BAR + 20)
SEEN = (*((network, 8) for network in NETS), *NOT_EVEN)
"""Networks and lookbacks."""


@pytest.fixture(scope="module")
def data() -> Planted:
    return planted(n_bars=600, n_assets=3)


def wide(data: Planted, lookback: int) -> Task:
    return task_of(data, Range(80, 500), lookback=lookback)


def net_of(task: Task, network: str, table: np.ndarray) -> Any:
    """A fresh net on features (T, A, F), whose actions are no longer near 0."""
    lookback = task.layout.lookback
    chosen = ModelConfig.model_validate(
        {"policy": network, "n_steps": 8, "batch_size": 8} | settings(network, lookback)
    )  # fmt: skip
    model = make_model(task, chosen, TrainingConfig(n_envs=2))
    with torch.no_grad():
        for parameter in model.policy.action_net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    return NETS[network].net(model.policy, Windows(table, lookback), torch.device("cpu"))


def outputs(task: Task, network: str, table: np.ndarray, *, at_once: bool) -> np.ndarray:
    """Actions and values at ROWS: of all dates at once, or of these alone."""
    net = net_of(task, network, table)
    portfolio = torch.zeros(len(ROWS), task.layout.portfolio_size)
    with torch.no_grad():
        if at_once:
            found = net.heads(net.every_date().index_select(0, net.places(ROWS)), portfolio)
        else:
            found = net.outputs(ROWS, portfolio)
    return torch.cat((found.action, found.value[:, None]), dim=1).numpy()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("network", "lookback"), SEEN)
def test_a_bar_is_seen_by_the_windows_that_hold_it_and_by_no_other(
    data: Planted, network: str, lookback: int, at_once: bool
) -> None:
    """But for the oldest bars of windows that do not come out even, which are left out."""
    task = wide(data, lookback)
    before = task.windows.table.copy()
    after = before.copy()
    after[BAR] += 3.0
    moved = np.abs(outputs(task, network, after, at_once=at_once) - outputs(task, network, before, at_once=at_once))
    first = ROWS.numpy()
    left_out = {10: 2, 11: 3, 64: 3}.get(lookback, 0)
    holds = (first + left_out <= BAR) & (first + lookback - 1 >= BAR)
    assert holds.sum() == lookback - left_out
    assert moved[~holds].max() < 2e-5
    seen = moved[holds].max(axis=1) > 1e-3
    assert seen.all()


@pytest.mark.parametrize(("network", "lookback"), SEEN)
def test_all_dates_at_once_are_each_date_by_itself(data: Planted, network: str, lookback: int) -> None:
    task = wide(data, lookback)
    every, some = (outputs(task, network, task.windows.table, at_once=way) for way in (True, False))
    np.testing.assert_allclose(every, some, atol=2e-5, rtol=1e-4)
    assert every.std(axis=0).min() > 1e-3


@pytest.mark.parametrize("way", ["before a rollout", "few dates", "many dates"])
@pytest.mark.parametrize(("network", "lookback"), NOT_EVEN)
def test_convolutions_are_those_of_a_window_read_bar_by_bar(
    data: Planted, network: str, lookback: int, way: str
) -> None:
    """Each row's own stretch of the features, position by position in float64."""
    task = wide(data, lookback)
    table = task.windows.table
    net = net_of(task, network, table)
    assert isinstance(net, ConvNet) and lookback - net.encoder.window.bars in (2, 3)
    rows = torch.tensor([0, 1, 57, 200, net.panel.n_rows - 2, net.panel.n_rows - 1])
    if way == "many dates":
        net._few = 0
    with torch.no_grad():
        if way == "before a rollout":
            found = net.every_date().index_select(0, net.places(rows))
        else:
            made = net.table(rows)
            found = made.values.index_select(0, made.places)
            assert len(made.values) == (len(rows) if way == "few dates" else net.panel.n_rows) * 3
    expected = [by_hand(net.encoder.window, table[row : row + lookback, asset]) for row in rows for asset in range(3)]
    np.testing.assert_allclose(found.numpy(), np.array(expected), atol=5e-6)


@pytest.mark.parametrize("places", [3, 100, 1000])
def test_convolutions_in_pieces_are_those_in_one(data: Planted, places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = wide(data, 10)
    net = net_of(task, "window_cnn", task.windows.table)
    with torch.no_grad():
        whole = net.every_date()
        monkeypatch.setattr("rl.date_nets.PLACES", places)
        assert torch.equal(net.every_date(), whole)


class Sizes(TorchDispatchMode):
    """How many numbers each tensor holds that torch makes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.seen |= {made.numel()} if isinstance(made, torch.Tensor) else set()
        return made


def test_convolutions_of_all_dates_hold_little_beside_their_result(
    data: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layer's numbers at so many assets times dates, and at the bars before these that are read with them."""
    task = wide(data, 64)
    net = net_of(task, "window_cnn", task.windows.table)
    monkeypatch.setattr("rl.date_nets.PLACES", 3 * 40)
    with torch.no_grad(), Sizes() as whole:
        net._between(0, net.panel.n_rows)
    with torch.no_grad(), Sizes() as pieces:
        result = net.every_date().numel()
    most = 3 * (40 + 61) * 32
    assert max(pieces.seen - {result}) <= most < max(whole.seen)
