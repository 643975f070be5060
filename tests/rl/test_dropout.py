"""Dropout: a book acts and is learned from in the same thinned network, and a policy that is judged is whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from stable_baselines3.common.logger import Logger
from torch import Tensor

from marketdata.config_base import sentences
from rl import policy_file
from rl.actor import Actor, whole_episode
from rl.config import TrainConfig, TrainingConfig
from rl.dropout import Dropout
from rl.learner import IndexedPPO
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.onnx_export import feeds, to_onnx
from rl.ppo import make_model, make_stock
from rl.task import Task
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import go_on, outcome, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config
from tests.rl.planted import VALIDATION
from tests.rl.small import OWN
from tests.rl.test_onnx_export import run
from tests.rl.test_policy_file import LEARNED

BOOKS, STEPS = 6, 40


def made(task: Task, network: str, rate: float = 0.5, **model: Any) -> IndexedPPO:
    settings = {"policy": network, "dropout": rate, "n_steps": STEPS, "batch_size": BOOKS * STEPS, "n_epochs": 1}
    chosen = ModelConfig.model_validate({**settings, "net_arch": (16, 8), **OWN.get(network, {}), **model})
    found = make_model(task, chosen, TrainingConfig(n_envs=BOOKS))
    assert isinstance(found, IndexedPPO)
    with torch.no_grad():  # scores begin near 0; here what is silenced must be told
        for parameter in found.policy.action_net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    found.set_logger(Logger(None, []))
    return found


def thinned(policy: Any, network: str, mask: Tensor) -> list[Any]:
    """Hooks on SB3's own policy that silence what `mask` (units,) says behind the first activation."""
    if network != "mlp":
        return [policy.features_extractor.activation.register_forward_hook(lambda module, given, out: out * mask)]
    stacks = (policy.mlp_extractor.policy_net, policy.mlp_extractor.value_net)
    return [stack[1].register_forward_hook(lambda module, given, out, some=some: out * some)
            for stack, some in zip(stacks, mask.chunk(2), strict=True)]  # fmt: skip


@pytest.mark.parametrize("network", NETS)
def test_each_book_acts_and_learns_in_its_own_thinned_network(task: Task, network: str) -> None:
    """Log probabilities and values of the rollout are those of SB3's policy, on whole windows, with the book's mask."""
    model = made(task, network)
    model.learn(BOOKS * STEPS)  # the weights have moved; the rollout below is a new one, with new masks
    policy, rollout, env = model.policy, model.rollout_buffer, model.get_env()
    model.collect_rollouts(env, quiet(model), rollout, STEPS)
    books = torch.arange(BOOKS)
    masks = model.dropout.of(books)
    assert masks is not None and masks.shape == (BOOKS, model.net.units)
    for book in (0, 3):
        window = task.windows.gather((rollout.rows[:, book] + task.layout.lookback - 1).numpy())
        seen = {"window": torch.from_numpy(window), "portfolio": rollout.portfolio[:, book]}
        hooks = thinned(policy, network, masks[book])
        with torch.no_grad():
            values, log_prob, _ = policy.evaluate_actions(seen, rollout.actions[:, book])
        for hook in hooks:
            hook.remove()
        torch.testing.assert_close(rollout.log_prob[:, book], log_prob, atol=2e-4, rtol=1e-4)
        torch.testing.assert_close(rollout.values[:, book], values[:, 0], atol=1e-4, rtol=1e-4)
        with torch.no_grad():
            whole = policy.evaluate_actions(seen, rollout.actions[:, book])[1]
        assert (whole - log_prob).abs().max() > 1e-3


def quiet(model: IndexedPPO) -> Any:
    return model._init_callback(None)


@pytest.mark.parametrize("network", NETS)
def test_nothing_has_changed_before_something_is_learned(task: Task, network: str) -> None:
    """The ratio of every sample is 1 before the first step; with other masks it would be noise already."""
    model = made(task, network)
    model.collect_rollouts(model.get_env() or pytest.fail(), started(model), model.rollout_buffer, STEPS)
    batch = next(model.rollout_buffer.shuffled(BOOKS * STEPS))
    with torch.no_grad():
        found = model._loss(batch, 0.01)
        model.dropout.draw(BOOKS, model.device)
        other = model._loss(batch, 0.01)
    assert abs(float(found.kl)) < 1e-6 and float(found.clipped) == 0.0
    assert float(other.kl) > 1e-3 and float(other.clipped) > 0.5


def started(model: IndexedPPO) -> Any:
    """A callback of a training that has begun, with its books at their first bar."""
    return model._setup_learn(BOOKS * STEPS)[1]


def test_masks_are_of_the_rate_and_new_in_each_rollout() -> None:
    torch.manual_seed(0)
    dropout = Dropout(0.25, 1000)
    dropout.draw(8, torch.device("cpu"))
    first = dropout.of(torch.arange(8))
    again = dropout.of(torch.tensor([3, 3]))
    dropout.draw(8, torch.device("cpu"))
    second = dropout.of(torch.arange(8))
    assert first is not None and again is not None and second is not None
    assert sorted(set(first.flatten().tolist())) == pytest.approx([0.0, 1 / 0.75])
    assert float((first == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(first.mean()) == pytest.approx(1.0, abs=0.03)
    assert torch.equal(again[0], first[3]) and torch.equal(again[1], first[3])
    assert not torch.equal(first[0], first[1]) and not torch.equal(first, second)


def test_without_it_nothing_is_drawn(task: Task) -> None:
    dropout, before = Dropout(0.0, 10), torch.get_rng_state()
    dropout.draw(8, torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before) and dropout.of(torch.arange(8)) is None


@pytest.mark.parametrize("network", ["asset_shared", "mlp", "window_lstm"])
def test_a_training_can_be_repeated_and_goes_on_to_the_same_bytes(task: Task, tmp_path: Path, network: str) -> None:
    chosen = config(steps=4 * ROLLOUT, model={"policy": network, "dropout": 0.3, **OWN.get(network, {})})
    for name in ("whole", "repeated"):
        trained(task, chosen, tmp_path / name)
    assert outcome(tmp_path / "repeated") == outcome(tmp_path / "whole")
    with stopped_at(40), pytest.raises(JobCancelled):
        trained(task, chosen, tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, chosen, tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")
    plain = config(steps=4 * ROLLOUT, model={"policy": network, **OWN.get(network, {})})
    trained(task, plain, tmp_path / "plain")
    assert outcome(tmp_path / "plain") != outcome(tmp_path / "whole")


@pytest.mark.parametrize("network", ["asset_shared", "mlp"])
def test_what_is_judged_is_whole(task: Task, tmp_path: Path, network: str) -> None:
    """Looks at the validation range, the file, plain prediction and the graph know nothing of it."""
    model = made(task, network)
    model.learn(BOOKS * STEPS)
    path = tmp_path / "p.zip"
    stored = policy_file.load(path, policy_file.save(path, model, task.normaliser, task.layout, LEARNED))
    scores = {
        whole_episode(Actor(each, task.layout, task.windows, task.market), task.market, task.config, VALIDATION.t0,
                      VALIDATION.t1).score
        for each in (model.policy, model.policy, stored.policy)
    }  # fmt: skip
    assert len(scores) == 1
    seen = {"window": task.windows.gather(np.arange(100, 140)), "portfolio": np.zeros((40, 6), np.float32)}
    told = model.predict(seen, deterministic=True)[0]
    np.testing.assert_allclose(run(to_onnx(model.policy), feeds(model.policy, seen)), told, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"dropout": 1.0}, "Must be less than 1."),
        ({"dropout": -0.1}, "Must be at least 0."),
        (
            {"dropout": 0.1, "policy": "mlp", "net_arch": []},
            "Dropout must be 0 for mlp without a hidden layer; name one in model.net_arch.",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(model: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate({"model": model})
    assert sentences(fault.value) == {"model.dropout": [said]}


def test_stock_ppo_refuses_it(task: Task) -> None:
    with pytest.raises(ValueError, match=r"model\.dropout must be 0"):
        make_stock(task, ModelConfig(dropout=0.1), TrainingConfig(n_envs=2))
