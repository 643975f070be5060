"""Each indicator against its formula written out, and the reading of its name."""

import math

import numpy as np
import pytest

from marketdata.indicators.base import COLUMNS as READ_BY_INDICATORS
from marketdata.indicators.registry import INDICATORS, IndicatorError, parse
from marketdata.panel import Panel
from tests.marketdata.build import random_bars

BARS = random_bars(900, assets=3)
PANEL = Panel(BARS)
READ = ("open", "high", "low", "close", "volume", "vwap", "dividend", "market")
COLUMNS = {name: PANEL.column(name)[:, 0].copy() for name in READ}
O, H, L, C, V, W, D, M = COLUMNS.values()  # noqa: E741
T = 700
"""The bar that is computed by hand."""


def value(text, t=T, **columns):
    return parse(text).compute({**COLUMNS, **columns})[t]


def std(values):
    return np.std(values, ddof=1)


def returns(n):
    return [math.log(C[i] / C[i - 1]) for i in range(T - n + 1, T + 1)]


def location(i):
    return ((C[i] - L[i]) - (H[i] - C[i])) / (H[i] - L[i])


LAST_20 = range(T - 19, T + 1)
BY_HAND = {
    "log_return(5)": lambda: math.log(C[T] / C[T - 5]),
    "gap": lambda: math.log(O[T] / C[T - 1]),
    "body": lambda: math.log(C[T] / O[T]),
    "high_low": lambda: math.log(H[T] / L[T]),
    "close_location": lambda: location(T),
    "log_close": lambda: math.log(C[T]),
    "sma_gap(20)": lambda: C[T] / (sum(C[i] for i in LAST_20) / 20) - 1,
    "sma_cross(10,20)": lambda: C[T - 9 : T + 1].mean() / C[T - 19 : T + 1].mean() - 1,
    "momentum(252,21)": lambda: math.log(C[T - 21] / C[T - 252]),
    "drawdown(20)": lambda: C[T] / max(C[i] for i in LAST_20) - 1,
    "range_position(20)": lambda: -1 + 2 * (C[T] - C[T - 19 : T + 1].min()) / np.ptp(C[T - 19 : T + 1]),
    "roc(10)": lambda: C[T] / C[T - 10] - 1,
    "stoch(20)": lambda: -1 + 2 * (C[T] - min(L[-219:-199])) / (max(H[-219:-199]) - min(L[-219:-199])),
    "volatility(20)": lambda: std(returns(20)),
    "volatility_ratio(20,60)": lambda: (std(returns(20)) - std(returns(60))) / (std(returns(20)) + std(returns(60))),
    "bollinger(20,2)": lambda: (C[T] - C[T - 19 : T + 1].mean()) / (2 * std(C[T - 19 : T + 1])),
    "parkinson(20)": lambda: math.sqrt(sum(math.log(H[i] / L[i]) ** 2 for i in LAST_20) / 20 / (4 * math.log(2))),
    "volume_z(20)": lambda: (math.sqrt(V[T]) - np.mean(np.sqrt(V[T - 19 : T + 1]))) / std(np.sqrt(V[T - 19 : T + 1])),
    "volume_change(3)": lambda: (V[T] - V[T - 3]) / (V[T] + V[T - 3]),
    "obv_change(20)": lambda: (
        sum(math.copysign(V[i], C[i] - C[i - 1]) for i in LAST_20) / sum(V[i] for i in LAST_20)
    ),
    "chaikin(20)": lambda: sum(location(i) * V[i] for i in LAST_20) / sum(V[i] for i in LAST_20),
}  # fmt: skip


@pytest.mark.parametrize("text", BY_HAND)
def test_windowed_indicators_by_hand(text):
    assert value(text) == pytest.approx(BY_HAND[text](), rel=1e-9, abs=1e-12)


def test_skew_by_hand():
    r = np.array(returns(60)) - np.mean(returns(60))
    assert value("skew(60)") == pytest.approx(np.mean(r**3) / np.mean(r**2) ** 1.5, rel=1e-9)


def test_cci_by_hand():
    typical = ((H + L + C) / 3)[T - 19 : T + 1]
    expected = (typical[-1] - typical.mean()) / (0.015 * np.abs(typical - typical.mean()).mean()) / 100
    assert value("cci(20)") == pytest.approx(expected, rel=1e-9)


def test_mfi_by_hand():
    typical = (H + L + C) / 3
    flow = [(typical[i] * V[i], typical[i] > typical[i - 1]) for i in range(T - 13, T + 1)]
    up = sum(money for money, rose in flow if rose)
    assert value("mfi(14)") == pytest.approx(2 * up / sum(money for money, _ in flow) - 1, rel=1e-9)


def test_aroon_by_hand():
    """Of 26 bars, the share of the way back to the lowest low less that to the highest high."""
    back_high = 25 - int(np.argmax(H[T - 25 : T + 1]))
    back_low = 25 - int(np.argmin(L[T - 25 : T + 1]))
    assert value("aroon(25)") == pytest.approx((back_low - back_high) / 25, abs=1e-12)


# Recursive ones, from the textbook with another first value than TA-Lib's: what they began with must be forgotten.


def smoothed(values, alpha):
    """Exponential average from the first value on."""
    out = [values[0]]
    for each in values[1:]:
        out.append(out[-1] + alpha * (each - out[-1]))
    return np.array(out)


def true_range():
    return np.maximum(H[1:], C[:-1]) - np.minimum(L[1:], C[:-1])


def directional():
    """+DI and −DI as shares, Wilder's smoothing over 14 bars."""
    up, down = np.diff(H), -np.diff(L)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    average = smoothed(true_range(), 1 / 14)
    return smoothed(plus, 1 / 14) / average, smoothed(minus, 1 / 14) / average


def rsi():
    moves = np.diff(C)
    gain, loss = smoothed(np.maximum(moves, 0), 1 / 14), smoothed(np.maximum(-moves, 0), 1 / 14)
    return 2 * gain / (gain + loss) - 1


def macd():
    line = smoothed(C, 2 / 13) - smoothed(C, 2 / 27)
    return ((line - smoothed(line, 2 / 10)) / C)[1:]


def adx():
    plus, minus = directional()
    return smoothed(np.abs(plus - minus) / (plus + minus + 1e-300), 1 / 14)


RECURSIVE = {
    "rsi(14)": rsi,
    "ema_gap(12)": lambda: (C / smoothed(C, 2 / 13) - 1)[1:],
    "macd(12,26,9)": macd,
    "atr(14)": lambda: smoothed(true_range(), 1 / 14) / C[1:],
    "dmi(14)": lambda: np.subtract(*directional()),
    "adx(14)": adx,
}


@pytest.mark.parametrize("text", RECURSIVE)
def test_recursive_indicators_after_their_warm_up(text):
    call = parse(text)
    expected = np.concatenate([[np.nan], RECURSIVE[text]()])
    np.testing.assert_allclose(call.compute(COLUMNS)[call.warmup :], expected[call.warmup :], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", INDICATORS)
def test_a_market_that_stands_still_gives_finite_values(name):
    still = {key: np.full(900, 0.0 if key in ("volume", "dividend") else 3.1) for key in READ}
    call = parse(name)
    after = call.compute(still)[call.warmup :]
    assert np.isfinite(after).all()
    if name not in {"log_close", "no_trade"}:
        assert np.abs(after).max() < 1e-6  # neutral, not an extreme


@pytest.mark.parametrize("name", sorted(set(INDICATORS) - {"log_close"}))
def test_all_but_price_levels_are_free_of_the_unit_of_prices(name):
    call = parse(name)
    assert not call.indicator.price_level
    scaled = {key: column if key in ("volume", "market") else column * 1024.0 for key, column in COLUMNS.items()}
    scaled["volume"] = V / 1024.0  # as a split has it
    one, other = (call.compute(columns)[call.warmup :] for columns in (COLUMNS, scaled))
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_parameters_are_read_and_defaults_taken():
    assert parse("rsi").name == parse(" rsi( 14 ) ").name == "rsi(14)"
    assert parse("macd(5, 8, 3)").params == (5, 8, 3)
    assert parse("momentum(120)").name == "momentum(120,21)"
    assert parse("gap").name == parse("gap()").name == "gap"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rsii(14)", "rsii(14) is no indicator; known are adx, aroon,"),
        ("__import__", "is no indicator"),
        ("rsi(14", "ends at character 7, where a comma or a closing bracket would be right."),
        ("rsi(1)", "rsi takes a whole n between 2 and 100, not 1."),
        ("rsi(101)", "between 2 and 100, not 101."),
        ("rsi(14.5)", "not 14.5."),
        ("rsi(-3)", "not -3."),
        ("rsi(1e9)", "has '1' at character 5"),
        ("rsi(,)", "rsi takes n; 2 values were given."),
        ("macd(12,,9)", "not nothing."),
        ("gap(3)", "gap takes no parameter; 1 values were given."),
        ("macd(26,12,9)", "macd needs fast below slow, not 26 and 12."),
        ("momentum(20)", "momentum needs skip below n, not 21 and 20."),
        ("sma_cross(20,20)", "needs fast below slow"),
    ],
)
def test_bad_texts_are_refused_in_one_sentence(text, words):
    with pytest.raises(IndicatorError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_every_indicator_says_what_it_is():
    for name, indicator in INDICATORS.items():
        assert indicator.name == name
        assert indicator.text.endswith(".")
        assert indicator.columns <= READ_BY_INDICATORS
