"""The log by offset: nothing lost, nothing twice, no character torn, no control byte shown."""

from typing import Any

import pytest
from django.test import Client

from runs_app.api.downloads import LOG_CHUNK
from runs_app.models import Run
from tests.runs_app.api.conftest import API, MakeRun, put


def get(client: Client, run: Run, offset: Any = 0) -> Any:
    return client.get(f"{API}/runs/{run.id}/log", {"offset": offset}).json()


def test_it_works(as_alice: Client, run: Run) -> None:
    put(run, "job.log", b"one\ntwo\n")
    assert get(as_alice, run) == {"offset": 0, "next_offset": 8, "size": 8, "text": "one\ntwo\n", "ended": True}
    assert get(as_alice, run, 4)["text"] == "two\n"
    assert get(as_alice, run, -4) == {"offset": 4, "next_offset": 8, "size": 8, "text": "two\n", "ended": True}


def test_no_log_yet(as_alice: Client, make_run: MakeRun) -> None:
    run = make_run()
    assert get(as_alice, run) == {"offset": 0, "next_offset": 0, "size": 0, "text": "", "ended": False}


def test_a_long_log_comes_in_pieces_that_fit_together(as_alice: Client, run: Run) -> None:
    whole = ("€uro and 😀 face\n" * 20_000).encode()
    put(run, "job.log", whole)
    text, offset, answers = "", 0, 0
    while True:
        answer = get(as_alice, run, offset)
        text, offset, answers = text + answer["text"], answer["next_offset"], answers + 1
        if answer["ended"]:
            break
    assert text.encode() == whole and answers == -(-len(whole) // (LOG_CHUNK - 3))


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_that_is_still_being_written_waits(as_alice: Client, make_run: MakeRun, cut: int) -> None:
    run = make_run(state="RUNNING")
    place = put(run, "job.log", b"a" + "😀".encode()[:cut])
    first = get(as_alice, run)
    assert (first["text"], first["next_offset"]) == ("a", 1)
    place.write_bytes(b"a" + "😀".encode())
    assert get(as_alice, run, first["next_offset"])["text"] == "😀"


def test_half_a_character_at_the_end_of_an_ended_log_is_shown_as_a_mark(as_alice: Client, run: Run) -> None:
    put(run, "job.log", b"a" + "😀".encode()[:2])
    answer = get(as_alice, run)
    assert (answer["text"], answer["ended"]) == ("a\ufffd", True)


def test_control_bytes_and_broken_utf8_are_shown_as_marks(as_alice: Client, run: Run) -> None:
    put(run, "job.log", b"\x1b[2Jx\x00y\xff</pre><script>\r10%\r\nend\n")
    assert get(as_alice, run)["text"] == "\ufffd[2Jx\ufffdy\ufffd</pre><script>\n10%\nend\n"


def test_binary_without_end_does_not_stand_still(as_alice: Client, make_run: MakeRun) -> None:
    run = make_run(state="RUNNING")
    put(run, "job.log", b"\xff" * (LOG_CHUNK + 10))
    assert get(as_alice, run)["next_offset"] >= LOG_CHUNK - 3
    assert get(as_alice, run, LOG_CHUNK)["text"]


@pytest.mark.parametrize("offset", ["x", "1.5", "", "9" * 30, "١", "1e3", " 1"])
def test_an_offset_that_is_none_is_refused(as_alice: Client, run: Run, offset: str) -> None:
    answer = as_alice.get(f"{API}/runs/{run.id}/log", {"offset": offset})
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {"offset"}


@pytest.mark.parametrize("offset", [10**12, -(10**12)])
def test_an_offset_outside_the_log_is_its_end_or_its_beginning(as_alice: Client, run: Run, offset: int) -> None:
    put(run, "job.log", b"abc")
    assert get(as_alice, run, offset)["text"] == ("" if offset > 0 else "abc")
