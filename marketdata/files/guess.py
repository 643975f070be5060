"""A first column map out of the names and the cells of a file, and sentences about what cannot be guessed."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketdata.files.column_map import SEPARATORS
from marketdata.files.decode import fits
from marketdata.files.layouts import SYMBOL
from marketdata.files.tables import Table, kind_of

MOST_NAMES = 8
HEAD = 64 * 1024  # bytes that decide on encoding and separator
NAMES: dict[str, tuple[str, ...]] = {
    "date": ("date", "datetime", "time", "timestamp", "day", "session", "tradedate", "tradingday", "priced", "ts"),
    "symbol": ("symbol", "ticker", "sym", "instrument", "asset", "secid", "stock", "tic", "code"),
    "open": ("open", "o", "openprice", "pxopen", "opening", "openingprice"),
    "high": ("high", "h", "highprice", "pxhigh", "hi", "highest"),
    "low": ("low", "l", "lowprice", "pxlow", "lo", "lowest"),
    "close": ("close", "c", "closeprice", "last", "lastprice", "price", "settle", "pxlast", "prc", "closelast"),
    "adjusted_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice"),
    "volume": ("volume", "vol", "v", "shares", "sharestraded"),
    "vwap": ("vwap", "averageprice", "avgprice", "wavg"),
    "split": ("split", "splits", "stocksplits", "splitratio", "splitfactor", "splitcoefficient"),
    "dividend": ("dividend", "dividends", "divamount", "dividendamount", "divcash", "exdividend"),
    "final_return": ("finalreturn", "delistingreturn", "dlret"),
}
_AMBIGUOUS = "Dates such as {one} may be day/month/year or month/day/year; say which in the date order."
_MIXED = "Dates such as {one} and {other} are in different orders; write all of them in one."


@dataclass(frozen=True)
class Dialect:
    """How the bytes of a CSV are cut into cells."""

    encoding: str
    separator: str


@dataclass(frozen=True)
class Guess:
    """`columns`: what was found, as fields of `ColumnMap`; `notes`: what only a person can say."""

    columns: dict[str, Any]
    notes: list[str]


def dialect(path: Path, label: str) -> Dialect:
    if kind_of(path, label) == "parquet":
        return Dialect("utf-8", "comma")
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    encoding = _encoding(path, head)
    text = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()][:20]
    return Dialect(encoding, _separator(lines[:-1] or lines))


def guess(tables: Sequence[Table], cut: Dialect) -> Guess:
    """Of several files the first speaks for all."""
    table = tables[0]
    notes: list[str] = []
    named = _named(table)
    found: dict[str, Any] = {"encoding": cut.encoding, "separator": cut.separator}
    found["date"] = named.pop("date", next(iter(table.columns)))
    found["layout"] = layout = _layout(tables, named)
    rates = tuple(name for name in table.columns if name.lower().startswith("rate:"))
    found["rates"] = list(rates)
    if layout == "wide":
        prices = [name for name in table.columns if name != found["date"] and name not in rates]
    else:
        found |= {name: column for name, column in named.items() if name != "symbol" or layout == "long"}
        if "close" not in found and "adjusted_close" in found:
            found["close"] = found.pop("adjusted_close")
        elif "adjusted_close" in found:
            column = found.pop("adjusted_close")
            notes.append(f"{column} is left out: the prices are taken raw; map it and change the adjustment to use it.")
        prices = [found[name] for name in ("open", "high", "low", "close") if name in found]
        if "close" not in found:
            notes.append("No column looks like a close; choose one.")
        notes += _unread(table, {found["date"], *named.values(), *rates})
    found["date_format"], said = date_format_of(dates_of(table, found["date"]))
    notes += said
    found |= number_marks([text for name in prices[:20] for text in samples_of(table, name)], cut.separator)
    return Guess(found, notes)


def _unread(table: Table, read: Collection[str]) -> list[str]:
    """A sentence where columns are left that nothing was made of."""
    left = [name for name in table.columns if name not in read]
    if not left:
        return []
    more = f" and {len(left) - MOST_NAMES} more" if len(left) > MOST_NAMES else ""
    return [f"Nothing is taken from {', '.join(left[:MOST_NAMES])}{more}; say what they hold if they are wanted."]


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8" if fits(path, "utf-8") else "cp1252"


def _separator(lines: Sequence[str]) -> str:
    """The one that cuts every line into the same number of cells, the most of them."""
    best, most = "comma", 0
    for key, mark in SEPARATORS.items():
        try:
            counts = [len(cells) for cells in csv.reader(lines, delimiter=mark)]
        except csv.Error:
            continue
        same = bool(counts) and min(counts) == max(counts)
        score = (counts[0] if counts else 0) * (2 if same else 1)
        if counts and counts[0] > 1 and score > most:
            best, most = key, score
    return best


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _named(table: Table) -> dict[str, str]:
    plain = {name: _plain(name) for name in table.columns}
    found = {}
    for field, words in NAMES.items():
        match = next((name for word in words for name, said in plain.items() if said == word), None)
        if match is not None:
            found[field] = match
    return found


def _layout(tables: Sequence[Table], named: Mapping[str, str]) -> str:
    if len(tables) > 1:
        return "per_symbol"
    if "symbol" in named:
        return "long"
    if named.keys() & {"close", "adjusted_close", "open", "high", "low", "volume"}:
        return "per_symbol"
    others = [name for name in tables[0].columns if _plain(name) not in NAMES["date"]]
    return (
        "wide"
        if others and all(SYMBOL.match(name) or name.lower().startswith("rate:") for name in others[1:])
        else "long"
    )


_DATE_LETTERS = 13  # of a time: its day, or milliseconds since 1970


def dates_of(table: Table, name: str) -> list[str]:
    """How the days of a column of text or whole numbers are written, each once: not each of its minutes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.columns[name]
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        return []
    text = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(column.cast(pa.string())), 0, _DATE_LETTERS)
    return [one for one in pc.unique(text).to_pylist() if one]


def samples_of(table: Table, name: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.columns[name]
    if not pa.types.is_string(column.type):
        return []
    return [text.strip() for text in pc.unique(column.slice(0, 2000)).to_pylist() if text and text.strip()]


_TRIPLE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{2,4})(?!\d)", re.ASCII)


def date_format_of(samples: Sequence[str]) -> tuple[str, list[str]]:
    """The order of the parts, and a sentence where nothing in the file decides."""
    if samples and all(re.fullmatch(r"-?\d{9,10}", text) for text in samples[:50]):
        return "epoch_s", []
    if samples and all(re.fullmatch(r"-?\d{12,13}", text) for text in samples[:50]):
        return "epoch_ms", []
    day_first = month_first = doubtful = ""
    for text in samples:
        match = _TRIPLE.match(text)
        if match is None or len(match.group(1)) == 4:
            continue
        first, second = int(match.group(1)), int(match.group(2))
        day_first = day_first or (match.group() if first > 12 else "")
        month_first = month_first or (match.group() if second > 12 else "")
        doubtful = doubtful or match.group()
    if day_first and month_first:
        return "dmy", [_MIXED.format(one=day_first, other=month_first)]
    if day_first or month_first:
        return ("dmy" if day_first else "mdy"), []
    return ("ymd", [_AMBIGUOUS.format(one=doubtful)]) if doubtful else ("ymd", [])


def number_marks(samples: Sequence[str], separator: str) -> dict[str, str]:
    """Decimal and thousands marks that fit every sample."""
    joined = [text for text in samples if re.fullmatch(r"[-+]?[\d.,' \u00a0]+", text)]
    point = any(re.search(r"\.\d+$", text) for text in joined)
    comma = any(re.search(r",\d+$", text) for text in joined)
    if comma and any(re.search(r"\.\d{3},", text) for text in joined):
        return {"decimal": "comma", "thousands": "point"}
    if point and any(re.search(r",\d{3}\.", text) for text in joined):
        return {"decimal": "point", "thousands": "comma"}
    if comma and not point and (separator != "comma" or any(not re.search(r",\d{3}$", t) for t in joined if "," in t)):
        return {"decimal": "comma", "thousands": "none"}
    if comma and not point:
        return {"decimal": "point", "thousands": "comma"}
    for mark, name in ((" ", "space"), ("'", "apostrophe")):
        if any(re.search(rf"\d{mark}\d{{3}}", text) for text in joined):
            return {"decimal": "comma" if comma else "point", "thousands": name}
    return {"decimal": "point", "thousands": "none"}
