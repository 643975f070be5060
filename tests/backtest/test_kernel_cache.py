"""Compiled code on disk is that of the sources as they stand, whichever file was edited and whatever is imported first.

Each case runs a copy of the packages in fresh processes, with a cache folder of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("runfiles", "marketdata", "simulator", "backtest")
RISK = "from backtest.bootstrap import equal_risk; print(equal_risk(0.5, 0.25, 1.0, 1.0, 100))"
pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def ran(folder: Path, code: str) -> str:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def compiled_files(folder: Path) -> dict[str, int]:
    """Compiled code by its path, and when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in (folder / "cache").rglob("*.nbc")}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_an_edit_in_another_file_reaches_a_kernel(copy: Path) -> None:
    """With a variance that counts as zero, `equal_risk` is the subject's mean; its own file does not change."""
    before = float(ran(copy, RISK))
    edit(copy / "backtest" / "series.py", "ZERO_VARIANCE = 1e-24", "ZERO_VARIANCE = 1e24")

    assert before != 0.5
    assert float(ran(copy, RISK)) == 0.5


def test_the_order_of_imports_is_all_one(copy: Path) -> None:
    ran(copy, RISK)
    first = compiled_files(copy)
    for earlier in ("simulator.market", "backtest.runner"):
        ran(copy, f"import {earlier}; {RISK}")

    assert first and compiled_files(copy) == first


def test_an_edit_of_what_holds_no_kernel_compiles_nothing(copy: Path) -> None:
    ran(copy, RISK)
    first = compiled_files(copy)
    page = copy / "backtest" / "report_html.py"
    page.write_text(page.read_text() + "LAST = 1\n")
    ran(copy, RISK)

    assert compiled_files(copy) == first
