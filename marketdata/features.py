"""Features: which indicators a configuration means on given data, and their values as one array (T, A, F).

A feature of bar t is known at the close of t: it reads the symbol's own bars up to t, and, where it is one of the
cross-section, those of the other symbols up to t.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import DAILY, Adjustment, Bars, Days, Floats
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.expressions.evaluate import Evaluator
from marketdata.expressions.expression import Expression, Feature, parse
from marketdata.indicators.registry import Call, IndicatorError
from marketdata.panel import Panel, available_columns
from marketdata.timeframes import Periods

_OHLCV = ("log_return(1)", "gap", "body", "high_low", "close_location", "volume_z(20)")
_BASIC = ("log_return(5)", "log_return(20)", "log_return(60)", "volatility(20)", "rsi(14)", "macd(12,26,9)",
          "sma_gap(20)", "sma_gap(50)", "bollinger(20,2)", "atr(14)", "adx(14)", "obv_change(20)")  # fmt: skip
_RICH = ("momentum(252,21)", "roc(10)", "ema_gap(12)", "sma_gap(200)", "sma_cross(50,200)", "drawdown(252)",
         "range_position(50)", "volatility_ratio(20,60)", "skew(60)", "dmi(14)", "aroon(25)", "stoch(14)", "cci(20)",
         "mfi(14)", "parkinson(20)", "volume_change(1)", "chaikin(20)", "yang_zhang(20)", "downside(60)",
         "efficiency(20)", "variance_ratio(120,5)", "autocorrelation(60,1)", "donchian(20)", "vwap_gap(20)",
         "illiquidity(20,60)", "beta(60)", "relative_return(20)", "momentum_rank(252,21)",
         "volatility_rank(60)", "breadth(50)")  # fmt: skip

PRESETS: dict[str, tuple[str, ...]] = {
    "ohlcv": _OHLCV,
    "ohlcv_ta_basic": _OHLCV + _BASIC,
    "ohlcv_ta_rich": _OHLCV + _BASIC + _RICH,
}
"""Indicators of each named set. None is a price level, so that all of them may be used on adjusted prices."""


@dataclass(frozen=True)
class FeaturePlan:
    """`calls` in the order of the last axis; `left_out`: members of presets whose columns the data lacks."""

    calls: tuple[Feature, ...]
    left_out: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(call.name for call in self.calls)

    @property
    def warmup(self) -> int:
        """Bars before all features of a symbol that is there from the start have a value."""
        return max(call.warmup for call in self.calls)


@dataclass(frozen=True, eq=False)
class Features:
    """`values` (T, A, F) float64, NaN in a symbol's warm-up and where it has no bar; `known_at` (T,) as of the bars."""

    values: Floats
    names: tuple[str, ...]
    warmup: int
    known_at: Days

    def content_hash(self) -> str:
        """sha256 of names and values; every NaN counts as the same."""
        digest = hashlib.sha256(json.dumps([list(self.names), self.values.shape], separators=(",", ":")).encode())
        digest.update(np.where(np.isnan(self.values), np.nan, self.values + 0.0).astype("<f8").tobytes())
        return digest.hexdigest()


def feature_plan(config: FeaturesConfig, fields: Iterable[str], adjustment: Adjustment, interval: str = DAILY,
                 calendar: str = "XNYS") -> FeaturePlan:  # fmt: skip
    """What a configuration means on data with these fields and actions. Presets leave out what lacks a column.

    Raises ConfigFault (`features.indicators`) for an explicit indicator that is unknown, lacks a column, needs a price
    level that adjusted data cannot give, or periods that are no longer than a bar.
    """
    held = frozenset(fields) | {"market"}
    preset = [parse(text) for name in config.feature_set for text in PRESETS[name]]
    explicit, faults = [], []
    for text in config.indicators:
        try:
            explicit.append(_usable(parse(text, interval, calendar), held, adjustment))
        except IndicatorError as error:
            faults.append(str(error))
    if faults:
        raise ConfigFault({"features.indicators": faults})
    calls = {call.name: call for call in [*preset, *explicit] if call.columns <= held}
    left_out = dict.fromkeys(call.name for call in preset if not call.columns <= held)
    if not calls:
        raise ConfigFault({"features.feature_set": ["The data has none of the columns that these sets need."]})
    return FeaturePlan(tuple(calls.values()), tuple(left_out))


def plan_of(config: FeaturesConfig, bars: Bars) -> FeaturePlan:
    """`feature_plan` of a configuration on these bars."""
    return feature_plan(config, available_columns(bars), bars.adjustment, bars.interval, bars.calendar)


def build_features(bars: Bars, plan: FeaturePlan) -> Features:
    """The plan's features on these bars. Raises ValueError where the bars lack a column of the plan."""
    panel = Panel(bars)
    if lacking := frozenset().union(*(call.columns for call in plan.calls)) - panel.available:
        raise ValueError(f"the bars lack {', '.join(sorted(lacking))}, which the features need")
    calls = tuple({call.name: call for feature in plan.calls for call in feature.calls}.values())
    values = _indicators(panel, calls)
    if calls != plan.calls:
        values = _expressions(panel, plan, {call.name: values[:, :, index] for index, call in enumerate(calls)})
    return Features(values, plan.names, plan.warmup, bars.known_at)


def _indicators(panel: Panel, calls: tuple[Call, ...]) -> Floats:
    """(T, A, F) of single indicators."""
    values = np.full((panel.bars.n_bars, panel.bars.n_assets, len(calls)), np.nan)
    groups: dict[tuple[frozenset[str], bool], list[int]] = {}
    for index, call in enumerate(calls):
        groups.setdefault((call.columns, call.price_level), []).append(index)
    for (columns, as_quoted), members in groups.items():
        for asset in range(panel.bars.n_assets):
            rows, own = panel.own(columns, asset, as_quoted=as_quoted)
            for index in members:
                _fill(values[:, asset, index], calls[index], panel, rows, own)
    for index, call in enumerate(calls):
        if call.indicator.across is not None:
            values[:, :, index] = call.indicator.across(np.where(panel.members, values[:, :, index], np.nan))
    return values


def _expressions(panel: Panel, plan: FeaturePlan, indicators: dict[str, Floats]) -> Floats:
    """(T, A, F) of a plan that holds expressions, from the values (T, A) of the indicators in it."""
    values = np.empty((panel.bars.n_bars, panel.bars.n_assets, len(plan.calls)))
    wanted = [feature for feature in plan.calls if isinstance(feature, Expression)]
    evaluator = Evaluator(panel, indicators, wanted)
    for index, feature in enumerate(plan.calls):
        found = evaluator.values(feature) if isinstance(feature, Expression) else indicators[feature.name]
        values[:, :, index] = found
    return values


def _fill(out: Floats, call: Call, panel: Panel, rows: NDArray[np.int64], own: dict[str, Floats]) -> None:
    """Write one indicator of one symbol into `out` (T,), from its warm-up on, on the rows (n,) of its own bars."""
    if len(rows) <= call.warmup:
        return
    if call.timeframe:
        periods = panel.periods(call.timeframe)
        found = call.compute_by_period(own, Periods(periods.key[rows], periods.last[rows]))
    else:
        found = call.compute(own)
    out[rows[call.warmup :]] = found[call.warmup :]


def _usable(feature: Feature, held: frozenset[str], adjustment: Adjustment) -> Feature:
    lacking = feature.columns - held
    if lacking:
        raise IndicatorError(f"{feature.name} needs {', '.join(sorted(lacking))}, which this dataset does not have.")
    if feature.price_level and adjustment != "raw":
        made = isinstance(feature, Expression)
        is_level = "changes with the unit of prices or volume" if made else "is a price level"
        why = f"{adjustment} prices contain later corporate actions"
        raise IndicatorError(f"{feature.name} {is_level}, and {why}; use a return or a gap, such as sma_gap(20).")
    return feature
