"""Yahoo Finance by the library yfinance: `Ticker.history` without adjustment, with splits and dividends.

What Yahoo calls raw is split-adjusted: prices, dividends and volumes before a split are as if it had always been so. So
every question reaches up to now, that each later split is known, and `adjust.unsplit` takes them out again.
Yahoo's terms allow personal use; nothing fetched may be passed on.
"""

import datetime as dt
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from marketdata.bars import DAILY, Floats
from marketdata.sources.base import Action, Asked, History, NoHistory, TryLater
from marketdata.sources.bucket import TokenBucket

BASE_URL = "STOCKBOT_YAHOO_URL"
"""Environment: where Yahoo is asked instead, for tests and for an operator's proxy; never from a client."""
LICENSE = "From Yahoo Finance by yfinance, for personal use only; not to be passed on."
BUCKET = TokenBucket(rate=2.0, burst=8)
"""Of this process; one fetch at a time is at work, so of the provider."""
TIMEOUT_S = 20.0
DAYS_A_QUESTION = {"1m": 7}
"""Yahoo answers at most so many days of such bars at once."""
COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}


class YahooHistory:
    key = "yahoo"
    license_note = LICENSE

    def __init__(self, base_url: str | None = None) -> None:
        self._yf, _ = _library()
        self._session = _session(os.environ.get(BASE_URL, "") if base_url is None else base_url)

    def history(self, asked: Asked) -> History:
        frames, said, why = [], dict[str, Any](), NoHistory(_nothing(asked))
        for begin, end in _spans(asked):
            try:
                frame, said = self._ask(asked, begin, end)
            except NoHistory as fault:  # a week without bars is no end of the symbol
                why = fault
                continue
            if not frame.empty:
                frames.append(frame)
        if not frames:
            raise why
        return _history(asked, frames, said)

    def _ask(self, asked: Asked, begin: dt.datetime, end: dt.datetime) -> tuple[Any, dict[str, Any]]:
        """A table of yfinance's, maybe empty, and what Yahoo says of the symbol."""
        from curl_cffi.requests.exceptions import RequestException
        from yfinance.cache import get_tz_cache
        from yfinance.data import YfData
        from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError

        self._session.after_s = None
        get_tz_cache().store(asked.symbol, "UTC")  # our times have their zone: saves two requests a symbol
        ticker = self._yf.Ticker(asked.symbol, session=self._session)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of yfinance, to the authors of yfinance
                frame = ticker.history(start=begin, end=end, interval=asked.interval, auto_adjust=False, actions=True,
                                       timeout=TIMEOUT_S)  # fmt: skip
            return frame, dict(ticker.history_metadata)
        except YFRateLimitError as fault:
            sentence = f"yahoo answers {asked.symbol} with 429: too many requests for now."
            raise TryLater(sentence, self._session.after_s) from fault
        except YFPricesMissingError as fault:
            said = str(fault).partition(": ")[2].rstrip(".")
            guessed = not said or said.startswith("possibly delisted")  # yfinance's guess, not Yahoo's word
            raise NoHistory(_nothing(asked) if guessed else f"yahoo does not have {asked.symbol}: {said}.") from fault
        except (RequestException, YFDataException, OSError, ValueError) as fault:  # a fault of JSON is a ValueError
            status = self._session.last_status
            said = f"with {status}" if status >= 400 else f"with a network fault ({type(fault).__name__})"
            raise TryLater(f"yahoo answers {asked.symbol} {said}.") from fault
        except (KeyError, IndexError, TypeError, AttributeError) as fault:
            raise NoHistory(f"yahoo's answer for {asked.symbol} cannot be read ({type(fault).__name__}).") from fault
        finally:
            YfData.cache_get.cache_clear()  # it keeps answers that were faults too


@cache
def _library() -> tuple[Any, Any]:
    """yfinance, set up once a process as all of it is shared, and the folder that keeps its cache out of our home."""
    import yfinance

    folder = tempfile.TemporaryDirectory(prefix="stockbot-yahoo-")
    yfinance.set_tz_cache_location(folder.name)
    yfinance.config.debug.hide_exceptions = False  # else a fault is an empty table
    return yfinance, folder


def _session(base_url: str) -> Any:
    """A session as yfinance makes its own, that takes a token for each request and may ask another address."""
    from curl_cffi import requests

    base = urlsplit(base_url)
    if base_url and (base.scheme not in ("http", "https") or not base.netloc or base.path.strip("/")):
        raise ValueError(f"{BASE_URL} must be an address such as http://127.0.0.1:9000, not {base_url}")

    class Session(requests.Session):  # type: ignore[type-arg]
        last_status = 0
        after_s: float | None = None

        def request(self, method: Any, url: str, *arguments: Any, **options: Any) -> Any:
            BUCKET.take()
            self.last_status = 0
            if base.netloc:
                url = urlunsplit(urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc))
            answer = super().request(method, url, *arguments, **options)
            self.last_status = answer.status_code
            said = answer.headers.get("Retry-After", "")
            if answer.status_code == 429 and said.isdigit():
                self.after_s = float(said)
            return answer

    return Session(impersonate="chrome")


def _spans(asked: Asked) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """From the start to now, in pieces that Yahoo answers."""
    begin = dt.datetime.combine(asked.start, dt.time(), dt.UTC) - dt.timedelta(days=1)  # no zone is a day behind UTC
    most = DAYS_A_QUESTION.get(asked.interval)
    while begin < asked.now:
        end = asked.now if most is None else min(asked.now, begin + dt.timedelta(days=most))
        yield begin, end
        begin = end


def _history(asked: Asked, frames: list[Any], said: Mapping[str, Any]) -> History:
    import pandas as pd

    frame = pd.concat(frames)
    frame = frame[~frame.index.duplicated(keep="first")]
    sessions = np.array([stamp.date() for stamp in frame.index], "datetime64[D]")
    if asked.interval == DAILY:
        time = sessions
    else:
        time = frame.index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
    inside = sessions >= np.datetime64(asked.start)
    if not inside.any():
        raise NoHistory(_nothing(asked))
    columns: dict[str, Floats] = {ours: frame[theirs].to_numpy(dtype=float)[inside] for theirs, ours in COLUMNS.items()}
    columns["volume"][np.isnan(columns["close"])] = np.nan  # yfinance writes 0 where Yahoo has nothing
    notes: tuple[str, ...] = ()
    if "Capital Gains" in frame and (frame["Capital Gains"] != 0).any():
        notes = (f"{asked.symbol} paid capital gains that are not among its dividends; they are left out.",)
    return History(
        time[inside], columns, _actions(sessions, frame["Stock Splits"]), _actions(sessions, frame["Dividends"]),
        "split_adjusted", str(said.get("currency") or ""), notes, said.get("instrumentType") == "INDEX",
    )  # fmt: skip


def _nothing(asked: Asked) -> str:
    return f"yahoo has no bars of {asked.interval} of {asked.symbol} from {asked.start} on."


def _actions(sessions: Any, column: Any) -> tuple[Action, ...]:
    values = column.to_numpy(dtype=float)
    return tuple((sessions[row].item(), float(values[row])) for row in np.flatnonzero(np.nan_to_num(values) != 0))
