"""Following `events.jsonl` of a run at work: news become events of the row, progress a snapshot of it.

Phases, warnings and alarms are recorded at once and each exactly once: the row's `events_offset` moves in the same
transaction. Progress and the latest metrics are coalesced to one save a second; after a crash they are read again.
"""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from runfiles import layout
from runfiles.events import Event, read_events
from runs_app import moves, places
from runs_app.models import Run, RunEvent

SAVE_EVERY_S: Final = 1.0
STALLED_S: Final = 60.0
MOST_EVENTS: Final = 1000  # of one run: a job that warns without end must not fill the database
MOST_WARNINGS: Final = 50  # kept on the row for the page
MOST_METRICS: Final = 64
_MOST_BLOCKS: Final = 16  # MiB read in one turn
_RECORDED = {"phase": RunEvent.Kind.PHASE, "warning": RunEvent.Kind.WARNING, "alarm": RunEvent.Kind.ALARM}


@dataclass
class Tail:
    """What is known of one run's news beyond its row. Lost with the process, found again from `events_offset`."""

    offset: int
    live: dict[str, float]
    warnings: list[str]
    saved_at: float
    heard_at: float
    changes: dict[str, Any] = field(default_factory=dict)
    stalled: bool = False

    @classmethod
    def of(cls, run: Run, now: float) -> "Tail":
        return cls(run.events_offset, dict(run.live), list(run.warnings), now - SAVE_EVERY_S, now)


class Tails:
    """One tail for each run at work."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tails: dict[uuid.UUID, Tail] = {}

    def follow(self, run: Run, *, last: bool = False) -> int | None:
        """Read on; the row's newest seq when the row changed, else None. `last`: the job has ended, save it all.

        Where that fails, the next call begins at the row's offset again: what was read but not saved is not lost.
        """
        try:
            return self._follow(run, last)
        except BaseException:
            self.forget(run.id)
            raise

    def _follow(self, run: Run, last: bool) -> int | None:
        tail = self._tails.setdefault(run.id, Tail.of(run, self._clock()))
        news: list[moves.News] = []
        path = places.run_folder(run.id) / layout.EVENTS
        for _ in range(_MOST_BLOCKS):
            events, offset = read_events(path, tail.offset)
            if offset == tail.offset:
                break
            tail.offset, tail.heard_at, tail.stalled = offset, self._clock(), False
            for event in events:
                news += _take(tail, event)
        news += self._stall(tail)
        if not news and not (tail.changes and (last or self._clock() - tail.saved_at >= SAVE_EVERY_S)):
            return None
        return self._save(run, tail, news)

    def forget(self, run_id: uuid.UUID) -> None:
        self._tails.pop(run_id, None)

    def _stall(self, tail: Tail) -> list[moves.News]:
        if tail.stalled or self._clock() - tail.heard_at < STALLED_S:
            return []
        tail.stalled = True
        return _warn(
            tail, RunEvent.Kind.WARNING, f"The job has said nothing for {STALLED_S:.0f} seconds.", code="stalled"
        )

    def _save(self, run: Run, tail: Tail, news: list[moves.News]) -> int | None:
        room = max(0, MOST_EVENTS - run.seq)
        seq = moves.note(run.id, news[:room], **tail.changes, events_offset=tail.offset)
        tail.changes, tail.saved_at = {}, self._clock()
        return seq


def _take(tail: Tail, event: Event) -> list[moves.News]:
    """Put one event into the tail; what of it is to be recorded."""
    if event["kind"] == "progress":
        tail.changes |= _progress(event)
        tail.changes["phase"] = event["phase"]
    elif event["kind"] == "metric":
        tail.live.update(_finite(event.get("data")))
        tail.live = dict(list(tail.live.items())[-MOST_METRICS:])
        tail.changes["live"] = tail.live
    elif event["kind"] == "phase":
        # a phase counts its own steps
        tail.changes |= {"phase": event["phase"], **dict.fromkeys(_PROGRESS)}
        return [(RunEvent.Kind.PHASE, {"phase": event["phase"]})]
    else:
        sentence = event["data"].get("sentence") if isinstance(event.get("data"), dict) else None
        return _warn(tail, _RECORDED[event["kind"]], str(sentence or "")[:500], phase=event["phase"])
    return []


_PROGRESS = ("progress_step", "progress_total", "progress_rate", "progress_eta")


def _progress(event: Event) -> dict[str, Any]:
    """Columns of the row. A foreign line may hold anything: what is no number in bounds is none."""
    whole = {f"progress_{name}": _whole(event.get(name)) for name in ("step", "total")}
    return whole | {"progress_rate": _real(event.get("rate")), "progress_eta": _real(event.get("eta_s"))}


def _warn(tail: Tail, kind: str, sentence: str, **data: Any) -> list[moves.News]:
    tail.warnings = [*tail.warnings, sentence][-MOST_WARNINGS:]
    tail.changes["warnings"] = tail.warnings
    return [(kind, {"sentence": sentence, **data})]


def _finite(data: Any) -> dict[str, float]:
    values = data if isinstance(data, dict) else {}
    return {str(name)[:64]: value for name, value in values.items() if _real(value) is not None}


def _real(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 and math.isfinite(value) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None
