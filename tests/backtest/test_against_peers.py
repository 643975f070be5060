"""Metrics of two real series (AAPL beside KO, the S&P 500 beside the Nasdaq) against quantstats and empyrical.

Their figures stand in golden_metrics.json as scripts/golden_metrics.py froze them. Where a definition differs, the
test says how, and gets from the one to the other.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.series import RELATIVE_KEYS, SERIES_KEYS, Floats, relative_figures, series_figures
from marketdata.catalog import Catalog

P = 252.0
GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden_metrics.json").read_text(encoding="utf-8"))
SERIES = {"AAPL": ("sample/us20", "AAPL", "KO"), "SP500": ("sample/us-indices", "SP500", "NASDAQ")}
ALIKE = ("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar")
RATE = 1.02 ** (1 / P) - 1


def changes(datasets: Path, name: str) -> tuple[Floats, Floats]:
    """Returns of a bar of the series and of its benchmark."""
    dataset, *symbols = SERIES[name]
    catalog = Catalog(datasets)
    bars = catalog.store.load(catalog.find(dataset).version)
    own, other = (bars.close[:, bars.symbols.index(symbol)] for symbol in symbols)
    return own[1:] / own[:-1] - 1, other[1:] / other[:-1] - 1


def figures(returns: Floats, rf: float = 0.0) -> dict[str, float]:
    equity = np.concatenate(([1.0], np.cumprod(1 + returns)))
    found = series_figures(equity, returns, np.full(len(returns), rf), P)
    return dict(zip(SERIES_KEYS, found, strict=True))


@pytest.fixture(params=SERIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_where_all_three_agree(datasets: Path, name: str) -> None:
    returns, _ = changes(datasets, name)
    found = figures(returns)
    for peer in ("quantstats", "empyrical"):
        theirs = GOLDEN[name][peer]
        assert {key: found[key] for key in ALIKE} == pytest.approx({key: theirs[key] for key in ALIKE}, rel=1e-10), peer


def test_above_a_riskless_rate(datasets: Path, name: str) -> None:
    found = figures(changes(datasets, name)[0], RATE)
    for peer in ("quantstats", "empyrical"):
        theirs = GOLDEN[name][peer]
        assert found["sharpe"] == pytest.approx(theirs["sharpe_above"], rel=1e-10)
        assert found["sortino"] == pytest.approx(theirs["sortino_above"], rel=1e-10)


def test_tails_are_historical_as_in_empyrical(datasets: Path, name: str) -> None:
    """quantstats gives the VaR of a normal distribution; empyrical's CVaR takes the lowest ⌊n/20⌋ + 1 bars or so."""
    returns, _ = changes(datasets, name)
    found, theirs = figures(returns), GOLDEN[name]["empyrical"]
    assert found["var_95"] == pytest.approx(theirs["var_95"], rel=1e-12)
    assert found["cvar_95"] == pytest.approx(theirs["cvar_95"], rel=5e-3)
    normal = returns.mean() - 1.6448536269514722 * returns.std(ddof=1)
    assert normal == pytest.approx(GOLDEN[name]["quantstats"]["var_95"], rel=1e-9)


def test_beside_a_benchmark(datasets: Path, name: str) -> None:
    """The peers' information ratio is of a bar; empyrical's alpha compounds."""
    returns, benchmark = changes(datasets, name)
    found = dict(zip(RELATIVE_KEYS, relative_figures(returns, benchmark, np.zeros(len(returns)), P), strict=True))
    first, second = GOLDEN[name]["quantstats"], GOLDEN[name]["empyrical"]
    assert found["beta"] == pytest.approx(first["beta"], rel=1e-9) == pytest.approx(second["beta"], rel=1e-9)
    assert found["alpha"] == pytest.approx(first["alpha"], rel=1e-9)
    assert (1 + found["alpha"] / P) ** P - 1 == pytest.approx(second["alpha"], rel=1e-9)
    for value in (first["information_ratio"], second["excess_sharpe"]):
        assert found["information_ratio"] == pytest.approx(value * math.sqrt(P), rel=1e-9)


def test_captures_are_of_a_bar_where_empyrical_takes_a_year(datasets: Path, name: str) -> None:
    returns, benchmark = changes(datasets, name)
    found = dict(zip(RELATIVE_KEYS, relative_figures(returns, benchmark, np.zeros(len(returns)), P), strict=True))
    for key, chosen in (("up_capture", benchmark > 0), ("down_capture", benchmark < 0)):
        own, other = (np.log1p(x[chosen]).mean() for x in (returns, benchmark))
        assert found[key] == pytest.approx(np.expm1(own) / np.expm1(other), rel=1e-9)
        assert np.expm1(own * P) / np.expm1(other * P) == pytest.approx(GOLDEN[name]["empyrical"][key], rel=1e-9)


def test_where_only_the_divisor_differs(datasets: Path, name: str) -> None:
    """quantstats divides Ulcer by N − 1, and corrects skew and kurtosis for bias."""
    returns, _ = changes(datasets, name)
    found, theirs, n = figures(returns), GOLDEN[name]["quantstats"], len(returns)
    assert found["ulcer"] * math.sqrt(n / (n - 1)) == pytest.approx(theirs["ulcer"], rel=1e-9)
    assert found["skew"] * math.sqrt(n * (n - 1)) / (n - 2) == pytest.approx(theirs["skew"], rel=1e-9)
    corrected = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * found["kurtosis"] + 6)
    assert corrected == pytest.approx(theirs["kurtosis"], rel=1e-9)
