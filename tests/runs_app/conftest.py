"""Two people, and a yard of stub runs that is empty again after each test."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from os import kill
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from marketdata.setup_samples import put_samples
from marketdata.store import Store
from runfiles import kernel
from runs_app import datasets, places
from tests.runs_app.yard import Yard
from tests.waiting import until


@pytest.fixture
def owner(db: None) -> Any:
    return get_user_model().objects.create_user("owner", password="a-long-password")


@pytest.fixture
def stranger(db: None) -> Any:
    return get_user_model().objects.create_user("stranger", password="a-long-password")


@pytest.fixture(scope="session")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("datasets")
    put_samples(Store(root))
    return root


@pytest.fixture
def samples(_store: Path, settings: Any, db: None) -> Path:
    """The root of a store that holds both samples, each with the row that gives it to everybody."""
    settings.DATASETS_ROOT = _store
    datasets.register_stored()
    return _store


@pytest.fixture
def yard(owner: Any, settings: Any) -> Iterator[Yard]:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 4
    found = Yard(owner)
    yield found
    found.reconciler.close()
    for run_id in found.switches:
        (places.control_folder(run_id) / "cancel").touch()
        for pid in kernel.marked(str(run_id)):
            with suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)
        until(lambda one=run_id: not kernel.is_locked(places.control_folder(one) / "lock"), what="the end of every job")
