"""The samples: real prices out of files that come with installed packages, read without importing those packages."""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marketdata.bars import Adjustment
from marketdata.sources.alignment import Rows, align
from marketdata.sources.base import Asked, Fetched, History, NoHistory
from marketdata.store import EntryMeta, Survivorship

OHLCV = ("open", "high", "low", "close", "volume")
RECIPE = 1
"""Part of the fingerprint: raised when the reading below changes."""


@dataclass(frozen=True)
class Sample:
    """`files`: path below the package, by symbol for a file each, or under "" for one file with all symbols."""

    title: str
    package: str
    files: dict[str, str]
    read: Callable[[dict[str, Path]], dict[str, Rows]]
    adjustment: Adjustment
    survivorship: Survivorship
    license_note: str
    indices: tuple[str, ...] = ()


class SampleSource:
    """`us20`: adjusted closes of 20 US stocks, 1990–2022. `us-indices`: OHLCV of two US indices, 1999–2018."""

    key = "sample"

    def names(self) -> tuple[str, ...]:
        return tuple(SAMPLES)

    def fingerprint(self, name: str) -> str:
        sample = _sample(name)
        digest = hashlib.sha256(repr((RECIPE, _said(name))).encode())
        for path in _paths(sample).values():
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def fetch(self, name: str) -> Fetched:
        sample = _sample(name)
        bars, findings = align(sample.read(_paths(sample)), adjustment=sample.adjustment)
        meta = EntryMeta(
            id=f"{self.key}/{name}",
            as_of=str(bars.session[-1]),
            source_sha256=self.fingerprint(name),
            findings=tuple(finding.as_dict() for finding in findings),
            **_said(name),
        )
        return Fetched(bars, meta)


class SampleHistory:
    """Symbols of those samples whose prices are raw, for the end of a chain."""

    key = "sample"

    def __init__(self) -> None:
        self.license_note = " ".join(each.license_note for each in SAMPLES.values() if each.adjustment == "raw")

    def history(self, asked: Asked) -> History:
        for sample in SAMPLES.values():
            if sample.adjustment == "raw" and asked.symbol in sample.files:
                days, columns = sample.read({asked.symbol: _paths(sample)[asked.symbol]})[asked.symbol]
                rows = (days >= np.datetime64(asked.start)) & (days <= np.datetime64(asked.end))
                if rows.any():
                    held = {name: column[rows] for name, column in columns.items()}
                    return History(days[rows], held, currency="USD", index=asked.symbol in sample.indices)
                span = f"they go from {days.min()} to {days.max()}"
                raise NoHistory(f"sample has no bars of {asked.symbol} from {asked.start} to {asked.end}; {span}.")
        raise NoHistory(f"sample does not have {asked.symbol} as raw bars.")


def package_file(package: str, relative: str) -> Path:
    """A file of an installed package, found without running the package. Raises ValueError where it is not."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, relative)
        if path.is_file():
            return path
    raise ValueError(f"the package {package} with its file {relative} is not installed; install requirements.txt")


def _sample(name: str) -> Sample:
    if name not in SAMPLES:
        raise ValueError(f"sample must be one of {', '.join(SAMPLES)}, not {name}")
    return SAMPLES[name]


def _said(name: str) -> dict[str, Any]:
    """What we say of a sample: part of its fingerprint, so that a store hears of other words."""
    sample = _sample(name)
    version = importlib.metadata.version(sample.package)
    return {
        "title": sample.title,
        "survivorship": sample.survivorship,
        "source": f"{sample.package} {version}: {', '.join(sample.files.values())}",
        "license_note": sample.license_note,
        "indices": sample.indices,
    }


def _paths(sample: Sample) -> dict[str, Path]:
    return {symbol: package_file(sample.package, relative) for symbol, relative in sample.files.items()}


def _table(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a gzipped CSV: the first as text, the others as float64, empty cells as NaN."""
    import pyarrow as pa
    import pyarrow.csv as csv

    with path.open("rb") as stream:
        compressed = pa.CompressedInputStream(stream, "gzip")
        names = compressed.read(1 << 16).split(b"\n", 1)[0].decode().strip().split(",")
    types = {name: pa.string() if index == 0 else pa.float64() for index, name in enumerate(names)}
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types))
    return {name: table.column(name).to_numpy() for name in names}


def _closes(paths: dict[str, Path]) -> dict[str, Rows]:
    """One file: ISO dates and a column of adjusted closes for each symbol."""
    table = _table(paths[""])
    days = table.pop("Date").astype("datetime64[D]")
    return {symbol: (days, {"close": column}) for symbol, column in table.items()}


def _ohlcv(paths: dict[str, Path]) -> dict[str, Rows]:
    """A file for each symbol: dates as month/day/year, open to volume. An index pays no dividend: closes are raw."""
    rows: dict[str, Rows] = {}
    for symbol, path in paths.items():
        table = _table(path)
        days = np.array([_american(text) for text in table["Date"]], dtype="datetime64[D]")
        rows[symbol] = (days, {name: table[name.capitalize()] for name in OHLCV})
    return rows


def _american(text: str) -> str:
    month, day, year = text.split("/")
    return f"{int(year):04d}-{int(month):02d}-{int(day):02d}"


SAMPLES = {
    "us20": Sample(
        title="20 US stocks, adjusted closes, 1990–2022",
        package="skfolio",
        files={"": "datasets/data/sp500_dataset.csv.gz"},
        read=_closes,
        adjustment="total_return",
        survivorship="biased",
        license_note="Comes with skfolio (BSD-3-Clause); the origin of the prices is not restated. "
        "Chosen from companies that are large today: their past looks better than the market's was.",
    ),
    "us-indices": Sample(
        title="S&P 500 and NASDAQ Composite, open to volume, 1999–2018",
        package="arch",
        files={"SP500": "data/sp500/sp500.csv.gz", "NASDAQ": "data/nasdaq/nasdaq.csv.gz"},
        read=_ohlcv,
        adjustment="raw",
        survivorship="unknown",
        license_note="Comes with arch (NCSA); the origin of the prices is not restated. "
        "An index cannot be bought; its price leaves out dividends.",
        indices=("SP500", "NASDAQ"),
    ),
}
