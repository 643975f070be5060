"""The command line: a backtest's own configuration serves, a hash that is given is held to, a full disk is told."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runfiles import layout, yamlio

ROOT = Path(__file__).resolve().parents[3]
TABLE = "date,equity\n2019-01-02,100\n2019-01-03,101\n"
OF_BACKTEST = """policy: momentum
dataset: {id: sample/us20}
split: {scheme: 80_20}
fees: {taker_bps: 2.0}
"""


@pytest.fixture
def by_hand(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    (tmp_path / "mine.csv").write_text(TABLE)

    def call(config: str, limit: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
        (tmp_path / "config.yaml").write_text(config)
        places = [
            "--config",
            str(tmp_path / "config.yaml"),
            "--out",
            str(tmp_path / "out"),
            "--datasets",
            str(tmp_path),
        ]
        return subprocess.run(
            [sys.executable, "-m", "backtest.foreign", str(tmp_path / "mine.csv"), *places], cwd=ROOT, text=True,
            capture_output=True, timeout=60, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip

    return call


def test_the_configuration_of_a_backtest_serves(by_hand: Callable[..., subprocess.CompletedProcess[str]],
                                                tmp_path: Path) -> None:  # fmt: skip
    """Refused only for the data, which are not stored here."""
    done = by_hand(OF_BACKTEST)
    assert "note: policy, split of " in done.stdout and "sample/us20" in done.stderr
    written = yamlio.load((tmp_path / "out" / layout.CONFIG).read_text())
    assert written["fees"] == {"taker_bps": 2.0} and not {"policy", "split"} & set(written)


def test_a_hash_that_is_given_is_held_to(by_hand: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = by_hand(f"dataset: {{id: sample/us20}}\nfile_sha256: {'0' * 64!r}\n")
    assert done.returncode != 0 and "file_sha256: the file in the run directory is not the one" in done.stderr


def test_what_cannot_be_written_is_told_and_leaves_nothing(by_hand: Callable[..., subprocess.CompletedProcess[str]],
                                                           tmp_path: Path) -> None:  # fmt: skip
    done = by_hand(OF_BACKTEST, limit=10)
    assert done.returncode == 2 and "cannot be filled (File too large)" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
