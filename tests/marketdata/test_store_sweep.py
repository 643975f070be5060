"""What a process that was killed while it put or removed leaves behind is swept, and nothing else is."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from marketdata.store import Store

ROOT = Path(__file__).parents[2]
STEPS = ["write_bytes:1", "write_bytes:2", "write_json:1", "sync_folder:1", "rmtree:1"]
CODE = """
import os, signal, shutil, sys
from pathlib import Path
from marketdata import store
from tests.marketdata.build import random_bars
root, step, work = sys.argv[1:]
name, count = step.split(":")
where = shutil if name == "rmtree" else store
real, calls = getattr(where, name), [0]
def dies(*given, **named):
    calls[0] += 1
    if calls[0] == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **named)
meta = store.EntryMeta("files/upload", "t", "unknown", "2020-01-02", "s", "")
if work == "remove":
    version = store.Store(Path(root)).put(random_bars(20), meta)
setattr(where, name, dies)
if work == "remove":
    store.Store(Path(root)).remove(version)
else:
    store.Store(Path(root)).put(random_bars(20), meta)
print("alive")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def killed(root: Path, step: str, work: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, str(root), step, work], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr + done.stdout


@pytest.mark.parametrize(("work", "step"), [*(("put", step) for step in STEPS[:4]), ("remove", STEPS[4])])
def test_a_kill_at_each_step_is_swept(root: Path, work: str, step: str) -> None:
    killed(root, step, work)
    left = [path.name for path in root.iterdir()]
    assert left, "the kill left nothing to sweep: this step tests nothing"
    assert Store(root).sweep(lambda version, id: id == "files/upload")
    assert list(root.iterdir()) == []


def test_what_is_wanted_stays(root: Path) -> None:
    killed(root, "sync_folder:1", "put")
    version = Store(root).ids()
    assert len(version) == 1 and Store(root).sweep(lambda *_: False) and Store(root).ids() == version


def test_nothing_is_touched_while_something_is_on_its_way(root: Path) -> None:
    store = Store(root)
    with store.held():
        (root / ".put-live").mkdir()
        assert not Store(root).sweep(lambda *_: True)
        assert (root / ".put-live").is_dir()
    assert store.sweep(lambda *_: True) and not (root / ".put-live").exists()
