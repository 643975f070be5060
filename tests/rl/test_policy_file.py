"""The policy file: stock `PPO.load` opens it, the same policy gives the same bytes, a foreign file is never opened."""

import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.save_util import json_to_data

from rl import policy_file
from rl.config import TrainConfig, TrainingConfig
from rl.learned_days import LearnedDays
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.policy_format import own
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.sb3_members import LEFT_OUT
from rl.ppo import make_model
from rl.task import Task
from tests.rl.small import OWN

LEARNED = LearnedDays((dt.date(2001, 1, 2), dt.date(2009, 5, 6)), (dt.date(2010, 1, 4), dt.date(2011, 1, 3)))


def trained(task: Task, seed: int = 0, policy: str = "asset_shared") -> PPO:
    training = TrainingConfig(n_envs=4, seeds=(seed,))
    settings = ModelConfig(policy=policy, n_steps=16, batch_size=32, **OWN.get(policy, {}))  # type: ignore[arg-type]
    model = make_model(task, settings, training)
    return model.learn(128)


def packed(task: Task, seed: int = 0, policy: str = "asset_shared") -> bytes:
    return policy_file.pack(trained(task, seed, policy), task.normaliser, task.layout, LEARNED)


def kept(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("policy", list(NETS))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(task: Task, policy: str) -> None:
    assert packed(task, 0, policy) == packed(task, 0, policy)
    assert packed(task, 0, policy) != packed(task, 1, policy)


@pytest.mark.parametrize("policy", list(NETS))
def test_stock_load_predicts_the_same_and_trains_on(task: Task, policy: str) -> None:
    model = trained(task, policy=policy)
    content = policy_file.pack(model, task.normaliser, task.layout, LEARNED)

    again = PPO.load(io.BytesIO(content))

    seen = {"window": task.windows.gather(np.arange(100, 140)), "portfolio": np.zeros((40, 6), np.float32)}
    assert np.array_equal(again.predict(seen, deterministic=True)[0], model.predict(seen, deterministic=True)[0])
    assert PPO.load(io.BytesIO(content), env=model.get_env()).learn(64).num_timesteps == 64


def test_nothing_of_clock_machine_or_path_is_in_it(task: Task, tmp_path: Path) -> None:
    model = trained(task)
    model.tensorboard_log = str(tmp_path)
    with zipfile.ZipFile(io.BytesIO(policy_file.pack(model, task.normaliser, task.layout, LEARNED))) as archive:
        names, dates = archive.namelist(), {entry.date_time for entry in archive.infolist()}
        data = json.loads(archive.read("data"))

    assert tuple(names) == own.ORDER[:-2] and dates == {(1980, 1, 1, 0, 0, 0)}
    assert not LEFT_OUT & set(data)
    assert str(tmp_path) not in json.dumps(data) and " at 0x" not in json.dumps(data)
    spaces = [json_to_data(json.dumps(data))[key] for key in ("observation_space", "action_space")]
    assert [space._np_random for space in spaces] == [None, None] and model.action_space._np_random is not None


def test_normaliser_and_layout_travel_with_it(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "policy.zip"
    sha256 = policy_file.save(path, trained(task), task.normaliser, task.layout, LEARNED)

    stored = policy_file.load(path, sha256)

    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert stored.layout == task.layout and stored.learned == LEARNED
    assert np.array_equal(stored.normaliser.mean, task.normaliser.mean)
    assert np.array_equal(stored.normaliser.std, task.normaliser.std)


@pytest.mark.parametrize("policy", list(NETS))
def test_a_loaded_policy_acts_the_same_without_an_optimiser(task: Task, tmp_path: Path, policy: str) -> None:
    model = trained(task, policy=policy)
    path = tmp_path / "policy.zip"
    stored = policy_file.load(path, policy_file.save(path, model, task.normaliser, task.layout, LEARNED))

    seen = {"window": task.windows.gather(np.arange(100, 140)), "portfolio": np.zeros((40, 6), np.float32)}
    assert np.array_equal(
        stored.policy.predict(seen, deterministic=True)[0], model.predict(seen, deterministic=True)[0]
    )
    assert not isinstance(stored.policy.optimizer, torch.optim.Optimizer)


@pytest.mark.slow
def test_judging_a_policy_loads_no_compiler(task: Task, tmp_path: Path) -> None:
    """Torch's compiler, which any optimiser brings with it, was half of the time that opening a policy took."""
    path = tmp_path / "policy.zip"
    sha256 = kept(path, packed(task))
    code = (
        "import sys, pathlib; from rl import policy_file;"
        f"policy_file.load(pathlib.Path({str(path)!r}), {sha256!r}); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"


def test_another_file_is_refused_before_it_is_opened(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "policy.zip"
    sha256 = kept(path, packed(task))
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    def opened(*args: object, **kwargs: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(PPO, "load", opened)
    monkeypatch.setattr(zipfile, "ZipFile", opened)
    with pytest.raises(PolicyFileFault, match="sha256 differs"):
        policy_file.load(path, sha256)


def test_a_missing_file_and_a_stock_zip_are_refused(task: Task, tmp_path: Path) -> None:
    with pytest.raises(PolicyFileFault, match="cannot be read"):
        policy_file.load(tmp_path / "none.zip", "0" * 64)
    stock = io.BytesIO()
    with zipfile.ZipFile(stock, "w") as archive:
        archive.writestr("data", "{}")
    path = tmp_path / "stock.zip"
    with pytest.raises(PolicyFileFault, match=r"lacks stockbot/policy\.json, as files from before"):
        policy_file.load(path, kept(path, stock.getvalue()))


def test_the_days_it_learned_from_are_told_in_plain_words(task: Task) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(task))) as archive:
        told = json.loads(archive.read("stockbot/observation.json"))

    days = {"train": ["2001-01-02", "2009-05-06"], "validation": ["2010-01-04", "2011-01-03"]}
    assert told["trained"] == {**days, "rows_sha256": ""}


def test_a_policy_that_does_not_tell_its_days_is_refused(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "old.zip"
    told = {"stockbot/obsnorm.json": task.normaliser.as_dict(), "stockbot/observation.json": task.layout.as_dict()}
    content = policy_file.pack_document(policy_file.document_of(trained(task), told))

    with pytest.raises(PolicyFileFault, match="the days that a policy was trained on are not told"):
        policy_file.load(path, kept(path, content))


def test_how_it_was_trained_travels_with_it_by_known_groups_alone(task: Task, tmp_path: Path) -> None:
    path, taught = tmp_path / "policy.zip", TrainConfig().taught
    model = trained(task)
    sha256 = policy_file.save(path, model, task.normaliser, task.layout, LEARNED, taught=taught)
    assert policy_file.load(path, sha256).taught == taught

    sha256 = policy_file.save(path, model, task.normaliser, task.layout, LEARNED, taught=taught | {"code": {}})
    with pytest.raises(PolicyFileFault, match=r"training\.json has a field 'code', which is not known"):
        policy_file.load(path, sha256)
