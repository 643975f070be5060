"""A file with very many columns is refused by their number, without a look at each pair of them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketdata.files.limits import FileRefused
from marketdata.files.tables import read_parquet


def test_thirty_thousand_columns_of_parquet_are_counted(tmp_path):
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{k}": pa.array([1.0]) for k in range(30_000)}), path)
    with pytest.raises(FileRefused, match="30,000 columns"):
        read_parquet(path, "wide")
