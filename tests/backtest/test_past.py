"""Growth with splits and dividends put back: by hand, and that an adjusted series says the same."""

import dataclasses

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.past import moves, returns_before, total_growth
from backtest.registry import load
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, no_cost, random_bars


def market_of(close: object, **actions: object) -> Market:
    bars = dataclasses.replace(make_bars(close), **{k: np.asarray(v, dtype=float) for k, v in actions.items()})  # type: ignore[arg-type]
    return prepare_market(bars, no_cost())


def test_without_actions_growth_is_the_mark() -> None:
    market = market_of([5.0, 6.0, np.nan, 7.0])
    assert total_growth(market) is market.mark


def test_a_split_is_no_loss_and_a_dividend_a_gain() -> None:
    """10, then 2:1 at 5.5 (+10 %), then 5 with 0.5 paid (0 %), then 6 (+20 %)."""
    market = market_of([10.0, 5.5, 5.0, 6.0], split=[[1], [2], [1], [1]], dividend=[[0], [0], [0.5], [0]])
    growth = total_growth(market)[:, 0]
    np.testing.assert_allclose(growth[1:] / growth[:-1], [1.1, 1.0, 1.2])


def test_a_split_and_a_dividend_of_one_bar_count_per_new_share() -> None:
    market = market_of([10.0, 4.0], split=[[1], [2]], dividend=[[0], [1.0]])
    growth = total_growth(market)[:, 0]
    assert growth[1] / growth[0] == pytest.approx((4.0 + 1.0) * 2 / 10)


def test_a_split_within_a_gap_is_found_at_the_next_close() -> None:
    market = market_of([10.0, np.nan, np.nan, 3.0], split=[[1], [1], [4], [1]])
    growth = total_growth(market)[:, 0]
    np.testing.assert_allclose(growth / growth[0], [1, 1, 1, 1.2])


def test_before_the_first_close_there_is_nothing() -> None:
    market = market_of([np.nan, np.nan, 4.0, 5.0], dividend=[[0], [1.0], [0], [0]])
    growth = total_growth(market)[:, 0]
    assert np.isnan(growth[:2]).all() and growth[3] / growth[2] == 1.25


def test_nothing_after_a_bar_changes_growth_up_to_it() -> None:
    bars = random_bars(3, 80, 3, ragged=True)
    split, dividend = np.ones(bars.close.shape), np.zeros(bars.close.shape)
    split[20, 0], split[60, 1], dividend[::9] = 2.0, 3.0, 0.3
    raw = dataclasses.replace(bars, split=split, dividend=dividend)
    later = dataclasses.replace(raw, split=np.where(np.arange(80)[:, None] > 50, 1.0, split))
    one, other = (total_growth(prepare_market(b, no_cost())) for b in (raw, later))
    np.testing.assert_array_equal(one[:51], other[:51])
    assert not np.array_equal(one[61:], other[61:], equal_nan=True)


@pytest.mark.parametrize("key", ["inverse_vol", "momentum", "min_variance", "risk_parity", "hrp"])
def test_a_baseline_decides_on_raw_prices_as_on_adjusted_ones(key: str) -> None:
    close = random_bars(5, 320, 5).close
    split, ratio = np.ones(close.shape), np.ones(close.shape)
    split[200, 0], split[250, 1] = 4.0, 0.5
    ratio /= np.cumprod(split, axis=0)
    config = BacktestConfig(policy="equal")
    adjusted = market_of(close)
    raw = market_of(close * ratio, split=split)
    np.testing.assert_allclose(
        load(key)(config).shares_of(raw, 300), load(key)(config).shares_of(adjusted, 300), atol=2e-5
    )


def test_returns_and_what_moves() -> None:
    growth = np.array([[1.0, np.nan, 2.0], [2.0, 1.0, 2.0], [3.0, 1.5, 2.0]])
    assert returns_before(growth, 1, 2) is None
    found = returns_before(growth, 2, 2)
    assert found is not None
    np.testing.assert_allclose(found, [[1.0, np.nan, 0.0], [0.5, 0.5, 0.0]])
    assert moves(found).tolist() == [True, False, False]
