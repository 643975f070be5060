"""SB3's members: what a fresh PPO would save, no name in a pickle that is not on the list, no effect on chance."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.utils import LinearSchedule
from torch import nn

from rl import policy_file
from rl.nets import NETS
from rl.policy_format import own
from rl.policy_format.build import build_policy, describe
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.registry import EXTRACTORS, Entry, Whole
from rl.policy_format.sb3_members import fresh_adam
from rl.policy_import import names
from rl.policy_import.pickle_reader import Budget, Global, read
from rl.policy_import.reader import read_policy
from rl.task import Task
from tests.rl.policy_format.wide import Wide
from tests.rl.policy_import.saves import KINDS, MIXED, Bandit, saved
from tests.rl.test_policy_file import LEARNED, trained

OURS = {
    Global(each.__module__, each.__name__)
    for kind in NETS.values() for each in (kind.policy, kind.encoder) if isinstance(each, type)
}  # fmt: skip


@pytest.mark.parametrize("policy", list(NETS))
def test_every_name_in_its_pickles_is_on_the_list(task: Task, policy: str) -> None:
    content = policy_file.pack(trained(task, policy=policy), task.normaliser, task.layout, LEARNED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data = json.loads(archive.read("data"))
    pickled = {key: base64.b64decode(value[":serialized:"]) for key, value in data.items() if isinstance(value, dict)
               and ":serialized:" in value}  # fmt: skip
    found = set().union(*(read(each, key, Budget()).names for key, each in pickled.items()))
    assert found <= names.IN_DATA | OURS and names.BOX in found


def test_the_optimiser_is_torchs_own_before_its_first_step() -> None:
    policy = PPO("MlpPolicy", Bandit(*KINDS["box, discrete"][:2]), device="cpu", learning_rate=0.002).policy
    assert fresh_adam(policy, 0.002) == policy.optimizer.state_dict()


def test_writing_and_opening_draw_nothing_and_change_nothing(task: Task) -> None:
    model = trained(task)
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    content = policy_file.pack(model, task.normaliser, task.layout, LEARNED)
    build_policy(*(lambda d: (d.spec, d.weights))(own.read(members(content))))

    assert torch.equal(torch.rand(3), expected) and model.policy.training
    assert all(torch.equal(value, before[name]) for name, value in model.policy.state_dict().items())


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_each_weight_stands_once_and_a_shared_extractor_is_one(task: Task) -> None:
    model = trained(task)
    document = own.read(members(policy_file.pack(model, task.normaliser, task.layout, LEARNED)))
    assert sum(each.size for each in document.weights.values()) == sum(p.numel() for p in model.policy.parameters())
    assert not any(name.startswith(("pi_features", "vf_features")) for name in document.weights)
    built = build_policy(document.spec, document.weights)
    assert built.pi_features_extractor is built.features_extractor is built.vf_features_extractor
    for name, value in model.policy.state_dict().items():
        assert torch.equal(value, built.state_dict()[name])


def test_another_weight_makes_another_file_and_the_sb3_side_follows() -> None:
    document = read_policy(saved())[0]
    numbers = {name: np.array(value) for name, value in document.weights.items()}
    numbers["action_net.bias"][0] += 1
    changed = own.PolicyDocument(document.spec, numbers)
    one, two = (policy_file.pack_document(each) for each in (document, changed))
    assert one != two
    found = PPO.load(io.BytesIO(two), device="cpu").policy.state_dict()["action_net.bias"]
    assert np.array_equal(found.numpy(), numbers["action_net.bias"])


def test_schedules_are_told_as_far_as_sb3_has_them() -> None:
    env = Bandit(*KINDS["box, discrete"][:2])
    for rate, told in ((LinearSchedule(1e-3, 0.0, 1.0), {"start": 1e-3, "end": 0.0, "end_fraction": 1.0}),
                       (lambda left: 0.01 * left, 0.01), (0.5, 0.5)):  # fmt: skip
        model = PPO("MlpPolicy", env, learning_rate=rate, device="cpu")
        assert describe(model.policy, vars(model), {})["hyper"]["learning_rate"] == told


def test_what_stands_in_no_registry_is_not_written() -> None:
    env = Bandit(*KINDS["box, discrete"][:2])
    for kwargs, says in (
        ({"activation_fn": nn.Softplus}, "activation Softplus"),
        ({"normalize_images": False}, "argument normalize_images"),
    ):
        model = PPO("MlpPolicy", env, policy_kwargs=kwargs, device="cpu")
        with pytest.raises(PolicyFileFault, match=says) as caught:
            policy_file.document_of(model, {})
        assert caught.value.code == "unsupported"


def test_one_entry_lets_a_network_into_files(monkeypatch: pytest.MonkeyPatch) -> None:

    env = Bandit(MIXED, KINDS["dict, box"][1])
    kwargs = {"features_extractor_class": Wide, "features_extractor_kwargs": {"width": 12}, "net_arch": [8]}
    model = PPO("MultiInputPolicy", env, policy_kwargs=kwargs, device="cpu", n_steps=16, batch_size=16)
    with pytest.raises(PolicyFileFault, match="Wide stands in no registry"):
        policy_file.document_of(model, {})

    entry = Entry("tests.rl.policy_format.wide:Wide", 3, {"width": Whole(1, 64)}, policies=("MultiInputPolicy",))
    monkeypatch.setitem(EXTRACTORS, "wide", entry)  # type: ignore[arg-type]
    content = policy_file.pack_document(policy_file.document_of(model, {}))

    seen = MIXED
    seen.seed(1)
    batch = {key: np.stack([seen.sample()[key] for _ in range(50)]) for key in seen.spaces}
    expected = model.predict(batch, deterministic=True)[0]
    document = read_policy(content)[0]
    assert (document.spec.extractor, document.spec.extractor_version) == ("wide", 3)
    assert np.array_equal(build_policy(document.spec, document.weights).predict(batch, deterministic=True)[0], expected)
    assert np.array_equal(PPO.load(io.BytesIO(content), device="cpu").predict(batch, deterministic=True)[0], expected)
