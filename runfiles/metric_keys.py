"""Every metric that a report holds: key, label, unit, one-sentence definition, and which end is the good one.

The order is that of `metrics.json`, of the tables and of the pages. `backtest.metrics` computes these keys, no other.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["fraction", "bps", "ratio", "money", "bars", "count", "probability"]
Better = Literal["high", "low", ""]


@dataclass(frozen=True)
class MetricSpec:
    """`unit` says how a number is to be read; templates alone turn a fraction into percent."""

    key: str
    label: str
    unit: Unit
    definition: str
    better: Better


FRACTION: Unit = "fraction"
BPS: Unit = "bps"
RATIO: Unit = "ratio"
CHANCE: Unit = "probability"

H: Better = "high"
L: Better = "low"

_ROWS: tuple[tuple[str, str, Unit, str, Better], ...] = (
    ("total_return", "Total return", FRACTION, "Last equity over the first, less one.", H),
    ("cagr", "Return a year", FRACTION, "The constant yearly return that gives the same total return.", H),
    ("volatility", "Volatility", FRACTION, "Standard deviation of the returns of a bar, scaled to a year.", L),
    ("sharpe", "Sharpe", RATIO, "Mean return above cash over its standard deviation, scaled to a year.", H),
    ("sortino", "Sortino", RATIO, "Mean return above cash over its downside deviation, scaled to a year.", H),
    ("max_drawdown", "Max drawdown", FRACTION, "Deepest fall of equity below its former peak.", H),
    ("calmar", "Calmar", RATIO, "Return a year over the size of the max drawdown.", H),
    ("ulcer", "Ulcer", FRACTION, "Root mean square of the drawdown over all bars.", L),
    ("var_95", "VaR 95 %", FRACTION, "The return of a bar that one bar in twenty fell below.", H),
    ("cvar_95", "CVaR 95 %", FRACTION, "Mean return of the bars at or below VaR 95 %.", H),
    ("skew", "Skew", RATIO, "Third standardised moment of the returns; below 0, the bad tail is the longer.", H),
    ("kurtosis", "Excess kurtosis", RATIO, "Fourth standardised moment of the returns less 3.", L),
    ("turnover", "Turnover", RATIO, "Value bought and sold in a year over mean equity.", L),
    ("cost_drag_bps", "Costs", BPS, "All costs of a year over mean equity, interest earned taken off.", L),
    ("exposure", "Exposure", FRACTION, "Share of bars with any position.", ""),
    ("gross", "Gross", FRACTION, "Mean of all positions' absolute values over equity.", ""),
    ("net", "Net", FRACTION, "Mean of longs less shorts over equity.", ""),
    ("hhi", "Concentration", RATIO, "Mean sum of squared shares of gross; 1 is one asset.", ""),
    ("hit_rate", "Hit rate", FRACTION, "Share of closed trades with a net profit.", H),
    ("profit_factor", "Profit factor", RATIO, "Net gains over net losses of closed trades.", H),
    ("expectancy", "Expectancy", "money", "Mean net profit of a closed trade.", H),
    ("expectancy_bps", "Expectancy (bps)", BPS, "Net profit of closed trades over the value entered.", H),
    ("avg_holding_bars", "Holding", "bars", "Bars from entry to exit, weighted by the value entered.", ""),
    ("cost_fees_bps", "Fees", BPS, "Fees of a year over mean equity.", L),
    ("cost_spread_bps", "Spread", BPS, "Half spreads paid in a year over mean equity.", L),
    ("cost_impact_bps", "Impact", BPS, "Market impact of a year over mean equity.", L),
    ("cost_borrow_bps", "Borrow", BPS, "Net price of borrowed shares in a year over mean equity.", L),
    ("cost_interest_bps", "Interest", BPS, "Interest on cash of a year over mean equity, paid or earned.", L),
    ("alpha", "Alpha", FRACTION, "Return above cash in a year that beta does not explain.", H),
    ("beta", "Beta", RATIO, "Move above cash for a move of the benchmark above cash.", ""),
    ("information_ratio", "Information ratio", RATIO, "Mean return above the benchmark over its deviation, a year.", H),
    ("up_capture", "Up capture", RATIO, "Mean growth over the benchmark's on bars on which that rose.", H),
    ("down_capture", "Down capture", RATIO, "Mean growth over the benchmark's on bars on which that fell.", L),
    ("psr", "PSR", CHANCE, "Probability that the true Sharpe is above 0, bars taken as independent.", H),
    ("psr_hac", "PSR (HAC)", CHANCE, "Probability that the true Sharpe is above 0, bars taken as dependent.", H),
    ("dsr", "DSR", CHANCE, "PSR against the best Sharpe that so many trials would show by luck.", H),
    ("dsr_excess", "DSR of the excess", CHANCE, "Least DSR of the excess growth over the baselines.", H),
    ("rho1", "Autocorrelation", RATIO, "Correlation of a bar's return with that of the bar before.", ""),
    ("n_bars", "Bars", "count", "Number of returns in the range.", ""),
    ("n_orders", "Orders", "count", "Number of orders sent.", ""),
    ("n_trades", "Trades", "count", "Number of closed trades.", ""),
)  # fmt: skip

METRICS: dict[str, MetricSpec] = {row[0]: MetricSpec(*row) for row in _ROWS}

HEADLINE: tuple[str, ...] = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "turnover",
    "cost_drag_bps",
)

OF_ACCOUNT: frozenset[str] = frozenset({
    "exposure", "gross", "net", "hhi", "turnover", "hit_rate", "profit_factor", "expectancy", "expectancy_bps",
    "avg_holding_bars", "n_orders", "n_trades", *(key for key in METRICS if key.startswith("cost_")),
})  # fmt: skip
"""Metrics that need weights, costs or trades: an imported curve has none of them."""
