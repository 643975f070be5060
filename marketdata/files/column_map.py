"""What a person says of their files: which column is what, how cells are written, and what the prices are."""

import datetime as dt
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import StringConstraints, field_validator, model_validator

from marketdata.config_base import (
    LINE_PATTERN,
    LINES_PATTERN,
    SHORT_NAME_PATTERN,
    SYMBOL_PATTERN,
    UUID_PATTERN,
    Part,
    knob,
)

Layout = Literal["long", "wide", "per_symbol"]
DateFormat = Literal["ymd", "dmy", "mdy", "epoch_s", "epoch_ms"]
Encoding = Literal["utf-8", "utf-16", "cp1252", "latin-1"]
Separator = Literal["comma", "semicolon", "tab", "pipe"]
Column = Annotated[str, StringConstraints(min_length=1, max_length=120)]

SEPARATORS: dict[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
THOUSANDS: dict[str, str] = {"none": "", "comma": ",", "point": ".", "space": " ", "apostrophe": "'"}
DECIMALS: dict[str, str] = {"point": ".", "comma": ","}

VALUES = ("open", "high", "low", "close", "adjusted_close", "volume", "vwap", "split", "dividend", "final_return")
"""Columns of numbers that a row of a symbol can have."""


class ColumnMap(Part):
    """Which column of the file is what, and how its cells are written."""

    layout: Layout = knob(
        "long",
        "long: a row a day and symbol; wide: a column of closes a symbol; per_symbol: a file a symbol, named by it.",
        title="Layout",
    )
    date: Column = knob("date", "Column of the day, or of the time of a bar.", title="Date column")
    symbol: Column | None = knob(None, "Column of the symbol (long only).", title="Symbol column")
    open: Column | None = knob(None, "Column of the open.")
    high: Column | None = knob(None, "Column of the high.")
    low: Column | None = knob(None, "Column of the low.")
    close: Column | None = knob(None, "Column of the close (long and per_symbol: required).")
    adjusted_close: Column | None = knob(
        None, "Column of the adjusted close; open, high, low and vwap are scaled by it over the close.", advanced=True
    )
    volume: Column | None = knob(None, "Column of the shares traded.")
    vwap: Column | None = knob(None, "Column of the volume-weighted price.", advanced=True, title="VWAP")
    split: Column | None = knob(
        None, "Column of new shares for an old one; empty, 0 and 1 are none.", advanced=True, title="Split"
    )
    dividend: Column | None = knob(None, "Column of cash a share with this ex-date.", advanced=True)
    final_return: Column | None = knob(
        None, "Column filled on a symbol's last day alone: what holders got after it, -0.3 for a loss of 30 %.",
        advanced=True, title="Return at the delisting",
    )  # fmt: skip
    rates: tuple[Column, ...] = knob(
        (), "Columns of interest rates, fractions a year, such as rate:bill.", advanced=True, max_length=16
    )
    date_format: DateFormat = knob("ymd", "Order of year, month and day, or seconds since 1970.", title="Date order")
    timezone: Annotated[str, StringConstraints(max_length=64)] = knob(
        "UTC", "Zone of times without an offset, such as America/New_York (bars shorter than a day).", advanced=True
    )
    time_marks: Literal["start", "end"] = knob(
        "start", "Whether a time is the start or the end of its bar (bars shorter than a day).", advanced=True
    )
    separator: Separator = knob("comma", "What stands between two cells of a CSV.", advanced=True)
    decimal: Literal["point", "comma"] = knob("point", "What stands before the fraction of a number.", advanced=True)
    thousands: Literal["none", "comma", "point", "space", "apostrophe"] = knob(
        "none", "What stands between groups of three digits.", advanced=True
    )
    encoding: Encoding = knob("utf-8", "How the letters of a CSV are written.", advanced=True)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as fault:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("must be a time zone such as UTC or America/New_York") from fault
        return name

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.layout == "long" and self.symbol is None:
            raise ValueError("symbol must name a column in the layout long")
        if self.layout != "long" and self.symbol is not None:
            raise ValueError(f"symbol must be empty in the layout {self.layout}")
        if self.layout == "wide" and (named := [name for name in VALUES if getattr(self, name)]):
            raise ValueError(f"{named[0]} must be empty in the layout wide, where each column is a symbol's close")
        if self.layout != "wide" and self.close is None:
            raise ValueError(f"close must name a column in the layout {self.layout}")
        used = [self.date, self.symbol, *(getattr(self, name) for name in VALUES), *self.rates]
        named_twice = next((one for one in used if one is not None and used.count(one) > 1), None)
        if named_twice is not None:
            raise ValueError(f"date and the other fields must not name the column {named_twice} twice")
        if self.decimal == self.thousands:
            raise ValueError("thousands must differ from decimal")
        return self


class DatasetRequest(Part):
    """How an upload becomes a dataset."""

    name: Annotated[str, StringConstraints(pattern=SHORT_NAME_PATTERN)] = knob(
        ..., "Short name; the dataset is then called files/name.", title="Name"
    )
    title: Annotated[str, StringConstraints(max_length=120, pattern=LINE_PATTERN)] = knob(
        "", "What lists show; empty takes the name."
    )
    as_of: dt.date = knob(..., "The day on which the source gave these prices.", title="As of")
    adjustment: Literal["raw", "split", "total_return"] = knob(
        "raw", "raw: as traded; split: splits taken out; total_return: splits and dividends.", title="Adjustment"
    )
    calendar: Literal["XNYS", "24/7"] = knob("XNYS", "When the market is open.")
    interval: Literal["1d", "1h", "15m", "1m"] = knob("1d", "Length of a bar.")
    indices: tuple[Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)], ...] = knob(
        (), "Symbols that are levels of an index, which nobody can buy: no capacity, no impact. What begins with ^ is "
        "one by itself.", title="Indices", max_length=1000, fail_fast=True,
    )  # fmt: skip
    membership: Annotated[str, StringConstraints(pattern=UUID_PATTERN)] | None = knob(
        None, "Upload with the universe's members: columns symbol, start, end.", title="Membership file"
    )
    license_note: Annotated[str, StringConstraints(max_length=400, pattern=LINES_PATTERN)] = knob(
        "", "Where the prices come from and what may be done with them.", advanced=True, title="Source and licence"
    )
    columns: ColumnMap = knob(ColumnMap.model_construct(), "Which column is what.")
