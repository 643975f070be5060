"""One loop per database, whoever runs it: the holder of a lock beside the SQLite file turns, all others wait for it."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings
from django.db import close_old_connections, connection

log = logging.getLogger(__name__)

BUSY_S: Final = 0.25
IDLE_S: Final = 1.0


class Turner(Protocol):
    """Something that is turned again and again."""

    def turn(self) -> bool:
        """Do what there is to do; whether to come back soon."""

    def close(self) -> None:
        """No turn will come."""


class Leadership:
    """The lock of the one loop. It falls with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether it is ours, now or already."""
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_path() -> Path:
    """Beside the database file; for a database in memory, beside the control folders."""
    name = str(connection.settings_dict["NAME"])
    if name.startswith("file:") or ":memory:" in name:
        return Path(settings.CONTROL_ROOT) / ".reconciler.lock"
    return Path(f"{name}.reconciler.lock")


class Loop:
    """A thread that turns while it leads. `tick` is the monotonic time of its last good round, turned or waited."""

    def __init__(self, make: Callable[[], Turner], path: Path | None = None) -> None:
        self._make = make
        self._leadership = Leadership(path or lock_path())
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)
        self.leads = False
        self.tick = time.monotonic()

    def start(self, patience_s: float = 5.0) -> None:
        """Returns after the first round: what is shown from now on is what there is."""
        self._thread.start()
        self._looked.wait(patience_s)

    def stop(self, patience_s: float = 10.0) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(patience_s)

    def wake(self) -> None:
        """There is work: do not wait for the next turn."""
        self._wake.set()

    def age(self) -> float:
        """Seconds since the last good round: a loop that hangs, fails again and again, or died grows old."""
        return time.monotonic() - self.tick

    def _run(self) -> None:
        turner = self._make()
        try:
            while not self._stop.is_set():
                busy = self._round(turner)
                self._looked.set()
                self._wake.wait(BUSY_S if busy else IDLE_S)
                self._wake.clear()
        finally:
            turner.close()
            self._leadership.release()
            self.leads = False
            connection.close()

    def _round(self, turner: Turner) -> bool:
        """A round that fails is told and tried again: the truth is on disk and does not go away."""
        close_old_connections()
        try:
            self.leads = self._leadership.take()
            busy = self.leads and turner.turn()
        except Exception:  # whatever it was, the runs still need somebody who looks after them
            log.exception("a turn of the reconciler failed")
            return True
        self.tick = time.monotonic()
        return busy
