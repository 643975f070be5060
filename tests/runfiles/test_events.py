"""News are read line by line from a byte offset, also while they are being written, and also when they are damaged."""

import json

import pytest

from runfiles.events import EventWriter, read_events


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_what_is_written_is_read(path):
    writer = EventWriter(path)
    writer.enter("train")
    writer.progress(50, 200, rate=10.0)
    writer.metric(score=0.5, none=None)
    writer.warning("Careful.", bar=3)
    events, offset = read_events(path, 0)
    assert [(e["n"], e["kind"], e["phase"]) for e in events] == [
        (1, "phase", "train"), (2, "progress", "train"), (3, "metric", "train"), (4, "warning", "train"),
    ]  # fmt: skip
    assert (events[1]["step"], events[1]["total"], events[1]["rate"], events[1]["eta_s"]) == (50, 200, 10.0, 15.0)
    assert events[3]["data"] == {"sentence": "Careful.", "bar": 3}
    assert offset == path.stat().st_size
    assert read_events(path, offset) == ([], offset)


def test_no_file_is_no_news(path):
    assert read_events(path, 0) == ([], 0)


def test_a_torn_last_line_waits_for_its_end(path):
    writer = EventWriter(path)
    writer.enter("data")
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert read_events(path, 0) == ([], 0)
    path.write_bytes(whole + whole[:20])
    events, offset = read_events(path, 0)
    assert (len(events), offset) == (1, len(whole))


@pytest.mark.parametrize(
    "line", [b"", b"garbage", b"[1]", b"null", b'{"v":2}', b"\xff\xfe", b"[" * 5000, b'{"v":1,"n":1,"kind":"x"}']
)
def test_a_line_that_is_no_event_is_passed_over(path, line):
    writer = EventWriter(path)
    writer.enter("data")
    with path.open("ab") as stream:
        stream.write(line + b"\n")
    writer.enter("train")
    events, offset = read_events(path, 0)
    assert [e["phase"] for e in events] == ["data", "train"]
    assert offset == path.stat().st_size


def test_a_line_without_end_does_not_stop_the_news(path):
    path.write_bytes(b"x" * 100_000)
    events, offset = read_events(path, 0)
    assert events == []
    assert offset == 100_000


def test_a_second_writer_goes_on_counting(path):
    EventWriter(path).enter("data")
    EventWriter(path).enter("train")
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [1, 2]


def test_no_number_that_json_lacks(path):
    with pytest.raises(ValueError, match="JSON compliant"):
        EventWriter(path).metric(score=float("inf"))
    assert not path.exists() or path.read_bytes() == b""


def test_numbers_go_on_behind_more_than_is_read_at_a_time(path):
    """After a restart in the middle of a long run: a number that was used is never used again."""
    writer = EventWriter(path)
    while not path.exists() or path.stat().st_size < 3 << 19:
        writer.warning("x" * 10_000)
    last = read_events(path, path.read_bytes().rindex(b"\n", 0, -1) + 1)[0][0]["n"]

    EventWriter(path).enter("judge")

    assert read_events(path, path.read_bytes().rindex(b"\n", 0, -1) + 1)[0][0]["n"] == last + 1
