"""The end of a run on a disk that has become full: it goes into the room that was taken for it at the start."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from runfiles import layout, outcome

LONGEST = outcome.Outcome(
    v=outcome.VERSION, end="disk", code=4, signal=None, sentence="\U0001f4be" * outcome.MAX_SENTENCE,
    started="2026-01-02T03:04:05.678+00:00", ended="2026-01-02T03:04:05.678+00:00", duration_s=1e9, peak_rss_mb=1e9,
)  # fmt: skip


def no_room(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_new_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome.reserve(tmp_path)
    assert (tmp_path / layout.EXIT_ROOM).stat().st_blocks * 512 >= outcome.ROOM  # not a hole
    monkeypatch.setattr(tempfile, "mkstemp", no_room)
    outcome.write(tmp_path, LONGEST)
    assert outcome.read(tmp_path) == LONGEST
    assert not (tmp_path / layout.EXIT_ROOM).exists()
    assert (tmp_path / layout.EXIT).stat().st_size < outcome.ROOM


def test_without_the_room_it_is_written_as_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome.write(tmp_path, LONGEST)
    assert outcome.read(tmp_path) == LONGEST
    (tmp_path / layout.EXIT).unlink()
    monkeypatch.setattr(tempfile, "mkstemp", no_room)
    with pytest.raises(OSError, match="No space"):
        outcome.write(tmp_path, LONGEST)
    assert outcome.read(tmp_path) is None


def test_it_is_not_seen_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome.reserve(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        with pytest.raises(OSError, match="No space"):
            outcome.write(tmp_path, LONGEST)
    assert outcome.read(tmp_path) is None and not (tmp_path / layout.EXIT).exists()
    outcome.write(tmp_path, LONGEST)
    assert outcome.read(tmp_path) == LONGEST
