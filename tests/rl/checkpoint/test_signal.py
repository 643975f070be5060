"""A real training told to stop by a real signal, and one that goes on from it where every unpickler raises."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from runfiles import layout, yamlio
from runfiles.events import read_events
from runfiles.outcome import CODE_CANCELLED
from runs_app.executors import TRAINING_GRACE_S
from tests.rl.checkpoint.stopping import checkpoint_of, go_on, outcome
from tests.rl.test_train_job import ROOT, changed, datasets, report_of
from tests.waiting import until

__all__ = ["datasets"]  # a fixture
pytestmark = pytest.mark.slow
ROLLOUT = 16 * 8
CONFIG = changed({
    "training": {"total_timesteps": 60 * ROLLOUT, "n_envs": 8, "eval_every": 1024, "seeds": [3], "threads": 1},
    "regime": {"enabled": True, "n_states": 2},
})  # fmt: skip


def command(folder: Path, datasets: Path, *before: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **CONFIG}))
    return [sys.executable, "-m", *before, "rl.train_ppo", str(folder), "--datasets", str(datasets)]


def finish(folder: Path, datasets: Path, *before: str) -> None:
    done = subprocess.run(
        command(folder, datasets, *before), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def stop(folder: Path, datasets: Path, step: int, number: int = signal.SIGTERM) -> tuple[int, float]:
    """The signal at the first progress event at or behind `step`; exit code, and seconds of its own processor till the
    end, which a machine that others use too does not stretch.
    """
    before = children_s()
    with subprocess.Popen(command(folder, datasets), cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as job:  # fmt: skip
        until(lambda: seen(folder) >= step, within_s=120, what=f"step {step}")
        spent = psutil.Process(job.pid).cpu_times()
        job.send_signal(number)
        code = job.wait(timeout=120)
    return code, children_s() - before - spent.user - spent.system


def children_s() -> float:
    """Processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seen(folder: Path) -> int:
    events = read_events(folder / layout.EVENTS, 0, limit=1 << 24)[0]
    looks: list[Any] = [event["data"].get("step") or 0 for event in events if event["kind"] == "metric"]
    return max([0, *looks])


@pytest.fixture(scope="module")
def whole(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    finish(folder, datasets)
    return folder


def test_told_to_stop_at_half_and_gone_on(whole: Path, datasets: Path, tmp_path: Path) -> None:
    code, took = stop(tmp_path / "first", datasets, 30 * ROLLOUT)
    assert code == CODE_CANCELLED and took < TRAINING_GRACE_S
    stood = checkpoint_of(tmp_path / "first").step
    assert 30 * ROLLOUT <= stood < 60 * ROLLOUT and stood % ROLLOUT == 0
    assert not (tmp_path / "first" / layout.REPORT).exists()

    go_on(tmp_path / "first", tmp_path / "second")
    finish(tmp_path / "second", datasets, "tests.rl.without_unpicklers")

    assert outcome(tmp_path / "second") == outcome(whole)
    assert report_of(tmp_path / "second") == report_of(whole)


def test_killed_it_goes_on_from_the_last_that_was_due(datasets: Path, tmp_path: Path) -> None:
    """SIGKILL leaves what `checkpoint_every` has written; the end is that of the training without the kill."""
    due = {"training": CONFIG["training"] | {"checkpoint_every": 8 * ROLLOUT}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CONFIG, "training", due["training"])
        finish(tmp_path / "whole", datasets)
        code, _ = stop(tmp_path / "first", datasets, 24 * ROLLOUT, signal.SIGKILL)
        assert code == -signal.SIGKILL and checkpoint_of(tmp_path / "first").step % (8 * ROLLOUT) == 0
        go_on(tmp_path / "first", tmp_path / "second")
        finish(tmp_path / "second", datasets)
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")
    assert report_of(tmp_path / "second") == report_of(tmp_path / "whole")
