"""A fetch from the API to a dataset that a run can name: the real job, the real yfinance, a small Yahoo of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from marketdata.store import Store
from runs_app import datasets, places
from runs_app.models import Dataset, Run
from runs_app.reconciler import Reconciler
from tests.fake_yahoo import FakeYahoo, daily
from tests.waiting import until

DAYS = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
CONFIG = {"id": "yahoo/mine", "symbols": ["AAA", "BBB"], "start": "2020-01-02", "end": "2020-01-31", "wait_s": 0.05}


@pytest.fixture
def yahoo(settings: Any) -> Iterator[FakeYahoo]:
    found = FakeYahoo()
    settings.YAHOO_URL = found.url
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 4
    found.symbols["AAA"] = daily(
        dict(zip(DAYS, [100, 104, 52, 53, 52, 54], strict=True)), {"2020-01-06": 2.0}, {"2020-01-08": 0.5}
    )
    found.symbols["BBB"] = daily(dict(zip(DAYS, [10.0, 10.2, 10.1, 10.3, 10.2, 10.4], strict=True)))
    yield found
    found.close()


@pytest.fixture
def reconciler() -> Iterator[Reconciler]:
    found = Reconciler()
    yield found
    found.close()


def post(person: Any, config: dict[str, Any]) -> Any:
    client = Client()
    client.force_login(person)
    return client.post("/api/stockbot/data", json.dumps(config), content_type="application/json")


def start(person: Any, config: dict[str, Any]) -> Run:
    answer = post(person, config)
    assert answer.status_code == 201, answer.content
    return Run.objects.get(pk=answer.json()["id"])


def ended(reconciler: Reconciler, run: Run) -> Run:
    def look() -> bool:
        reconciler.turn()
        run.refresh_from_db()
        return run.is_terminal

    until(look, within_s=40, what="the end of the fetch")
    return run


def log_of(run: Run) -> str:
    return (places.run_folder(run.id) / "job.log").read_text()


def test_a_fetch_ends_as_a_dataset_of_its_owner(
    owner: Any, stranger: Any, yahoo: FakeYahoo, reconciler: Reconciler, settings: Any
) -> None:
    run = ended(reconciler, start(owner, CONFIG))
    assert (run.state, run.sentence) == ("SUCCEEDED", ""), log_of(run)
    row = Dataset.objects.get(name="yahoo/mine")
    assert (row.owner, row.version, row.title) == (owner, run.dataset_version, "AAA, BBB, 1d")
    assert row.details["served"] == {"AAA": "yahoo", "BBB": "yahoo"}
    bars = Store(Path(settings.DATASETS_ROOT)).load(row.version)
    assert bars.close[:, 0].tolist() == pytest.approx([100, 104, 52, 53, 52, 54])
    assert bars.split is not None and bars.split[2, 0] == 2.0
    assert bars.dividend is not None and bars.dividend[4, 0] == 0.5
    assert [entry.id for entry in datasets.usable(owner)] == ["yahoo/mine"]
    assert datasets.usable(stranger) == []
