"""POST import: a form with a file and a configuration. What is wrong is told by field, and nothing is kept."""

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from backtest.config import MOST_RESULT_BYTES
from runfiles import atomic, layout
from runs_app import executors, places, quota, results
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


@pytest.mark.parametrize("other", [{"file": sent(ROWS + b"2019-01-07,103\n")}, {"config": US20 | {"out_tag": "b"}}])
def test_a_key_is_of_one_file_and_one_configuration(as_alice: Client, other: dict[str, Any]) -> None:
    assert post(as_alice, key="once").status_code == 201
    answer = post(as_alice, key="once", **other)
    assert answer.status_code == 409 and "with another body" in answer.json()["detail"], answer.content
    assert Run.objects.count() == 1


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
    sentence = full.json()["errors"]["file"][0]
    assert f"Your imported results hold {len(ROWS)} bytes" in sentence and "STOCKBOT_DATASET_MIB_PER_USER" in sentence
    assert Run.objects.count() == len(list(Path(settings.RUNS_ROOT).iterdir())) == 1  # nothing is left of it
    assert post(as_bob).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_at_once_cannot_both_take_the_last_room(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is asked under the lock of writers that makes the row, and after the file is whole on the disk."""
    asked: list[bool] = []
    plain = quota.no_room_for_result

    def probe(owner: Any, bytes: int) -> str:
        asked.append(connection.in_atomic_block and len(list(Path(settings.RUNS_ROOT).rglob(layout.RESULT))) == 1)
        return plain(owner, bytes)

    monkeypatch.setattr(quota, "no_room_for_result", probe)
    assert post(as_alice).status_code == 201 and asked == [True]
    assert connection.settings_dict.get("OPTIONS", {}).get("transaction_mode", "IMMEDIATE") == "IMMEDIATE"


def test_a_file_that_changes_while_it_is_taken(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is hashed on its way to the disk."""
    monkeypatch.setattr(results.harvest, "write_verified", partial(_of_other_bytes, results.harvest.write_verified))
    answer = post(as_alice)
    assert answer.status_code == 400 and "changed while it was taken" in answer.json()["errors"]["file"][0]
    assert not Run.objects.exists() and not list(Path(settings.RUNS_ROOT).glob("*"))


def test_the_file_is_synced_before_there_is_a_row(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, int]] = []
    monkeypatch.setattr(atomic, "sync_folder", lambda folder: synced.append((folder.name, Run.objects.count())))
    assert post(as_alice).status_code == 201
    kept = Run.objects.get()
    assert (
        synced[-1] == (str(kept.id), 0) and (places.run_folder(kept.id) / layout.RESULT).stat().st_mode & 0o777 == 0o640
    )


def _of_other_bytes(plain: Any, source: Any, target: Path, sha256: str) -> int:
    return int(plain(io.BytesIO(source.read() + b"more"), target, sha256))


def test_json_is_told_what_is_right(as_alice: Client) -> None:
    answer = as_alice.post(f"{API}/import", US20, content_type="application/json")
    assert answer.status_code == 415 and "multipart/form-data" in answer.json()["detail"]


def test_nobody_without_a_name(client: Client) -> None:
    assert post(client).status_code == 401
