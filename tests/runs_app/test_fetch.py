"""A fetch from the API to a dataset that a run can name: the real job, the real yfinance, a small Yahoo of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from marketdata.store import Store
from runs_app import datasets, executors, places, queueing
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


def test_the_same_bars_fetched_again_are_one_row_that_tells_of_the_newer_fetch(
    owner: Any, yahoo: FakeYahoo, reconciler: Reconciler
) -> None:
    ended(reconciler, start(owner, CONFIG))
    again = ended(reconciler, start(owner, CONFIG | {"title": "Two of mine"}))
    assert again.state == "SUCCEEDED"
    assert [row.title for row in Dataset.objects.all()] == ["Two of mine"]


def test_the_run_page_and_its_list(owner: Any, stranger: Any, yahoo: FakeYahoo, reconciler: Reconciler) -> None:
    run = ended(reconciler, start(owner, CONFIG | {"symbols": ["AAA", "ZZZ"], "missing": "leave_out"}))
    client = Client()
    client.force_login(owner)
    page = client.get(f"/runs/{run.id}").content.decode()
    assert "Fetch of mine" in page and "AAA yahoo" in page and "ZZZ was asked for and is left out." in page
    assert 'href="/backtest?dataset=yahoo/mine"' in page and "Seed" in page
    assert "Fetch of mine" in client.get("/").content.decode()
    assert 'value="yahoo/mine" selected' in client.get("/backtest?dataset=yahoo/mine").content.decode()
    again = client.get(f"/data?like={run.id}").content.decode()
    assert 'value="AAA, ZZZ"' in again
    other = Client()
    other.force_login(stranger)
    assert [other.get(path).status_code for path in (f"/runs/{run.id}", f"/data?like={run.id}")] == [404, 404]
    assert "yahoo/mine" not in other.get("/backtest?dataset=yahoo/mine").content.decode()


def test_another_persons_dataset_is_a_missing_one(
    owner: Any, stranger: Any, yahoo: FakeYahoo, reconciler: Reconciler
) -> None:
    ended(reconciler, start(owner, CONFIG))
    client = Client()
    client.force_login(stranger)
    asked = [json.dumps({"policy": "equal", "dataset": {"id": id}}) for id in ("yahoo/mine", "yahoo/none")]
    mine, none = (client.post("/api/stockbot/backtest", body, content_type="application/json") for body in asked)
    assert (mine.status_code, none.status_code) == (400, 400)
    assert mine.content == none.content.replace(b"yahoo/none", b"yahoo/mine")
    assert client.get("/api/stockbot/datasets").json()["datasets"] == []


def test_what_is_in_the_store_without_a_row_is_nobodys(owner: Any, yahoo: FakeYahoo, reconciler: Reconciler) -> None:
    """As after a crash between the job and its row: a server that starts then makes it nobody's."""
    ended(reconciler, start(owner, CONFIG))
    Dataset.objects.all().delete()
    assert datasets.register_stored() == 0
    assert datasets.usable(owner) == []


def test_nobody_may_fetch(db: None) -> None:
    assert Client().get("/data").status_code == 302
    assert Client().post("/api/stockbot/data", json.dumps(CONFIG), content_type="application/json").status_code == 401


def test_from_the_form(owner: Any, yahoo: FakeYahoo) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get("/data").status_code == 200
    wrong = client.post("/data", {"id": "yahoo/mine", "symbols": "aapl", "sources": "yahoo"})
    assert wrong.status_code == 400 and "Must be a symbol in capitals" in wrong.content.decode()
    fields = {"id": "yahoo/mine", "symbols": "AAA BBB", "start": "2020-01-02", "end": "", "interval": "1d", "title": "",
              "calendar": "XNYS", "sources": "yahoo", "missing": "refuse", "refetch": "missing", "overlap": "5",
              "retries": "5", "wait_s": "30", "out_tag": ""}  # fmt: skip
    answer = client.post("/data", fields)
    assert answer.status_code == 302, answer.content.decode()
    run = Run.objects.get()
    assert (run.kind, run.config["symbols"], run.dataset_name) == ("data", ["AAA", "BBB"], "yahoo/mine")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"symbols": ["../../etc"]}, "symbols.0"),
        ({"id": "yahoo/../x"}, "id"),
        ({"id": "sample/us20"}, "id"),
        ({"interval": "1m", "start": "2001-01-02"}, "start"),
        ({"interval": "1h", "sources": ["sample"]}, "sources"),
        ({"end": "2999-01-01"}, "end"),
        ({"base_url": "http://169.254.169.254"}, "base_url"),
    ],
)
def test_bad_input_is_refused_before_anything_exists(owner: Any, config: dict[str, Any], field: str) -> None:
    answer = post(owner, CONFIG | config)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Run.objects.exists()


def test_one_fetch_at_a_time_asks_a_provider(
    owner: Any, stranger: Any, yahoo: FakeYahoo, reconciler: Reconciler
) -> None:
    yahoo.hold.clear()
    first, second = start(owner, CONFIG), start(stranger, CONFIG | {"id": "yahoo/theirs", "symbols": ["BBB"]})

    def asked() -> bool:
        reconciler.turn()
        return bool(yahoo.asked)

    until(asked, within_s=40, what="the first question")
    for _ in range(5):
        reconciler.turn()
    second.refresh_from_db()
    assert second.state == "QUEUED" and queueing.positions() == {second.id: 1}
    yahoo.hold.set()
    assert ended(reconciler, first).state == "SUCCEEDED"
    assert ended(reconciler, second).state == "SUCCEEDED"
    assert {row.owner for row in Dataset.objects.all()} == {owner, stranger}


def test_the_fetch_alone_hears_of_the_address(owner: Any, yahoo: FakeYahoo) -> None:
    kinds = {kind: executors.environment(Run(kind=kind, config={})) for kind in ("train", "backtest", "data")}
    assert {kind for kind, found in kinds.items() if "STOCKBOT_YAHOO_URL" in found} == {"data"}


def test_a_failed_fetch_makes_no_row(owner: Any, yahoo: FakeYahoo, reconciler: Reconciler) -> None:
    run = ended(reconciler, start(owner, CONFIG | {"symbols": ["AAA", "ZZZ"]}))
    assert run.state == "FAILED" and run.sentence.startswith("ZZZ cannot be had. yahoo does not have ZZZ")
    assert not Dataset.objects.exists()
