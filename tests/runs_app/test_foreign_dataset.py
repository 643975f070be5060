"""Another person's dataset is a missing one: in lists, on pages and by name, and its name is told to nobody."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backtest.config import BacktestConfig
from marketdata.catalog import DatasetMissing
from runs_app import datasets, services
from runs_app.models import Dataset

NAME = "files/indices"


@pytest.fixture
def owned(owner: Any, samples: Path) -> str:
    """The content of a sample, under a name of its owner's."""
    version = datasets.catalog().find("sample/us-indices").version
    Dataset.objects.create(name=NAME, version=version, owner=owner)
    return version


def _listed(person: Any) -> set[str]:
    client = Client()
    client.force_login(person)
    return {row["id"] for row in client.get("/api/stockbot/datasets").json()["datasets"]}


def test_only_its_owner_finds_it_in_the_list(owned: str, owner: Any, stranger: Any) -> None:
    assert _listed(owner) == {"sample/us20", "sample/us-indices", NAME}
    assert _listed(stranger) == {"sample/us20", "sample/us-indices"}


@pytest.mark.parametrize("by_version", [False, True])
def test_the_sentence_is_that_of_a_missing_one(owned: str, owner: Any, stranger: Any, by_version: bool) -> None:
    version = owned if by_version else None
    assert datasets.find(owner, NAME, version).version == owned
    with pytest.raises(DatasetMissing) as theirs:
        datasets.find(stranger, NAME, version)
    with pytest.raises(DatasetMissing) as nobodys:
        datasets.find(stranger, "sample/none", version)
    assert str(theirs.value).replace(NAME, "X") == str(nobodys.value).replace("sample/none", "X")
    config = BacktestConfig.model_validate({"policy": "equal", "dataset": {"id": NAME, "version": version}})
    with pytest.raises(DatasetMissing):
        services.start_backtest(owner=stranger, config=config)


def test_a_version_that_is_not_there(owned: str, owner: Any) -> None:
    with pytest.raises(DatasetMissing) as fault:
        datasets.find(owner, NAME, "0" * 64)
    assert "dataset.version" in fault.value.errors
