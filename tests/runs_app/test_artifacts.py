"""Opening a run's files: by key only, below its own folder only, regular files only."""

import os
import socket
from pathlib import Path

import pytest

from runs_app import artifacts, places
from runs_app.models import Run
from tests.runs_app.yard import Yard


@pytest.fixture
def run(yard: Yard) -> Run:
    found = yard.add()
    report = places.run_folder(found.id) / "report" / "baselines" / "equal"
    report.mkdir(parents=True)
    (report / "equity.csv").write_text("time,equity\n")
    return found


def test_a_file_by_its_key(run: Run) -> None:
    with artifacts.open_file(run.id, "equal.equity") as stream:
        assert stream.read() == b"time,equity\n"


@pytest.mark.parametrize("key", [
    "", ".", "..", "../config", "config.yaml", "report/equity.csv", "equal/equity", "..equity", "equal.equity.csv",
    "%2e%2e", "/etc/passwd", "equal.equity\x00", "EQUAL.equity", "equal.equity ", "lock", "start", "exit",
])  # fmt: skip
def test_what_is_no_key(run: Run, key: str) -> None:
    with pytest.raises(FileNotFoundError):
        artifacts.open_file(run.id, key)


def test_links_are_refused_at_every_part(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "equity.csv").write_text("secret")
    folder = places.run_folder(run.id)
    (folder / "job.log").symlink_to(outside / "equity.csv")
    (folder / "report" / "baselines" / "cash").symlink_to(outside)
    for key in ("job_log", "cash.equity"):
        with pytest.raises(FileNotFoundError):
            artifacts.open_file(run.id, key)
    (folder / "report").rename(folder / "moved")
    (folder / "report").symlink_to(folder / "moved")
    with pytest.raises(FileNotFoundError):
        artifacts.open_file(run.id, "equal.equity")


def test_what_is_no_regular_file(run: Run) -> None:
    folder = places.run_folder(run.id)
    os.mkfifo(folder / "job.log")
    (folder / "events.jsonl").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # a socket's path must be short
    try:
        listener.bind("progress.csv")
    finally:
        os.chdir(here)
    for key in ("job_log", "events", "progress"):
        with pytest.raises(FileNotFoundError):
            artifacts.open_file(run.id, key)
    listener.close()


def test_no_descriptor_is_left_open(run: Run) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for key in ("equal.equity", "cash.equity", "job_log", "no key"):
        try:
            artifacts.open_file(run.id, key).close()
        except FileNotFoundError:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
