"""Saves of stock SB3: taken without unpickling, and acting as plain `PPO.load` says they act."""

import io
import zipfile

import numpy as np
import pytest
from stable_baselines3 import PPO

from rl import policy_file
from rl.policy_format import container, own
from rl.policy_format.build import build_policy
from rl.policy_format.own import PolicyDocument
from rl.policy_import.importer import import_policy
from rl.policy_import.reader import read_policy
from tests.rl.policy_import.hostile import with_data
from tests.rl.policy_import.saves import KINDS, Bandit, samples, saved, told


def kept(content: bytes) -> PolicyDocument:
    return own.read(container.read(content, own.KEPT))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_actions_as_plain_load(kind: str) -> None:
    seen, done, _ = KINDS[kind]
    expected = told(PPO.load(io.BytesIO(saved(kind)), device="cpu").predict, seen)

    document, _ = read_policy(saved(kind))
    ours = policy_file.pack_document(document)

    assert np.array_equal(told(build_policy(document.spec, document.weights).predict, seen), expected)
    again = PPO.load(io.BytesIO(ours), device="cpu")
    assert np.array_equal(told(again.predict, seen), expected)
    assert again.observation_space == seen and again.action_space == done
    assert len(np.unique(expected, axis=0)) > 1  # the observations do not all lead to one action


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_settings_go_with_it(kind: str) -> None:
    seen, done, settings = KINDS[kind]
    first = PPO.load(io.BytesIO(saved(kind)), device="cpu")
    again = PPO.load(io.BytesIO(policy_file.pack_document(read_policy(saved(kind))[0])), device="cpu")

    batch = first.policy.obs_to_tensor(samples(seen))[0]
    assert np.array_equal(*(each.policy.predict_values(batch).detach().numpy() for each in (first, again)))
    for name in ("n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm",
                 "target_kl", "num_timesteps"):  # fmt: skip
        assert getattr(first, name) == getattr(again, name), name
    assert first.clip_range(1.0) == again.clip_range(1.0)
    if not isinstance(settings.get("learning_rate"), type(lambda: 0)):
        assert [first.lr_schedule(left) for left in (1.0, 0.7, 0.2)] == [
            again.lr_schedule(left) for left in (1.0, 0.7, 0.2)
        ]
    again.set_env(Bandit(seen, done))
    assert again.learn(16).num_timesteps == 16


def test_code_in_a_schedule_is_left_out_with_a_note() -> None:
    document, notes = read_policy(saved("dict, multi-discrete"))

    assert document.spec.hyper["learning_rate"] == 3e-4
    assert notes == ["learning_rate is code, which is never run; 0.0003 is kept in its place, which matters only to "
                     "training on"]  # fmt: skip
    assert read_policy(saved("multi-discrete, box"))[0].spec.hyper["learning_rate"] == {
        "start": 1e-3, "end": 1e-4, "end_fraction": 0.5,
    }  # fmt: skip


def test_an_import_is_its_own_import() -> None:
    once = policy_file.pack_document(read_policy(saved())[0])
    assert policy_file.pack_document(read_policy(once)[0]) == once


def test_a_child_reads_it_and_nothing_of_the_upload_is_kept() -> None:
    upload = with_data(saved("dict, box"), note="canary", tensorboard_log="/etc/cron.d", _logger="x", device="cuda:9")
    imported = import_policy(upload)

    with zipfile.ZipFile(io.BytesIO(imported.content)) as archive:
        assert tuple(archive.namelist()) == own.ORDER[:7]
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"canary" in upload and not any(word in content for word in (b"canary", b"cron.d", b"_logger", b"cuda"))
    seen = KINDS["dict, box"][0]
    expected = told(PPO.load(io.BytesIO(saved("dict, box")), device="cpu").predict, seen)
    assert np.array_equal(told(PPO.load(io.BytesIO(imported.content)).predict, seen), expected)
    assert kept(imported.content).spec.source_sha256 and imported.notes == ()


def test_a_zip_packed_again_by_another_program_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as before, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as after:
        for name in reversed(before.namelist()):
            after.writestr(name, before.read(name))
    assert read_policy(buffer.getvalue())[0].weights.keys() == read_policy(saved())[0].weights.keys()
