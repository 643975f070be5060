"""A result sent to the real server: the run that judges it, its report, its file, and nobody else's business."""

import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest

from runfiles.metric_keys import METRICS, OF_ACCOUNT
from tests.flows.conftest import World

pytestmark = pytest.mark.slow
EVALUATION = {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100}
SYMBOLS = ["KO", "XOM", "AAPL"]


def send(client: httpx.Client, content: bytes, config: dict[str, Any]) -> httpx.Response:
    return client.post(
        "/api/stockbot/import", files={"file": ("../../mine.csv", content)}, data={"config": json.dumps(config)}
    )


@pytest.fixture(scope="module")
def judged(world: World) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A backtest, the import of the equity that it wrote, and that file."""
    ann = world.person("ann")
    dataset = {"id": "sample/us20", "symbols": SYMBOLS}
    asked = {"policy": "equal_daily", "dataset": dataset, "evaluation": EVALUATION, "start": "2019-01-02",
             "end": "2019-12-31"}  # fmt: skip
    own = world.wait_for(ann.post("/api/stockbot/backtest", json=asked).json()["id"], "SUCCEEDED", within_s=90)
    content = ann.get(f"/api/stockbot/runs/{own['id']}/files/equity").content
    answer = send(ann, content, {"dataset": dataset, "evaluation": EVALUATION})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/stockbot/runs/{answer.json()['id']}"
    return own, world.wait_for(answer.json()["id"], "SUCCEEDED", within_s=90), content


def test_the_figures_of_our_own_equity(judged: tuple[dict[str, Any], dict[str, Any], bytes]) -> None:
    own, found, _ = judged
    assert (found["kind"], found["subject"]) == ("import", "imported")
    for key in METRICS:
        assert found["metrics"][key] == (None if key in OF_ACCOUNT else own["metrics"][key]), key
    for key in ("low", "high", "p", "excess_per_year", "power"):
        assert found["verdict"][key] == own["verdict"][key]
    assert found["verdict"]["leak_gate"] == "incomplete" and found["verdict"]["code"] != "shown"


def test_the_file_is_kept_as_it_was_sent(world: World, judged: tuple[dict[str, Any], dict[str, Any], bytes]) -> None:
    _, found, content = judged
    sha256 = hashlib.sha256(content).hexdigest()
    assert found["config"]["file_sha256"] == sha256
    ann = world.person("ann")
    kept = ann.get(f"/api/stockbot/runs/{found['id']}/files/imported_result")
    assert kept.content == content and "attachment" in kept.headers["Content-Disposition"]
    listed = ann.get(f"/api/stockbot/runs/{found['id']}/artifacts").json()["artifacts"]
    assert {row["key"]: row["sha256"] for row in listed}["imported_result"] == sha256
    assert not list(world.site.folder.rglob("mine.csv"))


@pytest.mark.parametrize("route", ["", "/artifacts", "/files/imported_result", "/files/report", "/log"])
def test_another_person_finds_nothing(
    world: World, judged: tuple[dict[str, Any], dict[str, Any], bytes], route: str
) -> None:
    bob = world.person("bob")
    theirs = bob.get(f"/api/stockbot/runs/{judged[1]['id']}{route}")
    missing = bob.get(f"/api/stockbot/runs/{uuid.uuid4()}{route}")
    assert theirs.status_code == missing.status_code == 404 and theirs.content == missing.content


def test_what_is_no_result_fails_with_its_sentence(world: World) -> None:
    rows = b"date,equity\n2019-01-03,100\n2019-01-02,101\n2019-01-04,102\n"
    answer = send(world.person("ann"), rows, {"dataset": {"id": "sample/us20"}})
    assert answer.status_code == 201
    found = world.wait_for(answer.json()["id"], "FAILED", within_s=60)
    assert found["sentence"].startswith("Column date, row 3 of the file: 2019-01-02 comes after 2019-01-03")
