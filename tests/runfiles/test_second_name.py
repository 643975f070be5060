"""A second name of a file, or a copy where the file system has no links."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runfiles import second_name

Refused = Callable[[int], None]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Links are answered with this error, as exFAT, some network mounts and a second file system do."""

    def of(number: int) -> None:
        def link(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "link", link)

    return of


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    return path


def test_it_is_the_same_file(source: Path, tmp_path: Path) -> None:
    second_name.give(source, tmp_path / "b")
    assert (tmp_path / "b").samefile(source)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK])
def test_it_is_a_copy_where_there_are_no_links(source: Path, tmp_path: Path, refused: Refused, number: int) -> None:
    refused(number)
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    second_name.give("a", tmp_path / "b", dir_fd=folder)
    os.close(folder)
    assert (tmp_path / "b").read_bytes() == b"content" and not (tmp_path / "b").samefile(source)


@pytest.mark.parametrize("number", [None, errno.EPERM])
def test_a_name_that_is_taken_stays_what_it_is(
    source: Path, tmp_path: Path, refused: Refused, number: int | None
) -> None:
    (tmp_path / "b").write_bytes(b"other")
    if number:
        refused(number)
    with pytest.raises(FileExistsError):
        second_name.give(source, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"other"


@pytest.mark.parametrize("number", [None, errno.EPERM])
@pytest.mark.parametrize("kind", ["missing", "link", "pipe"])
def test_only_a_regular_file_gets_one(
    source: Path, tmp_path: Path, refused: Refused, number: int | None, kind: str
) -> None:
    path = tmp_path / "other"
    if kind == "link":
        path.symlink_to(source)
    elif kind == "pipe":
        os.mkfifo(path)
    if number:
        refused(number)
    with pytest.raises(FileNotFoundError):
        second_name.give(path, tmp_path / "b")
    assert not os.path.lexists(tmp_path / "b")


def test_a_copy_that_finds_no_room_is_not_there(
    source: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    refused(errno.EPERM)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        second_name.give(source, tmp_path / "b")
    assert not (tmp_path / "b").exists()
