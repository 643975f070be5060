"""Files are named by key, come from the run's own folder, and can run nothing on this site."""

import os
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from accounts.models import User
from runfiles import layout
from runs_app import artifacts
from runs_app.api.files import PIECE
from runs_app.models import Run
from tests.runs_app.api.conftest import API, folder_of, put

CONTENT = b"time,equity\n2020-01-02,1000000.0\n"


def get(client: Client, run: Run, key: str, **headers: str) -> Any:
    return client.get(f"{API}/runs/{run.id}/files/{key}", headers=headers)


def test_it_works(as_alice: Client, run: Run) -> None:
    put(run, "report/equity.csv", CONTENT)
    answer = get(as_alice, run, "equity")
    assert answer.status_code == 200 and answer.getvalue() == CONTENT
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'inline; filename="{str(run.id)[:8]}-equity.csv"'


@pytest.mark.parametrize(("headers", "code"), [({}, 304), ({"Range": "bytes=900-"}, 416)])
def test_an_answer_without_the_file_leaves_none_open(
    as_alice: Client, run: Run, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], code: int
) -> None:
    put(run, "report/equity.csv", CONTENT)
    if code == 304:
        headers = {"If-None-Match": get(as_alice, run, "equity")["ETag"]}
    opened: list[Any] = []
    real = artifacts.open_file
    monkeypatch.setattr(artifacts, "open_file", lambda *which: opened.append(real(*which)) or opened[-1])
    assert get(as_alice, run, "equity", **headers).status_code == code
    assert [file.closed for file in opened] == [True]


def test_a_baselines_table_has_a_name_of_its_own(as_alice: Client, run: Run) -> None:
    put(run, "report/baselines/equal/equity.csv", CONTENT)
    answer = get(as_alice, run, "equal.equity")
    assert answer.getvalue() == CONTENT
    assert answer["Content-Disposition"].endswith('-equal-equity.csv"')


@pytest.mark.parametrize("key", sorted(layout.FILES))
def test_every_file_is_shut_in(as_alice: Client, run: Run, key: str) -> None:
    spec = layout.FILES[key]
    put(run, spec.path, b"<script>alert(1)</script>")
    answer = get(as_alice, run, key)
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    shown = spec.media_type in ("text/plain", "text/csv", "application/json")
    assert answer["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "key",
    ["..", "../secret.txt", "..\\secret.txt", "%2e%2e%2fsecret.txt", "..%252fsecret.txt", "/etc/passwd", "//etc/passwd",
     "equity/", "./equity", "report/equity.csv", "start.json", "exit.json", "lock", "db.sqlite3", ".env", "config.yaml",
     "x" * 4096, "equal.", ".equity", "..equity", "Equal.equity", "equal.equity.equity", "é", "a%0d%0aX-A:%201"],
)  # fmt: skip
def test_a_name_that_is_no_key_is_nothing(as_alice: Client, run: Run, key: str) -> None:
    put(run, "report/equity.csv", CONTENT)
    put(run, "start.json", b"secret")
    (folder_of(run).parent / "secret.txt").write_bytes(b"secret")
    answer = get(as_alice, run, key)
    assert answer.status_code in (400, 404)
    assert b"secret" not in answer.content and "X-A" not in answer


def test_a_link_leads_nowhere(as_alice: Client, run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder_of(run) / "report").mkdir()
    (folder_of(run) / "report/metrics.json").symlink_to(secret)
    assert get(as_alice, run, "metrics").status_code == 404


def test_a_linked_folder_leads_nowhere(as_alice: Client, run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/metrics.json").write_bytes(b"secret")
    (folder_of(run) / "report").symlink_to(tmp_path / "elsewhere")
    assert get(as_alice, run, "metrics").status_code == 404


def test_a_pipe_does_not_hang(as_alice: Client, run: Run) -> None:
    (folder_of(run) / "report").mkdir()
    os.mkfifo(folder_of(run) / "report/metrics.json")
    assert get(as_alice, run, "metrics").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "says"),
    [
        ("bytes=0-3", 206, CONTENT[:4], f"bytes 0-3/{len(CONTENT)}"),
        ("bytes=5-", 206, CONTENT[5:], f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=-4", 206, CONTENT[-4:], f"bytes {len(CONTENT) - 4}-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=-9999", 206, CONTENT, f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=0-99999", 206, CONTENT, f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=99999-", 416, b"", f"bytes */{len(CONTENT)}"),
        ("bytes=-0", 416, b"", f"bytes */{len(CONTENT)}"),
        ("bytes=4-3", 200, CONTENT, None),
        ("bytes=0-1,3-4", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
        ("bytes=" + "9" * 400 + "-", 200, CONTENT, None),
    ],
)
def test_a_range(as_alice: Client, run: Run, asked: str, status: int, content: bytes, says: str | None) -> None:
    put(run, "report/equity.csv", CONTENT)
    answer = get(as_alice, run, "equity", Range=asked)
    assert (answer.status_code, answer.getvalue(), answer.get("Content-Range")) == (status, content, says)


def test_an_unchanged_file_is_not_sent_again(as_alice: Client, run: Run) -> None:
    place = put(run, "report/equity.csv", CONTENT)
    tag = get(as_alice, run, "equity")["ETag"]
    again = get(as_alice, run, "equity", **{"If-None-Match": tag})
    assert again.status_code == 304 and again.content == b"" and again["ETag"] == tag
    place.write_bytes(CONTENT + b"more")
    assert get(as_alice, run, "equity", **{"If-None-Match": tag}).status_code == 200


def test_a_range_of_a_changed_file_is_the_whole_new_file(as_alice: Client, run: Run) -> None:
    place = put(run, "report/equity.csv", CONTENT)
    tag = get(as_alice, run, "equity")["ETag"]
    place.write_bytes(b"another file")
    answer = get(as_alice, run, "equity", **{"Range": "bytes=0-3", "If-Range": tag})
    assert (answer.status_code, answer.getvalue()) == (200, b"another file")


def test_what_is_asked_for_need_not_be_acceptable(as_alice: Client, run: Run) -> None:
    put(run, "report/equity.csv", CONTENT)
    assert get(as_alice, run, "equity", Accept="image/png").status_code == 200


def test_a_file_that_is_not_there_is_missing(as_alice: Client, run: Run) -> None:
    answer = get(as_alice, run, "equity")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not found.", "errors": {}}


@pytest.mark.django_db(transaction=True)
async def test_on_the_servers_loop_a_file_comes_in_pieces_and_is_closed(transactional_db: None) -> None:
    alice = await sync_to_async(User.objects.create_user)("alice")
    run = await sync_to_async(Run.objects.create)(owner=alice, kind="train", config_hash="0" * 64)
    content = os.urandom(PIECE + 10)
    put(run, "report/equity.csv", content)
    client = AsyncClient()
    await client.aforce_login(alice)
    answer = await client.get(f"{API}/runs/{run.id}/files/equity")
    assert [piece async for piece in answer] == [content[:PIECE], content[PIECE:]]
    cut = await client.get(f"{API}/runs/{run.id}/files/equity", headers={"Range": "bytes=5-"})
    pieces = aiter(cut)
    assert (await anext(pieces))[:10] == content[5:15]
    source = cut._source
    await pieces.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(source)
