"""The one bounded pool for what would block the event loop: parsing, hashing, zipping, reading rows for sockets."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

WORKERS = 4
POOL = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="stockbot-pool")


def _with_fresh_connections(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A pool thread lives long: a database connection that went stale must not stay with it."""
    close_old_connections()
    try:
        return work(*args, **kwargs)
    finally:
        close_old_connections()


def in_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work` in the pool and waits: a request thread takes its turn, so that four at once is the most."""
    return POOL.submit(_with_fresh_connections, work, *args, **kwargs).result()


async def from_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Awaits `work` in the pool."""
    return await asyncio.wrap_future(POOL.submit(_with_fresh_connections, work, *args, **kwargs))
