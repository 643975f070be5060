"""B5: fifteen metrics of ten years of daily returns beside quantstats, and the bootstrap of a verdict beside numpy."""

import importlib.metadata
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backtest.bootstrap import UNIT, bootstrap, mean_block
from backtest.series import SERIES_KEYS, series_figures, simple_returns
from benchmarks.figure import Figure, Goal, Work
from benchmarks.panel import panel
from benchmarks.peer import Peer
from benchmarks.timing import clock, interleave, measure

METRICS = Work("B5", "15 metrics of 2,520 returns", "µs", "time", Goal(188.0, "ratio"))
BOOTSTRAP = Work("B5-bootstrap", "10,000 paths x 8 baselines, 2,520 bars", "s", "time", Goal(0.15, "ours"))

BARS, BASELINES, PATHS, SEED = 2520, 8, 10_000, 0
PERIODS = 252.0
TOLERANCE = 1e-9
CHECKED_PATHS = 200

# where the two define a metric alike; quantstats' Ulcer index divides by n - 1
SHARED = ("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "ulcer")

Floats = NDArray[np.float64]


def equities() -> Floats:
    """(2521, 9): an equally weighted book of the last ten years, and eight single stocks beside it."""
    close = panel().close[-BARS - 1 :]
    growth = close / close[0]
    return np.column_stack((growth.mean(axis=1), growth[:, :BASELINES]))


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The two figures of B5; `folder` takes the peer's array."""
    equity = np.ascontiguousarray(equities()[:, 0])
    returns = simple_returns(equity)
    np.savez(folder / "returns.npz", returns=returns, session=panel().session[-BARS - 1 :])
    with Peer(folder / "returns.npz", ["numpy", "pandas", "quantstats"]) as peer:
        return [metrics(peer, equity, returns), resampling()]


def metrics(peer: Peer, equity: Floats, returns: Floats) -> Figure:
    """Ours against quantstats' fifteen."""
    rf = np.zeros_like(returns)

    def ours() -> object:
        return series_figures(equity, returns, rf, PERIODS)

    return measure(
        METRICS,
        differences=lambda: unequal(dict(zip(SERIES_KEYS, ours(), strict=True)), peer.run("quantstats")[1]),  # type: ignore[call-overload]
        clocks=lambda: interleave(clock(ours, calls=200), lambda: peer.seconds("quantstats"), rounds=15),
        in_unit=lambda seconds: seconds * 1e6,
        versions=peer.versions,
    )


def unequal(ours: dict[str, float], theirs: dict[str, float]) -> list[str]:
    """Sentences for metrics of the same definition that differ by more than 1e-9, relative."""
    expected = theirs | {"ulcer": theirs["ulcer"] * math.sqrt((BARS - 1) / BARS)}
    return [f"{key} is {ours[key]!r}, quantstats says {expected[key]!r}" for key in SHARED
            if not math.isclose(ours[key], expected[key], rel_tol=TOLERANCE)]  # fmt: skip


def resampling() -> Figure:
    """Ours against the same index sequence, gathered row by row in numpy."""
    returns = np.diff(np.log(equities()), axis=0)
    excess = returns[:, :1] - returns[:, 1:]
    simple = np.expm1(returns)

    def differences() -> list[str]:
        ours = bootstrap(excess, simple, CHECKED_PATHS, SEED).theta
        gap = float(np.abs(ours - numpy_bootstrap(excess, CHECKED_PATHS, SEED)).max())
        return [] if gap <= TOLERANCE * float(np.abs(excess).mean()) else [f"mean excesses are {gap:.1e} apart"]

    return measure(
        BOOTSTRAP,
        differences,
        lambda: interleave(
            clock(lambda: bootstrap(excess, simple, PATHS, SEED)),
            clock(lambda: numpy_bootstrap(excess, PATHS, SEED)),
            rounds=3,
        ),
        lambda seconds: seconds,
        {name: importlib.metadata.version(name) for name in ("numpy", "numba")},
    )


def numpy_bootstrap(excess: Floats, paths: int, seed: int) -> Floats:
    """(paths, B) mean excess a bar of the stationary bootstrap by explicit indices, from the same stream of draws."""
    n = excess.shape[0]
    stop = 1.0 / mean_block(excess)[0]
    source = np.random.PCG64(seed)
    means = np.empty((paths, excess.shape[1]))
    starts, lengths = np.empty(0, np.int64), np.empty(0, np.int64)
    for path in range(paths):
        while lengths.sum() < n:
            more = blocks(source, n, stop)
            starts, lengths = np.append(starts, more[0]), np.append(lengths, more[1])
        count = int(np.searchsorted(np.cumsum(lengths), n)) + 1
        firsts, sizes = starts[:count], lengths[:count].copy()
        sizes[-1] -= sizes.sum() - n
        offsets = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        means[path] = excess[(np.repeat(firsts, sizes) + offsets) % n].mean(axis=0)
        starts, lengths = starts[count:], lengths[count:]
    return means


def blocks(source: np.random.PCG64, n: int, stop: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Some 2,000 uniform starts and geometric lengths with mean 1 / stop."""
    unit = (source.random_raw(4096) >> np.uint64(11)) * UNIT
    lengths = 1 + (np.log(1.0 - unit[1::2]) / math.log(1.0 - stop)).astype(np.int64)
    return (unit[::2] * n).astype(np.int64), lengths
