"""Whether there is room is asked before a checkpoint, which may be gigabytes, is read."""

from pathlib import Path

import pytest

from marketdata.setup_samples import put_samples
from marketdata.store import Store
from rl.checkpoint import resume
from rl.train_ppo import run
from runfiles import layout, machine
from runfiles.events import EventWriter
from runfiles.job import Job, JobRefused
from runfiles.machine import Limit


def test_no_checkpoint_is_read_where_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_samples(Store(tmp_path / "datasets"))
    read: list[Path] = []
    monkeypatch.setattr(resume, "found", lambda folder, warn: read.append(folder))
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(1 << 20, "this machine has"))
    config = {"dataset": {"id": "sample/us20"}, "training": {"seeds": [0]}}
    job = Job(tmp_path, tmp_path / "datasets", EventWriter(tmp_path / layout.EVENTS), config)
    with pytest.raises(JobRefused, match="this machine has 1 MiB"):
        run(job)
    assert not read
