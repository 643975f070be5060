"""A file with very many columns is refused by their number, without a look at each pair of them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketdata.files.limits import FileRefused
from marketdata.files.tables import _check_names as check_names
from marketdata.files.tables import read_parquet


def test_thirty_thousand_columns_of_parquet_are_counted(tmp_path):
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{k}": pa.array([1.0]) for k in range(30_000)}), path)
    with pytest.raises(FileRefused, match="30,000 columns"):
        read_parquet(path, "wide", most_rows=10)


class Counted(str):
    """A name that counts how often one of its kind is compared or hashed."""

    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)


def looks_at(count: int) -> int:
    names = [Counted(f"c{k}") for k in range(count)]
    Counted.looks = 0
    check_names("wide.csv", names)
    return Counted.looks


def test_four_times_the_columns_are_four_times_the_work():
    """A look at each pair of names was a minute for a header of 280 KB. Counted, so that no clock can decide."""
    few, many = looks_at(500), looks_at(2000)
    assert 500 <= few <= 10 * 500
    assert many <= 4 * few


def test_a_name_that_comes_twice_is_found_at_any_distance():
    names = [f"c{k}" for k in range(2000)] + ["c0"]
    with pytest.raises(FileRefused, match="two columns named c0; rename one"):
        check_names("wide.csv", names)
