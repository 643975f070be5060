"""The samples in a store, made once, and run directories on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marketdata.setup_samples import put_samples
from marketdata.store import Store
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job

MakeJob = Callable[..., Job]


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("datasets")
    put_samples(Store(root))
    return root


@pytest.fixture
def make_job(tmp_path: Path, datasets: Path) -> MakeJob:
    """A run directory with this configuration."""

    def make(name: str = "run", **config: Any) -> Job:
        folder = tmp_path / name
        folder.mkdir()
        (folder / layout.CONFIG).write_text(yamlio.dump(config), encoding="utf-8")
        return Job(folder, datasets, EventWriter(folder / layout.EVENTS), config)

    return make
