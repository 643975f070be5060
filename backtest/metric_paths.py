"""Metrics of resampled bars: one walk over each path for what depends on the order, block sums for all else."""

import math

from backtest.bootstrap import draw_block
from backtest.series import NAN, ZERO_VARIANCE
from simulator.jit import compiled

SUMS = 8
"""Columns of a strategy in the prefix sums: ln(1+r), r, r^2, x, x^2, min(x,0)^2 of x = r - rf, turnover, costs."""
KEYS = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "ulcer", "turnover",
    "cost_drag_bps",
)  # fmt: skip
"""What `close_metrics` fills, in this order."""


@compiled
def walk(growth, start, length, level, deepest, squares):
    """Through the bars start..start+length of growth 1 + r (2n, S): `level` (S,) is equity over its peak so far."""
    for t in range(start, start + length):
        for s in range(level.shape[0]):
            level[s] = min(1.0, level[s] * growth[t, s])
            deepest[s] = min(deepest[s], level[s])
            squares[s] += (1.0 - level[s]) * (1.0 - level[s])


@compiled
def close_metrics(sums, deepest, squares, n, periods, out):
    """Fill out (10,) in the order of KEYS from the sums (8,) of one strategy over one path."""
    mean, above = sums[1] / n, sums[3] / n
    variance = max(sums[2] / n - mean * mean, 0.0) * n / (n - 1.0)
    spread = max(sums[4] / n - above * above, 0.0) * n / (n - 1.0)
    out[0] = math.expm1(sums[0])
    out[1] = math.expm1(sums[0] / n * periods)
    out[2] = math.sqrt(variance * periods)
    out[3] = NAN if spread < ZERO_VARIANCE else above / math.sqrt(spread) * math.sqrt(periods)
    out[4] = NAN if sums[5] <= 0.0 else above / math.sqrt(sums[5] / n) * math.sqrt(periods)
    out[5] = deepest - 1.0
    out[6] = NAN if deepest >= 1.0 else out[1] / (1.0 - deepest)
    out[7] = math.sqrt(squares / n)
    out[8], out[9] = sums[6] * periods / n, sums[7] * periods / n


@compiled
def resample_metrics(raw, prefix, growth, n, stop, periods, place, sums, level, deepest, squares, out):
    """Go on filling out (paths, S, 10) until the draws `raw` are used up, with the same blocks as `bootstrap.resample`.

    `prefix` (2n+1, S, 8): prefix sums of the columns laid twice end to end, `growth` (2n, S) of 1 + r. `place` holds
    (path, bars left in it), `sums` (S, 8) and `level`, `deepest`, `squares` (S,) what is known of it so far.
    """
    path, left = place
    for k in range(0, raw.shape[0] - 1, 2):
        if path == out.shape[0]:
            break
        start, length = draw_block(raw[k], raw[k + 1], n, left, stop)
        for s in range(level.shape[0]):
            for c in range(SUMS):
                sums[s, c] += prefix[start + length, s, c] - prefix[start, s, c]
        walk(growth, start, length, level, deepest, squares)
        left -= length
        if left == 0:
            for s in range(level.shape[0]):
                close_metrics(sums[s], deepest[s], squares[s], n, periods, out[path, s])
            sums[:] = 0.0
            level[:] = 1.0
            deepest[:] = 1.0
            squares[:] = 0.0
            path, left = path + 1, n
    place[0], place[1] = path, left
