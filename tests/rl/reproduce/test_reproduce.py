"""`python -m rl.reproduce` as a person types it, on real runs: identical, different by a named bar, refused."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runfiles import layout, manifest, yamlio
from tests.rl.test_train_job import ROOT, changed, datasets
from tests.waiting import until

__all__ = ("datasets",)
pytestmark = pytest.mark.slow
QUICK: dict[str, Any] = {
    "evaluation": {"cost_multipliers": [1.0], "stress_windows": [], "capacity_multipliers": [], "delays": []},
    "dataset": {"start": "2018-01-02"},
}
JUDGED: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO"], "start": "2018-01-02"},
    "start": "2021-01-04",
    "end": "2021-12-31",
    "evaluation": {"baselines": ["cash", "buy_hold"], "bootstrap_paths": 1000, **QUICK["evaluation"]},
}


def job(module: str, folder: Path, datasets: Path, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **config}))
    command = [sys.executable, "-m", module, str(folder), "--datasets", str(datasets)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def judged(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job("backtest.run", tmp_path_factory.mktemp("runs") / "judged", datasets, JUDGED)


@pytest.fixture(scope="module")
def trained(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job("rl.train_ppo", tmp_path_factory.mktemp("runs") / "trained", datasets, changed(QUICK))


def reproduce(bundle: Path, datasets: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rl.reproduce", str(bundle), "--datasets", str(datasets), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def zipped(folder: Path, path: Path, *leave_out: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name not in leave_out:
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Change a file of a run and its manifest with it."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    manifest.write(folder)


def test_a_backtest_is_identical(judged: Path, datasets: Path, tmp_path: Path) -> None:
    done = reproduce(zipped(judged, tmp_path / "bundle.zip"), datasets)

    assert done.returncode == 0, done.stdout + done.stderr
    compared = len(manifest.read(judged)) - 2  # config and versions; by hand there is no other that is left alone
    left_out = "left out are clocks, speeds and what names the run and the machine"
    assert done.stdout.splitlines()[-1] == f"identical: {compared} files; {left_out}"


def test_a_training_is_identical_also_without_its_models(trained: Path, datasets: Path, tmp_path: Path) -> None:
    models = (layout.LAST_POLICY, layout.BEST_POLICY, "last.zip", "before.zip")
    done = reproduce(zipped(trained, tmp_path / "bundle.zip", *models), datasets, "--out", str(tmp_path / "again"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout and "another" not in done.stdout
    for name in (layout.LAST_POLICY, layout.BEST_POLICY):
        assert (tmp_path / "again" / name).read_bytes() == (trained / name).read_bytes()


def test_the_first_bar_that_was_changed_is_named(judged: Path, datasets: Path, tmp_path: Path) -> None:
    forged = copied(judged, tmp_path / "forged")
    rows = (forged / "report/equity.csv").read_text().splitlines()
    time, equity = rows[40].split(",")[:2]
    replace(forged, "report/equity.csv", f"{time},{equity}", f"{time},{float(equity) + 1}")
    done = reproduce(forged, datasets)

    assert done.returncode == 1, done.stderr
    first = next(line for line in done.stdout.splitlines() if line.startswith("different: "))
    both = f"equity of equity.csv is {float(equity) + 1} in the bundle, {equity} here"
    assert first == f"different: The first bar that differs is {time}: {both}."
    assert "  1 of " in done.stdout and "code, packages and machine are the same" in done.stdout


def test_the_first_update_that_was_changed_is_named(trained: Path, datasets: Path, tmp_path: Path) -> None:
    forged = copied(trained, tmp_path / "forged")
    lines = (forged / layout.PROGRESS_CSV).read_text().splitlines()
    names = lines[0].split(",")
    row = next(at for at in range(1, len(lines)) if lines[at].split(",")[names.index("train/value_loss")])
    cells = lines[row].split(",")
    value, step = cells[names.index("train/value_loss")], cells[names.index("time/total_timesteps")]
    cells[names.index("train/value_loss")] = "9.75"
    cells[names.index("time/fps")] = "1"
    replace(forged, layout.PROGRESS_CSV, lines[row], ",".join(cells))
    versions = json.loads((forged / layout.VERSIONS).read_text())
    now = versions["packages"]["numpy"]
    replace(forged, layout.VERSIONS, f'"numpy": "{now}"', '"numpy": "1.0.0"')
    done = reproduce(forged, datasets)

    assert done.returncode == 1, done.stderr
    told = done.stdout.splitlines()
    where = f"progress.csv differs first in row {row}, of step {step}"
    assert told[1] == f"made with another numpy 1.0.0, now {now}: what comes of it need not be the same"
    assert told[2] == f"different: {where}: train/value_loss is 9.75 in the bundle, {value} here."
    assert told[-1] == f"  the likely cause is another numpy 1.0.0, now {now}"


def test_several_seeds_are_trained_again(datasets: Path, tmp_path: Path) -> None:
    config = changed(QUICK | {"training": {"total_timesteps": 128, "eval_every": 256, "seeds": [3, 1]}})
    config["training"]["total_timesteps"] = 256
    folder = job("rl.train_ppo", tmp_path / "both", datasets, config)
    assert reproduce(zipped(folder, tmp_path / "bundle.zip"), datasets).returncode == 0
    listed = json.loads((folder / layout.MEMBERS_LIST).read_text())
    listed["policies"][1]["sha256"] = "0" * 64
    (folder / layout.MEMBERS_LIST).write_text(json.dumps(listed))
    manifest.write(folder)
    done = reproduce(folder, datasets)
    assert done.returncode == 1 and "different: members.json differs first at policies[1].sha256" in done.stdout


def test_a_walk_forward_is_trained_again(datasets: Path, tmp_path: Path) -> None:
    split = {"n_folds": 2, "test_bars": 130, "validation_bars": 100}
    training = {"total_timesteps": 256, "eval_every": 256, "seeds": [3]}
    folder = job(
        "rl.walk_forward", tmp_path / "walk", datasets, changed(QUICK | {"split": split, "training": training})
    )
    done = reproduce(zipped(folder, tmp_path / "bundle.zip"), datasets)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("running the walk-forward again, on sample/us20\n")
    forged = copied(folder, tmp_path / "forged")
    listed = json.loads((forged / layout.MEMBERS_LIST).read_text())
    listed["policies"][1]["sha256"] = "0" * 64
    (forged / layout.MEMBERS_LIST).write_text(json.dumps(listed))
    manifest.write(forged)
    done = reproduce(forged, datasets)
    assert done.returncode == 1 and "different: members.json differs first at policies[1].sha256" in done.stdout
    (forged / layout.MEMBERS_LIST).write_text("{}")
    manifest.write(forged)
    done = reproduce(forged, datasets)
    assert done.returncode == 3 and done.stderr.startswith("refused: members.json is not in the form that this")


def test_a_backtest_of_a_policy_and_its_leak_check(trained: Path, datasets: Path, tmp_path: Path) -> None:
    sha256 = hashlib.sha256((trained / layout.BEST_POLICY).read_bytes()).hexdigest()
    config = {key: value for key, value in changed(QUICK).items() if key in ("dataset", "evaluation")}
    config |= {"run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": sha256}
    for module in ("backtest.run", "backtest.leaks"):
        folder = tmp_path / module
        folder.mkdir()
        shutil.copy(trained / layout.BEST_POLICY, folder / layout.JUDGED_POLICY)
        job(module, folder, datasets, config)
        done = reproduce(folder, datasets)
        assert done.returncode == 0, done.stdout + done.stderr

    bare = zipped(folder, tmp_path / "bare.zip", layout.JUDGED_POLICY)
    done = reproduce(bare, datasets)
    assert done.returncode == 3
    assert done.stderr.startswith("refused: The bundle lacks policy.zip, which the leak check judges")


def test_an_imported_result_is_identical(judged: Path, datasets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "imported"
    command = ["backtest.foreign", str(judged / "report/equity.csv"), "--dataset", "sample/us20", "--out", str(folder)]
    made = subprocess.run(
        [sys.executable, "-m", *command, "--datasets", str(datasets)], cwd=ROOT, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = reproduce(folder, datasets)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_flipped_bit_is_refused_by_its_hash(judged: Path, datasets: Path, tmp_path: Path) -> None:
    broken = copied(judged, tmp_path / "broken")
    path = broken / "report/weights.csv"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))
    done = reproduce(broken, datasets)
    assert done.returncode == 3 and done.stdout == ""
    assert done.stderr == (
        "refused: report/weights.csv is not the file that manifest.json names: its sha256 is another.\n"
    )


def test_another_version_of_the_data_is_refused(judged: Path, datasets: Path, tmp_path: Path) -> None:
    version = json.loads((judged / layout.DATASET).read_text())["version"]
    fewer = tmp_path / "store"
    shutil.copytree(datasets, fewer)
    (fewer / version).rename(fewer / ("0" * 64))
    done = reproduce(judged, fewer)
    assert done.returncode == 3
    assert f"made with version {version[:12]} of sample/us20; the store holds 000000000000 of it" in done.stderr

    other = copied(judged, tmp_path / "other")
    config = yamlio.load((other / layout.CONFIG).read_text())
    config["dataset"]["version"] = "1" * 64
    (other / layout.CONFIG).write_text(yamlio.dump(config))
    manifest.write(other)
    done = reproduce(other, datasets)
    assert done.returncode == 3 and "config.yaml asks for version 111111111111 of the dataset" in done.stderr


def test_what_no_longer_runs_is_told(judged: Path, datasets: Path, tmp_path: Path) -> None:
    other = copied(judged, tmp_path / "other")
    config = yamlio.load((other / layout.CONFIG).read_text())
    (other / layout.CONFIG).write_text(yamlio.dump(config | {"fees": {"taker_bps": -1.0}}))
    manifest.write(other)
    done = reproduce(other, datasets)
    assert done.returncode == 4 and done.stderr.startswith("failed: fees.taker_bps: ")


def test_the_second_run_ends_with_the_command(trained: Path, datasets: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    command = [sys.executable, "-m", "rl.reproduce", str(trained), "--datasets", str(datasets), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL) as process:
        until(lambda: (out / layout.EVENTS).is_file(), within_s=60, what="the second run")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    size = (out / layout.EVENTS).stat().st_size
    alive = subprocess.run(["pgrep", "-f", str(out)], capture_output=True, text=True, check=False).stdout
    assert process.returncode and not alive.split() and (out / layout.EVENTS).stat().st_size == size
