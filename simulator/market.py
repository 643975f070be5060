"""Bars made ready for the compiled step: everything about the market that does not depend on a book."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars
from marketdata.config_base import ConfigFault
from simulator.config import AUTO_IMPACT_K, AUTO_PARTICIPATION, SimulatorConfig, data_faults
from simulator.jit import compiled
from simulator.market_extra import ExtraMarket, extra_market, split_growth
from simulator.marks import marks_and_gaps

MIN_VOLUME_BARS = 5
YEAR_DAYS = 365.0
YEAR_SECONDS = YEAR_DAYS * 86_400.0


class MarketArrays(NamedTuple):
    """What the compiled step reads; (T, A) or (T,) float64, C-contiguous.

    mark: last close up to t in shares of t, NaN before the first. ref: the fill rule's price in bar f, NaN where it
    cannot fill. usual_volume: A_f, mean volume of the bars before f in shares of f; 0 where unknown. has_bar: a close
    stands at t. offered: it may be bought at t: it has a bar, and is a member where a universe is known.
    last_gap: latest bar up to t without a close, -1 for none. year_fraction: of (t, t+1). cash_rate: row t pays
    for (t, t+1), fraction a year, NaN where the configured yield holds.
    """

    mark: NDArray[np.float64]
    ref: NDArray[np.float64]
    usual_volume: NDArray[np.float64]
    has_bar: NDArray[np.bool_]
    offered: NDArray[np.bool_]
    last_gap: NDArray[np.int64]
    year_fraction: NDArray[np.float64]
    cash_rate: NDArray[np.float64]


@dataclass(frozen=True)
class Market:
    """A market under one set of rules. T bars, A assets; `bars` keeps the raw prices.

    `cost_multiplier` stands before fees, spread and impact together, not before rebates and ticks: 1 is what the
    configuration says.
    """

    bars: Bars
    arrays: MarketArrays
    extra: ExtraMarket
    month_end: NDArray[np.bool_]  # (T,): the next bar lies in another month
    fill: str  # "next_open" | "next_close" | "vwap_window"
    impact_k: float  # bps at 100 % of volume, 0 = off
    participation: float  # fraction of usual volume, inf = off
    stamps: tuple[str, ...]
    cost_multiplier: float = 1.0

    @property
    def needs_volume(self) -> bool:
        return self.impact_k > 0 or np.isfinite(self.participation)

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.bars.symbols

    @property
    def n_bars(self) -> int:
        return self.bars.n_bars

    @property
    def n_assets(self) -> int:
        return self.bars.n_assets

    @property
    def periods_per_year(self) -> float:
        return self.bars.periods_per_year

    @property
    def mark(self) -> NDArray[np.float64]:
        return self.arrays.mark

    @property
    def has_bar(self) -> NDArray[np.bool_]:
        return self.arrays.has_bar

    @property
    def offered(self) -> NDArray[np.bool_]:
        """(T, A): what may be bought at the close of t: it has a bar, and is a member where a universe is known."""
        return self.arrays.offered


def prepare_market(bars: Bars, config: SimulatorConfig, *, cost_multiplier: float = 1.0) -> Market:
    """Market of `bars` under `config`, its fees, spread and impact times `cost_multiplier` (>= 0).

    Raises ConfigFault where a rule needs a field that the data lacks.
    """
    faults = data_faults(config, bars.fields, bars.adjustment, frozenset(bars.rates))
    if faults:
        raise ConfigFault(faults)
    fill = config.exec.fill
    if fill == "auto":
        fill = "next_open" if "open" in bars.fields else "next_close"
    has_volume = "volume" in bars.fields
    impact = _auto(config.exec.impact_k, AUTO_IMPACT_K if has_volume else 0.0)
    participation = _auto(config.exec.participation_cap, AUTO_PARTICIPATION if has_volume else np.inf)
    return Market(
        bars=bars,
        arrays=_arrays(bars, config, fill, uses_volume=impact > 0 or np.isfinite(participation)),
        extra=extra_market(bars, config, cost_multiplier),
        month_end=_month_end(bars),
        fill=fill,
        impact_k=impact,
        participation=participation,
        stamps=_stamps(bars, config, impact, participation),
        cost_multiplier=cost_multiplier,
    )


def at_cost(market: Market, config: SimulatorConfig, multiplier: float) -> Market:
    """What `prepare_market` gives with this `cost_multiplier`, without preparing the bars again."""
    extra = market.extra
    if config.exec.spread_source == "high_low" or config.fees.regulatory_sell_fees:  # costs that lie in its arrays
        extra = extra_market(market.bars, config, multiplier)
    return replace(market, cost_multiplier=multiplier, extra=extra)


def _auto(value: float | str, automatic: float) -> float:
    return automatic if isinstance(value, str) else value


def _stamps(bars: Bars, config: SimulatorConfig, impact: float, participation: float) -> tuple[str, ...]:
    found = []
    if "open" not in bars.fields:
        found.append("closes_only")
    if "volume" not in bars.fields:
        found.append("no_volume")
    elif impact == 0 or not np.isfinite(participation):
        found.append("impact_or_capacity_off")
    if config.fees.preset is not None and bars.adjustment != "raw":
        found.append("preset_without_share_fees")
    return tuple(found)


def _arrays(bars: Bars, config: SimulatorConfig, fill: str, *, uses_volume: bool) -> MarketArrays:
    has_bar = _has_bar(bars)
    shape, growth = bars.close.shape, split_growth(bars)
    usual = np.zeros(shape)
    if uses_volume:
        volume = _finite(bars.volume)
        volume = volume if growth is None else volume / growth
        usual = usual_volume(volume, first_bars(has_bar), config.exec.adv_window)
        usual = usual if growth is None else usual * growth
    mark, last_gap = marks_and_gaps(bars.close, has_bar, growth)
    return MarketArrays(
        mark=mark,
        ref=np.ascontiguousarray(_reference(bars, fill)),
        usual_volume=usual,
        has_bar=has_bar,
        offered=has_bar if bars.member is None else has_bar & bars.member,
        last_gap=last_gap,
        year_fraction=_year_fraction(bars),
        cash_rate=_cash_rate(bars, config.margin.cash_yield_column),
    )


def _has_bar(bars: Bars) -> NDArray[np.bool_]:
    """(T, A): a close stands at t, and no recorded end of the asset lies before it."""
    ended = (bars.last_bar >= 0) & (np.arange(bars.n_bars)[:, None] > bars.last_bar)
    return np.ascontiguousarray(bars.present & ~ended)


def _reference(bars: Bars, fill: str) -> NDArray[np.float64]:
    """(T, A): the fill rule's price, NaN where a field that it needs is absent or not above 0."""
    if fill == "vwap_window":
        parts = [_positive(column) for column in (bars.open, bars.high, bars.low, bars.close)]
        mean = parts[0]
        for part in parts[1:]:
            mean = mean + part
        given, mean = _positive(bars.vwap), mean / 4.0
        if given.ndim and mean.ndim:
            return np.where(np.isnan(given), mean, given)
        return given if given.ndim else mean
    return _positive(bars.open if fill == "next_open" else bars.close)


def _positive(column: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The column with NaN for what is no price; one NaN for a column that does not exist."""
    return np.array(np.nan) if column is None else np.where(np.isfinite(column) & (column > 0), column, np.nan)


def _finite(volume: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if volume is None:
        raise ConfigFault({"exec.impact_k": ["Impact and participation need volume, which the data lacks."]})
    return np.where(np.isfinite(volume) & (volume > 0), volume, 0.0)


def first_bars(has_bar: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(A,): first bar with a close; T for an asset that never has one."""
    first: NDArray[np.int64] = np.where(has_bar.any(axis=0), has_bar.argmax(axis=0), has_bar.shape[0])
    return first


def _month_end(bars: Bars) -> NDArray[np.bool_]:
    month = bars.session.astype("datetime64[M]")
    return np.append(month[1:] != month[:-1], False)


def _year_fraction(bars: Bars) -> NDArray[np.float64]:
    """Simple ACT/365 share of a year between a bar and the next, in days or, intraday, seconds; 0 after the last."""
    if bars.intraday:
        seconds = np.diff(bars.known_at).astype("timedelta64[ns]").astype(np.float64) / 1e9
        return np.append(seconds / YEAR_SECONDS, 0.0)
    days = np.diff(bars.session.astype("datetime64[D]").astype(np.int64))
    return np.append(days / YEAR_DAYS, 0.0)


def _cash_rate(bars: Bars, column: str | None) -> NDArray[np.float64]:
    """Rate known at t that pays for (t, t+1)."""
    if column is None:
        return np.full(bars.n_bars, np.nan)
    return np.ascontiguousarray(bars.rates[column], dtype=np.float64)


@compiled
def usual_volume(volume: NDArray[np.float64], first: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """A_f (T, A): mean volume of the master bars f-window..f-1 since listing; 0 with fewer than five such bars.

    Summed afresh for each bar: a running sum would leave a residue where volumes are 0, and 0 means "unknown".
    """
    n_bars, n_assets = volume.shape
    out = np.zeros((n_bars, n_assets))
    for f in range(n_bars):
        for a in range(n_assets):
            begin = max(first[a], f - window)
            if f - begin >= MIN_VOLUME_BARS:
                total = 0.0
                for t in range(begin, f):
                    total += volume[t, a]
                out[f, a] = total / (f - begin)
    return out
