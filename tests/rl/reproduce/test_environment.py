"""A run that is made again sees no more of the environment than the server's did."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from rl.reproduce import again
from rl.reproduce.again import Plan, RunFailed
from rl.reproduce.kinds import KINDS
from runs_app import executors
from runs_app.models import Run


def test_it_is_that_of_the_servers_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "STOCKBOT_SECRET_KEY", "PYTHONSTARTUP", "MKL_CBWR", "TORCH_LOGS"):
        monkeypatch.setenv(name, "7")
    seen: list[dict[str, str]] = []

    def started(command: list[str], *, env: dict[str, str], **_: Any) -> Any:
        seen.append(env)
        return real(["false"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", started)
    for threads in ("2", ""):
        with pytest.raises(RunFailed):
            again.run(Plan(KINDS[-1], {}, threads), tmp_path, tmp_path)
    of_server = executors.environment(Run(kind="train", config={"training": {"threads": 2}}))
    assert seen[0] == of_server and of_server["OMP_NUM_THREADS"] == "2"
    assert {*of_server} - {*seen[1]} == {f"{name}_NUM_THREADS" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
