"""Networks with weights shared over assets: equivariant to their order, every mapping has its head, few parameters."""

import copy

import numpy as np
import pytest
import torch

from marketdata.splits import Range
from rl.config import ANY_SYMBOLS, TrainingConfig
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.networks import Scores
from rl.ppo import make_model
from rl.task import Task
from tests.rl.planted import Planted, costs, planted, task_of
from tests.rl.small import OWN


def observations(task: Task, n: int) -> dict[str, torch.Tensor]:
    chance = np.random.default_rng(0)
    window = task.windows.gather(chance.integers(50, 400, n))
    portfolio = chance.normal(size=(n, task.layout.portfolio_size)).astype(np.float32)
    return {"window": torch.from_numpy(window), "portfolio": torch.from_numpy(portfolio)}


def policy(task: Task, **model: object) -> torch.nn.Module:
    own = OWN.get(str(model.get("policy")), {})
    fresh = make_model(task, ModelConfig(**own, **model), TrainingConfig(n_envs=2)).policy  # type: ignore[arg-type]
    with torch.no_grad():  # scores begin near 0; here they must be told apart
        for parameter in fresh.action_net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    return fresh


SHARED = [name for name, kind in NETS.items() if kind.encoder is not None]


@pytest.mark.parametrize("network", SHARED)
@pytest.mark.parametrize("net_arch", [(), (16,), (16, 8, 4)])
def test_reordered_assets_give_reordered_scores(data: Planted, network: str, net_arch: tuple[int, ...]) -> None:
    task = task_of(data, Range(20, 500), config=costs(max_step_change=0.5))
    net, seen, order = policy(task, policy=network, net_arch=net_arch), observations(task, 4), [2, 0, 1]
    own = [3 + i for i in order] + [6 + i for i in order]
    moved = {
        "window": seen["window"][:, :, order],
        "portfolio": torch.cat((seen["portfolio"][:, :3], seen["portfolio"][:, own]), dim=1),
    }

    before, after = (net._predict(o, deterministic=True) for o in (seen, moved))

    assert torch.allclose(after[:, 1:], before[:, 1:][:, order], atol=1e-6)
    assert torch.allclose(after[:, 0], before[:, 0], atol=1e-6)  # cash looks at all of them alike
    assert torch.allclose(net.predict_values(seen), net.predict_values(moved), atol=1e-6)
    assert before[:, 1:].std(dim=1).min() > 1e-3


@pytest.mark.parametrize("network", SHARED)
def test_more_assets_need_no_more_weights(task: Task, network: str) -> None:
    def weights(of: Task) -> int:
        made = policy(of, policy=network)
        told = [p.numel() for name, p in made.named_parameters() if name != "log_std"]
        assert len(told) < len(list(made.parameters())) or network in ANY_SYMBOLS  # a noise of its own for each symbol
        return sum(told)

    narrow = task_of(planted(n_bars=600, n_assets=2), Range(20, 500))

    assert weights(narrow) == weights(task) < 50_000


@pytest.mark.parametrize("network", SHARED)
@pytest.mark.parametrize(("mode", "shape"), [("simplex_cash", (5, 4)), ("tanh_leverage", (5, 3)), ("discrete", (5, 3))])
def test_every_mapping_has_its_head(data: Planted, network: str, mode: str, shape: tuple[int, int]) -> None:
    task = task_of(data, Range(20, 500), config=costs(allow_short=True, mapping_mode=mode))

    values, log_prob, entropy = (net := policy(task, policy=network)).evaluate_actions(
        observations(task, 5), torch.zeros(shape)
    )

    assert net._predict(observations(task, 5)).shape == shape
    assert values.shape == (5, 1) and log_prob.shape == (5,) and entropy.shape == (5,)


@pytest.mark.parametrize("network", SHARED)
def test_the_first_policy_is_near_equal_weight(task: Task, network: str) -> None:
    fresh = make_model(task, ModelConfig(policy=network, **OWN.get(network, {})), TrainingConfig(n_envs=2)).policy  # type: ignore[arg-type]

    assert fresh._predict(observations(task, 50), deterministic=True).abs().max() < 0.05


@pytest.mark.parametrize("network", SHARED)
@pytest.mark.parametrize("activation", ["tanh", "relu", "elu"])
def test_a_window_is_read_the_same_from_any_memory_order(task: Task, network: str, activation: str) -> None:
    net, seen = policy(task, policy=network, activation=activation), observations(task, 6)
    plain = {"window": seen["window"].contiguous(), "portfolio": seen["portfolio"]}

    assert not seen["window"].is_contiguous()
    assert torch.equal(net._predict(seen, deterministic=True), net._predict(plain, deterministic=True))


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_the_scores_is_summed_to_a_few_units_in_the_last_place(seed: int) -> None:
    """Over 512 samples of 20 assets; one float32 sum over all rows in turn is 1.3e-6 to 2.2e-6 of its length away."""
    torch.manual_seed(seed)
    scores = Scores(64, 64, 1, with_cash=False)
    latents, weights = torch.tanh(torch.randn(512, 20, 64) + 0.5), torch.randn(512, 20)
    exact = copy.deepcopy(scores).double()
    torch.autograd.backward((scores((latents, latents[:, 0])) * weights).sum())
    torch.autograd.backward((exact((latents.double(), latents[:, 0].double())) * weights.double()).sum())
    found, right = scores.asset.weight.grad, exact.asset.weight.grad
    assert found is not None and right is not None
    assert float((found.double() - right).norm() / right.norm()) < 4e-7
