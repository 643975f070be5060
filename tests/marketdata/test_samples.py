"""The samples are what is in the packages' files, read another way."""

import csv
import gzip
import subprocess
import sys

import numpy as np
import pytest

from marketdata.catalog import Catalog, sessions
from marketdata.config import SplitConfig
from marketdata.quality import check
from marketdata.setup_samples import main, put_samples
from marketdata.sources.base import source
from marketdata.sources.sample import package_file
from marketdata.splits import make_ranges
from marketdata.store import BARS, Store


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    root = tmp_path_factory.mktemp("datasets")
    put_samples(Store(root))
    return Catalog(root)


def read(path):
    with gzip.open(path, "rt") as stream:
        return list(csv.DictReader(stream))


def test_us20_is_the_file(catalog):
    entry = catalog.find("sample/us20")
    bars = catalog.store.load(entry.version)
    rows = read(package_file("skfolio", "datasets/data/sp500_dataset.csv.gz"))
    assert (bars.n_bars, bars.n_assets, bars.fields) == (8313, 20, {"close"})
    assert [str(session) for session in bars.session] == [row["Date"] for row in rows]
    np.testing.assert_array_equal(bars.close, [[float(row[symbol]) for symbol in bars.symbols] for row in rows])
    assert (entry.adjustment, entry.survivorship) == ("total_return", "biased")
    assert (str(entry.start), str(entry.end), entry.as_of) == ("1990-01-02", "2022-12-28", "2022-12-28")


def test_us_indices_are_the_files(catalog):
    entry = catalog.find("sample/us-indices")
    bars = catalog.store.load(entry.version)
    assert (bars.symbols, bars.n_bars, len(bars.fields)) == (("SP500", "NASDAQ"), 5031, 5)
    assert (entry.adjustment, entry.survivorship) == ("raw", "unknown")
    for asset, name in enumerate(("sp500", "nasdaq")):
        rows = read(package_file("arch", f"data/{name}/{name}.csv.gz"))
        assert rows[0]["Date"] == "1/4/1999" and str(bars.session[0]) == "1999-01-04"
        for field in bars.fields:
            expected = [float(row[field.capitalize()]) for row in rows]
            np.testing.assert_array_equal(bars.column(field)[:, asset], expected)


def test_indices_are_known_as_such(catalog):
    assert [catalog.find(f"sample/{name}").indices for name in ("us20", "us-indices")] == [(), ("SP500", "NASDAQ")]


def test_neither_sample_is_red_and_its_weak_points_are_told(catalog):
    reports = {e.id: check(catalog.store.load(e.version)) for e in catalog.entries()}
    assert {id: report.level for id, report in reports.items()} == {
        "sample/us20": "amber",
        "sample/us-indices": "amber",
    }
    told = {id: {(f.code, f.symbol) for f in report.findings} for id, report in reports.items()}
    assert {("stale", "RRC"), ("jump", "AAPL"), ("coarse", "AAPL")} <= told["sample/us20"]
    assert told["sample/us-indices"] == {("open_is_last_close", "SP500"), ("zero_volume", "NASDAQ")}


def test_last_year_of_us20(catalog):
    days = sessions(catalog.find("sample/us20"))
    ranges = make_ranges(SplitConfig(), days, lookback=64, warmup=363)
    assert (str(days[ranges.test.t0]), str(days[ranges.test.t1])) == ("2021-12-29", "2022-12-28")
    assert str(days[ranges.validation.t0]) == "2020-12-29"
    assert ranges.train.t0 == 64 + 363


def test_a_second_time_changes_nothing_and_damage_is_mended(tmp_path, capsys):
    assert main([str(tmp_path)]) == 0
    first = capsys.readouterr().out
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    assert sorted(line.split()[0] for line in first.splitlines()) == ["sample/us-indices", "sample/us20"]

    version = first.split()[1]
    (tmp_path / version / BARS).write_bytes(b"PAR1")
    main([str(tmp_path)])
    assert Store(tmp_path).load(version).content_hash() == version


def test_the_packages_are_read_and_not_run(tmp_path):
    code = (
        "import sys; from pathlib import Path; from marketdata.setup_samples import put_samples;"
        "from marketdata.store import Store; put_samples(Store(Path(sys.argv[1])));"
        "print([name for name in ('skfolio', 'arch', 'talib', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="source must be one of sample, not moon"):
        source("moon")
    with pytest.raises(ValueError, match="sample must be one of us20, us-indices, not us21"):
        source("sample").fetch("us21")
    with pytest.raises(ValueError, match=r"package skfolio with its file nothing\.csv is not installed"):
        package_file("skfolio", "nothing.csv")
    with pytest.raises(ValueError, match="package nosuchpackage"):
        package_file("nosuchpackage", "nothing.csv")
