"""Another name for a file that is only ever replaced, never changed in place: a copy only where there are no links."""

import os
import shutil
import stat
from pathlib import Path

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a pipe in its place must not hang us


def give(path: str | Path, target: Path, *, dir_fd: int | None = None) -> None:
    """Let `target`, new, be the regular file at `path`, relative to the folder `dir_fd` where one is given.

    A copy, durable and whole or not there, where the file system knows one name of a file only (exFAT, some network
    mounts) or the two lie on different ones. Raises FileNotFoundError where `path` is no regular file; other OSErrors
    are the target's.
    """
    try:
        os.link(path, target, src_dir_fd=dir_fd, follow_symlinks=False)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        _copy(path, target, dir_fd)
        return
    if not stat.S_ISREG(target.lstat().st_mode):
        target.unlink()
        raise FileNotFoundError(f"{path} is no regular file")


def _copy(path: str | Path, target: Path, dir_fd: int | None) -> None:
    try:
        source = os.open(path, _FILE, dir_fd=dir_fd)
    except OSError as error:
        raise FileNotFoundError(f"{path} cannot be opened") from error
    with os.fdopen(source, "rb") as stream:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise FileNotFoundError(f"{path} is no regular file")
        try:
            with target.open("xb") as copy:
                shutil.copyfileobj(stream, copy)
                copy.flush()
                os.fsync(copy.fileno())
        except FileExistsError:
            raise
        except BaseException:
            target.unlink(missing_ok=True)
            raise
