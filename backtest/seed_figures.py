"""What several seeds say beside each other: a row a seed, how far they lie apart, and the band of their curves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from backtest.columns import csv_bytes, floats, texts, whole
from backtest.runner import Judged, returns_of
from backtest.seed_books import SeedBooks
from backtest.series import Floats
from backtest.statistics import Excess, grown
from runfiles.metric_keys import HEADLINE, METRICS

EXCESS, LEAST = "excess_per_year", "least_excess_per_year"
KEYS = (EXCESS, LEAST, *HEADLINE)
"""What the spread is told of."""
OF_GROWTH = frozenset({EXCESS, LEAST})
"""Told as e^x - 1 of a logarithm; means, medians and quartiles are the logarithms'."""
OF_EACH = tuple(key for key in METRICS if key != "dsr_excess")
"""Metrics of a seed; `dsr_excess` is of the mean over the seeds."""
BAND = (("low", 0.0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("high", 1.0))


@dataclass(frozen=True)
class SeedRow:
    """One seed and its metrics. Excesses are logarithms a year, None without a baseline: `excess` over the baseline of
    the verdict, the same for all seeds; `least` over `baseline`, the one that is hardest for this seed, as a report of
    this seed alone has it.
    """

    seed: int
    excess: float | None
    least: float | None
    baseline: str | None
    metrics: Mapping[str, float | None]

    def value(self, key: str) -> float | None:
        """A metric, or the logarithm of an excess."""
        return {EXCESS: self.excess, LEAST: self.least}[key] if key in OF_GROWTH else self.metrics[key]

    def told(self, key: str) -> float | None:
        """As it is written: an excess as a fraction."""
        return _told(key, self.value(key))


@dataclass(frozen=True)
class SeedSpread:
    """How far the seeds lie apart in one figure, in its own unit; None throughout where a seed has none. Quartiles are
    interpolated linearly; of an excess all are those of the logarithms, as the verdict's is their mean.
    """

    key: str
    mean: float | None
    median: float | None
    q1: float | None
    q3: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Seeds:
    """`rows` in the order of the seeds; `spread` of the excess and of each headline metric."""

    rows: tuple[SeedRow, ...]
    spread: tuple[SeedSpread, ...]

    def as_dict(self) -> dict[str, Any]:
        """`seeds` of `summary.json`."""
        return {
            "rows": [
                {"seed": row.seed, EXCESS: row.told(EXCESS), LEAST: row.told(LEAST), "baseline": row.baseline}
                | {key: row.metrics[key] for key in HEADLINE}
                for row in self.rows
            ],
            "spread": [asdict(one) for one in self.spread],
        }


def seeds_of(subject: Judged, excess: Excess | None, against: Sequence[str]) -> Seeds | None:
    """None of a subject without seeds; `against` are the baselines by column of `excess`."""
    ledger = subject.ledger
    if not isinstance(ledger, SeedBooks):
        return None
    rows = []
    for place, (seed, metrics) in enumerate(zip(ledger.seeds, subject.by_seed, strict=True)):
        if excess is None:
            rows.append(SeedRow(seed, None, None, None, metrics))
            continue
        own = excess.by_seed[place]
        hardest = int(np.argmin(own))
        rows.append(SeedRow(seed, float(own[excess.best]), float(own[hardest]), against[hardest], metrics))
    return Seeds(tuple(rows), tuple(spread_of(key, [row.value(key) for row in rows]) for key in KEYS))


def spread_of(key: str, values: Sequence[float | None]) -> SeedSpread:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return SeedSpread(key, None, None, None, None, None, None)
    low, q1, median, q3, high = (float(x) for x in np.quantile(known, [share for _, share in BAND]))
    return SeedSpread(key, *(_told(key, x) for x in (float(np.mean(known)), median, q1, q3, low, high)))


def _told(key: str, value: float | None) -> float | None:
    return grown(value) if value is not None and key in OF_GROWTH else value


def apart(subject: Judged) -> list[Judged]:
    """Each seed as a subject of its own, named by its seed; the subject itself where it has no seeds."""
    ledger = subject.ledger
    if not isinstance(ledger, SeedBooks):
        return [subject]
    return [
        replace(subject, spec=replace(subject.spec, label=f"Seed {seed}"), ledger=book, returns=returns_of(book),
                metrics=dict(metrics), by_seed=())
        for seed, book, metrics in zip(ledger.seeds, ledger.books, subject.by_seed, strict=True)
    ]  # fmt: skip


def band(ledger: SeedBooks) -> Floats:
    """(5, N+1) money: least, first quartile, median, third quartile and greatest equity of the seeds at each bar."""
    equity = np.array([book.equity for book in ledger.books])
    found: Floats = np.quantile(equity, [share for _, share in BAND], axis=0)
    return found


def seeds_table(found: Seeds) -> bytes:
    """`seeds.csv`: a row a seed."""
    columns = {
        "seed": whole(np.array([row.seed for row in found.rows], dtype=np.int64)),
        EXCESS: _column([row.told(EXCESS) for row in found.rows]),
        LEAST: _column([row.told(LEAST) for row in found.rows]),
        "baseline": texts([row.baseline or "" for row in found.rows]),
    }
    return csv_bytes(columns | {key: _column([row.metrics[key] for row in found.rows]) for key in OF_EACH})


def equity_table(ledger: SeedBooks, times: pa.Array) -> bytes:
    """`seeds_equity.csv`: the band, then the equity of each seed, at the close of each bar; money."""
    columns = {"time": times.slice(ledger.t0, ledger.t1 - ledger.t0 + 1)}
    columns |= {name: floats(row) for (name, _), row in zip(BAND, band(ledger), strict=True)}
    columns |= {f"seed_{s}": floats(book.equity) for s, book in zip(ledger.seeds, ledger.books, strict=True)}
    return csv_bytes(columns)


def _column(values: Sequence[float | None]) -> pa.Array:
    return floats(np.array([np.nan if value is None else value for value in values], dtype=np.float64))
