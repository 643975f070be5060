"""`python -m benchmarks.growth`: how cost grows with bars, assets, books and fills: docs/growth.md, growth.svg."""

import statistics
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
BARS, ASSETS, CALLS = 20_000, 10, 7
Points = list[tuple[int, float]]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def timed(work: Callable[[], object]) -> float:
    """Median CPU milliseconds of a call, after one unmeasured."""
    once = clock(work)
    once()
    return 1e3 * statistics.median(once() for _ in range(CALLS))


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
    """Time over the smallest size of each series, both axes logarithmic."""
    lines = []
    top = max(ms for points in found.values() for _, ms in points)
    for k, (name, points) in enumerate(found.items()):
        at = [(60 + 110 * np.log10(n / points[0][0]), 40 + 80 * np.log10(top / ms)) for n, ms in points]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in at)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[k]}" stroke-width="2"/>')
        lines.append(f'<text x="{at[-1][0] + 6:.0f}" y="{at[-1][1] + 4:.0f}" fill="{COLOURS[k]}">{name}</text>')
    lines += [f'<text x="4" y="{44 + 80 * k}" fill="#777">{top / 10**k:.3g} ms</text>' for k in range(4)]
    lines += [f'<text x="{50 + 110 * k}" y="356" fill="#777">× {10**k}</text>' for k in range(4)]
    body = "\n".join(lines)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 364" font-size="11">\n{body}\n</svg>\n'


def page(found: dict[str, Points]) -> str:
    rows = [f"| {name} | {', '.join(f'{n:,}: {ms:.3g}' for n, ms in points)} | {slope(points):.2f} |"
            for name, points in found.items()]  # fmt: skip
    return "\n".join([
        "# How cost grows", "",
        "One size grows, the others stand at about 20,000 minutes, 10 assets, one book and a decision an hour, all",
        "rules of [the benchmarks](benchmarks.md) on. Medians of seven calls, CPU milliseconds, without trades. A",
        "slope is that of log time over log size, by least squares: 1 is proportional, below 1 a fixed part weighs.",
        "", "| what grows | size: ms | slope |", "|---|---|---|", *rows, "",
        "![Time over size, both logarithmic](growth.svg)", "",
        "`.venv/bin/python -m benchmarks.growth` writes this page. Books are those of `run_many`, which keeps no path",
        "and no log.", "",
    ])  # fmt: skip


def main() -> None:
    pin()
    start, found = time.monotonic(), series()
    (DOCS / "growth.svg").write_text(svg(found))
    (DOCS / "growth.md").write_text(page(found))
    print(page(found), f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
