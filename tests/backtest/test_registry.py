"""The registry is read by the web process: names and numbers, nothing heavy."""

import subprocess
import sys

import pytest

from backtest.registry import BASELINES, STRATEGIES, UnknownStrategy, load, spec_for
from runfiles.metric_keys import HEADLINE, METRICS

CONTRACT = """
total_return cagr volatility sharpe sortino max_drawdown calmar ulcer var_95 cvar_95 skew kurtosis turnover
cost_drag_bps exposure gross net hhi hit_rate profit_factor expectancy expectancy_bps avg_holding_bars
cost_fees_bps cost_spread_bps cost_impact_bps cost_borrow_bps cost_interest_bps alpha beta information_ratio
up_capture down_capture psr psr_hac dsr dsr_excess rho1 n_bars n_orders n_trades
"""
DESIGN_KEYS = CONTRACT.split()


def test_metric_keys_are_the_contract_in_order() -> None:
    assert list(METRICS) == DESIGN_KEYS
    assert set(HEADLINE) <= set(METRICS)


def test_each_metric_is_explained_in_one_sentence() -> None:
    for spec in METRICS.values():
        assert spec.definition.endswith(".") and ". " not in spec.definition and spec.label


def test_series_numbers_are_distinct_and_in_the_palette() -> None:
    numbers = [spec.series for spec in STRATEGIES.values()]
    assert len(set(numbers)) == len(numbers) and min(numbers) == 1 and max(numbers) <= 14


def test_every_baseline_loads_and_bears_its_key() -> None:
    for key in BASELINES:
        assert load(key).key == key


def test_an_unknown_key_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownStrategy, match="buy_hold"):
        spec_for("hold_and_pray")


def test_the_registry_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, backtest.registry, runfiles.metric_keys;"
        "print([m for m in ('numpy','numba','torch','pandas','pydantic','backtest.baselines') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
