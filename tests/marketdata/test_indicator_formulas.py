"""The indicators beyond the first set against other code: TA-Lib, scipy, or the formula bar by bar.

Every registered indicator is compared here or in test_indicators.py; the last test holds that.
"""

import math

import numpy as np
import pytest
import scipy.stats
import talib

from marketdata.features import FeaturePlan, build_features
from marketdata.indicators.registry import INDICATORS, parse
from tests.marketdata import test_indicators as first
from tests.marketdata.test_indicators import BARS, COLUMNS, C, D, H, L, M, O, V, W, returns, smoothed, std, value

T = first.T
R = np.diff(np.log(C), prepend=np.nan)
MR = np.diff(np.log(M), prepend=np.nan)


def last(values, n, t=T):
    return values[t - n + 1 : t + 1]


def wilder_range(n):
    before = np.concatenate([[np.nan], C[:-1]])
    return [max(H[i], before[i]) - min(L[i], before[i]) for i in range(T - n + 1, T + 1)]


def pressure(n):
    rows = range(T - n + 1, T + 1)
    return sum(C[i] - min(L[i], C[i - 1]) for i in rows) / sum(wilder_range(n))


def stoch(i, n):
    high, low = max(H[i - n + 1 : i + 1]), min(L[i - n + 1 : i + 1])
    return 2 * (C[i] - low) / (high - low) - 1


def middle(n):
    return (max(last(H, n)) + min(last(L, n))) / 2


def donchian(n):
    high, low = max(H[T - n : T]), min(L[T - n : T])
    return (2 * C[T] - high - low) / (high - low)


def apart(one, other):
    return (one - other) / (one + other)


def klass(i):
    return math.log(H[i] / L[i]) ** 2 / 2 - (2 * math.log(2) - 1) * math.log(C[i] / O[i]) ** 2


def satchell(i):
    return math.log(H[i] / O[i]) * math.log(H[i] / C[i]) + math.log(L[i] / O[i]) * math.log(L[i] / C[i])


def yang_zhang(n):
    rows = range(T - n + 1, T + 1)
    overnight, body = [math.log(O[i] / C[i - 1]) for i in rows], [math.log(C[i] / O[i]) for i in rows]
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    return math.sqrt(std(overnight) ** 2 + k * std(body) ** 2 + (1 - k) * np.mean([satchell(i) for i in rows]))


def amihud(n):
    return np.mean([abs(R[i]) / (C[i] * V[i]) for i in range(T - n + 1, T + 1)])


def variance_ratio(n, q):
    r = np.array(last(R, n)) - np.mean(last(R, n))
    sums = [sum(r[i : i + q]) for i in range(n - q + 1)]
    return np.mean(np.square(sums)) / (q * np.mean(r**2)) - 1


def hurst(n):
    r = last(R, n)
    way = np.cumsum(r - r.mean())
    return math.log((max(0, *way) - min(0, *way)) / np.std(r)) / math.log(n) - 0.5


def corwin_schultz(n):
    """From the paper: the second day is moved where it does not overlap the first one's close."""
    found = []
    for i in range(T - n + 1, T + 1):
        h, low = H[i], L[i]
        if low > C[i - 1]:
            h, low = h - (low - C[i - 1]), C[i - 1]
        elif h < C[i - 1]:
            h, low = C[i - 1], low + C[i - 1] - h
        beta = math.log(h / low) ** 2 + math.log(H[i - 1] / L[i - 1]) ** 2
        gamma = math.log(max(h, H[i - 1]) / min(low, L[i - 1])) ** 2
        k = 3 - 2 * math.sqrt(2)
        alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
        found.append(max(0.0, 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha))))
    return np.mean(found)


def roll(n):
    r = last(R, n)
    return 2 * math.sqrt(max(0.0, -np.cov(r[1:], r[:-1])[0, 1]))


def ease(n):
    mid = (H + L) / 2
    boxes = [math.log(mid[i] / mid[i - 1]) * math.log(H[i] / L[i]) / V[i] for i in range(T - n + 1, T + 1)]
    return np.mean(boxes) * np.mean(last(V, n))


def autocorrelation(n, lag):
    r = last(R, n) - np.mean(last(R, n))
    return sum(r[i] * r[i - lag] for i in range(lag, n)) / sum(r**2)


def residual(n):
    fit = scipy.stats.linregress(last(MR, n), last(R, n))
    rest = last(R, n) - fit.intercept - fit.slope * last(MR, n)
    return math.sqrt(sum(rest**2) / (n - 2))


def vortex(n):
    rows = range(T - n + 1, T + 1)
    up, down = sum(abs(H[i] - L[i - 1]) for i in rows), sum(abs(L[i] - H[i - 1]) for i in rows)
    return (up - down) / sum(wilder_range(n))


def ulcer(n):
    falls = [C[i] / max(C[i - n + 1 : i + 1]) - 1 for i in range(T - n + 1, T + 1)]
    return math.sqrt(np.mean(np.square(falls)))


TYPICAL = (H + L + C) / 3
BY_HAND = {
    "donchian(20)": lambda: donchian(20),
    "vortex(14)": lambda: vortex(14),
    "slope(20)": lambda: talib.LINEARREG_SLOPE(np.log(C), 20)[T],
    "trend_fit(60)": lambda: np.corrcoef(np.arange(60), last(np.log(C), 60))[0, 1],
    "ichimoku(9,26)": lambda: (middle(9) - middle(26)) / C[T],
    "cmo(14)": lambda: sum(np.diff(last(C, 15))) / sum(np.abs(np.diff(last(C, 15)))),
    "ultimate(7,14,28)": lambda: talib.ULTOSC(H, L, C, 7, 14, 28)[T] / 50 - 1,
    "stoch_d(14,3)": lambda: np.mean([stoch(i, 14) for i in (T - 2, T - 1, T)]),
    "awesome(5,34)": lambda: (np.mean(last((H + L) / 2, 5)) - np.mean(last((H + L) / 2, 34))) / C[T],
    "power(14)": lambda: np.mean(last(talib.BOP(O, H, L, C), 14)),
    "garman_klass(20)": lambda: math.sqrt(np.mean([klass(i) for i in range(T - 19, T + 1)])),
    "rogers_satchell(20)": lambda: math.sqrt(np.mean([satchell(i) for i in range(T - 19, T + 1)])),
    "yang_zhang(20)": lambda: yang_zhang(20),
    "downside(60)": lambda: math.sqrt(np.mean([min(r, 0) ** 2 for r in returns(60)])),
    "max_return(20)": lambda: max(returns(20)),
    "ulcer(14)": lambda: ulcer(14),
    "bollinger_width(20)": lambda: std(last(C, 20)) / np.mean(last(C, 20)),
    "volume_trend(20,60)": lambda: apart(np.mean(last(V, 20)), np.mean(last(V, 60))),
    "force(13)": lambda: sum(np.diff(last(C, 14)) * last(V, 13)) / sum(np.abs(np.diff(last(C, 14))) * last(V, 13)),
    "ease(14)": lambda: ease(14),
    "vwap_gap(20)": lambda: C[T] / (sum(last(TYPICAL * V, 20)) / sum(last(V, 20))) - 1,
    "vwap_close": lambda: math.log(C[T] / W[T]),
    "price_volume(60)": lambda: np.corrcoef(last(R, 60), last(np.sqrt(V), 60))[0, 1],
    "illiquidity(20,60)": lambda: apart(amihud(20), amihud(60)),
    "efficiency(20)": lambda: (C[T] - C[T - 20]) / sum(np.abs(np.diff(last(C, 21)))),
    "variance_ratio(120,5)": lambda: variance_ratio(120, 5),
    "autocorrelation(60,2)": lambda: autocorrelation(60, 2),
    "hurst(120)": lambda: hurst(120),
    "kurtosis(60)": lambda: scipy.stats.kurtosis(last(R, 60)),
    "sharpe(60)": lambda: np.mean(last(R, 60)) / std(last(R, 60)),
    "rises(20)": lambda: np.mean(np.sign(last(R, 20))),
    "roll_spread(60)": lambda: roll(60),
    "high_low_spread(20)": lambda: corwin_schultz(20),
    "beta(60)": lambda: scipy.stats.linregress(last(MR, 60), last(R, 60)).slope,
    "correlation(60)": lambda: scipy.stats.pearsonr(last(MR, 60), last(R, 60))[0],
    "residual_volatility(60)": lambda: residual(60),
    "market_return(5)": lambda: math.log(M[T] / M[T - 5]),
    "market_volatility(20)": lambda: std(last(MR, 20)),
    "relative_return(20)": lambda: math.log(C[T] / C[T - 20]) - math.log(M[T] / M[T - 20]),
    "dividend_yield(252)": lambda: sum(last(D, 252)) / C[T],
}  # fmt: skip


@pytest.mark.parametrize("text", BY_HAND)
def test_windowed_indicators_by_other_code(text):
    assert value(text) == pytest.approx(float(BY_HAND[text]()), rel=1e-7, abs=1e-12)


def triple():
    return smoothed(smoothed(smoothed(C, 2 / 16), 2 / 16), 2 / 16)


def keltner():
    ranges = smoothed(first.true_range(), 1 / 20)
    return (C - smoothed(C, 2 / 21))[1:] / (2 * ranges)


def stoch_rsi():
    rsi = first.rsi()
    out = np.full(len(rsi), np.nan)
    for i in range(13, len(rsi)):
        inside = rsi[i - 13 : i + 1]
        out[i] = 2 * (rsi[i] - inside.min()) / np.ptp(inside) - 1
    return out


def mass():
    once = smoothed(H - L, 2 / 10)
    swell = once / smoothed(once, 2 / 10)
    return np.array([swell[max(0, i - 24) : i + 1].mean() for i in range(len(C))])[1:] - 1


RECURSIVE = {
    "trix(15)": lambda: np.diff(triple()) / triple()[:-1],
    "keltner(20,2)": keltner,
    "stoch_rsi(14,14)": stoch_rsi,
    "ppo(12,26)": lambda: (smoothed(C, 2 / 13) / smoothed(C, 2 / 27) - 1)[1:],
    "mass(25,9)": mass,
}


@pytest.mark.parametrize("text", RECURSIVE)
def test_recursive_indicators_after_their_warm_up(text):
    call = parse(text)
    expected = np.concatenate([[np.nan], RECURSIVE[text]()])
    np.testing.assert_allclose(call.compute(COLUMNS)[call.warmup :], expected[call.warmup :], rtol=0, atol=1e-7)


def test_no_trade_counts_the_bars_without_volume():
    volume = np.array([1.0, 0.0, 0.0, 5.0, 0.0])
    np.testing.assert_allclose(parse("no_trade(2)").compute({"volume": volume})[1:], [0.5, 1.0, 0.5, 0.5])


def across(text, bars=BARS):
    return build_features(bars, FeaturePlan((parse(text),), ())).values[:, :, 0]


def test_the_market_is_the_mean_of_all_log_returns():
    closes = np.log(BARS.close)
    np.testing.assert_allclose(MR[1:], np.diff(closes, axis=0).mean(axis=1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("return_rank(20)", "log_return(20)"),
        ("momentum_rank(252,21)", "momentum(252,21)"),
        ("volatility_rank(60)", "volatility(60)"),
    ],
)
def test_ranks_are_those_of_scipy(text, own):
    ranked = scipy.stats.rankdata(across(own)[T])
    np.testing.assert_allclose(across(text)[T], (ranked - 2) / 1.0, atol=1e-12)  # of three: −1, 0, 1


def test_breadth_and_dispersion_are_one_number_for_all():
    above = np.sign([C[T] / last(C, 50).mean() - 1 for C in BARS.close.T])
    np.testing.assert_allclose(across("breadth(50)")[T], above.mean(), atol=1e-12)
    moves = np.log(BARS.close[T] / BARS.close[T - 3])
    np.testing.assert_allclose(across("dispersion(3)")[T], np.std(moves), rtol=1e-9)


def test_every_indicator_is_compared_with_something():
    compared = {*first.BY_HAND, *first.RECURSIVE, *BY_HAND, *RECURSIVE}
    named = {"skew", "cci", "mfi", "aroon"} | {"no_trade", "return_rank", "momentum_rank", "volatility_rank"}
    assert {parse(text).indicator.name for text in compared} | named | {"breadth", "dispersion"} == set(INDICATORS)
    assert len(INDICATORS) >= 45
