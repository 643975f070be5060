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
def draw_block(first, second, n, left, stop):
    """(first bar, length) of a block from two raw 64-bit draws: a uniform start, a geometric length with mean 1/stop,
    cut at `left`.
    """
    start = int((first >> np.uint64(11)) * UNIT * n)
    length = 1
    if stop < 1.0 and left > 1:
        length += int(math.log(1.0 - (second >> np.uint64(11)) * UNIT) / math.log(1.0 - stop))
    return start, min(length, left)


@compiled
def equal_risk(mean, mean_b, square, square_b, n):
    """mean(x) - (s/s_b) mean(x_b) from means and mean squares; mean(x) where the baseline has no risk."""
    variance = (square - mean * mean) * n / (n - 1.0)
    variance_b = (square_b - mean_b * mean_b) * n / (n - 1.0)
    if variance_b < ZERO_VARIANCE:
        return mean
    return mean - math.sqrt(max(variance, 0.0) / variance_b) * mean_b


@compiled
def close_path(sums, n, seeds, theta, level, shift):
    """Fill theta (B,) and level (B,) from the sums (C,) of one resampled path, and add what its redrawn seeds move.

    `seeds` (S,) are the seeds drawn for this path. What they move: their deviations from the mean of all seeds, times
    sqrt(S / (S - 1)), so that their spread over the paths is s / sqrt(S) and no less.
    """
    baselines, count = theta.shape[0], seeds.shape[0]
    deviation, own = baselines, baselines + (count if count > 1 else 0)
    shift_to_squares = count + baselines
    moved = 0.0
    for b in range(baselines):
        theta[b], level[b] = sums[b] / n, 0.0
    stretch = math.sqrt(count / (count - 1.0)) if count > 1 else 0.0
    for b in range(baselines):
        other = own + count + b
        mean_b, square_b = sums[other] / n, sums[other + shift_to_squares] / n
        whole = drawn = 0.0
        for s in range(count):
            whole += equal_risk(sums[own + s] / n, mean_b, sums[own + s + shift_to_squares] / n, square_b, n)
        for k in range(count if count > 1 else 0):
            s = own + seeds[k]
            drawn += equal_risk(sums[s] / n, mean_b, sums[s + shift_to_squares] / n, square_b, n)
        level[b] = whole / count + stretch * (drawn - whole) / count if count > 1 else whole
    for k in range(count if count > 1 else 0):
        moved += stretch * sums[deviation + seeds[k]] / n / count
    shift[0] = moved


@compiled
def resample(raw, prefix, n, stop, place, sums, seeds, theta, level, shift):
    """Go on filling theta and level (paths, B) with mean excesses a bar until the draws `raw` are used up.

    `prefix` (2n+1, C): prefix sums of the series laid twice end to end; columns are B log excesses, S deviations of a
    seed's log growth from the mean of all seeds (none with one seed), then x of the S seeds and the B baselines, then
    their squares. `place` holds (path, bars left in it), `sums` (C,) its sums so far. `seeds` (paths, S), `shift`
    (paths,): see `close_path`.
    """
    path, left = place
    for k in range(0, raw.shape[0] - 1, 2):
        if path == theta.shape[0]:
            break
        start, length = draw_block(raw[k], raw[k + 1], n, left, stop)
        for c in range(sums.shape[0]):
            sums[c] += prefix[start + length, c] - prefix[start, c]
        left -= length
        if left == 0:
            close_path(sums, n, seeds[path], theta[path], level[path], shift[path : path + 1])
            sums[:] = 0.0
            path, left = path + 1, n
    place[0], place[1] = path, left


@dataclass(frozen=True)
class Resampled:
    """(paths, B) means a bar of each path, and the mean block that they were drawn with.

    `theta` holds the bars' luck alone, `shift` (paths,) what redrawn seeds add to it; 0 with one seed.
    """

    theta: Floats
    shift: Floats
    equal_risk: Floats
    mean_block: float
    unclipped_block: float


def mean_block(excess: Floats) -> tuple[float, float]:
    """(within [n^(1/3), n/10], unclipped) for excess (n, B): the largest optimal block over the columns."""
    n = excess.shape[0]
    lengths = [optimal_block(np.ascontiguousarray(excess[:, b])) for b in range(excess.shape[1])]
    largest = max((length for length in lengths if math.isfinite(length)), default=1.0)
    return max(1.0, min(max(largest, n ** (1 / 3)), n / 10)), largest


def bootstrap(excess: Floats, above_cash: Floats, paths: int, seed: int, deviations: Floats | None = None) -> Resampled:
    """`excess` (n, B) log excess over each baseline, `above_cash` (n, S+B) r - rf of the subject's S seeds and of the
    baselines; `deviations` (n, S): a seed's log growth less the mean of all seeds, None for one seed.

    One index sequence of PCG64(seed) for all columns; a stream spawned from the same seed redraws the seeds.
    """
    n, baselines = excess.shape
    count = above_cash.shape[1] - baselines
    block, unclipped = mean_block(excess)
    apart = np.zeros((n, 0)) if deviations is None else deviations
    columns = np.concatenate((excess, apart, above_cash, above_cash**2), axis=1)
    prefix = np.zeros((2 * n + 1, columns.shape[1]))
    np.cumsum(np.concatenate((columns, columns)), axis=0, out=prefix[1:])
    theta, level, shift = np.empty((paths, baselines)), np.empty((paths, baselines)), np.empty(paths)
    place, sums = np.array([0, n]), np.zeros(columns.shape[1])
    source = np.random.PCG64(seed)
    seeds = redrawn_seeds(seed, paths, count)
    while place[0] < paths:
        resample(source.random_raw(DRAWS), prefix, n, 1.0 / block, place, sums, seeds, theta, level, shift)
    return Resampled(theta, shift, level, block, unclipped)


def redrawn_seeds(seed: int, paths: int, count: int) -> NDArray[np.int64]:
    """(paths, count): for each path `count` of the seeds, drawn with replacement."""
    if count == 1:
        return np.zeros((paths, 1), np.int64)
    own = np.random.PCG64(np.random.SeedSequence(seed).spawn(1)[0])
    return np.random.Generator(own).integers(count, size=(paths, count))
