"""The child's news: one JSON object a line in `events.jsonl`, appended and flushed, read by byte offset.

`{"v":1,"n":int,"t":iso,"kind":"phase|progress|metric|warning|alarm","phase":"data|train|validate|judge|report",
"step","total","rate","eta_s","data":{}}`
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict

from runfiles.plain_json import plain

VERSION = 1
Kind = Literal["phase", "progress", "metric", "warning", "alarm"]
Phase = Literal["data", "train", "validate", "judge", "report"]
PHASES: tuple[Phase, ...] = ("data", "train", "validate", "judge", "report")
KINDS: tuple[Kind, ...] = ("phase", "progress", "metric", "warning", "alarm")

MAX_LINE = 64 * 1024


class Event(TypedDict):
    v: int
    n: int
    t: str
    kind: Kind
    phase: Phase
    step: int | None
    total: int | None
    rate: float | None
    eta_s: float | None
    data: dict[str, Any]


class EventWriter:
    """Appends events of one job. `n` counts from 1 and goes on where an earlier process of the run stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n = _last_n(path)
        self.phase: Phase = "data"

    def enter(self, phase: Phase) -> None:
        self.phase = phase
        self._append("phase")

    def progress(self, step: int, total: int, rate: float | None = None, left: float | None = None) -> None:
        """`rate` in steps a second; the seconds `left` follow from it, where nobody knows them better."""
        if left is None and rate:
            left = (total - step) / rate
        self._append("progress", step=step, total=total, rate=rate, eta_s=left)

    def metric(self, **values: float | None) -> None:
        self._append("metric", data=dict(values))

    def warning(self, sentence: str, **data: Any) -> None:
        self._append("warning", data={"sentence": sentence, **data})

    def alarm(self, sentence: str, **data: Any) -> None:
        self._append("alarm", data={"sentence": sentence, **data})

    def _append(self, kind: Kind, *, step: int | None = None, total: int | None = None, rate: float | None = None,
                eta_s: float | None = None, data: dict[str, Any] | None = None) -> None:  # fmt: skip
        self._n += 1
        event = Event(v=VERSION, n=self._n, t=datetime.now(UTC).isoformat(timespec="milliseconds"), kind=kind,
                      phase=self.phase, step=step, total=total, rate=rate, eta_s=eta_s, data=data or {})  # fmt: skip
        line = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"
        with self._path.open("ab") as stream:
            stream.write(line.encode("utf-8"))


def read_events(path: Path, offset: int, limit: int = 1 << 20) -> tuple[list[Event], int]:
    """Whole lines from byte `offset` on, and the offset after them. A torn last line waits for its end.

    A line that is no event (a foreign writer, a torn disk) is passed over: the news must not stop for it. Values that
    could be neither stored nor sent come repaired (`runfiles.plain_json`).
    """
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            block = stream.read(limit)
    except FileNotFoundError:
        return [], offset
    end = block.rfind(b"\n") + 1
    if end == 0 and len(block) >= MAX_LINE:
        return [], offset + len(block)  # no line end within the longest line we write: not ours
    return [event for line in block[:end].splitlines() if (event := _parse(line)) is not None], offset + end


def _last_n(path: Path) -> int:
    """The greatest `n` in the whole file; 0 without events."""
    last, offset = 0, 0
    while True:
        events, end = read_events(path, offset)
        last = max([last, *(event["n"] for event in events)])
        if end == offset:
            return last
        offset = end


def _parse(line: bytes) -> Event | None:
    try:
        value = plain(json.loads(line))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("v") != VERSION or value.get("kind") not in KINDS:
        return None
    if value.get("phase") not in PHASES or not isinstance(value.get("n"), int):
        return None
    return value  # type: ignore[return-value]
