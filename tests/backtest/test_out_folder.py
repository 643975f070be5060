"""The folder of a run by hand: a corrected configuration may use the one that a refused run has left, and no other."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import until

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


@pytest.mark.parametrize("beside", [("versions.json",), ()])
def test_a_folder_with_the_configuration_itself_is_kept(tmp_path: Path, beside: tuple[str, ...]) -> None:
    """Whether or not it looks like what a refused run has left."""
    out = tmp_path / "mine"
    out.mkdir()
    (config := out / "config.yaml").write_text(BAD)
    for name in beside:
        (out / name).write_text("{}")
    assert "is not empty" in run(config, out).stderr and config.read_text() == BAD
    assert sorted(path.name for path in out.iterdir()) == sorted(("config.yaml", *beside))


def test_a_folder_with_somebodys_configuration_alone_is_kept(tmp_path: Path) -> None:
    """No run has left it: each writes its versions first."""
    config, out = tmp_path / "config.yaml", tmp_path / "mine"
    config.write_text(GOOD)
    out.mkdir()
    (out / "config.yaml").write_text(BAD)
    assert "is not empty" in run(config, out).stderr and (out / "config.yaml").read_text() == BAD


WAITS = """
import sys, time
from runfiles.job import run_job

def main(job):
    (job.folder.parent / 'begun').touch()
    time.sleep(120)

run_job(main)
"""


def test_the_folder_of_a_run_at_work_is_kept(tmp_path: Path) -> None:
    """Before it has read its data it has the files of a refused one. Once it is killed they make room."""
    config, out = tmp_path / "config.yaml", tmp_path / "out"
    config.write_text(BAD)
    run(config, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    job = subprocess.Popen([sys.executable, "-c", WAITS, str(out), "--datasets", str(tmp_path)], cwd=ROOT)
    try:
        until(lambda: (tmp_path / "begun").exists(), within_s=60, what="the job")
        config.write_text(GOOD)
        assert "a run is at work in" in run(config, out).stderr
        assert (out / "config.yaml").read_bytes() == before["config.yaml"] and before.keys() <= set(names(out))
        again = [sys.executable, "-c", WAITS, str(out), "--datasets", str(tmp_path)]
        found = subprocess.run(again, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert "Another job is at work in this run directory" in found.stderr
    finally:
        job.kill()
        job.wait()
    assert "sample/none" in run(config, out).stderr


def names(out: Path) -> list[str]:
    return [path.name for path in out.iterdir()]


@pytest.mark.parametrize("module", ["backtest.run", "backtest.foreign"])
def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path, module: str) -> None:
    """By no mode of a file, which stops no root: reading the first byte of one's own memory fails for everybody."""
    (tmp_path / "rows.csv").write_text("date,equity\n")
    given = ["--config", "/proc/self/mem", "--out", str(tmp_path / "out"), "--datasets", str(tmp_path)]
    command = [sys.executable, "-m", module, *([str(tmp_path / "rows.csv")] if module == "backtest.foreign" else [])]
    found = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert found.returncode == 2 and "/proc/self/mem cannot be read (Input/output error)" in found.stderr
    assert "Traceback" not in found.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("out", "words"), [("config.yaml", "is a file"), ("config.yaml/x", "cannot be made")])
def test_what_can_be_no_folder_is_told(tmp_path: Path, out: str, words: str) -> None:
    (tmp_path / "config.yaml").write_text(BAD)
    found = run(tmp_path / "config.yaml", tmp_path / out)
    assert found.returncode == 2 and words in found.stderr and "Traceback" not in found.stderr
