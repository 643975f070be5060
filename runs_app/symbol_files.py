"""What a run's tables say of one symbol: its weight at each close, its fills, its profit.

The files may be large (170,000 orders, a thousand columns of weights), and all but one symbol's cells are passed over
unparsed. No cell of ours holds a comma or a quote (`backtest.tables`), so that a line is split where its commas are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from runs_app import artifacts, report_parts
from runs_app.models import Run

MOST_BYTES = 1024**3
MOST_LINE = 1024**2
BLOCK = 4 * 1024**2
PROFIT = ("pnl_gross", "fees", "slippage", "dividends", "financing", "pnl_net")
CASH = "cash"
_ORDER = (b"filled", b"symbol", b"side", b"qty_filled", b"price_fill", b"commission", b"spread", b"impact")

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]


class TableUnfit(ValueError):
    """A table that is missing, too large or not as we write it; the message is one sentence."""


@dataclass(frozen=True)
class Fills:
    """Fills of one symbol in the order of the file, each array (n,). `time`: close of the bar, UTC, in seconds;
    `shares` without sign, those of that day; `price` what was paid for one; `costs` in money.
    """

    time: Times
    buys: NDArray[np.bool_]
    shares: Floats
    price: Floats
    costs: Floats


def require(run: Run, keys: tuple[str, ...]) -> None:
    """Raises TableUnfit for the first of these tables that is not there."""
    for key in keys:
        _opened(run, key).close()


def weights(run: Run, symbol: str) -> tuple[Times, Floats]:
    """(T,) close of each bar that was judged, UTC, in seconds, and the weight held at it. Raises TableUnfit."""
    times, found = [], []
    with _opened(run, "weights") as stream:
        lines = _lines(stream, "weights")
        place = _places(next(lines, b""), (symbol.encode(),), "weights")[0]
        for line in lines:
            cells = line.split(b",", place + 1)
            if len(cells) <= place:
                raise _unfit("weights")
            times.append(cells[0])
            found.append(cells[place])
    return _times(times, "weights"), _floats(found, "weights")


def fills(run: Run, symbol: str) -> Fills:
    """What was filled of the orders in this symbol. Raises TableUnfit."""
    found: list[list[bytes]] = []
    with _opened(run, "orders") as stream:
        places = _places(stream.readline(MOST_LINE).rstrip(b"\r\n"), _ORDER, "orders")
        name, at = symbol.encode(), places[1]
        for line in _lines_with(b"," + name + b",", stream, "orders"):
            cells = line.split(b",")
            if len(cells) <= max(places):
                raise _unfit("orders")
            if cells[at] == name:
                found.append([cells[place] for place in places])
    time, _, side, shares, price, *costs = zip(*found, strict=True) if found else [()] * len(_ORDER)
    paid = np.sum([_floats(list(one), "orders") for one in costs], axis=0)
    read = Fills(_times(list(time), "orders"), np.array(side, "S4") == b"buy", _floats(list(shares), "orders"),
                 _floats(list(price), "orders"), paid)  # fmt: skip
    return _only(read, read.shares > 0)


def profit(run: Run, symbol: str) -> dict[str, float] | None:
    """Profit and loss of the symbol in money over the whole range; None where the run has no such row."""
    for row in report_parts.csv_rows(run, "symbols"):
        if row.get("symbol") == symbol and all(_is_number(row.get(name)) for name in PROFIT):
            return {name: row[name] for name in PROFIT}
    return None


def weightiest(run: Run) -> str | None:
    """The symbol that made or lost the most before costs, for a page to begin with; None where that is not known."""
    rows = report_parts.csv_rows(run, "symbols")
    moved = {str(row.get("symbol")): abs(row["pnl_gross"]) for row in rows if _is_number(row.get("pnl_gross"))}
    moved.pop(CASH, None)
    return max(moved, key=lambda symbol: moved[symbol], default=None)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isfinite(value))


def _opened(run: Run, key: str) -> BinaryIO:
    try:
        return artifacts.open_file(run.id, key)
    except OSError as error:
        raise TableUnfit(f"This run left no {key}.csv, which the chart is drawn from.") from error


def _lines(stream: BinaryIO, key: str) -> Iterator[bytes]:
    """Lines without their ends. Raises TableUnfit beyond the bounds."""
    taken = 0
    while line := stream.readline(MOST_LINE):
        taken += len(line)
        if taken > MOST_BYTES or len(line) == MOST_LINE:
            raise _too_large(key)
        yield line.rstrip(b"\r\n")


def _lines_with(mark: bytes, stream: BinaryIO, key: str) -> Iterator[bytes]:
    """The lines that hold these bytes, found block by block: of a million orders few are of one symbol."""
    rest, taken = b"", 0
    while block := stream.read(BLOCK):
        taken += len(block)
        text, _, rest = (rest + block).rpartition(b"\n")
        if taken > MOST_BYTES or len(rest) > MOST_LINE:
            raise _too_large(key)
        yield from _holding(mark, text)
    yield from _holding(mark, rest)


def _holding(mark: bytes, text: bytes) -> Iterator[bytes]:
    at = text.find(mark)
    while at >= 0:
        end = text.find(b"\n", at)
        end = end if end >= 0 else len(text)
        yield text[text.rfind(b"\n", 0, at) + 1 : end].rstrip(b"\r")
        at = text.find(mark, end)


def _places(header: bytes, names: tuple[bytes, ...], key: str) -> list[int]:
    cells = header.split(b",")
    if not all(name in cells for name in names):
        raise _unfit(key)
    return [cells.index(name) for name in names]


def _times(texts: list[bytes], key: str) -> Times:
    try:
        return np.array([text.decode().removesuffix("Z") for text in texts], "datetime64[s]")
    except ValueError as error:
        raise _unfit(key) from error


def _floats(texts: list[bytes], key: str) -> Floats:
    try:
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError as error:
        raise _unfit(key) from error


def _only(found: Fills, kept: NDArray[np.bool_]) -> Fills:
    return Fills(found.time[kept], found.buys[kept], found.shares[kept], found.price[kept], found.costs[kept])


def _unfit(key: str) -> TableUnfit:
    return TableUnfit(f"{key}.csv of this run cannot be read; run it again to have the chart.")


def _too_large(key: str) -> TableUnfit:
    return TableUnfit(f"{key}.csv of this run is too large to be drawn; it can be downloaded.")
