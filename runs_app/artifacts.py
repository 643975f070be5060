"""Opening a file of a run: key → fixed table → descriptor by descriptor below the run's folder, links refused."""

import os
import stat
import uuid
from typing import BinaryIO

from runfiles import layout
from runs_app import places

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a pipe in its place must not hang us


def open_file(run_id: uuid.UUID, key: str) -> BinaryIO:
    """The file that `key` stands for, open for reading in binary. Raises FileNotFoundError for all that is none.

    Every part of the path is opened relative to the part before it, without following links, so that a swap in
    between leads nowhere; the last one must be a regular file.
    """
    spec = layout.spec_for(key)
    if spec is None:
        raise FileNotFoundError(f"{key!r} is no artifact")
    try:
        descriptor = open_below(places.run_folder(run_id), spec.path.split("/"))
    except OSError as error:
        raise FileNotFoundError(f"this run has no {key}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(f"this run has no {key}")
    return os.fdopen(descriptor, "rb")


def open_below(root: os.PathLike[str], parts: list[str]) -> int:
    """A descriptor of the file at `parts` below the folder `root`, itself no link either. Raises OSError."""
    *folders, name = parts
    here = os.open(root, FOLDER)
    try:
        for part in folders:
            below = os.open(part, FOLDER, dir_fd=here)
            os.close(here)
            here = below
        return os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)
