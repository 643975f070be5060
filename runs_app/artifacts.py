"""Opening a file of a run: key → fixed table → descriptor by descriptor below the run's folder, links refused."""

import os
import stat
import uuid
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from runfiles import layout, second_name
from runs_app import places

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a pipe in its place must not hang us


def open_file(run_id: uuid.UUID, key: str) -> BinaryIO:
    """The file that `key` stands for, open for reading in binary. Raises FileNotFoundError for all that is none."""
    spec = layout.spec_for(key)
    if spec is None:
        raise FileNotFoundError(f"{key!r} is no artifact")
    return open_path(run_id, spec.path)


def open_path(run_id: uuid.UUID, path: str) -> BufferedReader:
    """The file at `path`, one of ours, below the run directory, as `open_file` opens it.

    Every part of the path is opened relative to the part before it, without following links, so that a swap in
    between leads nowhere; the last one must be a regular file.
    """
    try:
        descriptor = open_below(places.run_folder(run_id), path.split("/"))
    except OSError as error:
        raise FileNotFoundError(f"this run has no {path}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(f"this run has no {path}")
    return os.fdopen(descriptor, "rb")


def link_path(run_id: uuid.UUID, path: str, target: Path) -> None:
    """Let `target` be a second name of the file at `path` below the run directory, for files that are only ever
    replaced. Raises FileNotFoundError where there is no such file; other OSErrors are the target's.
    """
    *folders, name = path.split("/")
    try:
        here = _folder_below(places.run_folder(run_id), folders)
    except OSError as error:
        raise FileNotFoundError(f"this run has no {path}") from error
    try:
        second_name.give(name, target, dir_fd=here)
    finally:
        os.close(here)


def open_below(root: os.PathLike[str], parts: list[str]) -> int:
    """A descriptor of the file at `parts` below the folder `root`, itself no link either. Raises OSError."""
    *folders, name = parts
    here = _folder_below(root, folders)
    try:
        return os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)


def _folder_below(root: os.PathLike[str], folders: list[str]) -> int:
    here = os.open(root, FOLDER)
    for part in folders:
        try:
            below = os.open(part, FOLDER, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here
