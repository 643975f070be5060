"""The baselines' targets: formulas by hand, months, listings, and nothing from the future."""

from typing import Any

import numpy as np
import pytest

from backtest.baselines import monthly_bars
from backtest.config import BacktestConfig
from backtest.holding import Benchmark
from backtest.registry import load
from marketdata.bars import Bars
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, random_bars

T0, T1 = 260, 330


def config(**groups: Any) -> BacktestConfig:
    return BacktestConfig(policy="equal", **groups)


def market_of(bars: Bars) -> Market:
    return prepare_market(bars, config())


@pytest.fixture(scope="module")
def market() -> Market:
    return market_of(random_bars(3, 340, 6))


def targets(key: str, market: Market, **groups: Any) -> dict[int, list[float]]:
    found = load(key)(config(**groups)).decisions(market, T0, T1)
    return {int(bar): row.tolist() for bar, row in zip(found.bars, found.targets, strict=True)}


def test_monthly_is_the_start_and_each_last_session_of_a_month(market: Market) -> None:
    bars = monthly_bars(market, T0, T1)
    month = market.bars.session.astype("datetime64[M]")
    expected = [T0] + [t for t in range(T0 + 1, T1) if month[t + 1] != month[t]]
    assert bars.tolist() == expected and len(bars) >= 4


def test_cash_decides_nothing(market: Market) -> None:
    assert targets("cash", market) == {}


def test_buy_hold_decides_once_and_equal_monthly(market: Market) -> None:
    assert targets("buy_hold", market) == {T0: [1 / 6] * 6}
    assert targets("equal", market) == {int(t): [1 / 6] * 6 for t in monthly_bars(market, T0, T1)}


def test_invest_max_scales_every_baseline(market: Market) -> None:
    for key in ("buy_hold", "equal", "inverse_vol", "momentum", "benchmark", "first_long"):
        for row in targets(key, market, episode={"invest_max": 0.6}).values():
            assert sum(row) == pytest.approx(0.6), key


def test_inverse_vol_is_one_over_the_deviation_of_sixty_returns(market: Market) -> None:
    close = market.bars.close
    for t, row in targets("inverse_vol", market).items():
        past = close[t - 60 : t + 1]
        inverse = 1 / (past[1:] / past[:-1] - 1).std(axis=0, ddof=1)
        assert row == pytest.approx((inverse / inverse.sum()).tolist())


def test_momentum_takes_the_best_year_up_to_a_month_ago(market: Market) -> None:
    """Six assets: a fifth is one, the one with the largest C[t-21]/C[t-252]."""
    close = market.bars.close
    for t, row in targets("momentum", market).items():
        assert row.index(1.0) == int((close[t - 21] / close[t - 252]).argmax()) and sum(row) == 1


def test_momentum_takes_two_of_ten() -> None:
    wide = market_of(random_bars(5, 340, 10))
    assert all(sorted(row)[-3:] == [0.0, 0.5, 0.5] for row in targets("momentum", wide).values())


def test_too_little_past_means_equal_weights() -> None:
    short = market_of(random_bars(1, 40, 4))
    for key in ("inverse_vol", "momentum"):
        found = load(key)(config()).decisions(short, 5, 39)
        assert np.allclose(found.targets, 0.25), key


def test_an_asset_without_a_bar_gets_nothing_and_a_new_one_has_no_momentum() -> None:
    bars = random_bars(2, 340, 4)
    close = bars.close.copy()
    close[:250, 1] = np.nan  # listed ten bars before the start
    close[T0, 2] = np.nan  # halted on the first decision
    ragged = market_of(make_bars(close))
    assert targets("buy_hold", ragged)[T0] == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    first = targets("inverse_vol", ragged)[T0]
    assert first[1] == 0 and first[2] == 0 and sum(first) == pytest.approx(1)
    assert all(row[1] == 0 for row in targets("momentum", ragged).values())


def test_a_holding_waits_for_its_symbol() -> None:
    close = random_bars(2, 340, 2).close.copy()
    close[: T0 + 5, 0] = np.nan
    late = market_of(make_bars(close))
    assert targets("first_long", late) == {T0 + 5: [1.0, 0.0]}


def test_the_benchmark_is_the_symbol_named(market: Market) -> None:
    assert targets("benchmark", market, evaluation={"benchmark": "S3"}) == {T0: [0, 0, 0, 1, 0, 0]}
    with pytest.raises(ValueError, match=r"evaluation.benchmark XYZ is not among"):
        targets("benchmark", market, evaluation={"benchmark": "XYZ"})


def test_without_a_benchmark_buy_and_hold_stands_for_it(market: Market) -> None:
    assert Benchmark(config()).symbol is None
    assert targets("benchmark", market) == targets("buy_hold", market)


def test_equal_daily_decides_at_each_bar(market: Market) -> None:
    assert targets("equal_daily", market) == {t: [1 / 6] * 6 for t in range(T0, T1)}


def weighted(weights: dict[str, float], **groups: Any) -> dict[str, Any]:
    return {"evaluation": {"baselines": ["fixed_weights"], "fixed_weights": weights}, **groups}


def test_fixed_weights_are_those_named_times_invest_max_and_the_rest_is_cash(market: Market) -> None:
    groups = weighted({"S4": 0.5, "S1": 0.25}, episode={"invest_max": 0.8})
    rows = targets("fixed_weights", market, **groups)
    assert list(rows) == monthly_bars(market, T0, T1).tolist()
    assert all(row == pytest.approx([0, 0.2, 0, 0, 0.4, 0]) for row in rows.values())


def test_a_fixed_weight_without_a_bar_is_not_given_to_others() -> None:
    close = random_bars(2, 340, 2).close.copy()
    close[: T0 + 40, 0] = np.nan
    rows = list(targets("fixed_weights", market_of(make_bars(close)), **weighted({"S0": 0.5, "S1": 0.5})).values())
    assert rows[0] == [0, 0.5] and rows[-1] == [0.5, 0.5]


def test_fixed_weights_of_a_symbol_that_is_not_there_are_refused(market: Market) -> None:
    baseline = load("fixed_weights")(config(**weighted({"XYZ": 1.0})))
    with pytest.raises(ValueError, match=r"evaluation.fixed_weights: XYZ is not among the run's symbols"):
        baseline.prepare(market, config())
