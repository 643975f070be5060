"""A baseline's run from linked code: no numba, no pandas, and the same bytes as by way of numba.

The libraries are linked as set-up does it, into a cache folder of the test's own that begins with the suite's kernels.
"""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from marketdata.setup_samples import put_samples
from marketdata.store import Store
from simulator.jit import cache_folder

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
policy: equal
dataset: {id: sample/us20}
fees: {taker_bps: 1.0}
evaluation: {baselines: [cash, buy_hold, equal], bootstrap_paths: 1000}
"""
LINK = "from simulator.jit import made; from simulator.linked import link; print(len(link.link(made))); sys.exit(code)"
QUICK = "import sys; from backtest import run; code = run.main(sys.argv[1:]);"
LOADED = "print('LOADED', sorted({name.split('.')[0] for name in sys.modules} & set('%s'.split()))); sys.exit(code)"
HEAVY = "numba llvmlite pandas scipy torch django skfolio"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("quick")
    put_samples(Store(made / "datasets"))
    (made / "config.yaml").write_text(CONFIG)
    for kernels in (cache_folder(ROOT / name) for name in ("simulator", "backtest")):
        if kernels.is_dir():
            shutil.copytree(kernels, made / "cache" / kernels.name, ignore=shutil.ignore_patterns("linked-*"))
    return made


def ran(folder: Path, out: str, code: str) -> str:
    command = ["--config", str(folder / "config.yaml"), "--out", str(folder / out), "--datasets"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, *command, str(folder / "datasets")],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def quick(folder: Path) -> str:
    """What a fresh process says after the library was linked by one that went through numba."""
    linked = ran(folder, "by_numba", QUICK + LINK)
    assert linked.splitlines()[-1] == "2"  # a library for simulator and one for backtest
    return ran(folder, "quick", QUICK + LOADED % HEAVY)


def test_a_baseline_loads_no_compiler_and_no_frame_library(quick: str) -> None:
    assert quick.splitlines()[-1] == "LOADED []"


def test_linked_code_writes_the_same_bytes(folder: Path, quick: str) -> None:
    first, second = folder / "by_numba" / "report", folder / "quick" / "report"
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    same, differ, odd = filecmp.cmpfiles(first, second, names, shallow=False)
    assert len(names) > 30 and sorted(same) == names and not differ and not odd


def test_what_is_not_linked_goes_through_numba(folder: Path, quick: str) -> None:
    """Bars that read only, as no run passes them: the same figures, by way of the compiler."""
    code = (
        "import sys, numpy as np; from simulator.jit import start_quickly; start_quickly();"
        "from backtest.series import tail; x = np.random.default_rng(1).standard_normal(99); y = x.copy();"
        "y.flags.writeable = False; print(tail(y, 0.05), 'numba' in sys.modules)"
    )
    values, seen = ran(folder, "unused", code).rsplit(maxsplit=1)
    assert seen == "True" and values.startswith("(")
