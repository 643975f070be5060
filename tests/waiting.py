"""Waiting for what happens in another process: by looking again until a deadline, never by a lucky sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, within_s: float = 10.0, what: str = "it") -> T:
    """The first true value of `look`; fails when there is none within the time."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        time.sleep(0.01)
