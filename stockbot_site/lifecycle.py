"""What begins and ends with the server: the reconciler of runs and the hub of their news."""

from asgiref.sync import sync_to_async

from runs_app import hub, reconciler


async def start() -> None:
    """The reconciler looks first: after a crash the rows are true before the first page is served."""
    await hub.start()
    await sync_to_async(reconciler.start, thread_sensitive=False)()


async def drain() -> None:
    """Streams end by themselves: they would keep the server from ending."""
    await hub.stop()


async def stop() -> None:
    await sync_to_async(reconciler.stop, thread_sensitive=False)()
