"""Hostile zips: each is refused with its code and one sentence, at once, and nothing in it runs."""

import io
import time
from pathlib import Path

import pytest
from stable_baselines3 import PPO

from rl.policy_format.build import build_policy
from rl.policy_format.fault import CODES, PolicyFileFault
from rl.policy_import.reader import read_policy
from tests.rl.policy_import.hostile import CASES, MARKER, Case, evil
from tests.rl.policy_import.saves import saved


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused(case: Case) -> None:
    content = case.build()
    began = time.process_time()
    with pytest.raises(PolicyFileFault) as caught:
        document, _ = read_policy(content)
        build_policy(document.spec, document.weights)

    assert time.process_time() - began < 2
    assert caught.value.code == case.code and case.code in CODES
    said = str(caught.value)
    assert 10 < len(said) < 300 and said.isprintable() and not said.endswith(".")
    assert not MARKER.exists()


def test_there_are_more_than_sixty() -> None:
    assert len(CASES) > 100


def test_the_payload_does_run_where_it_is_unpickled() -> None:
    """Stock `PPO.load` opens the marker: what is refused here is a real attack."""
    PPO.load(io.BytesIO(evil("_last_obs")), device="cpu")
    assert MARKER.exists()


def test_the_base_of_them_all_is_taken() -> None:
    assert read_policy(saved())[1] == []
