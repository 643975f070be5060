"""Curves that a power cut has damaged lose what is not whole, say so, and stop no training from going on."""

import os
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from rl.callbacks import make_logger
from rl.checkpoint import curves
from rl.task import Task
from runfiles import layout
from runfiles.job import JobCancelled
from runfiles.records import records
from tests.rl.checkpoint.stopping import go_on, outcome, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config

STEP = 20
"""Where the curves are cut: behind the second of three dumps, of steps 10, 20 and 30."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # thousands of files, and no power cut among them
    logger = make_logger(tmp_path, 0, 1, pytest.fail)
    for step in (10, 20, 30):
        logger.record("time/total_timesteps", step, exclude="tensorboard")
        logger.record("train/loss", 1.0 / step)
        logger.dump(step)
    logger.close()
    return tmp_path


def table(folder: Path) -> Path:
    return folder / layout.PROGRESS_CSV


def events(folder: Path) -> Path:
    return next((folder / layout.TENSORBOARD).iterdir())


def cut(path: Path, folder: Path, content: bytes) -> tuple[bytes, list[str]]:
    """What is left of one file with this content, and what was said."""
    path.write_bytes(content)
    said: list[str] = []
    curves.cut(folder, STEP, said.append)
    curves.continued(table(folder), STEP).close()
    return path.read_bytes(), said


def lines_up_to(content: bytes, size: int) -> bytes:
    """The header and the rows up to STEP that are whole within `size` bytes."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: min(3, content[:size].count(b"\n"))])


def records_up_to(content: bytes, size: int) -> bytes:
    """The records up to STEP that are whole within `size` bytes: the version, and one a dump."""
    ends = [0, *(record.end for record in records(content) if Event.FromString(record.content).step <= STEP)]
    return content[: max(end for end in ends if end <= size)]


def test_torn_at_any_byte_rows_and_points_before_it_stay(folder: Path) -> None:
    for path, whole_in in ((table(folder), lines_up_to), (events(folder), records_up_to)):
        content = path.read_bytes()
        for size in range(len(content) + 1):
            left, said = cut(path, folder, content[:size])
            assert left == whole_in(content, size)
            assert all(line.startswith(f"{path.name} is damaged or torn: of its ") for line in said)
        assert not said and len(left) > 40
        path.write_bytes(content)


def test_nul_bytes_from_any_byte_on_are_dropped(folder: Path) -> None:
    """As a file system leaves a file whose size it had written and whose content it had not."""
    for path, whole_in in ((table(folder), lines_up_to), (events(folder), records_up_to)):
        content = path.read_bytes()
        for size in range(len(content) - 1):
            left, said = cut(path, folder, content[:size] + b"\0" * (len(content) - size + 130))
            assert left == whole_in(content, size)
            assert len(said) == 1
        path.write_bytes(content)


def test_any_byte_that_is_another_costs_what_follows_its_record(folder: Path) -> None:
    path = events(folder)
    content = path.read_bytes()
    for place in range(len(content)):
        left, said = cut(path, folder, content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        assert left == records_up_to(content, place)
        assert len(said) == 1 and f"of its {len(content):,} bytes" in said[0]


def test_any_byte_of_the_table_that_is_another_stops_nothing(folder: Path) -> None:
    """Text has no checksum: what still reads as a row stays one."""
    content = table(folder).read_bytes()
    for place in range(len(content)):
        for other in (0x00, 0x22, 0x2C, 0x0A, 0x0D, 0xFF):
            left, _ = cut(table(folder), folder, content[:place] + bytes([other]) + content[place + 1 :])
            assert left.count(b"\n") == len(left.splitlines())  # whole lines, or none
            left.decode()


@pytest.mark.parametrize(
    "foreign",
    [b"a,b,c\n1,2,3\n", b"\n", b"time/fps\n1\n", b"\xff\xfe\x00time/total_timesteps\n10\n", b"PK\x03\x04" * 9],
)
def test_a_table_with_a_foreign_header_begins_anew(folder: Path, foreign: bytes) -> None:
    left, said = cut(table(folder), folder, foreign)
    assert left == b""
    assert said == [f"progress.csv is damaged or torn: of its {len(foreign)} bytes the first 0 are kept"]


@pytest.mark.parametrize("garbage", [b"\xff" * 30, b"\x0a\x7f", b"no event of TensorBoard's"])
def test_a_record_that_is_no_event_is_dropped_with_what_follows(folder: Path, garbage: bytes) -> None:
    """Framed as it should be, so that its checksums are right."""

    def framed(body: bytes) -> bytes:
        head = len(body).to_bytes(8, "little")
        sums = [masked_crc32c(part).to_bytes(4, "little") for part in (head, body)]
        return head + sums[0] + body + sums[1]

    content = events(folder).read_bytes()
    first = next(records(content)).end
    left, said = cut(events(folder), folder, content[:first] + framed(garbage) + content[first:])
    assert left == content[:first] and len(said) == 1


def test_a_training_whose_curves_are_damaged_goes_on_to_the_same_end(task: Task, tmp_path: Path) -> None:
    trained(task, config(), tmp_path / "whole")
    with stopped_at(70), pytest.raises(JobCancelled):
        trained(task, config(), tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "again")
    again = tmp_path / "again"
    table(again).write_bytes(b"\0" * 500)
    with events(again).open("ab") as stream:
        stream.write(b"\0" * 120)
    said: list[str] = []
    trained(task, config(), again, said)
    assert outcome(again) == outcome(tmp_path / "whole")
    assert [line.split(" is damaged")[0] for line in said if "is damaged or torn" in line] == [
        layout.PROGRESS_CSV, sorted((again / layout.TENSORBOARD).iterdir())[0].name,
    ]  # fmt: skip
    rows = table(again).read_text().splitlines()
    assert len(rows) >= 3 and str(6 * ROLLOUT) in rows[-1]
