"""A small Yahoo, and a run directory with a store beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marketdata.bars import Bars
from marketdata.sources import yahoo as yahoo_source
from marketdata.sources.bucket import TokenBucket
from marketdata.store import Store
from runfiles import layout, yamlio
from tests.fake_yahoo import FakeYahoo
from tests.real_site import ROOT


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    """In this process it may be asked as often as a test likes; a job in a process of its own keeps its bucket."""
    monkeypatch.setattr(yahoo_source, "BUCKET", TokenBucket(1e6, 1000))
    found = FakeYahoo()
    yield found
    found.close()


@dataclass
class Desk:
    """Starts the job as a person would; `fetch` waits for its end."""

    folder: Path
    yahoo: FakeYahoo
    count: int = 0

    @property
    def datasets(self) -> Path:
        return self.folder / "datasets"

    def start(self, *, program: str = "", **config: Any) -> "tuple[subprocess.Popen[str], Path]":
        """`program`: Python that runs before the job in its process."""
        self.count += 1
        run = self.folder / f"run-{self.count}"
        run.mkdir()
        asked = {"id": "yahoo/mine", "start": "2020-01-02", "end": "2020-01-31", "wait_s": 0.01} | config
        (run / layout.CONFIG).write_text(yamlio.dump({"schema_version": layout.SCHEMA_VERSION, **asked}))
        start = f"{program}\nimport sys\nfrom marketdata.fetch import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-P", "-c", start, str(run), "--datasets", str(self.datasets)]
        environment = os.environ | {"STOCKBOT_YAHOO_URL": self.yahoo.url, "PYTHONPATH": str(ROOT)}
        job = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
        return job, run

    def fetch(self, **config: Any) -> "Done":
        job, run = self.start(**config)
        out, err = job.communicate(timeout=60)
        return Done(job.returncode, out, err, run, self.datasets)


@dataclass
class Done:
    """How a job ended and what it left."""

    code: int
    out: str
    err: str
    run: Path
    datasets: Path

    @property
    def note(self) -> dict[str, Any]:
        return dict(json.loads((self.run / layout.DATASET).read_text()))

    @property
    def bars(self) -> Bars:
        return Store(self.datasets).load(self.note["version"])

    @property
    def warnings(self) -> list[str]:
        lines = (self.run / layout.EVENTS).read_text().splitlines()
        return [event["data"]["sentence"] for event in map(json.loads, lines) if event["kind"] in ("warning", "alarm")]

    @property
    def codes(self) -> set[str]:
        return {finding["code"] for finding in self.note["quality"]["findings"]}

    @property
    def sentence(self) -> str:
        return self.err.strip().splitlines()[-1]


@pytest.fixture
def desk(tmp_path: Path, yahoo: FakeYahoo) -> Desk:
    found = Desk(tmp_path, yahoo)
    found.datasets.mkdir()
    return found
