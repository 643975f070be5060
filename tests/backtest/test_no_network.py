"""A training and a backtest ask nothing of the network: in their process a look at it would be the end."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketdata.store import Store
from runfiles import layout, yamlio
from tests.marketdata.build import meta, random_ohlcv
from tests.real_site import ROOT

pytestmark = pytest.mark.slow
GUARD = """
import os, sys
def hook(event, details):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        os.write(2, f"{event} {details}".encode())
        os._exit(99)
sys.addaudithook(hook)
import runpy
try:
    runpy.run_module("MODULE", run_name="__main__", alter_sys=True)
except SystemExit as end:
    code = end.code
found = [name for name in ("yfinance", "curl_cffi", "requests", "httpx") if name in sys.modules]
sys.exit(code or (98 if found else 0))
"""
SMALL: dict[str, Any] = {
    "features": {"feature_set": ["ohlcv"], "lookback": 8},
    "model": {"policy": "mlp", "net_arch": [8], "n_steps": 32, "batch_size": 64},
    "training": {"total_timesteps": 512, "n_envs": 4, "eval_every": 512, "seeds": [0]},
}  # fmt: skip


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw bars with a split and a dividend, as a fetch leaves them."""
    root = tmp_path_factory.mktemp("datasets")
    bars = random_ohlcv(900, assets=2)
    split, dividend = np.ones((900, 2)), np.zeros((900, 2))
    split[850, 0], dividend[860, 1] = 2.0, 0.5
    scale = np.where(np.arange(900)[:, None] >= 850, [0.5, 1.0], 1.0)
    prices = {name: bars.column(name) * scale for name in ("open", "high", "low", "close")}  # type: ignore[operator]
    Store(root).put(dataclasses.replace(bars, split=split, dividend=dividend, **prices), meta("yahoo/x"))
    return root


def run(module: str, folder: Path, datasets: Path, config: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    common = {"schema_version": layout.SCHEMA_VERSION, "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"]},
              "dataset": {"id": "yahoo/x", "adjustment": "total_return"}, "split": {"scheme": "80_20"}}  # fmt: skip
    (folder / layout.CONFIG).write_text(yamlio.dump(common | config))
    command = [sys.executable, "-P", "-c", GUARD.replace("MODULE", module), str(folder), "--datasets", str(datasets)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)


def test_a_backtest(tmp_path: Path, datasets: Path) -> None:
    done = run("backtest.run", tmp_path, datasets, {"policy": "buy_hold"})
    assert done.returncode == 0, done.stderr
    note = json.loads((tmp_path / layout.DATASET).read_text())
    assert (note["adjustment"], note["adjust_recipe"]) == ("total_return", 2)
    assert note["corporate_actions"].startswith("prices were total_return adjusted here")
    assert [f["code"] for f in note["quality"]["findings"] if f["code"] == "jump"] == []


def test_a_training(tmp_path: Path, datasets: Path) -> None:
    done = run("rl.train_ppo", tmp_path, datasets, SMALL)
    assert done.returncode == 0, done.stderr


def test_the_guard_guards(tmp_path: Path) -> None:
    code = GUARD.split("import runpy")[0] + "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 99
