"""Training and judging where every unpickler raises: the same bytes as where they work."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runfiles import layout
from tests.rl.test_train_job import ROOT, backtest_of, datasets, report_of, trained

__all__ = ["datasets", "trained"]  # fixtures
pytestmark = pytest.mark.slow
FORBIDDEN = [sys.executable, "-m", "tests.rl.without_unpicklers"]


def run_without(module: str, folder: Path, datasets: Path) -> None:
    command = [*FORBIDDEN, module, str(folder), "--datasets", str(datasets)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_backtest_of_a_policy_leaves_the_trainings_report(
    trained: tuple[Path, object], datasets: Path, tmp_path: Path
) -> None:
    made = trained[0]
    folder = tmp_path / "judged"
    backtest_of(made, folder)

    run_without("backtest.run", folder, datasets)

    assert report_of(folder) == report_of(made)


def test_a_training_leaves_the_same_policies_and_report(
    trained: tuple[Path, object], datasets: Path, tmp_path: Path
) -> None:
    made, folder = trained[0], tmp_path / "again"
    folder.mkdir()
    shutil.copy(made / layout.CONFIG, folder / layout.CONFIG)

    run_without("rl.train_ppo", folder, datasets)

    assert report_of(folder) == report_of(made)
    for name in (layout.BEST_POLICY, layout.LAST_POLICY):
        assert (folder / name).read_bytes() == (made / name).read_bytes()


@pytest.mark.parametrize("call", ["pickle.loads(b'')", "cloudpickle.loads(b'')", "torch.load('x')", "PPO.load('x')",
                                  "pickle.Unpickler(None)", "_pickle.loads(b'')"])  # fmt: skip
def test_there_an_unpickler_does_raise(call: str) -> None:
    code = (
        "from tests.rl.without_unpicklers import Called, forbid; forbid()\n"
        "import _pickle, cloudpickle, pickle, torch; from stable_baselines3 import PPO\n"
        f"try: {call}\nexcept Called: print('raised')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "raised"
