"""The one writer of a run's state: it claims, watches and ends runs by what executors and run directories say.

Each method does a little, says whether there was work, and may be called again at any time; a crash between two lines
is made good by the next turn of whoever comes next. Tests step the methods, the server runs the loop.
"""

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from runs_app import datasets, endings, harvest, hub, moves, parents, queueing, results, uploads
from runs_app.endings import Ending
from runs_app.executors import Executor, LocalExecutor
from runs_app.leader import Loop
from runs_app.models import Run
from runs_app.tail import Tails

log = logging.getLogger(__name__)

OnChange = Callable[[uuid.UUID, int], None]
"""Told after each change of a row: the run and its newest seq."""

PATIENCE_S: Final = 10.0  # a claimed run without a sign of life waits this long
MOST_ATTEMPTS: Final = 2
_AT_WORK = (Run.State.STARTING, Run.State.RUNNING)


def _hint(run_id: uuid.UUID, seq: int) -> None:
    hub.hint(run_id)


class Reconciler:
    """What it holds between turns is a cache: a new one, in a new process, goes on where the last one stopped."""

    def __init__(
        self,
        executor: Executor | None = None,
        *,
        on_change: OnChange = _hint,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.executor: Executor = executor or LocalExecutor()
        self._on_change = on_change
        self._clock = clock
        self._tails = Tails(clock)
        self._claimed_at: dict[uuid.UUID, float] = {}
        self._told: set[uuid.UUID] = set()
        self._ending: dict[uuid.UUID, tuple[Ending, Future[harvest.Harvest]]] = {}
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="harvest")
        self._parents = parents.Parents(self._pool, wake)

    def turn(self) -> bool:
        """Everything once; whether a run is active, so that the next turn should come soon."""
        self.end_cancelled()
        self.look_after_all()
        self.settle_parents()
        while self.claim_next():
            continue
        return Run.objects.filter(state__in=Run.ACTIVE).exists()

    def close(self) -> None:
        """Runs go on; only the threads of this object end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def end_cancelled(self) -> bool:
        """Runs whose owner changed their mind while they waited end without having started."""
        found = Run.objects.filter(state=Run.State.QUEUED).exclude(Q(cancel_requested_at=None) | Q(queued=None))
        return any([_safely(self._end_waiting, run) for run in found])

    def settle_parents(self) -> bool:
        """Parents that wait for their children: queued for their own job, or ended, once the last child has."""
        return any([_safely(self._settle, run) for run in parents.waiting()])

    def claim_next(self) -> bool:
        """Start the run whose turn it is, where one may start."""
        run_id = queueing.next_to_start()
        return run_id is not None and self._claim(Run.objects.get(pk=run_id))

    def look_after_all(self) -> bool:
        return any([_safely(self.look_after, run) for run in Run.objects.filter(state__in=_AT_WORK)])

    def look_after(self, run: Run) -> bool:
        """Bring one claimed or running row up to what its executor says."""
        if run.id in self._ending:
            return self._finish(run)
        if run.cancel_requested and run.id not in self._told:
            self.executor.cancel(run)
            self._told.add(run.id)
        standing = self.executor.poll(run)
        if standing.word == "alive":
            return self._watch(run)
        if standing.outcome is not None:
            return self._begin_end(run, endings.of_outcome(standing.outcome))
        if run.state == Run.State.STARTING:
            return self._wait_for_life(run)
        return self._begin_end(run, endings.interrupted(run, "interrupted", endings.GONE))

    def _end_waiting(self, run: Run) -> bool:
        if run.attempts:
            self.executor.cancel(run)  # its first start may still come to life: then it finds this and does nothing
        now = timezone.now()
        known: dict[str, Any] = {"sentence": "Cancelled before it started."}
        if run.is_parent:  # it waited for its judge
            known = {"sentence": parents.so_far(run), "duration_s": parents.took(run, now)}
        ended = self._move(run.id, Run.State.QUEUED, Run.State.CANCELLED, reason="cancelled", ended=now, **known)
        if ended and results.is_dropped(run.kind, Run.State.CANCELLED):
            results.drop(run.id)
        return ended

    def _settle(self, run: Run) -> bool:
        changed = self._parents.settle(run)
        for run_id, seq in changed:
            self._on_change(run_id, seq)
        return bool(changed)

    def _claim(self, run: Run) -> bool:
        """The row first and the process after: a crash in between is seen as a start without a sign of life."""
        attempts = run.attempts + 1
        if not self._move(run.id, Run.State.QUEUED, Run.State.STARTING, unless_cancelled=True, attempts=attempts):
            return False
        self._claimed_at[run.id] = self._clock()
        try:
            self.executor.start(run)
        except Exception:  # whatever it was, the run gets its second try and then its end
            log.exception("run %s could not be started", run.id)
        for waiting in queueing.positions():
            self._on_change(waiting, 0)  # they all moved up
        return True

    def _watch(self, run: Run) -> bool:
        worked = False
        if run.state == Run.State.STARTING:
            begun = run.started or timezone.now()  # a parent began with its first child
            worked = self._move(run.id, Run.State.STARTING, Run.State.RUNNING, started=begun)
            run.refresh_from_db()
        return self._follow(run) or worked

    def _follow(self, run: Run, *, last: bool = False) -> bool:
        seq = self._tails.follow(run, last=last)
        if seq is not None:
            self._on_change(run.id, seq)
        return seq is not None

    def _wait_for_life(self, run: Run) -> bool:
        """A start gets its time, by this process's own clock; then one more try; then it is given up."""
        since = self._claimed_at.setdefault(run.id, self._clock())
        if self._clock() - since < PATIENCE_S:
            return False
        del self._claimed_at[run.id]
        if run.attempts < MOST_ATTEMPTS and not run.cancel_requested:
            return self._move(run.id, Run.State.STARTING, Run.State.QUEUED)
        self.executor.cancel(run)  # should the late start come to life after all, it finds this and does nothing
        return self._begin_end(run, endings.interrupted(run, "lost", endings.NEVER))

    def _begin_end(self, run: Run, ending: Ending) -> bool:
        """The last of the news, and reading and hashing in the pool; a later turn makes the move."""
        self._follow(run, last=True)
        trained = ending.went_well and run.kind == Run.Kind.TRAIN and not run.is_parent
        fetched = run.dataset_name if ending.went_well and run.kind == Run.Kind.DATA else ""
        work = self._pool.submit(
            harvest.gather, run.id, ended_well=ending.went_well, keep_policies=trained, dataset_name=fetched
        )
        self._ending[run.id] = ending, work
        work.add_done_callback(lambda _: wake())
        return True

    def _finish(self, run: Run) -> bool:
        ending, work = self._ending[run.id]
        if not work.done():
            return False
        del self._ending[run.id]  # should the writing fail, a later turn reads the end anew
        seq = endings.write(run, ending, _result(work))
        self._told.discard(run.id)
        self._claimed_at.pop(run.id, None)
        self._tails.forget(run.id)
        if seq is not None:
            self._on_change(run.id, seq)
        return seq is not None

    def _move(self, run_id: uuid.UUID, old: str, new: str, **changes: Any) -> bool:
        seq = moves.move(run_id, (old,), new, **changes)
        if seq is not None:
            self._on_change(run_id, seq)
        return seq is not None


def _safely(step: Callable[[Run], bool], run: Run) -> bool:
    """A run that is broken, on disk or in the database, must not keep the others from being looked after."""
    try:
        return step(run)
    except Exception:
        log.exception("run %s could not be looked after", run.id)
        return False


def _result(work: Future[harvest.Harvest]) -> harvest.Harvest:
    try:
        return work.result()
    except Exception as error:  # a disk that fails must not keep a run from ending
        log.exception("what a run left behind could not be read")
        return harvest.Harvest(fault=f"What the job left behind could not be read ({type(error).__name__}).")


_loop: Loop | None = None


def start(on_change: OnChange = _hint) -> None:
    """Begin to look after runs in a thread of this process; `serve` calls it first."""
    global _loop
    if _loop is None:
        _loop = Loop(lambda: _first(on_change))
        _loop.start()


def _first(on_change: OnChange) -> Reconciler:
    for first in (uploads.sweep, datasets.sweep, results.sweep, datasets.register_stored):
        try:
            first()
        except Exception:  # runs are looked after whatever the store is like
            log.exception("%s failed at the start", first.__name__)
    return Reconciler(on_change=on_change)


def stop() -> None:
    """End the thread; runs go on by themselves."""
    global _loop
    if _loop is not None:
        _loop.stop()
        _loop = None


def wake() -> None:
    """A row has changed: look now. Without a loop in this process the one elsewhere looks within a second."""
    if _loop is not None:
        _loop.wake()


def age() -> float | None:
    """Seconds since the loop's last round that went well, or None when this process has no loop."""
    return None if _loop is None else _loop.age()
