"""Run directories with a result in them, and a judgement of our own whose equity file serves as one."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backtest import run as own_run
from backtest.foreign import run
from marketdata.catalog import Catalog
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job

SYMBOLS = ["KO", "XOM", "AAPL"]
DATASET = {"id": "sample/us20", "symbols": SYMBOLS}
EVALUATION = {"bootstrap_paths": 1000, "metric_bootstrap_paths": 200}
Import = Callable[..., Job]


def result_job(folder: Path, datasets: Path, content: bytes, **config: Any) -> Job:
    """A run directory that holds `content` as its result."""
    folder.mkdir()
    (folder / layout.RESULT).write_bytes(content)
    config = {"dataset": DATASET, "evaluation": EVALUATION, **config}
    config["file_sha256"] = hashlib.sha256(content).hexdigest()
    (folder / layout.CONFIG).write_text(yamlio.dump(config), encoding="utf-8")
    return Job(folder, datasets, EventWriter(folder / layout.EVENTS), config)


@pytest.fixture
def importing(tmp_path: Path, datasets: Path) -> Import:
    def make(content: str | bytes, **config: Any) -> Job:
        raw = content.encode() if isinstance(content, str) else content
        return result_job(tmp_path / "import", datasets, raw, **config)

    return make


@dataclasses.dataclass(frozen=True)
class Pair:
    """A judgement of a strategy, and one of the equity that it wrote."""

    own: Path
    imported: Path

    def read(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        own, imported = (json.loads((at / "report" / name).read_text()) for at in (self.own, self.imported))
        return own, imported


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory, datasets: Path) -> Pair:
    """`equal_daily` is in no verdict, so that both are held against the same baselines."""
    root = tmp_path_factory.mktemp("pair")
    config = {"policy": "equal_daily", "dataset": DATASET, "evaluation": EVALUATION | {"benchmark": "KO", "trials": 3},
              "start": "2018-01-02", "end": "2019-12-31"}  # fmt: skip
    (root / "own").mkdir()
    own = Job(root / "own", datasets, EventWriter(root / "own" / layout.EVENTS), config)
    own_run.run(own)
    content = (own.folder / "report/equity.csv").read_bytes()
    evaluation = {"evaluation": EVALUATION | {"benchmark": "KO", "trials": 3}}
    imported = result_job(root / "imported", datasets, content, **evaluation)
    run.run(imported)
    return Pair(own.folder, imported.folder)


@pytest.fixture(scope="session")
def days(datasets: Path) -> list[str]:
    """Sessions of 2019 of the sample."""
    bars = Catalog(datasets).store.load(Catalog(datasets).find("sample/us20").version)
    return [str(day) for day in bars.session if str(day).startswith("2019")]
