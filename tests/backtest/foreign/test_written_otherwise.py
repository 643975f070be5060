"""The same curve, however it is written, is the same report; what a time stands for is asked and not guessed."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as papq
import pytest

from backtest.config import ImportConfig, ResultConfig
from backtest.foreign.align import curve_of
from backtest.foreign.table import ResultRefused, read
from marketdata.bars import Bars
from marketdata.catalog import Catalog

EQUITY = [1000.0, 1012.5, 1003.25, 1003.25, 999.0, 1040.0]
Written = dict[str, Any]


@pytest.fixture(scope="session")
def bars(datasets: Path) -> Bars:
    return Catalog(datasets).store.load(Catalog(datasets).find("sample/us20").version)


def curve(content: bytes, tmp_path: Path, bars: Bars, **result: Any) -> tuple[int, list[float]]:
    path = tmp_path / "result"
    path.write_bytes(content)
    config = ImportConfig(result=ResultConfig(**result))
    found = curve_of(read(path, config.result), config, bars, 1000.0)
    return found.span.t0, found.equity.tolist()


def days_of(bars: Bars, first: int) -> list[str]:
    return [str(day) for day in bars.session[first : first + len(EQUITY)]]


def returns() -> np.ndarray:
    return np.array(EQUITY)[1:] / np.array(EQUITY)[:-1] - 1.0


def written(days: list[str]) -> dict[str, tuple[bytes, Written]]:
    def lines(head: str, rows: list[str]) -> bytes:
        return ("\n".join([head, *rows]) + "\n").encode()

    pairs = list(zip(days, EQUITY, strict=True))
    grown = list(zip(days[1:], returns().tolist(), strict=True))
    frame = pa.table({"index": pa.array(days).cast(pa.timestamp("ns")), "nav": EQUITY})
    sink = pa.BufferOutputStream()
    papq.write_table(frame, sink)
    return {
        "pandas": (lines(",portfolio_value", [f"{day} 00:00:00,{value}" for day, value in pairs]), {}),
        "german": (
            lines("Datum;Wert;x", [f"{day[8:]}.{day[5:7]}.{day[:4]};{str(value).replace('.', ',')};1"
                                   for day, value in pairs]),
            {"date": "Datum", "value": "Wert", "date_format": "dmy"},
        ),
        "with a zone": (lines("time,equity", [f"{day}T16:00:00-05:00,{value}" for day, value in pairs]), {}),
        "parquet": (sink.getvalue().to_pybytes(), {}),
        "fractions": (lines("date,returns", [f"{day},{value!r}" for day, value in grown]), {"holds": "returns"}),
        "percents": (
            lines("date,ret", [f"{day},{value * 100!r}" for day, value in grown]), {"holds": "returns_percent"}
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["pandas", "german", "with a zone", "parquet", "fractions", "percents"])
def test_the_same_curve(name: str, tmp_path: Path, bars: Bars) -> None:
    first = 5000
    content, result = written(days_of(bars, first))[name]
    t0, equity = curve(content, tmp_path, bars, **result)
    assert t0 == first and equity == pytest.approx(EQUITY, rel=1e-12)
    if name in ("pandas", "parquet", "with a zone"):
        assert equity == EQUITY


def test_a_return_of_the_first_bar_has_nothing_before_it(tmp_path: Path, bars: Bars) -> None:
    rows = "".join(f"{day},0.01\n" for day in bars.session[:5])
    with pytest.raises(ResultRefused, match="a return of the data's first bar, which has no bar before it"):
        curve(f"date,return\n{rows}".encode(), tmp_path, bars, holds="returns")


def test_on_a_calendar_that_never_closes_a_time_must_be_explained(tmp_path: Path, bars: Bars) -> None:
    """Midnight is the end of one day and the beginning of the next."""
    count = 8
    session = np.arange(np.datetime64("2022-01-01"), np.datetime64("2022-01-09"))
    always = dataclasses.replace(
        bars.between(bars.session[0].item(), bars.session[count - 1].item()), session=session, calendar="24/7",
        known_at=(session + 1).astype("datetime64[ns]"),
    )  # fmt: skip
    rows = "".join(f"{day}T00:00:00Z,{value}\n" for day, value in zip(session[1:], EQUITY, strict=False))
    content = f"time,equity\n{rows}".encode()
    with pytest.raises(ResultRefused, match=r"result.times: column time holds times, .* say day .* or close"):
        curve(content, tmp_path, always)
    assert curve(content, tmp_path, always, times="day")[0] == 1
    assert curve(content, tmp_path, always, times="close")[0] == 0


def test_shorter_bars_are_named_by_their_close(tmp_path: Path, bars: Bars) -> None:
    small = bars.between(bars.session[100].item(), bars.session[105].item())
    hour = dataclasses.replace(small, interval="1h", session=np.repeat(small.session[:2], 3), known_at=np.concatenate([
        small.known_at[0] + np.arange(-2, 1) * np.timedelta64(3600, "s"),
        small.known_at[1] + np.arange(-2, 1) * np.timedelta64(3600, "s"),
    ]))  # fmt: skip
    rows = "".join(f"{str(close)[:19]}Z,{value}\n" for close, value in zip(hour.known_at, EQUITY, strict=True))
    assert curve(f"time,equity\n{rows}".encode(), tmp_path, hour) == (0, EQUITY)
    days = "".join(f"{day},{value}\n" for day, value in zip(small.session, EQUITY, strict=True))
    with pytest.raises(ResultRefused, match="must hold the close of each bar in UTC: this dataset has bars of 1h"):
        curve(f"date,equity\n{days}".encode(), tmp_path, hour)


def test_part_of_a_file(tmp_path: Path, bars: Bars) -> None:
    days = days_of(bars, 5000)
    rows = "".join(f"{day},{value}\n" for day, value in zip(days, EQUITY, strict=True))
    path = tmp_path / "result"
    path.write_text(f"date,equity\n{rows}")
    config = ImportConfig.model_validate({"start": days[1], "end": days[4]})
    found = curve_of(read(path, config.result), config, bars, 1.0)
    assert (found.span.t0, found.span.t1) == (5001, 5004) and found.equity.tolist() == EQUITY[1:5]
