"""Line charts as numbers for the template to draw: points, ticks, labels. No markup is made here."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT, LOW = 960, 300, 160
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 24
COLUMNS = 420
AREA_COLUMNS = 200
MOST_TICKS = 8
MOST_LONG_TICKS, SHORT_TEXT = 6, 7
LEAST_STARTS = 3
UNITS = ("Y", "M", "W", "D", "h", "m")
MONDAY = 3  # days by which numpy's weeks, which begin on the Thursday of 1970-01-01, are early


@dataclass(frozen=True)
class Line:
    """One series; `points` are SVG's x,y pairs in viewBox units."""

    label: str
    series: int
    subject: bool
    dashed: bool
    points: str
    dotted: bool = False


@dataclass(frozen=True)
class Area:
    """One band of a stack; `points` go along its top and back along its base."""

    label: str
    series: int
    points: str


@dataclass(frozen=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True)
class Chart:
    """`lines` are drawn in order, the subject last and so on top; `areas` from the zero line outwards."""

    title: str
    lines: tuple[Line, ...]
    areas: tuple[Area, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    zero: str  # height of the line at 0, empty where it is not within
    height: int
    bottom: int
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP


@dataclass(frozen=True)
class Series:
    """Values (n,) of one strategy."""

    label: str
    series: int
    subject: bool
    dashed: bool
    values: Floats
    dotted: bool = False


def thin(values: Floats, columns: int = COLUMNS) -> NDArray[np.int64]:
    """Indices to draw of values (n,): first, last, least and greatest of each column, so that no spike is lost."""
    n = len(values)
    if n <= 2 * columns:
        return np.arange(n)
    edges = np.linspace(0, n, columns + 1).astype(np.int64)
    kept = {0, n - 1}
    for begin, end in itertools.pairwise(edges):
        block = values[begin:end]
        kept |= {int(begin + block.argmin()), int(begin + block.argmax())}
    return np.array(sorted(kept))


class _Frame:
    """Where values from `low` to `high` and the bars of `times` (n,) lie in a chart, in viewBox units."""

    def __init__(
        self, low: float, high: float, times: NDArray[np.datetime64], height: int, *, logarithmic: bool = False
    ) -> None:
        self._scale: Callable[[float], float] = math.log if logarithmic else float
        self._low, self._span = self._scale(low), self._scale(high) - self._scale(low)
        self._times, self._height = times, height

    def x(self, index: float) -> str:
        return f"{LEFT + index / max(len(self._times) - 1, 1) * (WIDTH - LEFT - RIGHT):.1f}"

    def y(self, value: float) -> str:
        up = (self._scale(value) - self._low) / self._span * (self._height - TOP - BOTTOM)
        return f"{self._height - BOTTOM - up:.1f}"

    def chart(
        self, title: str, ticks: Sequence[float], *, percent: bool, zero: bool, lines: Sequence[Line] = (),
        areas: Sequence[Area] = (),
    ) -> Chart:  # fmt: skip
        """`ticks` are values; `percent` writes them as such; `zero`: whether a line is drawn at 0."""
        return Chart(
            title=title,
            lines=tuple(lines),
            areas=tuple(areas),
            x=tuple(Tick(self.x(index), text) for index, text in date_ticks(self._times)),
            y=tuple(Tick(self.y(value), _percent(value) if percent else f"{value:g}") for value in ticks),
            zero=self.y(0.0) if zero else "",
            height=self._height,
            bottom=self._height - BOTTOM,
        )


def line_chart(
    title: str, series: Sequence[Series], times: NDArray[np.datetime64], *, percent: bool = False,
    logarithmic: bool = False, height: int = HEIGHT,
) -> Chart:  # fmt: skip
    """All series over the same n bars, days or closes. NaN is not drawn; a log scale needs values above 0."""
    known = np.concatenate([one.values[np.isfinite(one.values)] for one in series])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    logarithmic = logarithmic and low > 0
    low, high = _room(low, high, logarithmic)
    frame = _Frame(low, high, times, height, logarithmic=logarithmic)

    def points(values: Floats) -> str:
        there = np.flatnonzero(np.isfinite(values))
        kept = there[thin(values[there])] if len(there) else there
        return " ".join(f"{frame.x(int(i))},{frame.y(float(values[i]))}" for i in kept)

    lines = [
        Line(one.label, one.series, one.subject, one.dashed, points(one.values), one.dotted)
        for one in sorted(series, key=lambda one: one.subject)
    ]
    ticks = _log_ticks(low, high) if logarithmic else _even_ticks(low, high)
    return frame.chart(title, ticks, percent=percent, zero=not logarithmic and low < 0 < high, lines=lines)


def area_chart(
    title: str, names: Sequence[str], weights: Floats, times: NDArray[np.datetime64], *, height: int = HEIGHT
) -> Chart:
    """Weights (n, A) of A names stacked: longs from 0 up, shorts from 0 down; means over some 200 columns of bars."""
    edges = np.linspace(0, len(weights), min(len(weights), AREA_COLUMNS) + 1).astype(np.int64)
    means = np.add.reduceat(weights, edges[:-1], axis=0) / np.diff(edges)[:, None]
    up = np.cumsum(np.maximum(means, 0.0), axis=1)
    down = np.cumsum(np.minimum(means, 0.0), axis=1)
    low, high = float(down.min()), max(float(up.max()), 1e-9)
    frame, middle = _Frame(low, high, times, height), (edges[:-1] + edges[1:] - 1) / 2

    def band(top: Floats, base: Floats) -> str:
        way = zip((*middle, *middle[::-1]), (*top, *base[::-1]), strict=True)
        return " ".join(f"{frame.x(float(x))},{frame.y(float(y))}" for x, y in way)

    areas = []
    for a, name in enumerate(names):
        for stack in (up, down):
            base = stack[:, a - 1] if a else np.zeros(len(means))
            if np.abs(stack[:, a] - base).max() > 1e-6:
                areas.append(Area(name, a + 2, band(stack[:, a], base)))
    return frame.chart(title, _even_ticks(low, high), percent=True, zero=low < 0, areas=areas)


def _room(low: float, high: float, logarithmic: bool) -> tuple[float, float]:
    """A little air above and below; a flat line gets a band around it."""
    if high - low < 1e-9:
        return low - 0.01, high + 0.01
    if logarithmic:
        air = (high / low) ** 0.03
        return low / air, high * air
    air = 0.03 * (high - low)
    return low - air, high + air


def _percent(value: float) -> str:
    return f"{value * 100:g}".replace("-", "−")


def _even_ticks(low: float, high: float) -> list[float]:
    """Round values, four to eight of them."""
    raw = (high - low) / 5
    base = 10.0 ** math.floor(math.log10(raw))
    step = base * next(m for m in (1, 2, 2.5, 5, 10) if m * base >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten, thinned to the powers where there are many; even ones where fewer than three fit."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [m * 10.0**k for k in decades for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    if len(ticks) < LEAST_STARTS:
        return [tick for tick in _even_ticks(low, high) if tick > 0]
    return ticks if len(ticks) <= MOST_TICKS else [t for t in ticks if f"{t:e}".startswith("1.")]


def date_ticks(times: NDArray[np.datetime64]) -> list[tuple[int, str]]:
    """(index, text) of the first bar of each year, else month, week, day, hour or minute: the longest of them that
    starts at least three times, else the one that starts most often. At most eight, six of long texts, evenly chosen;
    two or more for three bars of different minutes.
    """
    best: tuple[NDArray[np.int64], str] = (np.zeros(0, np.int64), "Y")
    for unit in UNITS:
        starts = _starts(times, unit)
        if len(starts) > len(best[0]):
            best = starts, unit
        if len(starts) >= LEAST_STARTS:
            break
    starts, unit = best
    days = times.astype("datetime64[D]")
    one_day = bool((days == days[0]).all())
    texts = [_tick_text(times[i], unit, one_day=one_day) for i in starts]
    most = MOST_TICKS if all(len(text) <= SHORT_TEXT for text in texts) else MOST_LONG_TICKS
    step = max(1, math.ceil(len(starts) / most))
    return [(int(i), text) for i, text in zip(starts[::step], texts[::step], strict=True)]


def _starts(times: NDArray[np.datetime64], unit: str) -> NDArray[np.int64]:
    """Indices of the bars that begin a new `unit`; a week begins on Monday."""
    shift = np.timedelta64(MONDAY, "D") if unit == "W" else np.timedelta64(0, "D")
    of = (times + shift).astype(f"datetime64[{unit}]")
    return np.flatnonzero(of[1:] != of[:-1]) + 1


def _tick_text(time: np.datetime64, unit: str, *, one_day: bool) -> str:
    """2020, 2020-03, 2 Mar, 2 Mar 14:30, or 14:30 where all bars are of one day; UTC."""
    if unit in ("Y", "M"):
        return str(time.astype(f"datetime64[{unit}]"))
    moment = time.astype("datetime64[s]").item()
    day, clock = f"{moment.day} {moment:%b}", f"{moment:%H:%M}"
    if unit in ("W", "D"):
        return day
    return clock if one_day else f"{day} {clock}"
