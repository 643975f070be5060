"""B6: `python -m backtest.run` in a fresh process with every artifact, with and without the page, beside bt.

The clock is the CPU time of the fresh process, start-up, imports, reading and writing included. bt starts, imports,
runs the equal-weight book alone and writes nothing. Equality: bt sizes at the fill's close and we at the decision's, so
that the last equity of the two may differ by a few thousandths.
"""

import csv
import importlib.metadata
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure, Goal, Work
from benchmarks.panel import month_ends
from benchmarks.peer import ONE_THREAD, PYTHON, ROOT
from benchmarks.timing import interleave, measure
from marketdata.bars import Bars
from marketdata.catalog import Catalog
from marketdata.setup_samples import put_samples
from marketdata.store import Store

PAGE = Work("B6", "a backtest as a process, all artifacts with report.html", "s", "time", Goal(2.4, "ratio"))
PLAIN = Work("B6-plain", "the same without report.html", "s", "time", Goal(4.0, "ratio"))

CONFIG = """\
policy: equal
dataset: {id: sample/us20}
start: 1990-01-02
end: 2022-12-28
fees: {taker_bps: 1.0}
exec: {half_spread_bps: 2.0}
evaluation: {baselines: [cash, buy_hold, equal]}
"""
FEE, CASH, NEAR = 3e-4, 1e6, 5e-3
WITHOUT_PAGE = (
    "import functools, sys; from backtest import report_files, run; "
    "report_files.write = functools.partial(report_files.write, page=False); run.command(sys.argv[1:])"
)
BT_PROCESS = Path(__file__).with_name("bt_process.py")


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """Both figures of B6."""
    put_samples(Store(folder / "datasets"))
    (folder / "config.yaml").write_text(CONFIG)
    catalog = Catalog(folder / "datasets")
    bars = catalog.store.load(catalog.find("sample/us20").version)
    np.savez(folder / "panel.npz", **panel(bars))
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "pyarrow")} | {"bt": "1.4.1"}
    return [figure(work, folder, command, versions) for work, command in ((PAGE, ["-m", "backtest.run"]),
                                                                          (PLAIN, ["-c", WITHOUT_PAGE]))]  # fmt: skip


def panel(bars: Bars) -> dict[str, np.ndarray]:
    """Targets in the rows in which bt fills them: the bar after each decision."""
    fills = np.zeros(bars.n_bars, bool)
    fills[month_ends(bars) + 1] = True
    targets = np.full(bars.close.shape, 1.0 / bars.n_assets)
    return {"session": bars.session, "close": bars.close, "targets": targets, "fills": fills,
            "fee": np.array(FEE), "cash": np.array(CASH)}  # fmt: skip


def figure(work: Work, folder: Path, command: list[str], versions: dict[str, str]) -> Figure:
    def ours() -> float:
        shutil.rmtree(folder / "out", ignore_errors=True)
        arguments = ["--config", str(folder / "config.yaml"), "--out", str(folder / "out")]
        return spent([sys.executable, *command, *arguments, "--datasets", str(folder / "datasets")])[0]

    def theirs() -> tuple[float, str]:
        return spent([str(PYTHON), str(BT_PROCESS), str(folder / "panel.npz")])

    def differences() -> list[str]:
        ours()
        with (folder / "out" / "report" / "equity.csv").open(newline="") as stream:
            rows = [float(row["equity"]) for row in csv.DictReader(stream)]
        mine, other = rows[-1] / rows[0], float(theirs()[1])
        return (
            [] if abs(mine / other - 1.0) <= NEAR else [f"equity ends at {mine:.3f} times the start, bt's {other:.3f}"]
        )

    return measure(
        work, differences, lambda: interleave(ours, lambda: theirs()[0], rounds=3, ours_a_round=2), float, versions
    )


def spent(command: list[str]) -> tuple[float, str]:
    """(CPU seconds, output) of a process. Raises CalledProcessError where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout
