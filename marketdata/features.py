"""Features: which indicators a configuration means on given data, and their values as one array (T, A, F).

A feature of bar t is known at the close of t: it reads the symbol's own bars up to t and nothing else.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from marketdata.bars import PRICES, Adjustment, Bars, Days, Floats
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.indicators.registry import Call, IndicatorError, parse

_OHLCV = ("log_return(1)", "gap", "body", "high_low", "close_location", "volume_z(20)")
_BASIC = ("log_return(5)", "log_return(20)", "log_return(60)", "volatility(20)", "rsi(14)", "macd(12,26,9)",
          "sma_gap(20)", "sma_gap(50)", "bollinger(20,2)", "atr(14)", "adx(14)", "obv_change(20)")  # fmt: skip
_RICH = ("momentum(252,21)", "roc(10)", "ema_gap(12)", "sma_gap(200)", "sma_cross(50,200)", "drawdown(252)",
         "range_position(50)", "volatility_ratio(20,60)", "skew(60)", "dmi(14)", "aroon(25)", "stoch(14)", "cci(20)",
         "mfi(14)", "parkinson(20)", "volume_change(1)", "chaikin(20)")  # fmt: skip

PRESETS: dict[str, tuple[str, ...]] = {
    "ohlcv": _OHLCV,
    "ohlcv_ta_basic": _OHLCV + _BASIC,
    "ohlcv_ta_rich": _OHLCV + _BASIC + _RICH,
}
"""Indicators of each named set. None is a price level, so that all of them may be used on adjusted prices."""


@dataclass(frozen=True)
class FeaturePlan:
    """`calls` in the order of the last axis; `left_out`: members of presets whose columns the data lacks."""

    calls: tuple[Call, ...]
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


def feature_plan(config: FeaturesConfig, fields: Iterable[str], adjustment: Adjustment) -> FeaturePlan:
    """What a configuration means on data with these fields. Presets leave out what lacks a column.

    Raises ConfigFault (`features.indicators`) for an explicit indicator that is unknown, lacks a column, or needs a
    price level that adjusted data cannot give.
    """
    held = frozenset(fields)
    preset = [parse(text) for name in config.feature_set for text in PRESETS[name]]
    explicit, faults = [], []
    for text in config.indicators:
        try:
            explicit.append(_usable(parse(text), held, adjustment))
        except IndicatorError as error:
            faults.append(str(error))
    if faults:
        raise ConfigFault({"features.indicators": faults})
    calls = {call.name: call for call in [*preset, *explicit] if call.columns <= held}
    left_out = dict.fromkeys(call.name for call in preset if not call.columns <= held)
    if not calls:
        raise ConfigFault({"features.feature_set": ["The data has none of the columns that these sets need."]})
    return FeaturePlan(tuple(calls.values()), tuple(left_out))


def build_features(bars: Bars, plan: FeaturePlan) -> Features:
    """The plan's features on these bars. Raises ValueError where the bars lack a column of the plan."""
    values = np.full((bars.n_bars, bars.n_assets, len(plan.calls)), np.nan)
    for columns in dict.fromkeys(call.columns for call in plan.calls):
        lacking = columns - bars.fields
        if lacking:
            raise ValueError(f"the bars lack {', '.join(sorted(lacking))}, which the features need")
        for asset in range(bars.n_assets):
            rows, own = _own_bars(bars, columns, asset)
            for index, call in enumerate(plan.calls):
                if call.columns == columns and len(rows) > call.warmup:
                    values[rows[call.warmup :], asset, index] = call.compute(own)[call.warmup :]
    return Features(values, plan.names, plan.warmup, bars.known_at)


def _usable(call: Call, held: frozenset[str], adjustment: Adjustment) -> Call:
    lacking = call.columns - held
    if lacking:
        raise IndicatorError(f"{call.name} needs {', '.join(sorted(lacking))}, which this dataset does not have.")
    if call.indicator.price_level and adjustment != "raw":
        why = f"{adjustment} prices contain later corporate actions"
        raise IndicatorError(f"{call.name} is a price level, and {why}; use a return or a gap, such as sma_gap(20).")
    return call


def _own_bars(bars: Bars, columns: frozenset[str], asset: int) -> tuple[np.ndarray, dict[str, Floats]]:
    """Rows (n,) on which the symbol has all these columns, and the columns (n,) there."""
    taken: dict[str, Floats] = {}
    whole = np.ones(bars.n_bars, dtype=np.bool_)
    for name in sorted(columns):
        column = bars.column(name)
        if column is not None:
            taken[name] = np.ascontiguousarray(column[:, asset])
            whole &= np.isfinite(taken[name]) & (taken[name] > 0 if name in PRICES else taken[name] >= 0)
    rows = np.flatnonzero(whole)
    return rows, {name: value[rows] for name, value in taken.items()}
