"""The stationary bootstrap (Politis and Romano 1994), circular, by block sums: a mean needs only its blocks' ends."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.series import ZERO_VARIANCE, product_sum
from simulator.jit import compiled

Floats = NDArray[np.float64]

DRAWS = 1 << 18
UNIT = 2.0**-53
REST_BITS = 52
GUIDES = 1 << (64 - REST_BITS)


@compiled
def optimal_block(x):
    """Mean block for the stationary bootstrap of x (n,): Politis and White 2004 with Patton's correction of 2009.

    b = (2 G^2 / D)^(1/3) n^(1/3), G = sum lambda(k/M) |k| R(k), D = 2 (sum lambda(k/M) R(k))^2, over |k| <= M, with the
    flat-top lambda(s) = min(1, 2 (1 - |s|)); M is twice the first of K = max(5, log10 n) lags in a row whose
    autocorrelation (scaled by the parts that overlap, as arch has it) is below 2 sqrt(log10(n)/n); b is at most
    min(3 sqrt(n), n/3). NaN for a constant x or n < 10.
    """
    n = x.shape[0]
    centred = x - x.sum() / n
    squares = product_sum(centred, centred)
    if n < 10 or squares / (n - 1) < ZERO_VARIANCE:
        return math.nan
    quiet = max(5, int(math.log10(n)))
    furthest = math.ceil(math.sqrt(n)) + quiet
    bound = 2.0 * math.sqrt(math.log10(n) / n)
    covariance = np.zeros(furthest + 1)
    run, first = 0, -1
    for lag in range(min(furthest, n - 1) + 1):
        cross = product_sum(centred[lag:], centred[: n - lag])
        covariance[lag] = cross / n
        head, end = centred[: n - lag - 1], centred[lag + 1 :]
        size = math.sqrt(product_sum(head, head) * product_sum(end, end))
        run = run + 1 if abs(cross) < bound * size else 0
        if run == quiet and first < 0:
            first = lag - quiet + 1
    reach = furthest if first < 0 else min(2 * max(first, 1), furthest)
    slope, level = 0.0, covariance[0]
    for lag in range(1, reach + 1):
        flat_top = min(1.0, 2.0 * (1.0 - lag / reach))
        slope += 2.0 * flat_top * lag * covariance[lag]
        level += 2.0 * flat_top * covariance[lag]
    if level == 0.0:
        return math.nan
    best = (slope * slope / (level * level)) ** (1.0 / 3.0) * n ** (1.0 / 3.0)
    return min(best, math.ceil(min(3.0 * math.sqrt(n), n / 3.0)))


@compiled
def geometric(draw, decay):
    """Bars after the first of a block, by inversion of a raw 64-bit draw; `decay` is that of `decay_of`."""
    return int(math.log(1.0 - (draw >> np.uint64(11)) * UNIT) / decay)


@compiled
def fill_guide(guide, decay):
    """Of each entry of guide (GUIDES,) what `geometric` gives for all draws that begin with its bits, -1 where they
    disagree. It never falls as the draw grows, so that the least and the greatest draw decide.
    """
    rest = np.uint64((1 << REST_BITS) - 1)
    for k in range(guide.shape[0]):
        least = np.uint64(k) << np.uint64(REST_BITS)
        low = geometric(least, decay)
        guide[k] = low if low == geometric(least | rest, decay) else -1


@compiled
def draw_block(first, second, n, left, decay, guide):
    """(first bar, length) of a block from two raw 64-bit draws: a uniform start, a geometric length whose logarithmic
    `decay` is that of `decay_of`, cut at `left`. `guide` is `guide_of` that decay: it saves most draws the
    logarithm.
    """
    start = int((first >> np.uint64(11)) * UNIT * n)
    more = guide[second >> np.uint64(REST_BITS)]
    if more < 0:
        more = geometric(second, decay)
    return start, min(more + 1, left)


def decay_of(block: float) -> float:
    """ln(1 - 1/block) of blocks of that mean length; minus infinity where each is one bar."""
    return math.log(1.0 - 1.0 / block) if block > 1.0 else -math.inf


def guide_of(decay: float) -> NDArray[np.int64]:
    """(GUIDES,) by the first bits of a draw: the `geometric` length that they settle, -1 where all bits are needed."""
    guide = np.empty(GUIDES, np.int64)
    fill_guide(guide, decay)
    return guide


@compiled
def equal_risk(mean, mean_b, square, square_b, n):
    """mean(x) - (s/s_b) mean(x_b) from means and mean squares; mean(x) where the baseline has no risk."""
    variance = (square - mean * mean) * n / (n - 1.0)
    variance_b = (square_b - mean_b * mean_b) * n / (n - 1.0)
    if variance_b < ZERO_VARIANCE:
        return mean
    return mean - math.sqrt(max(variance, 0.0) / variance_b) * mean_b


@compiled
def close_path(sums, n, count, theta, level):
    """Fill theta (B,) and level (B,) from the sums (C,) of one resampled path of `count` seeds."""
    baselines = theta.shape[0]
    to_squares = count + baselines
    for b in range(baselines):
        theta[b] = sums[b] / n
        other = baselines + count + b
        mean_b, square_b = sums[other] / n, sums[other + to_squares] / n
        whole = 0.0
        for s in range(count):
            own = baselines + s
            whole += equal_risk(sums[own] / n, mean_b, sums[own + to_squares] / n, square_b, n)
        level[b] = whole / count


@compiled
def resample(raw, prefix, n, decay, guide, count, place, sums, theta, level):
    """Go on filling theta and level (paths, B) with mean excesses a bar until the draws `raw` are used up.

    `prefix` (2n+1, C): prefix sums of the series laid twice end to end; columns are B log excesses, then x of the
    `count` seeds and of the B baselines, then their squares. `place` holds (path, bars left in it), `sums` (C,) its
    sums so far.
    """
    path, left = place
    for k in range(0, raw.shape[0] - 1, 2):
        if path == theta.shape[0]:
            break
        start, length = draw_block(raw[k], raw[k + 1], n, left, decay, guide)
        for c in range(sums.shape[0]):
            sums[c] += prefix[start + length, c] - prefix[start, c]
        left -= length
        if left == 0:
            close_path(sums, n, count, theta[path], level[path])
            sums[:] = 0.0
            path, left = path + 1, n
    place[0], place[1] = path, left


@dataclass(frozen=True)
class Resampled:
    """(paths, B) means a bar of each path, the bars' luck alone, and the mean block that they were drawn with."""

    theta: Floats
    equal_risk: Floats
    mean_block: float
    unclipped_block: float


def mean_block(excess: Floats) -> tuple[float, float]:
    """(within [n^(1/3), n/10], unclipped) for excess (n, B): the largest optimal block over the columns."""
    n = excess.shape[0]
    lengths = [optimal_block(np.ascontiguousarray(excess[:, b])) for b in range(excess.shape[1])]
    largest = max((length for length in lengths if math.isfinite(length)), default=1.0)
    return max(1.0, min(max(largest, n ** (1 / 3)), n / 10)), largest


def bootstrap(excess: Floats, above_cash: Floats, paths: int, seed: int) -> Resampled:
    """`excess` (n, B) log excess over each baseline, `above_cash` (n, S+B) r - rf of the subject's S seeds and of the
    baselines. One index sequence of PCG64(seed) for all columns.
    """
    n, baselines = excess.shape
    block, unclipped = mean_block(excess)
    columns = np.concatenate((excess, above_cash, above_cash**2), axis=1)
    prefix = np.zeros((2 * n + 1, columns.shape[1]))
    np.cumsum(np.concatenate((columns, columns)), axis=0, out=prefix[1:])
    theta, level = np.empty((paths, baselines)), np.empty((paths, baselines))
    place, sums = np.array([0, n]), np.zeros(columns.shape[1])
    source = np.random.PCG64(seed)
    count, decay = above_cash.shape[1] - baselines, decay_of(block)
    guide = guide_of(decay)
    while place[0] < paths:
        resample(source.random_raw(DRAWS), prefix, n, decay, guide, count, place, sums, theta, level)
    return Resampled(theta, level, block, unclipped)
