"""From rows to bars on the calendar, with the report of what was found on the way. Runs in the child only."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketdata import quality
from marketdata.bars import ACTIONS, Bars, BarsError, Days, Delisting, Floats
from marketdata.files import layouts, membership
from marketdata.files.column_map import DatasetRequest
from marketdata.files.layouts import Rows, SymbolRows
from marketdata.files.limits import MAX_BARS, FileRefused
from marketdata.files.tables import Table
from marketdata.findings import Finding
from marketdata.sources.alignment import align

PRICE_FIELDS = ("open", "high", "low", "close", "vwap")
BAR_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
_ACTION_DEFAULT = {"split": 1.0, "dividend": 0.0}


@dataclass(frozen=True)
class Built:
    """`source_findings`: what the arrays no longer show; `report`: these and all rules on the bars."""

    bars: Bars
    source_findings: tuple[Finding, ...]
    report: quality.QualityReport


def build(
    tables: Sequence[Table], request: DatasetRequest, members: Mapping[str, list[membership.Interval]] | None = None
) -> Built:
    """Bars of these files. Raises FileRefused with one sentence; what is merely wrong in the data is in the report."""
    rows = layouts.rows_of(tables, request.columns, intraday=request.interval != "1d")
    _check_actions(rows, request)
    prices = {symbol: _adjusted(symbol, each, request.adjustment) for symbol, each in rows.symbols.items()}
    found = [finding for symbol, each in prices.items() for finding in _unsorted(symbol, each.when)]
    _check_size(prices)
    bars, told = _aligned(prices, request)
    found += told
    bars, told = _with_actions(bars, rows, request)
    found += told
    bars = dataclasses.replace(bars, rates=_rates(bars, rows))
    if members is not None:
        member = membership.mask(bars, members)
        bars = dataclasses.replace(bars, member=member)
        found += membership.findings(bars, member, members)
    found += _size_findings(bars)
    return Built(bars, tuple(found), quality.check(bars, found))


def _aligned(prices: Mapping[str, SymbolRows], request: DatasetRequest) -> tuple[Bars, list[Finding]]:
    laid = {symbol: (each.when, _only(each.values, BAR_FIELDS)) for symbol, each in prices.items()}
    try:
        return align(laid, calendar=request.calendar, adjustment=request.adjustment)
    except BarsError as fault:
        raise FileRefused(f"{str(fault)[:1].upper()}{str(fault)[1:]}.", "calendar") from fault
    except ValueError as fault:
        raise FileRefused(f"{str(fault)[:1].upper()}{str(fault)[1:]}.", "calendar") from fault


def _only(values: Mapping[str, Floats], names: Sequence[str]) -> dict[str, Floats]:
    return {name: values[name] for name in names if name in values}


def _adjusted(symbol: str, rows: SymbolRows, adjustment: str) -> SymbolRows:
    """The adjusted close in place of the close, the other prices scaled by their ratio; the volume stays."""
    adjusted = rows.values.get("adjusted_close")
    if adjusted is None:
        return rows
    if adjustment == "raw":
        sentence = "adjusted_close is mapped and the prices are called raw; leave one of the two."
        raise FileRefused(sentence, "columns.adjusted_close")
    with np.errstate(all="ignore"):
        ratio = adjusted / rows.values["close"]
    bad = np.flatnonzero(np.isfinite(adjusted) & ~(np.isfinite(ratio) & (ratio > 0)))
    if len(bad):
        said = f"{symbol} has an adjusted close of {adjusted[bad[0]]:g} on {rows.when[bad[0]]}"
        raise FileRefused(f"{said} beside a close of {rows.values['close'][bad[0]]:g}; both must be above 0.")
    values = {name: column * ratio if name in PRICE_FIELDS else column for name, column in rows.values.items()}
    values["close"] = adjusted
    return SymbolRows(rows.when, values)


def _unsorted(symbol: str, when: Days) -> list[Finding]:
    back = np.flatnonzero(when[1:] < when[:-1])
    if not len(back):
        return []
    day = when[back[0] + 1].astype("datetime64[D]")
    text = f"{symbol}'s rows are not in the order of their dates at {len(back)} places, {day} first; they were sorted."
    return [Finding("amber", "unsorted", symbol, day.item(), text)]


def _check_size(prices: Mapping[str, SymbolRows]) -> None:
    distinct = len(np.unique(np.concatenate([each.when for each in prices.values()])))
    if distinct * len(prices) > MAX_BARS:
        size = f"{distinct:,} times × {len(prices):,} symbols = {distinct * len(prices):,} bars"
        raise FileRefused(f"The files hold {size}; at most {MAX_BARS:,} are taken.")


def _check_actions(rows: Rows, request: DatasetRequest) -> None:
    held = [name for name in ACTIONS if name in layouts.held_fields(rows.symbols)]
    if held and request.adjustment != "raw":
        sentence = f"{held[0]} is mapped and the prices are called {request.adjustment}: actions belong to raw prices."
        raise FileRefused(sentence, f"columns.{held[0]}")


def _with_actions(bars: Bars, rows: Rows, request: DatasetRequest) -> tuple[Bars, list[Finding]]:
    """Splits, dividends and delistings on the bars; an action on a day that is no bar is red, never dropped."""
    found: list[Finding] = []
    arrays: dict[str, Any] = {}
    ends: dict[str, Delisting] = {}
    for name in ACTIONS:
        if name in layouts.held_fields(rows.symbols):
            arrays[name] = np.full((bars.n_bars, bars.n_assets), _ACTION_DEFAULT[name])
    for asset, (symbol, each) in enumerate(rows.symbols.items()):
        for name, array in arrays.items():
            found += _put_actions(bars, asset, each, name, array)
        if "final_return" in each.values and (end := _delisting(symbol, each)) is not None:
            ends[symbol] = end
    return dataclasses.replace(bars, delistings=ends, **arrays), found


def _put_actions(bars: Bars, asset: int, rows: SymbolRows, name: str, array: Floats) -> list[Finding]:
    symbol, values = bars.symbols[asset], rows.values[name]
    nothing = np.isnan(values) | (values == 0) | ((values == 1) if name == "split" else False)
    at = np.flatnonzero(~nothing)
    days = rows.when[at].astype("datetime64[D]")
    wrong = np.flatnonzero(~(np.isfinite(values[at]) & (values[at] > 0)))
    if len(wrong):
        said = f"{symbol} has a {name} of {values[at][wrong[0]]:g} on {days[wrong[0]]}"
        raise FileRefused(f"{said}; it must be above 0.", f"columns.{name}")
    place = np.searchsorted(bars.session, days)
    inside = (place < bars.n_bars) & (bars.session[np.minimum(place, bars.n_bars - 1)] == days)
    array[place[inside], asset] = values[at][inside]
    if inside.all():
        return []
    day = days[~inside][0]
    text = f"{symbol} has a {name} on {day}, which is no session of {bars.calendar}; give it the next session's date."
    return [Finding("red", "action_outside", symbol, _within(bars, day), text)]


def _within(bars: Bars, day: np.datetime64) -> dt.date:
    held: dt.date = min(max(day, bars.session[0]), bars.session[-1]).item()
    return held


def _delisting(symbol: str, rows: SymbolRows) -> Delisting | None:
    values = rows.values["final_return"]
    at = np.flatnonzero(~np.isnan(values))
    if not len(at):
        return None
    day = rows.when[at[0]].astype("datetime64[D]")
    last = rows.when.max().astype("datetime64[D]")
    if len(at) > 1 or day != last:
        said = f"{symbol} has a final_return on {day}, and its last row is {last}"
        raise FileRefused(f"{said}; it stands on a symbol's last day alone.", "columns.final_return")
    if not values[at[0]] >= -1:
        raise FileRefused(f"{symbol} has a final_return of {values[at[0]]:g} on {day}; at least -1 is right.",
                          "columns.final_return")  # fmt: skip
    return Delisting(day.item(), float(values[at[0]]))


def _rates(bars: Bars, rows: Rows) -> dict[str, Floats]:
    found = {}
    for name, (when, values) in rows.rates.items():
        column = np.full(bars.n_bars, np.nan)
        days = when.astype("datetime64[D]")
        place = np.searchsorted(days, bars.session)
        held = (
            (place < len(days)) & (days[np.minimum(place, len(days) - 1)] == bars.session) if len(days) else place < 0
        )
        column[held] = values[place[held]]
        found[name] = column
    return found


def _size_findings(bars: Bars) -> list[Finding]:
    first: dt.date = bars.session[0].item()
    found = []
    if bars.n_bars < 2:
        text = f"The files hold one bar, on {first}; a run needs at least two."
        found.append(Finding("red", "one_bar", "", first, text))
    if bars.n_assets == 1:
        text = f"{bars.symbols[0]} is the only symbol: a portfolio of it is that symbol or cash."
        found.append(Finding("amber", "one_asset", bars.symbols[0], first, text))
    return found
