"""A small Yahoo on the loopback: what the real yfinance asks, answered as Yahoo answers.

A test says what was really traded (`Truth`); the server tells it split-adjusted, as Yahoo does, by its own arithmetic.
"""

import datetime as dt
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPEN = dt.time(9, 30)


@dataclass
class Truth:
    """One symbol as traded. `bars`: start of each bar (aware) → open, high, low, close, volume; actions by date."""

    bars: dict[dt.datetime, tuple[float, float, float, float, float]]
    splits: dict[dt.date, float] = field(default_factory=dict)
    dividends: dict[dt.date, float] = field(default_factory=dict)
    currency: str = "USD"
    kind: str = "EQUITY"
    adjusted: bool = False


def daily(
    closes: dict[str, float], splits: dict[str, float] | None = None, dividends: dict[str, float] | None = None
) -> Truth:
    """Daily bars: open 1 % below the close, high 1 % and low 2 % around, volume 1000 a day."""
    bars = {
        dt.datetime.combine(dt.date.fromisoformat(day), OPEN, NEW_YORK): (c * 0.99, c * 1.01, c * 0.98, c, 1000.0)
        for day, c in closes.items()
    }
    return Truth(bars, *({dt.date.fromisoformat(day): x for day, x in (d or {}).items()} for d in (splits, dividends)))


class FakeYahoo:
    """`symbols` by name; `asked` every chart that was asked for: symbol, first and last second, interval.

    `fault(symbol, n)` may give a status in place of an answer; n counts the symbol's charts from 1, range=1d left out.
    """

    def __init__(self) -> None:
        self.symbols: dict[str, Truth] = {}
        self.asked: list[tuple[str, int, int, str]] = []
        self.requests: list[str] = []
        self.fault: Callable[[str, int], int] = lambda symbol, n: 0
        self.retry_after = ""
        self.hold = threading.Event()
        self.hold.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def counted(self, symbol: str) -> int:
        return sum(1 for each in self.asked if each[0] == symbol)

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path.endswith("/getcrumb"):
            return 200, "crumb"
        if not path.startswith("/v8/finance/chart/"):
            return 404, ""
        symbol = unquote(path.rsplit("/", 1)[1])
        truth = self.symbols.get(symbol)
        if "period1" in query:
            first, last, interval = int(query["period1"][0]), int(query["period2"][0]), query["interval"][0]
            self.asked.append((symbol, first, last, interval))
            status = self.fault(symbol, self.counted(symbol))
            self.hold.wait(30)
            if status:
                return status, "Too Many Requests" if status == 429 else "Broken"
        else:
            first, last, interval = 0, 0, "1d"
        if truth is None:
            said = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, {"chart": {"result": None, "error": said}}
        return 200, {"chart": {"result": [_result(symbol, truth, first, last, interval)], "error": None}}


def _result(symbol: str, truth: Truth, first: int, last: int, interval: str) -> dict[str, Any]:
    rows = {start: bar for start, bar in truth.bars.items() if first <= start.timestamp() < last}
    later = {start: _factor(truth, start.date()) for start in rows}
    quote: dict[str, list[float]] = {name: [] for name in ("open", "high", "low", "close", "volume")}
    for start, bar in rows.items():
        for name, value in zip(quote, bar, strict=True):
            quote[name].append(value * later[start] if name == "volume" else value / later[start])
    events: dict[str, Any] = {}
    for name, amounts in (("splits", truth.splits), ("dividends", truth.dividends)):
        for day, amount in amounts.items():
            at = int(dt.datetime.combine(day, OPEN, NEW_YORK).timestamp())
            if first <= at < last:
                said = {"numerator": amount, "denominator": 1, "splitRatio": f"{amount}:1"}
                told = said if name == "splits" else {"amount": amount / _factor(truth, day)}
                events.setdefault(name, {})[str(at)] = {"date": at, **told}
    return {
        "meta": _meta(symbol, truth, rows, interval), "timestamp": [int(start.timestamp()) for start in rows],
        "events": events,
        "indicators": {"quote": [quote if rows else {}], "adjclose": [{"adjclose": _adjusted(truth, rows)}]},
    }  # fmt: skip


def _adjusted(truth: Truth, rows: dict[dt.datetime, Any]) -> list[float]:
    """Adjusted closes as Yahoo describes them: each dividend cuts what is before it by 1 − dividend / last close."""
    closes = [(start.date(), bar[3] / _factor(truth, start.date())) for start, bar in rows.items()]
    if not truth.adjusted:
        return [close for _, close in closes]
    found, product = [], 1.0
    for row in range(len(closes) - 1, -1, -1):
        day, close = closes[row]
        found.append(close * product)
        if day in truth.dividends and row:
            product *= 1 - truth.dividends[day] / _factor(truth, day) / closes[row - 1][1]
    return found[::-1]


def _factor(truth: Truth, day: dt.date) -> float:
    """Product of every split after the day."""
    product = 1.0
    for when, ratio in truth.splits.items():
        product *= ratio if when > day else 1.0
    return product


def _meta(symbol: str, truth: Truth, rows: dict[dt.datetime, Any], interval: str) -> dict[str, Any]:
    days = sorted({start.date() for start in rows} or {dt.date(2020, 1, 2)})
    periods = [[_period(day)] for day in days]
    newest = max(rows, default=dt.datetime(2020, 1, 2, 16, tzinfo=NEW_YORK))
    return {
        "currency": truth.currency, "symbol": symbol, "exchangeName": "NMS", "instrumentType": truth.kind,
        "firstTradeDate": 0, "regularMarketTime": int(newest.timestamp()), "gmtoffset": -18000, "timezone": "EST",
        "exchangeTimezoneName": "America/New_York", "regularMarketPrice": 1.0, "priceHint": 2,
        "currentTradingPeriod": {name: periods[-1][0] for name in ("pre", "regular", "post")},
        "tradingPeriods": periods, "dataGranularity": interval, "range": "", "validRanges": ["1d", "5d", "1mo", "max"],
    }  # fmt: skip


def _period(day: dt.date) -> dict[str, Any]:
    start, end = (dt.datetime.combine(day, at, NEW_YORK) for at in (OPEN, dt.time(16)))
    return {"timezone": "EST", "start": int(start.timestamp()), "end": int(end.timestamp()), "gmtoffset": -18000}


def _handler(yahoo: FakeYahoo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            yahoo.requests.append(parts.path)
            status, content = yahoo.answer(parts.path, parse_qs(parts.query))
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 429 and yahoo.retry_after:
                self.send_header("Retry-After", yahoo.retry_after)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *words: Any) -> None:
            return

    return Handler
