"""Every network on indices: what it makes of a date rests on that date's window, on all of it, and on nothing else."""

import numpy as np
import pytest
import torch

from marketdata.splits import Range
from rl.config import ModelConfig, TrainingConfig
from rl.nets import NETS
from rl.observation import Windows
from rl.ppo import make_model
from rl.task import Task
from tests.rl.planted import Planted, planted, task_of
from tests.rl.small import OWN

LOOKBACK, BAR = 8, 200
ROWS = torch.arange(BAR - LOOKBACK - 20, BAR + 20)


@pytest.fixture(scope="module")
def wide() -> Task:
    data: Planted = planted(n_bars=600, n_assets=3)
    return task_of(data, Range(20, 500), lookback=LOOKBACK)


def outputs(task: Task, network: str, table: np.ndarray, *, at_once: bool) -> np.ndarray:
    """Actions and values at ROWS of a fresh net on features (T, A, F): of all dates at once, or of these alone."""
    settings = ModelConfig(policy=network, n_steps=8, batch_size=8, **OWN.get(network, {}))  # type: ignore[arg-type]
    model = make_model(task, settings, TrainingConfig(n_envs=2))
    with torch.no_grad():
        for parameter in model.policy.action_net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
        net = NETS[network].net(model.policy, Windows(table, LOOKBACK), torch.device("cpu"))  # type: ignore[misc]
        portfolio = torch.zeros(len(ROWS), task.layout.portfolio_size)
        if at_once:
            found = net.heads(net.every_date().index_select(0, net.places(ROWS)), portfolio)
        else:
            found = net.outputs(ROWS, portfolio)
    return torch.cat((found.action, found.value[:, None]), dim=1).numpy()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("network", NETS)
def test_a_bar_is_seen_by_the_windows_that_hold_it_and_by_no_other(wide: Task, network: str, at_once: bool) -> None:
    before = wide.windows.table.copy()
    after = before.copy()
    after[BAR] += 3.0
    moved = np.abs(outputs(wide, network, after, at_once=at_once) - outputs(wide, network, before, at_once=at_once))
    first = ROWS.numpy()
    holds = (first <= BAR) & (first + LOOKBACK - 1 >= BAR)
    assert moved[~holds].max() < 2e-5
    seen = moved[holds].max(axis=1) > 1e-3
    assert seen.all()


@pytest.mark.parametrize("network", NETS)
def test_all_dates_at_once_are_each_date_by_itself(wide: Task, network: str) -> None:
    table = wide.windows.table
    every, some = (outputs(wide, network, table, at_once=way) for way in (True, False))
    np.testing.assert_allclose(every, some, atol=2e-5, rtol=1e-4)
    assert every.std(axis=0).min() > 1e-3
