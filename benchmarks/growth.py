"""`python -m benchmarks.growth`: how cost grows with bars, assets, books and fills: docs/growth.md, growth.svg."""

import datetime as dt
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.engine import ALL_RULES, decisions
from benchmarks.panel import HOUR, minutes
from benchmarks.timing import clock, pin
from marketdata.bars import Bars
from simulator.engine import run_decisions, run_many
from simulator.market import prepare_market

DOCS = Path(__file__).resolve().parent.parent / "docs"
BARS, ASSETS, CALLS = 20_000, 10, 25
Points = list[tuple[int, float]]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
LEFT, TOP, ACROSS, UP = 60, 34, 160, 100
"""Of the plot: where it begins, and how long a decade is."""


def timed(work: Callable[[], object]) -> float:
    """Least CPU milliseconds of a call, after one unmeasured: what others do to caches and memory only adds."""
    once = clock(work)
    once()
    return 1e3 * min(once() for _ in range(CALLS))


def book(bars: Bars, every: int = HOUR, books: int = 1) -> float:
    """Milliseconds of a book, or of several in one call, that is brought to equal weights every so many bars."""
    market, last = prepare_market(bars, ALL_RULES), bars.n_bars - 1
    said = decisions(np.arange(0, last, every), bars.n_assets)
    if books == 1:
        return timed(lambda: run_decisions(market, ALL_RULES, said, 0, last))
    return timed(lambda: run_many(market, ALL_RULES, [said] * books, 0, last))


def series() -> dict[str, Points]:
    """One size varied, the others at 20,000 minutes, 10 assets, one book, a decision an hour."""

    def cut(n_bars: int, n_assets: int) -> Bars:
        whole = minutes()
        first = whole.select(whole.symbols[:n_assets])
        days = np.unique(first.session[:n_bars])
        return first.between(days[0].item(), days[-1].item())

    usual = cut(BARS, ASSETS)
    return {
        "bars": [(part.n_bars, book(part)) for part in (cut(n, ASSETS) for n in (5_000, 20_000, 80_000, 320_000))],
        "assets": [(n, book(cut(BARS, n))) for n in (1, 2, 5, 10)],
        "books": [(n, book(usual, books=n)) for n in (2, 8, 32, 128)],
        "fills": [(len(range(0, usual.n_bars - 1, n)) * ASSETS, book(usual, every=n)) for n in (256, 64, 16, 4, 1)],
    }


def slope(points: Points) -> float:
    """Of log time over log size, least squares."""
    size, spent = np.log(np.array(points)).T
    return float(np.polyfit(size, spent, 1)[0])


def svg(found: dict[str, Points]) -> str:
    """Time over size as a multiple of the smallest of its series, both axes logarithmic, a line a decade."""
    every = [ms for points in found.values() for _, ms in points]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    widest = math.ceil(max(math.log10(points[-1][0] / points[0][0]) for points in found.values()))
    right, bottom = LEFT + widest * ACROSS, TOP + (high - low) * UP
    lines = [
        f'<rect width="{right + 60}" height="{bottom + 50}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" fill="#333">milliseconds a call</text>',
        f'<text x="{(LEFT + right) / 2:.0f}" y="{bottom + 40}" text-anchor="middle" fill="#333">'
        "size, as a multiple of the smallest measured</text>",
    ]
    for k in range(high - low + 1):
        y = bottom - k * UP
        lines.append(f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#666">{10.0 ** (low + k):g}</text>')
    for k in range(widest + 1):
        x = LEFT + k * ACROSS
        lines.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}" stroke="#ddd"/>')
        lines.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" fill="#666">× {10**k:,}</text>')
    for colour, (name, points) in zip(COLOURS, found.items(), strict=True):
        at = [(LEFT + ACROSS * math.log10(n / points[0][0]), bottom - UP * (math.log10(ms) - low)) for n, ms in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        lines.append(f'<text x="{at[-1][0] + 8:.1f}" y="{at[-1][1] + 4:.1f}" fill="{colour}">{name}</text>')
    size = f'viewBox="0 0 {right + 60} {bottom + 50}" font-family="sans-serif" font-size="12"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', *lines, "</svg>", ""])


def page(found: dict[str, Points], measured: str) -> str:
    rows = [f"| {name} | {', '.join(f'{n:,}: {ms:.3g}' for n, ms in points)} | {slope(points):.2f} |"
            for name, points in found.items()]  # fmt: skip
    return "\n".join([
        "# How cost grows", "",
        "One size grows, the others stand at about 20,000 minutes, 10 assets, one book and a decision an hour, all",
        "rules of [the benchmarks](benchmarks.md) on. Of 25 calls the least, CPU milliseconds, without trades. A",
        "slope is that of log time over log size, by least squares: 1 is proportional, below 1 a fixed part weighs.",
        "", "| what grows | size: ms | slope |", "|---|---|---|", *rows, "",
        "![Time over size, both logarithmic](growth.svg)", "",
        "`make growth` writes this page and its plot. Books are those of `run_many`, which keeps no path and no log.",
        measured, "",
    ])  # fmt: skip


def told(before: float, after: float) -> str:
    """When and beside what this was measured: the load counts this process too."""
    return (
        f"Measured on {dt.date.today():%d %B %Y} on one of {os.cpu_count()} cores; the load over a minute was "
        f"{before:.1f} before and {after:.1f} after."
    )


def main() -> None:
    pin()
    start, load = time.monotonic(), os.getloadavg()[0]
    found = series()
    (DOCS / "growth.svg").write_text(svg(found))
    text = page(found, told(load, os.getloadavg()[0]))
    (DOCS / "growth.md").write_text(text)
    print(text, f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
