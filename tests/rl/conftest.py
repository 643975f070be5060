"""One thread of torch, so that nothing here depends on the machine's cores; small planted tasks."""

import pytest
import torch

from marketdata.splits import Range
from rl.task import Task
from tests.rl.planted import Planted, planted, task_of


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def sb3_logs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare `learn` makes a log folder; it belongs to the tests, not to the machine's temporary folder."""
    monkeypatch.setenv("SB3_LOGDIR", str(tmp_path_factory.getbasetemp() / "sb3"))


@pytest.fixture(scope="session")
def data() -> Planted:
    return planted(n_bars=600, n_assets=3)


@pytest.fixture(scope="session")
def task(data: Planted) -> Task:
    return task_of(data, Range(20, 500))
