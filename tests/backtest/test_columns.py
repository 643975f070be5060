"""CSV that reads back the same, and is made without pandas."""

import csv
import io
import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.columns import csv_bytes, floats, texts, whole, words


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_read_back_the_same(values: list[float]) -> None:
    read = rows(csv_bytes({"x": floats(np.array(values))}))[1:]
    assert [float(cell) for (cell,) in read] == values


def test_missing_is_empty_and_a_negative_index_is_missing() -> None:
    content = csv_bytes({
        "n": whole(np.array([1, 2, 3])), "x": floats(np.array([0.5, np.nan, -2.0])),
        "word": words(texts(["buy", "sell"]), np.array([1, -1, 0])),
    })  # fmt: skip
    assert rows(content) == [["n", "x", "word"], ["1", "0.5", "sell"], ["2", "", ""], ["3", "-2", "buy"]]


def test_no_rows_are_a_header() -> None:
    assert csv_bytes({"a": floats(np.empty(0)), "b": words(texts(["x"]), np.empty(0, np.int64))}) == b"a,b\n"


def test_pandas_is_not_loaded() -> None:
    code = (
        "import sys, numpy as np; from backtest.columns import *;"
        "csv_bytes({'a': floats(np.array([1.0])), 'b': words(texts(['x']), np.array([0]))});"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
