"""What is taken, what is refused, and what is left on disk."""

import errno
import hashlib
import os
import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from marketdata.files import supervise
from runs_app import upload_handler, uploads
from runs_app.models import Upload
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, send
from tests.runs_app.datasets.made import prices


def left(settings: Any) -> list[Path]:
    return list(settings.TMP_ROOT.iterdir())


def test_an_upload_is_kept_by_numbers_and_hashed_while_it_is_written(alice: Client, settings: Any) -> None:
    found = send(alice, named("../../etc/passwd.csv", prices())).json()
    assert found["files"] == [
        {"name": "passwd.csv", "bytes": len(prices()), "sha256": hashlib.sha256(prices().encode()).hexdigest()}
    ]
    assert [path.name for path in left(settings)] == [found["id"]]
    assert [path.name for path in left(settings)[0].iterdir()] == ["0"]


def test_without_hard_links_an_upload_is_copied(alice: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert send(alice, named("prices.csv", prices())).status_code == 201
    assert (left(settings)[0] / "0").read_text() == prices()


@pytest.mark.parametrize(
    "name", ['a"\r\nX-Evil: 1\r\n.csv', "<img src=x onerror=alert(1)>.csv", "a\x00b.csv", "x" * 300]
)
def test_a_name_is_a_label_that_pages_escape(alice: Client, name: str) -> None:
    answer = send(alice, named(name, prices()))
    assert answer.status_code == 201
    shown = answer.json()["files"][0]["name"]
    assert shown.isprintable() and len(shown) <= 120
    page = alice.get(f"/datasets/uploads/{answer.json()['id']}")
    assert page.status_code == 200 and b"<img src=x" not in page.content


def test_after_the_commit_nothing_is_left(alice: Client, settings: Any) -> None:
    upload = send(alice, named("prices.csv", prices())).json()
    assert commit(alice, upload).status_code == 201
    assert left(settings) == [] and not Upload.objects.exists()
    assert commit(alice, upload).status_code == 404


@pytest.mark.parametrize(
    ("files", "more", "field", "words"),
    [
        ([], {}, "file", "at least one file"),
        ([("a.csv", b"")], {}, "file", "no files|at least one|is empty"),
        ([("a.csv", b"PK\x03\x04")], {}, "file", "zip archive"),
        ([("a.csv", prices().encode())], {"name": "x"}, "name", "Unknown field"),
    ],
)
def test_a_refusal_leaves_nothing(alice: Client, settings: Any, files: Any, more: Any, field: str, words: str) -> None:
    answer = send(alice, *(named(name, content) for name, content in files), **more)
    assert answer.status_code == 400, answer.content
    assert re.search(words, answer.json()["errors"][field][0])
    assert left(settings) == [] and not Upload.objects.exists()


def test_the_body_must_be_a_form(alice: Client) -> None:
    assert alice.post(f"{API}/datasets", {"a": 1}, content_type="application/json").status_code == 415
    broken = alice.post(f"{API}/datasets", b"--x\r\nbroken", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 400
    nothing = alice.post(f"{API}/datasets", b"x", content_type="multipart/form-data")
    assert nothing.status_code == 400


def test_too_much_is_413_and_leaves_nothing(alice: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_handler, "MAX_BYTES", 1000)
    answer = send(alice, named("a.csv", prices()))
    assert answer.status_code == 413 and answer.json().keys() == {"detail", "errors"}
    page = alice.post("/datasets/new", {"file": named("a.csv", prices())})
    assert page.status_code == 400
    assert left(settings) == []


def test_too_many_files_are_refused_in_the_one_shape(alice: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    answer = send(alice, *(named(f"a{number}.csv", "x") for number in range(4)))
    assert answer.status_code == 400 and answer.json().keys() == {"detail", "errors"}
    assert alice.post("/datasets/new", {"file": [named(f"a{n}.csv", "x") for n in range(4)]}).status_code == 400
    assert left(settings) == []


def test_a_busy_server_says_when_to_come_back(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise supervise.Busy

    monkeypatch.setattr(supervise, "run", busy)
    answer = send(alice, named("a.csv", prices()))
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_so_many_wait_and_the_oldest_goes(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_WAITING", 2)
    _, second, third = (send(alice, named("a.csv", prices())).json()["id"] for _ in range(3))
    assert {str(row.id) for row in Upload.objects.all()} == {second, third}


def test_the_sweep_keeps_what_is_fresh_and_nothing_else(alice: Client, settings: Any, owner: Any) -> None:
    fresh, old = (send(alice, named("a.csv", prices())).json()["id"] for _ in range(2))
    Upload.objects.filter(pk=old).update(created=timezone.now() - timedelta(days=2))
    lost = Upload.objects.create(owner=owner, files=[])
    (settings.TMP_ROOT / "part-x").write_bytes(b"half")
    (settings.TMP_ROOT / "work-x").mkdir()
    (settings.TMP_ROOT / str(uuid.uuid4())).mkdir()
    (settings.TMP_ROOT / "link").symlink_to(settings.DATASETS_ROOT)
    uploads.sweep()
    assert [path.name for path in left(settings)] == [fresh]
    assert [str(row.id) for row in Upload.objects.all()] == [fresh] and str(lost.id) != fresh
    assert settings.DATASETS_ROOT.is_dir()


def test_several_files_are_a_symbol_each(alice: Client) -> None:
    lines = prices("A").splitlines()
    one = "\n".join(line.replace("symbol,", "").replace(",A,", ",") for line in lines)
    found = send(alice, named("AAA.csv", one), named("BBB.csv", one)).json()
    assert found["preview"]["guess"]["columns"]["layout"] == "per_symbol"
    assert commit(alice, found).json()["symbols"] == ["AAA", "BBB"]


def test_members_make_it_point_in_time(alice: Client) -> None:
    members = send(alice, named("m.csv", "symbol,start,end\nA,2020-01-02,\nB,2020-03-02,\n")).json()
    assert members["preview"]["members"] == {"symbols": 2, "intervals": 2}
    found = commit(alice, send(alice, named("a.csv", prices())).json(), membership=members["id"]).json()
    assert (found["survivorship"], found["member"]) == ("point_in_time", True)


def test_members_come_with_the_prices(alice: Client) -> None:
    members = named("m.csv", "symbol,start,end\nA,2020-01-02,\nB,2020-03-02,9999-12-31\n")
    found = commit(alice, send(alice, named("a.csv", prices()), members=members).json()).json()
    assert (found["survivorship"], found["member"]) == ("point_in_time", True)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("content", ["symbol,start,end\nA,soon,\n", "date,close\n2020-01-02,1\n", "PK\x03\x04"])
def test_bad_members_leave_no_prices_behind(alice: Client, settings: Any, content: str) -> None:
    answer = send(alice, named("a.csv", prices()), members=named("m.csv", content))
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["members"]
    page = alice.post("/datasets/new", {"file": named("a.csv", prices()), "members": named("m.csv", content)})
    assert page.status_code == 400 and b"Nothing was kept." in page.content
    assert left(settings) == [] and not Upload.objects.exists()


def test_a_long_text_is_not_blamed_on_the_files(alice: Client) -> None:
    answer = alice.post(f"{API}/datasets", {"note": "x" * 3_000_000})
    assert answer.status_code == 413 and answer.json()["detail"] == upload_handler.LONG_TEXT
