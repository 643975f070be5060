"""A small Parquet that would unpack to gigabytes is refused, or read in less than 300 MB."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as papq
import pytest

from backtest.config import MOST_RESULT_ROWS, ResultConfig
from backtest.foreign import reading
from backtest.foreign.table import ResultRefused

MOST_MB = 300
MEASURED = """
import json, resource, sys
from pathlib import Path
from backtest.config import ResultConfig
from backtest.foreign.reading import read
try:
    said = len(read(Path(sys.argv[1]), ResultConfig()).values)
except ValueError as fault:
    said = str(fault)
print(json.dumps([said, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


def minutes(rows: int) -> Any:
    return pa.array((np.datetime64("2000-01-01", "m") + np.arange(rows)).astype("M8[s]"))


def repeated(rows: int, letters: int = 250) -> Any:
    """One text and a place for each row: a run of equal places takes some bytes in the file."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * letters]))


def beside(rows: int) -> Any:
    return pa.table({"date": minutes(rows), "equity": np.ones(rows), "a": repeated(rows), "b": repeated(rows)})


BOMBS: dict[str, tuple[Callable[[], Any], bool, int | str]] = {
    "columns that nobody asked for": (lambda: beside(1_500_000), True, 1_500_000),
    "rows": (lambda: beside(4_900_000), True, "The file holds 4,900,000 rows; at most 1,525,201 are taken"),
    "one long text for all rows": (
        lambda: pa.table({"date": repeated(1_500_000), "equity": np.ones(1_500_000)}), True,
        "The file has 375,000,000 bytes of text in date; at most 16,777,216, as in a CSV",
    ),
    "texts written out": (
        lambda: pa.table({"date": minutes(9), "equity": pa.array(["1" * 10**7] * 9)}), False,
        "The file has a column equity that unpacks to 90,0",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_unpacks_to_much(name: str, tmp_path: Path) -> None:
    make, coded, expected = BOMBS[name]
    papq.write_table(make(), tmp_path / "bomb", compression="zstd", use_dictionary=coded)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "bomb")], capture_output=True, text=True, check=True, timeout=60
    )
    said, peak = json.loads(done.stdout)
    assert said == expected if isinstance(expected, int) else expected in said
    assert peak < MOST_MB


def test_other_columns_are_not_looked_at(tmp_path: Path) -> None:
    """Neither a cell that is too long for a table of ours nor a type that is none of a cell."""
    days = ["2019-01-02", "2019-01-03"]
    table = pa.table({"date": days, "equity": [1.0, 2.0], "note": ["x" * 5000] * 2, "nested": [[1], [2]]})
    papq.write_table(table, tmp_path / "parquet")
    (tmp_path / "csv").write_text("date,note,equity\n" + "".join(f"{day},{'x' * 5000},1\n" for day in days))
    for name in ("parquet", "csv"):
        assert len(reading.read(tmp_path / name, ResultConfig()).values) == 2


def test_a_column_whose_name_begins_with_ours(tmp_path: Path) -> None:
    table = pa.table({"date": ["2019-01-02"], "equity": [1.0], "equity.note": ["x"]})
    papq.write_table(table, tmp_path / "table")
    with pytest.raises(
        ResultRefused, match=r"columns equity and equity\.note, which Parquet cannot tell apart; rename"
    ):
        reading.read(tmp_path / "table", ResultConfig())


def test_a_csv_of_more_rows_than_days_can_be_written_in(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("date,equity\n" + "0,1\n" * (MOST_RESULT_ROWS + 1))
    with pytest.raises(ResultRefused, match="The file holds 1,525,202 rows; at most 1,525,201 are taken"):
        reading.read(tmp_path / "table", ResultConfig())


def test_a_child_without_memory_says_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table").write_text("date,equity\n2019-01-02,1\n")
    code = "import resource, sys; from backtest.foreign import child; child.OURS = {resource.RLIMIT_AS: 150 << 20}; "
    code += "child.main(sys.argv[1:])"
    monkeypatch.setattr(reading, "COMMAND", (sys.executable, "-P", "-c", code))
    with pytest.raises(
        ResultRefused, match=r"takes more memory than is allowed; write its two columns as CSV|could not"
    ):
        reading.read(tmp_path / "table", ResultConfig())
