"""The folder of a run by hand: a corrected configuration may use the one that a refused run has left, and no other."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BAD, GOOD = "policy: equal\nevaluation: {trials: 0}\n", "policy: equal\ndataset: {id: sample/none}\n"


def run(config: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backtest.run", "--config", str(config), "--out", str(out)]
    return subprocess.run(
        [*command, "--datasets", str(out.parent)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_what_a_refused_run_left_makes_room(tmp_path: Path) -> None:
    config, out = tmp_path / "config.yaml", tmp_path / "out"
    config.write_text(BAD)
    assert "trials" in run(config, out).stderr and (out / "versions.json").exists()
    config.write_text(GOOD)
    again = run(config, out)
    assert "sample/none" in again.stderr and "not empty" not in again.stderr
    assert (out / "config.yaml").read_text() == GOOD


@pytest.mark.parametrize("name", ["report", "notes.txt", ".hidden"])
def test_anything_else_is_kept(tmp_path: Path, name: str) -> None:
    config, out = tmp_path / "config.yaml", tmp_path / "out"
    config.write_text(BAD)
    run(config, out)
    (out / name).write_text("mine")
    assert "is not empty; name a new folder" in run(config, out).stderr
    assert (out / name).read_text() == "mine" and (out / "config.yaml").read_text() == BAD


def test_a_folder_with_the_configuration_itself_is_kept(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(BAD)
    (tmp_path / "versions.json").write_text("{}")
    assert "is not empty" in run(config, tmp_path).stderr and config.read_text() == BAD


@pytest.mark.parametrize(("out", "words"), [("config.yaml", "is a file"), ("config.yaml/x", "cannot be made")])
def test_what_can_be_no_folder_is_told(tmp_path: Path, out: str, words: str) -> None:
    (tmp_path / "config.yaml").write_text(BAD)
    found = run(tmp_path / "config.yaml", tmp_path / out)
    assert found.returncode == 2 and words in found.stderr and "Traceback" not in found.stderr
