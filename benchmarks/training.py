"""R1, R2, R4, R8: PPO on windows, on indices, beside stock SB3 with the same network on the same environment.

Each side is a process of its own (`benchmarks.training_process`), whose clock is its CPU time of whole updates:
collecting, advantages, minibatches, steps of the optimiser. Equality, which voids the figures: stock `PPO.load` of our
file predicts what our network on indices gives, and our gradient is that of float64, both to 1e-6.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Goal, Work, make_figure, void_figure
from benchmarks.peer import ONE_THREAD, ROOT

NO_SLOWER = Goal(1, "ratio")
R1 = Work("R1", "PPO, flat network on 64 x 20 x 6, 10 epochs", "steps/s", "rate", Goal(8500, "ours", 10_000))
R8 = Work("R8", "peak memory of R1", "MB", "time", Goal(600, "ours"))
RATES = (
    R1,
    Work("R2", "the same, 4 epochs", "steps/s", "rate", Goal(20_000, "ours", 24_000)),
    Work("R4", "PPO, window_cnn, 10 epochs", "steps/s", "rate", Goal(700, "ours", 1500)),
    Work("R4-shared", "PPO, asset_shared, 10 epochs", "steps/s", "rate", NO_SLOWER),
    Work("R4-attention", "PPO, set_attention, 10 epochs", "steps/s", "rate", NO_SLOWER),
    Work("R4-lstm", "PPO, window_lstm, 10 epochs", "steps/s", "rate", NO_SLOWER),
)


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The figures wanted; R8 comes from the processes of R1, those of other networks come with R4."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "stable_baselines3", "numpy")}
    found: list[Figure] = []
    for work in RATES:
        if work.id.partition("-")[0] in wanted or (work is R1 and "R8" in wanted):
            figures = both(folder, work, versions)
            found += [figure for figure in figures if figure.id.partition("-")[0] in wanted]
    return found


def both(folder: Path, work: Work, versions: dict[str, str]) -> list[Figure]:
    """Ours, stock, and ours again; the mean of ours."""
    first = asked(folder, "ours", work.id)
    if first["differences"]:
        for difference in first["differences"]:
            print(f"{work.id}: {difference}", file=sys.stderr)
        return [void_figure(one, versions) for one in ((work, R8) if work is R1 else (work,))]
    stock, second = asked(folder, "stock", work.id), asked(folder, "ours", work.id)
    rate = (first["steps_s"] + second["steps_s"]) / 2
    figures = [make_figure(work, rate, stock["steps_s"], versions)]
    if work is R1:
        figures.append(make_figure(R8, max(first["peak_mb"], second["peak_mb"]), stock["peak_mb"], versions))
    return figures


def asked(folder: Path, side: str, work: str) -> dict[str, Any]:
    """What a process says of itself. Raises CalledProcessError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_process", side, work, str(folder)],
        cwd=ROOT, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
