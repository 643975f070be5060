"""A run and its control folder on disk, and the real shim beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runfiles import kernel, outcome
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class ShimBench:
    """Starts shims on one run and looks at what they leave."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        self.control = folder / "control"
        self.run.mkdir()
        self.control.mkdir()
        self.mark = f"test-{os.getpid()}-{folder.name}"
        self.shims: list[subprocess.Popen[bytes]] = []

    def start(self, *switches: str, argv: list[str] | None = None, **changes: Any) -> subprocess.Popen[bytes]:
        start = {
            "v": 1,
            "run": self.mark,
            "argv": argv or [sys.executable, "-m", "tests.stub_job", str(self.run), *switches],
            "cwd": str(ROOT),
            "env": {"PATH": os.environ["PATH"]},
            "log": str(self.run / "job.log"),
        }
        (self.control / "start.json").write_text(json.dumps(start | changes))
        return self.spawn()

    def spawn(self) -> subprocess.Popen[bytes]:
        shim = subprocess.Popen(
            [sys.executable, "-S", "-m", "runfiles.shim", str(self.control)], cwd=ROOT, start_new_session=True
        )
        self.shims.append(shim)
        return shim

    def job_pid(self) -> int:
        until(lambda: (self.run / "pid").exists(), what="the job's announcement")
        return int((self.run / "pid").read_text())

    def outcome(self, within_s: float = 10.0) -> outcome.Outcome:
        return until(lambda: outcome.read(self.control), within_s=within_s, what="exit.json")

    def log(self) -> bytes:
        return (self.run / "job.log").read_bytes()

    def processes(self) -> list[int]:
        return kernel.marked(self.mark)

    def cancel(self) -> None:
        (self.control / "cancel").touch()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ShimBench]:
    found = ShimBench(tmp_path)
    yield found
    for shim in found.shims:
        if shim.poll() is None:
            shim.kill()
        shim.wait()
    until(lambda: not found.processes(), what="the end of every process")
