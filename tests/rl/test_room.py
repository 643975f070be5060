"""What a training is said to take beside what real ones took; and that it is refused where it cannot fit."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runfiles import layout, yamlio
from runfiles.events import read_events
from runfiles.outcome import CODE_REFUSED
from tests.rl.test_train_job import ROOT, changed, datasets

__all__ = ("datasets",)
pytestmark = pytest.mark.slow
GIB = 1 << 30
QUICK = {"cost_multipliers": [1.0], "stress_windows": [], "capacity_multipliers": [], "delays": []}
SMALL = changed({"evaluation": QUICK})
LARGE: dict[str, Any] = {
    "dataset": {"id": "sample/us20"},
    "features": {"feature_set": ["ohlcv_ta_rich"]},
    "evaluation": {"baselines": ["cash", "buy_hold"], "bootstrap_paths": 1000, **QUICK},
    "model": {"n_steps": 64, "batch_size": 16_384, "n_epochs": 1},
    "training": {"total_timesteps": 256, "n_envs": 512, "seeds": [0]},
}


SMALL_PARENT = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[2:]); "
    "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)); sys.exit(code)"
)
"""A process begins with the memory of the one that forks it, and its peak counts that: the tests' own is large."""


class Took(NamedTuple):
    """`code` and `said` of the process, its peak in bytes, the bytes that its folder holds, and what was expected."""

    code: int
    said: str
    peak: int
    written: int
    expected: dict[str, float]


def take(folder: Path, datasets: Path, config: dict[str, Any], limit: Callable[[], None] | None = None) -> Took:
    folder.mkdir()
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **config}))
    command = [sys.executable, "-m", "rl.train_ppo", str(folder), "--datasets", str(datasets)]
    with (folder.parent / "said").open("w+") as said:
        small = [sys.executable, "-S", "-c", SMALL_PARENT, str(folder.parent / "peak"), *command]
        code = subprocess.run(small, cwd=ROOT, stdout=said, stderr=said, preexec_fn=limit, check=False).returncode
        said.seek(0)
        text = said.read()
    expected = {
        name: value
        for event in read_events(folder / layout.EVENTS, 0, limit=1 << 24)[0]
        if event["kind"] == "metric"
        for name, value in event["data"].items()
        if name.startswith("expected_")
    }
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Took(code, text, int((folder.parent / "peak").read_text()) << 10, written, expected)


@pytest.mark.parametrize("config", [SMALL, LARGE], ids=["small", "large"])
def test_memory_and_disk_are_near_what_it_took(datasets: Path, tmp_path: Path, config: dict[str, Any]) -> None:
    took = take(tmp_path / "run", datasets, config)

    assert took.code == 0, took.said
    assert took.expected["expected_memory_mb"] * 2**20 == pytest.approx(took.peak, rel=0.25)
    assert took.written < took.expected["expected_disk_mb"] * 2**20 < 8 * took.written
    assert took.expected["expected_time_s"] > 0
    lines = [line for line in took.said.splitlines() if line.startswith("expected: ")]
    assert len(lines) == 2 and " of memory, and " in lines[0] and " steps a second" in lines[1]


def test_what_cannot_be_mapped_is_refused_before_it_is_tried(datasets: Path, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * GIB, 4 * GIB))

    config = SMALL | {"model": {"n_steps": 8192, "batch_size": 64}, "training": {"n_envs": 4096, "seeds": [0]}}
    took = take(tmp_path / "run", datasets, config, limit)

    assert took.code == CODE_REFUSED and took.peak < GIB // 2
    sentence = took.said.strip().splitlines()[-1]
    assert sentence.startswith("training.n_envs: This training needs about ")
    assert "GiB more of memory, and RLIMIT_AS leaves this process" in sentence
    assert "of it are the rollout. With training.n_envs " in sentence

    fits = take(tmp_path / "fits", datasets, SMALL, limit)
    assert fits.code == 0, fits.said
