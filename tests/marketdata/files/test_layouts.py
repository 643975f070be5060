"""The same five bars in every layout are the same bars."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketdata.files.limits import FileRefused
from tests.marketdata.files.build import LONG, PER_SYMBOL, WIDE, built, request

DAYS = ("2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08")
A, B = (10.0, 10.5, 11.0, 10.75, 11.25), (20.0, 20.5, 19.5, 19.75, 20.25)
CLOSES = np.array([A, B]).T


def long_file() -> str:
    rows = [
        f"{day},{symbol},{close}"
        for place, day in enumerate(DAYS)
        for symbol, close in (("A", A[place]), ("B", B[place]))
    ]
    return "date,symbol,close\n" + "\n".join(rows)


def wide_file() -> str:
    return "date,A,B\n" + "\n".join(f"{day},{a},{b}" for day, a, b in zip(DAYS, A, B, strict=True))


def a_file_each() -> dict[str, str]:
    return {
        f"{symbol}.csv": "date,close\n" + "\n".join(f"{day},{close}" for day, close in zip(DAYS, closes, strict=True))
        for symbol, closes in (("A", A), ("B", B))
    }


CASES = [(long_file(), LONG), (wide_file(), WIDE), (a_file_each(), PER_SYMBOL)]


@pytest.mark.parametrize(("content", "columns"), CASES, ids=["long", "wide", "per_symbol"])
def test_every_layout_gives_the_same_bars(tmp_path, content, columns):
    bars = built(tmp_path, content, columns).bars
    assert (bars.symbols, bars.calendar, bars.interval, bars.adjustment) == (("A", "B"), "XNYS", "1d", "raw")
    np.testing.assert_array_equal(bars.close, CLOSES)
    assert [str(day) for day in bars.session] == list(DAYS)
    assert str(bars.known_at[0]) == "2020-01-02T21:00:00.000000000"
    assert bars.content_hash() == built(tmp_path, long_file(), LONG).bars.content_hash()


def test_parquet_gives_the_bars_of_the_csv(tmp_path):
    days = np.array(DAYS, "datetime64[D]")
    table = pa.table({"date": pa.array(np.tile(days, 2)), "symbol": pa.array(["A"] * 5 + ["B"] * 5).dictionary_encode(),
                      "close": pa.array([*A, *B], pa.float32())})  # fmt: skip
    pq.write_table(table, tmp_path / "x.parquet")
    bars = built(tmp_path, {"x.parquet": (tmp_path / "x.parquet").read_bytes()}, LONG).bars
    np.testing.assert_array_equal(bars.close, CLOSES)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_day_of_parquet_with_a_zone_is_the_day_that_it_shows(tmp_path, zone):
    """What pandas writes of a DatetimeIndex with a zone: midnight in New York is five in the morning, UTC."""
    midnight = np.array(DAYS, "datetime64[us]") + np.timedelta64(5 if zone != "UTC" else 0, "h")
    column = pa.array(midnight, pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    pq.write_table(pa.table({"date": column, "close": pa.array(A)}), tmp_path / "A.parquet")
    bars = built(tmp_path, {"A.parquet": (tmp_path / "A.parquet").read_bytes()}, PER_SYMBOL).bars
    assert [str(day) for day in bars.session] == list(DAYS)


def test_volume_vwap_actions_delisting_and_rates_find_their_places(tmp_path):
    text = (
        "date,symbol,close,volume,vwap,split,dividend,left,rate:Bill 3m\n"
        "2020-01-02,A,10,100,10.1,0,0,,0.01\n2020-01-03,A,5,200,5.1,2,,,0.02\n2020-01-06,A,5,300,5.1,1,0.25,,\n"
        "2020-01-02,B,20,1,20,,,,0.01\n2020-01-03,B,20,1,20,,,-0.4,0.02\n"
    )
    columns = LONG | {name: name for name in ("volume", "vwap", "split", "dividend")}
    bars = built(tmp_path, text, columns | {"final_return": "left", "rates": ["rate:Bill 3m"]}).bars
    np.testing.assert_array_equal(bars.split, [[1, 1], [2, 1], [1, 1]])
    np.testing.assert_array_equal(bars.dividend, [[0, 0], [0, 0], [0.25, 0]])
    np.testing.assert_array_equal(bars.volume, [[100, 1], [200, 1], [300, np.nan]])
    np.testing.assert_array_equal(bars.rates["bill_3m"], [0.01, 0.02, np.nan])
    assert [(symbol, str(end.last_session), end.final_return) for symbol, end in bars.delistings.items()] == [
        ("B", "2020-01-03", -0.4)
    ]


def test_an_adjusted_close_scales_the_other_prices_and_the_volume_against_them(tmp_path):
    text = "date,symbol,open,high,low,close,adj,volume\n2020-01-02,A,9,11,8,10,5,100\n2020-01-03,A,10,12,9,11,11,100\n"
    columns = LONG | {"open": "open", "high": "high", "low": "low", "adjusted_close": "adj", "volume": "volume"}
    bars = built(tmp_path, text, columns, adjustment="total_return").bars
    np.testing.assert_allclose(bars.open[:, 0], [4.5, 10.0])
    np.testing.assert_allclose(bars.close[:, 0], [5.0, 11.0])
    np.testing.assert_allclose(bars.close[:, 0] * bars.volume[:, 0], [10 * 100, 11 * 100])  # the money stays
    np.testing.assert_allclose(bars.volume[:, 0], [200, 100])
    assert bars.adjustment == "total_return"
    with pytest.raises(FileRefused, match="adjusted_close is mapped and the prices are called raw"):
        built(tmp_path, text, columns)


@pytest.mark.parametrize(
    ("content", "columns", "words"),
    [
        (a_file_each(), LONG, "The layout long is one file, and 2 were sent"),
        (long_file(), LONG | {"close": "last"}, "prices.csv has no column last; it has date, symbol, close"),
        ({"A.csv": "date,close\n2020-01-02,1\n", "A.txt": "date,close\n2020-01-02,1\n"}, PER_SYMBOL,
         "Two files are named by the symbol A"),
        ({"not a symbol.csv": "date,close\n2020-01-02,1\n"}, PER_SYMBOL, "The symbol in the name of not a symbol.csv"),
        ("date,symbol,close\n2020-01-02,=A1,3\n", LONG, 'The symbol in row 2 of prices.csv is "=A1"'),
        ("date,symbol,close\n2020-01-02,АAPL,3\n", LONG, "a symbol is up to 16 letters"),
        ("date,symbol,close\n2020-01-02,,3\n", LONG, "The symbol in row 2 of prices.csv is empty"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_layout_is_one_sentence(tmp_path, content, columns, words):
    with pytest.raises(FileRefused) as refused:
        built(tmp_path, content, columns)
    assert words in str(refused.value)


def test_actions_belong_to_raw_prices(tmp_path):
    text = "date,symbol,close,split\n2020-01-02,A,10,2\n"
    with pytest.raises(FileRefused, match="split is mapped and the prices are called split: actions belong to raw"):
        built(tmp_path, text, LONG | {"split": "split"}, adjustment="split")


def test_the_request_is_a_model_that_says_what_is_wrong():
    with pytest.raises(ValueError, match="symbol must name a column in the layout long"):
        request({"layout": "long", "close": "close"})
    with pytest.raises(ValueError, match="close must be empty in the layout wide"):
        request({"layout": "wide", "close": "close"})
    with pytest.raises(ValueError, match="must be a time zone"):
        request(LONG | {"timezone": "../../etc/passwd"})
