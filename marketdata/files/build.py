"""From rows to bars on the calendar, with the report of what was found on the way. Runs in the child only."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketdata import quality
from marketdata.bars import (
    ACTIONS,
    DAILY,
    FIELDS,
    INTERVAL_SECONDS,
    NO_ACTION,
    PERIODS_PER_YEAR,
    PRICES,
    Bars,
    Days,
    Delisting,
    Floats,
)
from marketdata.config_base import as_sentence
from marketdata.files import layouts, membership
from marketdata.files.column_map import DatasetRequest
from marketdata.files.layouts import Rows, SymbolRows
from marketdata.files.limits import MAX_BARS, FileRefused
from marketdata.files.tables import Table
from marketdata.findings import Finding
from marketdata.sessions import grid
from marketdata.sources.alignment import Events, align


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
    rows = layouts.rows_of(tables, request.columns, intraday=request.interval != DAILY)
    held = layouts.held_fields(rows.symbols)
    _check_actions(held, request)
    prices = {symbol: _adjusted(symbol, each, request.adjustment) for symbol, each in rows.symbols.items()}
    _check_size(prices, request)
    actions = {name: _events(rows, name) for name in ACTIONS if name in held}
    bars, found = _aligned(prices, actions, request)
    bars = dataclasses.replace(bars, rates=_rates(bars, rows), delistings=_delistings(rows))
    if members is not None:
        member = membership.mask(bars, members)
        bars = dataclasses.replace(bars, member=member)
        found += membership.findings(bars, member, members)
    found += _size_findings(bars)
    return Built(bars, tuple(found), quality.check(bars, found))


def _aligned(
    prices: Mapping[str, SymbolRows], actions: Mapping[str, Mapping[str, Events]], request: DatasetRequest
) -> tuple[Bars, list[Finding]]:
    laid = {symbol: (_starts(each.when, request), _only(each.values, FIELDS)) for symbol, each in prices.items()}
    try:
        return align(
            laid, calendar=request.calendar, interval=request.interval, adjustment=request.adjustment,
            splits=actions.get("split"), dividends=actions.get("dividend"),
        )  # fmt: skip
    except ValueError as fault:  # BarsError is one
        raise FileRefused(as_sentence(str(fault)), "calendar") from fault


def _starts(when: Days, request: DatasetRequest) -> Days:
    """Times by the start of their bar. A time that ends no bar goes back by a whole one, and so lies outside."""
    if request.interval == DAILY or request.columns.time_marks == "start":
        return when
    days = when.astype("datetime64[D]")
    known = grid(request.calendar, request.interval, days.min().item(), days.max().item())
    place = np.minimum(np.searchsorted(known.known_at, when), max(0, known.n_bars - 1))
    step = np.timedelta64(INTERVAL_SECONDS[request.interval], "s")
    if not known.n_bars:
        return when - step
    return np.where(known.known_at[place] == when, known.start[place], when - step)


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
    values = {name: column * ratio if name in PRICES else column for name, column in rows.values.items()}
    values["close"] = adjusted
    return SymbolRows(rows.when, values)


def _check_size(prices: Mapping[str, SymbolRows], request: DatasetRequest) -> None:
    """By the calendar, which a few rows far apart stretch as much as many."""
    first, last = min(each.when.min() for each in prices.values()), max(each.when.max() for each in prices.values())
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    days = int((last - first).astype("int64")) + 1
    bars = round(days * PERIODS_PER_YEAR[request.calendar, request.interval] / 365)
    if bars * len(prices) > MAX_BARS:
        size = f"about {bars:,} bars × {len(prices):,} symbols = {bars * len(prices):,}"
        raise FileRefused(f"The files go from {first} to {last}: {size}; at most {MAX_BARS:,} are taken.")


def _check_actions(held: Sequence[str], request: DatasetRequest) -> None:
    recorded = [name for name in ACTIONS if name in held]
    if recorded and request.adjustment != "raw":
        sentence = (
            f"{recorded[0]} is mapped and the prices are called {request.adjustment}: actions belong to raw prices."
        )
        raise FileRefused(sentence, f"columns.{recorded[0]}")


def _events(rows: Rows, name: str) -> dict[str, Events]:
    """Day and amount of each action by symbol; an empty cell and 0 are none, and so is a split of 1."""
    found: dict[str, Events] = {}
    for symbol, each in rows.symbols.items():
        values = each.values[name]
        some = np.flatnonzero(~(np.isnan(values) | (values == 0) | (values == NO_ACTION[name])))
        days = each.when[some].astype("datetime64[D]")
        for day, amount in zip(days, values[some], strict=True):
            if not (np.isfinite(amount) and amount > 0):
                said = f"{symbol} has a {name} of {amount:g} on {day}; it must be above 0."
                raise FileRefused(said, f"columns.{name}")
        found[symbol] = list(zip(days, (float(amount) for amount in values[some]), strict=True))
    return found


def _delistings(rows: Rows) -> dict[str, Delisting]:
    ends = {symbol: _delisting(symbol, each) for symbol, each in rows.symbols.items() if "final_return" in each.values}
    return {symbol: end for symbol, end in ends.items() if end is not None}


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
