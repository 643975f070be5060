"""`python -m rl.import_policy` as a real process: what it writes, what it says, how long it takes, what it refuses."""

import hashlib
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stable_baselines3 import PPO

from marketdata.files import supervise
from rl import import_policy, policy_file
from rl.policy_format.fault import PolicyFileFault
from rl.policy_import import importer
from rl.policy_import.importer import import_policy as take
from rl.policy_strategy import PolicyStrategy
from rl.task import Task
from tests.rl.policy_import.hostile import evil
from tests.rl.policy_import.saves import KINDS, save_of, saved
from tests.rl.test_policy_file import LEARNED, trained
from tests.rl.test_train_job import ROOT


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "rl.import_policy", *map(str, words)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.slow
def test_it_takes_a_save_of_stock_sb3_in_four_seconds(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = command(put(tmp_path / "in.zip", saved("dict, multi-discrete")), tmp_path / "out.zip")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert done.returncode == 0, done.stderr
    assert "MultiInputPolicy" in done.stdout and "note: learning_rate is code" in done.stdout
    assert hashlib.sha256((tmp_path / "out.zip").read_bytes()).hexdigest() in done.stdout
    assert PPO.load(tmp_path / "out.zip").observation_space == KINDS["dict, multi-discrete"][0]
    assert (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4
    )  # of processor: the machine may be busy


@pytest.mark.slow
def test_it_refuses_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    done = command(put(tmp_path / "in.zip", evil("clip_range")), tmp_path / "out.zip")

    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("suspicious_pickle: Data.clip_range would import ") and done.stderr.count("\n") == 1
    assert str(tmp_path) not in done.stderr and not (tmp_path / "out.zip").exists()


def test_a_policy_of_ours_is_taken_as_it_is(task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = policy_file.pack(trained(task), task.normaliser, task.layout, LEARNED)
    path, out = put(tmp_path / "in.zip", content), tmp_path / "out.zip"

    assert import_policy.main([str(path), str(out)]) == 0

    assert out.read_bytes() == content and "AssetSharedPolicy" in capsys.readouterr().out


def test_a_stock_policy_of_our_environment_is_judged_with_an_observation(task: Task, tmp_path: Path) -> None:
    ours = put(tmp_path / "ours.zip", policy_file.pack(trained(task), task.normaliser, task.layout, LEARNED))
    stock = put(
        tmp_path / "stock.zip", save_of(PPO, "MultiInputPolicy", task.layout.space(), task.layout.action_space())
    )
    out = tmp_path / "out.zip"

    assert import_policy.main([str(stock), str(out), "--observation", str(ours)]) == 0

    kept = policy_file.load(out, hashlib.sha256(out.read_bytes()).hexdigest())
    assert kept.layout == task.layout and kept.learned == LEARNED
    PolicyStrategy(out, hashlib.sha256(out.read_bytes()).hexdigest())


def test_another_observation_is_refused_with_each_difference(
    task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = put(tmp_path / "ours.zip", policy_file.pack(trained(task), task.normaliser, task.layout, LEARNED))
    stock = put(tmp_path / "stock.zip", saved("dict, box"))

    assert import_policy.main([str(stock), str(tmp_path / "out.zip"), "--observation", str(ours)]) == 2

    said = capsys.readouterr().err
    assert said.startswith("observation: What the policy takes is not what it says that it sees: ")
    for part in ("a is box [2] in the network and absent in", "window is absent in the network and box [8, 3, 4] in",
                 "action is box [2] in the network and box [4] in"):  # fmt: skip
        assert part in said


def test_a_stock_policy_without_an_observation_cannot_be_judged(tmp_path: Path) -> None:
    path = put(tmp_path / "p.zip", take(saved()).content)
    with pytest.raises(PolicyFileFault, match=r"lacks stockbot/obsnorm\.json, which tells what the policy sees"):
        policy_file.load(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_policy.main([str(tmp_path / "none.zip"), str(tmp_path / "out.zip")]) == 2
    assert capsys.readouterr().err == "unreadable: None.zip cannot be read.\n"


def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "WALL_S", 0.05)
    began = time.monotonic()
    with pytest.raises(PolicyFileFault, match="longer than is allowed") as caught:
        take(saved())
    assert caught.value.code == "limits" and time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("code", "said"),
    [("raise MemoryError", "could not be read"), ("import os; os.kill(os.getpid(), 9)", "says nothing of the file")],
)
def test_a_child_that_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    monkeypatch.setattr(importer, "COMMAND", (sys.executable, "-c", code))
    with pytest.raises(PolicyFileFault, match=said):
        take(saved())


def test_the_child_knows_no_torch_and_has_limits() -> None:
    code = (
        "import resource, sys; from rl.policy_import import child, reader\n"
        "print({'torch', 'gymnasium', 'stable_baselines3', 'pandas', 'numba', 'django'} & set(sys.modules))\n"
        "child.limit(child.LIMITS, child.WALL_S)\n"
        "print([resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", str([2 << 30, 20])]
