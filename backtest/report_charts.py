"""Line charts as numbers for the template to draw: points, ticks, labels. No markup is made here."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 24
COLUMNS = 420
LOG_FROM = 3.0
MOST_TICKS = 8


@dataclass(frozen=True)
class Line:
    """One series; `points` are SVG's x,y pairs in viewBox units."""

    label: str
    series: int
    subject: bool
    dashed: bool
    points: str


@dataclass(frozen=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True)
class Chart:
    """`lines` are drawn in order, the subject last and so on top."""

    title: str
    note: str
    lines: tuple[Line, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Series:
    """Values (n,) of one strategy."""

    label: str
    series: int
    subject: bool
    dashed: bool
    values: Floats


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


def line_chart(title: str, series: Sequence[Series], sessions: NDArray[np.datetime64], *, percent: bool) -> Chart:
    """All series over the same n sessions; a log scale where values span a factor of three and stay above 0."""
    low = min(float(one.values.min()) for one in series)
    high = max(float(one.values.max()) for one in series)
    logarithmic = not percent and low > 0 and high / low > LOG_FROM
    scale = math.log if logarithmic else float
    low, high = _room(low, high, logarithmic)
    bottom, span = scale(low), scale(high) - scale(low)
    drawn_height, drawn_width = HEIGHT - TOP - BOTTOM, WIDTH - LEFT - RIGHT
    last = max(len(sessions) - 1, 1)

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - (scale(value) - bottom) / span * drawn_height

    def x_of(index: int) -> float:
        return LEFT + index / last * drawn_width

    lines = [
        Line(one.label, one.series, one.subject, one.dashed,
             " ".join(f"{x_of(int(i)):.1f},{y_of(float(one.values[i])):.1f}" for i in thin(one.values)))
        for one in sorted(series, key=lambda one: one.subject)
    ]  # fmt: skip
    ticks = _log_ticks(low, high) if logarithmic else _even_ticks(low, high)
    return Chart(
        title=title,
        note="logarithmic scale" if logarithmic else "",
        lines=tuple(lines),
        x=tuple(Tick(f"{x_of(index):.1f}", text) for index, text in date_ticks(sessions)),
        y=tuple(Tick(f"{y_of(value):.1f}", _percent(value) if percent else f"{value:g}") for value in ticks),
    )


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
    """1, 2, 5 times powers of ten, thinned to the powers where there are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [m * 10.0**k for k in decades for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    return ticks if len(ticks) <= MOST_TICKS else [t for t in ticks if f"{t:e}".startswith("1.")]


def date_ticks(sessions: NDArray[np.datetime64]) -> list[tuple[int, str]]:
    """(index, text) of the first session of years or months, at most eight, evenly chosen."""
    years = sessions.astype("datetime64[Y]")
    months = sessions.astype("datetime64[M]")
    unit = years if len(np.unique(years)) > 3 else months
    starts = np.flatnonzero(unit[1:] != unit[:-1]) + 1
    step = max(1, math.ceil(len(starts) / MOST_TICKS))
    return [(int(i), str(unit[i])) for i in starts[::step]]
