"""News of a running job: recorded once, in order; torn and foreign lines do no harm; progress is one save a second."""

from pathlib import Path

import pytest
from django.db import OperationalError

from runfiles.events import EventWriter
from runs_app import moves, places
from runs_app.models import Run
from runs_app.payload import run_payload
from runs_app.tail import MOST_EVENTS, Tails
from tests.runs_app.yard import Yard


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(yard: Yard) -> Run:
    found = yard.add()
    moves.move(found.id, ("QUEUED",), "RUNNING")
    found.refresh_from_db()
    return found


@pytest.fixture
def path(run: Run) -> Path:
    return places.run_folder(run.id) / "events.jsonl"


def _kinds(run: Run) -> list[str]:
    run.refresh_from_db()
    return [event.kind for event in run.events.all()][1:]


def test_phases_are_told_at_once_and_progress_rides_along(run: Run, path: Path) -> None:
    writer, tails = EventWriter(path), Tails(Clock())
    writer.enter("train")
    writer.progress(50, 200, 10.0)
    writer.metric(reward=0.25, loss=1.5)
    assert tails.follow(run) == 2
    assert _kinds(run) == ["phase"]
    payload = run_payload(run)
    assert payload["phase"] == "train"
    assert payload["progress"] == {"step": 50, "total": 200, "rate": 10.0, "eta_s": 15.0}
    assert payload["metrics"] == {"reward": 0.25, "loss": 1.5}


def test_progress_is_saved_once_a_second(run: Run, path: Path) -> None:
    clock = Clock()
    writer, tails = EventWriter(path), Tails(clock)
    steps = []
    for step in range(1, 13):
        writer.progress(step, 100, 1.0)
        tails.follow(run)
        clock.now += 0.25
        run.refresh_from_db()
        steps.append(run.progress_step)
    assert steps == [1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9]
    assert run.seq == 1


def test_a_new_tail_goes_on_without_telling_twice(run: Run, path: Path) -> None:
    writer = EventWriter(path)
    writer.enter("train")
    writer.warning("One.")
    Tails(Clock()).follow(run)
    run.refresh_from_db()
    writer.warning("Two.")
    Tails(Clock()).follow(run)
    assert _kinds(run) == ["phase", "warning", "warning"]
    assert run.warnings == ["One.", "Two."]


def test_news_that_could_not_be_saved_are_read_again(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, tails = EventWriter(path), Tails(Clock())
    writer.enter("train")
    writer.warning("Once.")
    writer.progress(5, 10, 1.0)
    with monkeypatch.context() as locked:
        locked.setattr(moves, "note", _locked)
        with pytest.raises(OperationalError):
            tails.follow(run)
    assert _kinds(run) == []
    tails.follow(run)
    assert _kinds(run) == ["phase", "warning"]
    assert (run.warnings, run.phase, run.progress_step) == (["Once."], "train", 5)


def _locked(*_: object, **__: object) -> None:
    raise OperationalError("database is locked")


def test_a_torn_line_waits_for_its_end(run: Run, path: Path) -> None:
    writer, tails = EventWriter(path), Tails(Clock())
    writer.enter("train")
    writer.warning("Torn.")
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    tails.follow(run)
    assert _kinds(run) == ["phase"]
    path.write_bytes(whole)
    tails.follow(run)
    assert _kinds(run) == ["phase", "warning"]


FOREIGN: list[tuple[str, bytes]] = [
    ("garbage", b"\x00\xff\xfe not json\n"),
    ("no event", b'{"v":1}\n[1,2]\n"text"\n'),
    ("huge", b"x" * (3 << 20) + b"\n"),
    ("deep", b"[" * 100_000 + b"\n"),
    (
        "wrong types",
        b'{"v":1,"n":1,"kind":"progress","phase":"train","step":"a","total":-1,"rate":1e999,"eta_s":true}\n',
    ),
    ("no data", b'{"v":1,"n":1,"kind":"warning","phase":"train"}\n'),
    ("list data", b'{"v":1,"n":1,"kind":"metric","phase":"train","data":[1]}\n'),
    ("a metric that is text", b'{"v":1,"n":1,"kind":"metric","phase":"train","data":{"a":"b","c":NaN}}\n'),
    ("big number", b'{"v":1,"n":1,"kind":"progress","phase":"train","step":' + b"9" * 400 + b"}\n"),
]


@pytest.mark.parametrize("content", [content for _, content in FOREIGN], ids=[name for name, _ in FOREIGN])
def test_foreign_lines_do_no_harm_and_the_news_goes_on(run: Run, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    tails = Tails(Clock())
    tails.follow(run)
    writer = EventWriter(path)
    writer.enter("judge")
    tails.follow(run)
    assert _kinds(run)[-1] == "phase"
    assert (run.phase, run.progress_step) == ("judge", None)
    assert run.live == {}


def test_silence_is_told_once(run: Run, path: Path) -> None:
    clock = Clock()
    tails = Tails(clock)
    tails.follow(run)
    for _ in range(3):
        clock.now += 61
        tails.follow(run)
    assert _kinds(run) == ["warning"]
    EventWriter(path).progress(1, 2, 1.0)
    tails.follow(run)
    clock.now += 61
    tails.follow(run)
    assert _kinds(run) == ["warning", "warning"]
    assert "60 seconds" in run.warnings[0]


def test_a_job_that_warns_without_end_does_not_fill_the_database(run: Run, path: Path) -> None:
    line = b'{"v":1,"n":1,"kind":"warning","phase":"train","data":{"sentence":"again"}}\n'
    path.write_bytes(line * (MOST_EVENTS + 500))
    tails = Tails(Clock())
    for _ in range(3):
        tails.follow(run)
        run.refresh_from_db()
    assert run.events.count() == MOST_EVENTS
    assert run.events_offset == path.stat().st_size


def test_a_shrunken_file_is_not_read_again(run: Run, path: Path) -> None:
    writer, tails = EventWriter(path), Tails(Clock())
    writer.enter("train")
    tails.follow(run)
    path.write_bytes(b"")
    tails.follow(run)
    assert _kinds(run) == ["phase"]


def test_an_ended_run_is_not_changed(run: Run, path: Path, yard: Yard) -> None:
    moves.move(run.id, ("RUNNING",), "CANCELLED", ended=run.created)
    EventWriter(path).enter("train")
    assert Tails(Clock()).follow(run) is None
    assert _kinds(run) == ["state"]
