"""Metrics of resampled bars: one walk over each path for what depends on the order, block sums for all else."""

import math

from backtest.bootstrap import draw_block
from backtest.series import NAN, ZERO_VARIANCE
from simulator.jit import compiled

SUMS = 8
"""Columns of a strategy in the prefix sums: ln(1+r), r, r^2, x, x^2, min(x,0)^2 of x = r - rf, turnover, costs."""
LOG, R, R2, X, X2, DOWN2, TURNOVER, COSTS = range(SUMS)
KEYS = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "ulcer", "turnover",
    "cost_drag_bps",
)  # fmt: skip
"""What `close_metrics` fills, in this order."""


@compiled
def walk(growth, start, length, level, deepest, squares):
    """Through the bars start..start+length of growth 1 + r (2n, 4): `level` (4,) is equity over its peak so far.

    Four strategies side by side: each bar waits for the one before, and four such chains run in the time of one.
    """
    a, b, c, d = level[0], level[1], level[2], level[3]
    low_a, low_b, low_c, low_d = deepest[0], deepest[1], deepest[2], deepest[3]
    sum_a, sum_b, sum_c, sum_d = squares[0], squares[1], squares[2], squares[3]
    for t in range(start, start + length):
        a, b = min(1.0, a * growth[t, 0]), min(1.0, b * growth[t, 1])
        c, d = min(1.0, c * growth[t, 2]), min(1.0, d * growth[t, 3])
        low_a, low_b, low_c, low_d = min(low_a, a), min(low_b, b), min(low_c, c), min(low_d, d)
        sum_a, sum_b = sum_a + (1.0 - a) * (1.0 - a), sum_b + (1.0 - b) * (1.0 - b)
        sum_c, sum_d = sum_c + (1.0 - c) * (1.0 - c), sum_d + (1.0 - d) * (1.0 - d)
    level[0], level[1], level[2], level[3] = a, b, c, d
    deepest[0], deepest[1], deepest[2], deepest[3] = low_a, low_b, low_c, low_d
    squares[0], squares[1], squares[2], squares[3] = sum_a, sum_b, sum_c, sum_d


@compiled
def close_metrics(sums, deepest, squares, n, periods, out):
    """Fill out (10,) in the order of KEYS from the sums (8,) of one strategy over one path."""
    mean, above = sums[R] / n, sums[X] / n
    variance = max(sums[R2] / n - mean * mean, 0.0) * n / (n - 1.0)
    spread = max(sums[X2] / n - above * above, 0.0) * n / (n - 1.0)
    cagr = math.expm1(sums[LOG] / n * periods)
    sharpe = NAN if spread < ZERO_VARIANCE else above / math.sqrt(spread) * math.sqrt(periods)
    sortino = NAN if sums[DOWN2] <= 0.0 else above / math.sqrt(sums[DOWN2] / n) * math.sqrt(periods)
    calmar = NAN if deepest >= 1.0 else cagr / (1.0 - deepest)
    figures = (
        math.expm1(sums[LOG]), cagr, math.sqrt(variance * periods), sharpe, sortino, deepest - 1.0, calmar,
        math.sqrt(squares / n), sums[TURNOVER] * periods / n, sums[COSTS] * periods / n,
    )  # fmt: skip
    for k in range(out.shape[0]):
        out[k] = figures[k]


@compiled
def resample_metrics(raw, prefix, growth, n, decay, guide, periods, place, sums, level, deepest, squares, out):
    """Go on filling out (paths, S, 10) until the draws `raw` are used up, with the same blocks as `bootstrap.resample`.

    `prefix` (2n+1, S, 8): prefix sums of the columns laid twice end to end, `growth` (G, 2n, 4) of 1 + r in fours, the
    last four filled up. `place` holds (path, bars left in it), `sums` (S, 8) and `level`, `deepest`, `squares` (G, 4)
    what is known of it so far.
    """
    path, left = place
    for k in range(0, raw.shape[0] - 1, 2):
        if path == out.shape[0]:
            break
        start, length = draw_block(raw[k], raw[k + 1], n, left, decay, guide)
        for s in range(sums.shape[0]):
            for c in range(SUMS):
                sums[s, c] += prefix[start + length, s, c] - prefix[start, s, c]
        for g in range(growth.shape[0]):
            walk(growth[g], start, length, level[g], deepest[g], squares[g])
        left -= length
        if left == 0:
            for s in range(sums.shape[0]):
                close_metrics(sums[s], deepest[s // 4, s % 4], squares[s // 4, s % 4], n, periods, out[path, s])
            sums[:] = 0.0
            level[:] = 1.0
            deepest[:] = 1.0
            squares[:] = 0.0
            path, left = path + 1, n
    place[0], place[1] = path, left
