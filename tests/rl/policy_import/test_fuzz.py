"""A few thousand broken zips in a process where every unpickler raises; `make fuzz` runs 100,000."""

import subprocess
import sys

import pytest

from tests.rl.policy_import.mutations import mutants
from tests.rl.test_train_job import ROOT


def run(*code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_nothing_runs_nothing_crashes_and_the_reader_is_quick() -> None:
    done = run("-m", "tests.rl.policy_import.fuzz", "3000", "7")

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "\n0 crashes or executions" in done.stdout
    for code in ("container", "pickle", "json", "suspicious_pickle", "weights", "taken"):  # it reaches every layer
        assert f"'{code}'" in done.stdout


def test_a_seed_gives_the_same_zips() -> None:
    first, again, other = (list(mutants(40, seed)) for seed in (3, 3, 4))
    assert first == again and first != other and len(set(first)) > 35


@pytest.mark.slow
def test_an_unpickler_in_the_reader_would_be_found() -> None:
    """The same run with a reader that unpickles what it decodes: it reports what it saw, and fails."""
    code = """import pickle
from rl.policy_import import foreign
from tests.rl.policy_import import fuzz
true = foreign.read
def reading(content, where, budget):
    if where.startswith("data."):
        pickle.loads(content)
    return true(content, where, budget)
foreign.read = reading
raise SystemExit(fuzz.main(["50", "7"]))"""
    done = run("-c", code)
    assert done.returncode == 1 and "Called" in done.stdout
