"""POST import: a form with a file and a configuration. What is wrong is told by field, and nothing is kept."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from backtest.config import MOST_RESULT_BYTES
from runfiles import layout
from runs_app import executors, places
from runs_app.models import Run
from tests.runs_app.api.conftest import API

ROWS = b"date,equity\n2019-01-02,100\n2019-01-03,101\n2019-01-04,102\n"
US20: dict[str, Any] = {"dataset": {"id": "sample/us20"}}


def sent(content: bytes = ROWS, name: str = "mine.csv") -> io.BytesIO:
    found = io.BytesIO(content)
    found.name = name
    return found


def post(client: Client, *, config: Any = US20, key: str = "", **fields: Any) -> Any:
    body: dict[str, Any] = {"file": sent(), **fields}
    if config is not None:
        body["config"] = config if isinstance(config, str) else json.dumps(config)
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{API}/import", body, headers=headers)


@pytest.fixture(autouse=True)
def _samples(samples: Path) -> None:
    """Every test has the samples."""


def test_a_file_becomes_a_run_that_holds_it(as_alice: Client) -> None:
    answer = post(as_alice, file=sent(name="../../../etc/passwd"))
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    assert (run.kind, run.subject, run.dataset_name) == ("import", "imported", "sample/us20")
    assert (places.run_folder(run.id) / layout.RESULT).read_bytes() == ROWS
    assert executors.command(run)[2:4] == ["-m", "backtest.foreign"]
    assert sorted(path.name for path in places.run_folder(run.id).iterdir()) == [
        "command.txt", "config.yaml", "imported_result.dat", "provenance.json",
    ]  # fmt: skip


def test_the_same_key_is_the_same_run(as_alice: Client) -> None:
    first, second = (post(as_alice, key="once") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200) and first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"config": "{"}, "config", ""),
        ({"config": "[1]"}, "config", "must be a JSON object"),
        ({"config": {"policy": "equal"}}, "policy", "Unknown field"),
        ({"config": US20 | {"result": {"holds": "profit"}}}, "result.holds", "equity"),
        ({"config": {"dataset": {"id": "files/theirs"}}}, "dataset.id", "There is no dataset files/theirs"),
        ({"config": US20 | {"evaluation": {"benchmark": "NOPE"}}}, "evaluation.benchmark", "NOPE is not among"),
        ({"config": US20 | {"file_sha256": "0" * 64}}, "file_sha256", "not the hash of the file"),
        ({"other": "1"}, "other", "Unknown field; send the table in file"),
        ({"file": []}, "file", "0 files were sent in file; one is right"),
        ({"file": "text"}, "file", "0 files"),
    ],
)
def test_what_is_wrong_is_told_by_field(as_alice: Client, fields: dict[str, Any], field: str, sentence: str) -> None:
    answer = post(as_alice, **fields)
    assert answer.status_code == 400, answer.content
    assert sentence in answer.json()["errors"][field][0]
    assert not Run.objects.exists() and not list(Path(settings.RUNS_ROOT).glob("*"))


def test_two_files(as_alice: Client) -> None:
    answer = post(as_alice, file=[sent(), sent()])
    assert answer.status_code == 400 and "2 files were sent" in answer.json()["errors"]["file"][0]


def test_too_large_a_file(as_alice: Client) -> None:
    answer = post(as_alice, file=sent(b"x" * (MOST_RESULT_BYTES + 1)))
    assert answer.status_code == 413 and "16,777,216 bytes" in answer.json()["detail"]
    assert not Run.objects.exists()


def test_results_of_a_person_have_a_bound(as_alice: Client, as_bob: Client, settings: Any) -> None:
    settings.DATASET_BYTES_PER_USER = len(ROWS) + 10
    assert post(as_alice).status_code == 201
    full = post(as_alice)
    assert full.status_code == 400
    assert f"Your imported results hold {len(ROWS)} bytes" in full.json()["errors"]["file"][0]
    assert post(as_bob).status_code == 201


def test_json_is_told_what_is_right(as_alice: Client) -> None:
    answer = as_alice.post(f"{API}/import", US20, content_type="application/json")
    assert answer.status_code == 415 and "multipart/form-data" in answer.json()["detail"]


def test_nobody_without_a_name(client: Client) -> None:
    assert post(client).status_code == 401
