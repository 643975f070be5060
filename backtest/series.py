"""Compiled one-pass figures of return series. Arrays over the n bars of a range; undefined is NaN here, `None` outside.

Formulas are those of docs/judging.md; where another library differs, the docstring says so.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.jit import compiled

Floats = NDArray[np.float64]

SERIES_KEYS = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "ulcer", "var_95", "cvar_95",
    "skew", "kurtosis", "rho1", "psr", "psr_hac",
)  # fmt: skip
RELATIVE_KEYS = ("alpha", "beta", "information_ratio", "up_capture", "down_capture")

ZERO_VARIANCE = 1e-24
NAN = math.nan


@compiled
def simple_returns(equity):
    """(n,): r_t = max(E_t / E_(t-1) - 1, -1) of equity (n+1,); 0 once equity is gone, so that n stays the same."""
    n = equity.shape[0] - 1
    out = np.zeros(n)
    for t in range(n):
        if equity[t] > 0.0:
            out[t] = max(equity[t + 1] / equity[t] - 1.0, -1.0)
    return out


@compiled
def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@compiled
def kth_smallest(work, k):
    """The k-th smallest of `work` (0-based), which is reordered: all before k are <= it."""
    low, high = 0, work.shape[0] - 1
    while low < high:
        pivot = work[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while work[i] < pivot:
                i += 1
            while work[j] > pivot:
                j -= 1
            if i <= j:
                work[i], work[j] = work[j], work[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return work[k]


@compiled
def tail(returns, share):
    """(VaR, CVaR): the `share` quantile with linear interpolation (numpy's default), and the mean of r <= VaR.

    Both signed, both historical; quantstats gives a normal VaR instead.
    """
    n = returns.shape[0]
    work = returns.copy()
    place = share * (n - 1)
    k = int(place)
    value = kth_smallest(work, k)
    if k + 1 < n:
        above = work[k + 1]
        for t in range(k + 2, n):
            above = min(above, work[t])
        value += (place - k) * (above - value)
    total, count = 0.0, 0
    for t in range(min(k + 2, n)):
        if work[t] <= value:
            total += work[t]
            count += 1
    for t in range(k + 2, n):
        if work[t] <= value:
            total += work[t]
            count += 1
    return value, total / count


@compiled
def falls(equity):
    """(max drawdown, Ulcer) of equity (n+1,): dd_t = E_t / max(E_0..E_t) - 1, Ulcer sqrt(sum dd^2 / n).

    The start counts as a peak; a drawdown is not floored at -1. quantstats divides Ulcer by n - 1.
    """
    peak, deepest, squares = equity[0], 0.0, 0.0
    for t in range(1, equity.shape[0]):
        peak = max(peak, equity[t])
        fall = equity[t] / peak - 1.0
        deepest = min(deepest, fall)
        squares += fall * fall
    return deepest, math.sqrt(squares / (equity.shape[0] - 1))


@compiled
def central_moments(x):
    """(mean, m2, m3, m4) of x (n,): population central moments."""
    n = x.shape[0]
    mean = x.sum() / n
    m2 = m3 = m4 = 0.0
    for t in range(n):
        d = x[t] - mean
        s = d * d
        m2 += s
        m3 += s * d
        m4 += s * s
    return mean, m2 / n, m3 / n, m4 / n


@compiled
def product_sum(x, y):
    """sum x y of two (n,), in four running sums: one would wait for each addition to end."""
    n = x.shape[0] - x.shape[0] % 4
    a = b = c = d = 0.0
    for t in range(0, n, 4):
        a += x[t] * y[t]
        b += x[t + 1] * y[t + 1]
        c += x[t + 2] * y[t + 2]
        d += x[t + 3] * y[t + 3]
    for t in range(n, x.shape[0]):
        a += x[t] * y[t]
    return (a + b) + (c + d)


@compiled
def newey_west(x):
    """Long-run variance of x (n,) about its mean: Bartlett weights, floor(4 (n/100)^(2/9)) lags, sums over n."""
    n = x.shape[0]
    lags = min(int(4.0 * (n / 100.0) ** (2.0 / 9.0)), n - 1)
    centred = x - x.sum() / n
    total = product_sum(centred, centred)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * product_sum(centred[lag:], centred[: n - lag])
    return total / n


@compiled
def sharpe_error(x):
    """(SR, V0, V) of x (n,) per bar: SR = mean/s (ddof 1), V0 = 1 - g3 SR + (g4-1)/4 SR^2 (g4 raw kurtosis),
    V = max(V0, Newey-West of psi = z - SR/2 (z^2 - 1)). NaN where s < 1e-12 or n < 3.
    """
    n = x.shape[0]
    if n < 3:
        return NAN, NAN, NAN
    mean, m2, m3, m4 = central_moments(x)
    s = math.sqrt(m2 * n / (n - 1))
    if s * s < ZERO_VARIANCE:
        return NAN, NAN, NAN
    ratio = mean / s
    plain = 1.0 - m3 / m2**1.5 * ratio + (m4 / m2**2 - 1.0) / 4.0 * ratio * ratio
    psi = np.empty(n)
    for t in range(n):
        z = (x[t] - mean) / s
        psi[t] = z - ratio / 2.0 * (z * z - 1.0)
    return ratio, plain, max(plain, newey_west(psi))


@compiled
def probabilistic_sharpe(ratio, against, variance, n):
    """PSR = Phi((SR - SR*) sqrt(n-1) / sqrt(V)), per bar (Bailey and Lopez de Prado); NaN where V is not positive."""
    if not variance > 0.0:
        return NAN
    return normal_cdf((ratio - against) * math.sqrt(n - 1.0) / math.sqrt(variance))


@compiled
def autocorrelation(returns, mean, m2):
    """rho_1 with one mean and the full sum of squares; NaN without variance."""
    n = returns.shape[0]
    if m2 < ZERO_VARIANCE:
        return NAN
    total = 0.0
    for t in range(1, n):
        total += (returns[t] - mean) * (returns[t - 1] - mean)
    return total / (m2 * n)


@compiled
def growth_a_year(start, end, n, periods):
    """CAGR (E_N/E_0)^(P/N) - 1; -1 if nothing is left."""
    return (end / start) ** (periods / n) - 1.0 if end > 0.0 else -1.0


@compiled
def sharpe_sortino(returns, rf, periods):
    """(Sharpe, Sortino) a year: mean(r-rf)/s (ddof 1), mean(r-rf)/sqrt(mean(min(r-rf,0)^2)) over all n, times sqrt(P).

    NaN where s < 1e-12, and where no bar lost.
    """
    n = returns.shape[0]
    total = 0.0
    for t in range(n):
        total += returns[t] - rf[t]
    mean = total / n
    squares = downs = 0.0
    for t in range(n):
        x = returns[t] - rf[t]
        squares += (x - mean) ** 2
        if x < 0.0:
            downs += x * x
    year = math.sqrt(periods)
    sharpe = NAN if n < 2 or squares / (n - 1) < ZERO_VARIANCE else mean / math.sqrt(squares / (n - 1)) * year
    return sharpe, NAN if downs == 0.0 else mean / math.sqrt(downs / n) * year


@compiled
def series_figures(equity, returns, rf, periods):
    """(15,) in the order of SERIES_KEYS, of equity (n+1,), its returns (n,) and cash's returns rf (n,)."""
    n = returns.shape[0]
    total_return = max(equity[n] / equity[0] - 1.0, -1.0)
    cagr = growth_a_year(equity[0], equity[n], n, periods)
    mean, m2, m3, m4 = central_moments(returns)
    volatility = math.sqrt(m2 * n / (n - 1) * periods) if n > 1 else NAN
    sharpe, sortino = sharpe_sortino(returns, rf, periods)
    max_drawdown, ulcer = falls(equity)
    calmar = cagr / -max_drawdown if max_drawdown < 0.0 else NAN
    var_95, cvar_95 = tail(returns, 0.05)
    skew = m3 / m2**1.5 if m2 >= ZERO_VARIANCE else NAN
    kurtosis = m4 / m2**2 - 3.0 if m2 >= ZERO_VARIANCE else NAN
    rho1 = autocorrelation(returns, mean, m2)
    ratio, plain, robust = sharpe_error(returns - rf)
    psr = probabilistic_sharpe(ratio, 0.0, plain, n)
    psr_hac = probabilistic_sharpe(ratio, 0.0, robust, n)
    return np.array((
        total_return, cagr, volatility, sharpe, sortino, max_drawdown, calmar, ulcer, var_95, cvar_95, skew, kurtosis,
        rho1, psr, psr_hac,
    ))  # fmt: skip


@compiled
def capture(returns, benchmark, sign):
    """Per-bar geometric mean of r over that of b on the bars on which sign*b > 0; NaN without such a bar or growth.

    empyrical annualises both means first.
    """
    own = other = 0.0
    count = 0
    for t in range(returns.shape[0]):
        if sign * benchmark[t] > 0.0:
            own += math.log1p(max(returns[t], -0.9999))
            other += math.log1p(max(benchmark[t], -0.9999))
            count += 1
    return math.expm1(own / count) / math.expm1(other / count) if count else NAN


@compiled
def relative_figures(returns, benchmark, rf, periods):
    """(5,) in the order of RELATIVE_KEYS: returns, benchmark and rf are (n,).

    beta = cov/var (ddof 1) of r-rf on b-rf, NaN if var is 0; alpha = P (mean(r-rf) - beta mean(b-rf)), where empyrical
    compounds; information ratio mean(r-b)/s(r-b) sqrt(P).
    """
    n = returns.shape[0]
    alpha, beta, information_ratio = NAN, NAN, NAN
    x, y, active = returns - rf, benchmark - rf, returns - benchmark
    mean_x, mean_y, mean_a = x.sum() / n, y.sum() / n, active.sum() / n
    cross = own = tracking = 0.0
    for t in range(n):
        cross += (x[t] - mean_x) * (y[t] - mean_y)
        own += (y[t] - mean_y) ** 2
        tracking += (active[t] - mean_a) ** 2
    if n > 1 and own / (n - 1) >= ZERO_VARIANCE:
        beta = cross / own
        alpha = periods * (mean_x - beta * mean_y)
    if n > 1 and tracking / (n - 1) >= ZERO_VARIANCE:
        information_ratio = mean_a / math.sqrt(tracking / (n - 1)) * math.sqrt(periods)
    up_capture, down_capture = capture(returns, benchmark, 1.0), capture(returns, benchmark, -1.0)
    return np.array((alpha, beta, information_ratio, up_capture, down_capture))


@compiled
def weight_figures(weights):
    """(exposure, gross, net, HHI) of weights (n, A) at the closes 1..n: share of bars with a position, means of
    sum|w| and sum w, mean of sum (|w| / sum|w|)^2 over bars with a position (NaN without one).
    """
    n, n_assets = weights.shape
    held, gross, net, concentration = 0, 0.0, 0.0, 0.0
    for t in range(n):
        size = plain = squares = 0.0
        for a in range(n_assets):
            w = weights[t, a]
            size += abs(w)
            plain += w
            squares += w * w
        gross += size
        net += plain
        if size > 0.0:
            held += 1
            concentration += squares / (size * size)
    return held / n, gross / n, net / n, concentration / held if held else NAN
