"""From what sources have said to a dataset: raw bars with splits and dividends, and what must be known of them."""

import importlib.metadata
from collections.abc import Sequence

import numpy as np

from marketdata import quality
from marketdata.bars import Bars, Days, Floats
from marketdata.fetch_chain import Chain, Served
from marketdata.findings import Finding
from marketdata.index_symbols import index_symbols
from marketdata.quality import QualityReport
from marketdata.sources.alignment import Events, Rows, align
from marketdata.store import EntryMeta

MOST_NAMED = 12


def build(chain: Chain, served: Sequence[Served]) -> tuple[Bars, EntryMeta, QualityReport]:
    """Bars in the order of the symbols asked for. Raises ValueError with a sentence where no row fits the calendar."""
    config = chain.config
    rows = {each.symbol: _rows(chain, each) for each in served}
    splits, dividends = (
        {each.symbol: _events(getattr(each.known, name)) for each in served} for name in ("splits", "dividends")
    )
    bars, findings = align(rows, calendar=config.calendar, interval=config.interval, splits=splits, dividends=dividends)
    findings += _told(bars, served)
    findings += [
        Finding("amber", "left_out", "", bars.session[0].item(), f"{symbol} was asked for and is left out. {why[-1]}")
        for symbol, why in chain.failed.items()
    ]
    meta = EntryMeta(
        id=config.id,
        title=config.title or f"{listed([each.symbol for each in served])}, {config.interval}",
        survivorship="unknown",
        as_of=str(min(each.as_of for each in served)),
        source=_source(served),
        license_note=" ".join(dict.fromkeys(chain.note(each.key) for each in served)),
        findings=tuple(finding.as_dict() for finding in findings),
        indices=index_symbols(bars.symbols, {*config.indices, *(each.symbol for each in served if each.known.index)}),
    )
    return bars, meta, quality.check(bars, findings)


def listed(symbols: Sequence[str]) -> str:
    more = f" and {len(symbols) - MOST_NAMED} more" if len(symbols) > MOST_NAMED else ""
    return ", ".join(symbols[:MOST_NAMED]) + more


def _rows(chain: Chain, each: Served) -> Rows:
    """The rows of the days asked for."""
    days = each.known.time.astype("datetime64[D]")
    last = chain.config.end or chain.today
    inside = (days >= np.datetime64(chain.config.start)) & (days <= np.datetime64(last))
    columns: dict[str, Floats] = {name: column[inside] for name, column in each.known.columns.items()}
    time: Days = each.known.time[inside]
    return time, columns


def _events(actions: Sequence[tuple[object, float]]) -> Events:
    return [(np.datetime64(day, "D"), amount) for day, amount in actions]  # type: ignore[call-overload]


def _told(bars: Bars, served: Sequence[Served]) -> list[Finding]:
    """Disagreements, notes, and a mix of currencies."""
    first = bars.session[0].item()
    found = [
        Finding("amber", "disagrees", each.symbol, day, text)
        for each in served
        for day, text in each.known.disagreements
    ]
    found += [Finding("amber", "note", each.symbol, first, text) for each in served for text in each.known.notes]
    currencies = {each.known.currency: each.symbol for each in served if each.known.currency}
    if len(currencies) > 1:
        said = ", ".join(f"{currency} ({symbol})" for currency, symbol in currencies.items())
        text = f"Prices are in {said}, and so on: sums over these symbols mean nothing without exchange rates."
        found.append(Finding("amber", "currency", "", first, text))
    return found


def _source(served: Sequence[Served]) -> str:
    """`yahoo (yfinance 1.7.0)`, or each source with its symbols."""
    by_key: dict[str, list[str]] = {}
    for each in served:
        by_key.setdefault(each.key, []).append(each.symbol)
    if len(by_key) == 1:
        return _named(next(iter(by_key)))
    return "; ".join(f"{_named(key)}: {listed(symbols)}" for key, symbols in by_key.items())


def _named(key: str) -> str:
    return f"{key} (yfinance {importlib.metadata.version('yfinance')})" if key == "yahoo" else key
