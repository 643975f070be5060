"""A finished run's report as pages show it, read from the run directory with the standard library alone.

Every read names a fixed file of `runfiles.layout`; a file that is missing or torn reads as absent, because a job that
died leaves what it had. So does what is of the wrong type: a page must not stand or fall with a job's file.
"""

import csv
import datetime as dt
import io
import itertools
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backtest.registry import POLICY, STRATEGIES
from runfiles.plain_json import plain
from runs_app import artifacts, calibration_rows, report_schema
from runs_app.models import Run

TABLES = ("orders", "trades")
ROLLING = ("sharpe", "volatility", "beta")
PAGE_ROWS = 20
MAX_JSON = 4 * 1024 * 1024


@dataclass(frozen=True)
class Judged:
    """A strategy in a report: the subject has an empty `baseline` key and stands first."""

    key: str
    label: str
    series: int
    baseline: str
    metrics: dict[str, float | None]

    @property
    def is_subject(self) -> bool:
        return not self.baseline

    def file_key(self, name: str) -> str:
        return f"{self.baseline}.{name}" if self.baseline else name

    @property
    def equity_key(self) -> str:
        return self.file_key("equity")


def read_json(run: Run, key: str) -> dict[str, Any]:
    """A JSON file of the run; empty while it is missing or cannot be read."""
    try:
        with artifacts.open_file(run.id, key) as stream:
            value = plain(json.loads(stream.read(MAX_JSON)))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_summary(run: Run) -> dict[str, Any]:
    """Verdict, stamps, range and metrics of the report; empty while there is none."""
    return report_schema.summary(read_json(run, "summary"))


def read_leaks(run: Run) -> dict[str, Any]:
    """What the leak gate found, with words for its states; empty while there is nothing."""
    return report_schema.leaks(read_json(run, "leaks"))


def read_calibration(run: Run) -> dict[str, Any]:
    """What a calibration has found so far, strength by strength; empty while there is nothing."""
    return calibration_rows.calibration(read_json(run, "calibration"))


def judged(run: Run, summary: dict[str, Any]) -> list[Judged]:
    """The subject and each baseline of the report, whose `summary` says who they are; empty without a report."""
    subject, *others = _line_up(run, summary)
    metrics = report_schema.metrics(read_json(run, "metrics"))
    if not metrics:
        return []
    found = [Judged(subject["key"], subject["label"], subject["series"], "", metrics)]
    for one in others:
        values = report_schema.metrics(read_json(run, f"{one['key']}.metrics"))
        if values:
            found.append(Judged(one["key"], one["label"], one["series"], one["key"], values))
    return found


def labels(run: Run, summary: dict[str, Any]) -> dict[str, str]:
    """Label of each strategy that the report may speak of, by its key."""
    return {one["key"]: one["label"] for one in _line_up(run, summary)}


def _line_up(run: Run, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Key, label and series of each strategy, the subject first. A report older than its list has the registry's."""
    if summary.get("strategies"):
        found: list[dict[str, Any]] = summary["strategies"]
        return found
    subject = run.subject if run.subject in STRATEGIES else POLICY
    specs = [STRATEGIES[key] for key in (subject, *STRATEGIES)]
    return [{"key": spec.key, "label": spec.label, "series": spec.series} for spec in specs]


def curves(run: Run) -> dict[str, Any]:
    """`{"time": [day], "series": [{"key", "label", "series", "subject", "benchmark", "equity", "drawdown"}]}`; the
    subject and the benchmark have `sharpe`, `volatility` and `beta` over a window too, null where undefined.

    Equity starts at 1, drawdown is a fraction at or below 0; both have one value for each bar of `time`: days, or where
    a day has several bars their closes in seconds since 1970. A strategy whose file is torn, or does not have the bars
    of the first, is left out.
    """
    time: list[dt.datetime] = []
    series = []
    for strategy in judged(run, read_summary(run)):
        curve = _curve(run, strategy.equity_key)
        if curve is None or (time and curve.times != time):
            continue
        time = curve.times
        found = {
            "key": strategy.file_key("equity"), "label": strategy.label, "series": strategy.series,
            "subject": strategy.is_subject, "benchmark": strategy.key == "benchmark",
            "equity": curve.equity, "drawdown": curve.drawdown,
        }  # fmt: skip
        if strategy.is_subject and curve.before_costs:
            found["before_costs"] = curve.before_costs
        if strategy.is_subject or strategy.key == "benchmark":
            found |= _rolling(run, strategy, time)
        series.append(found)
    days = [moment.date().isoformat() for moment in time]
    daily = len(set(days)) == len(days)
    return {"time": days if daily else [int(moment.timestamp()) for moment in time], "series": series}


@dataclass(frozen=True)
class _Curve:
    times: list[dt.datetime]
    equity: list[float]
    drawdown: list[float]
    before_costs: list[float]


def _curve(run: Run, key: str) -> _Curve | None:
    """The curve of an equity file; None where one of its rows is short, no time or no finite number."""
    try:
        with open_text(run, key) as stream:
            rows = list(csv.DictReader(stream))
        times = [_moment(row["time"]) for row in rows]
        columns = ([float(row[name]) for row in rows] for name in ("equity", "drawdown"))
        equity, drawdown = columns
        before = _before_costs(rows, equity)
    except (OSError, KeyError, TypeError, ValueError, csv.Error):  # TypeError: a short row is filled up with None
        return None
    if not equity or not equity[0] > 0:
        return None
    found = _Curve(
        times, [round(value / equity[0], 6) for value in equity], [round(value, 6) for value in drawdown],
        [round(value / equity[0], 6) for value in before],
    )  # fmt: skip
    return found if all(map(math.isfinite, (*equity, *found.equity, *found.drawdown, *before))) else None


def _before_costs(rows: list[dict[str, str]], equity: list[float]) -> list[float]:
    """Empty where no row tells of costs, as of an imported curve. Raises as reading a number does."""
    if not any(row["costs"] for row in rows):
        return []
    paid = ((float(row["costs"]), float(row["financing"])) for row in rows)
    return [value + costs - financing for value, (costs, financing) in zip(equity, paid, strict=True)]


def _rolling(run: Run, strategy: Judged, times: list[dt.datetime]) -> dict[str, list[float | None]]:
    """The rolling figures with a value for each of `times`; empty without a window, or where the file is torn."""
    try:
        with open_text(run, strategy.file_key("rolling")) as stream:
            rows = list(csv.DictReader(stream))
        before = len(times) - len(rows)
        if not rows or [_moment(row["time"]) for row in rows] != times[before:]:
            return {}
        unknown: list[float | None] = [None] * before
        return {name: unknown + [_figure(row[name]) for row in rows] for name in ROLLING}
    except (OSError, KeyError, TypeError, ValueError, csv.Error):
        return {}


def _figure(text: str) -> float | None:
    number = float(text) if text else math.nan
    return round(number, 6) if math.isfinite(number) else None


def _moment(text: str) -> dt.datetime:
    """A time of ours, or a plain day."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def open_text(run: Run, key: str) -> io.TextIOWrapper:
    """A text artifact from its beginning. Raises OSError where it is missing."""
    return io.TextIOWrapper(artifacts.open_file(run.id, key), encoding="utf-8", errors="replace", newline="")


@dataclass(frozen=True)
class TablePage:
    """A page of a CSV artifact; `more` says that rows follow."""

    columns: list[str]
    rows: list[list[str]]
    page: int
    more: bool

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_ROWS + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def table_page(run: Run, key: str, page: int) -> TablePage:
    """Rows of page `page` (from 1); an empty page where the file is missing or ends earlier."""
    start = (page - 1) * PAGE_ROWS
    try:
        with open_text(run, key) as stream:
            reader = csv.reader(stream)
            columns = next(reader, [])
            rows = list(itertools.islice(reader, start, start + PAGE_ROWS + 1))
    except (OSError, csv.Error):
        return TablePage([], [], page, False)
    return TablePage(columns, rows[:PAGE_ROWS], page, len(rows) > PAGE_ROWS)


def stamp(run: Run, keys: Sequence[str] = ("summary", "equity")) -> str:
    """Changes when a report's files change: the base of the ETag."""
    parts = [str(run.id)]
    for key in keys:
        try:
            with artifacts.open_file(run.id, key) as stream:
                status = os.fstat(stream.fileno())
                parts.append(f"{status.st_ino:x}.{status.st_mtime_ns:x}.{status.st_size:x}")
        except OSError:
            parts.append("none")
    return "-".join(parts)
