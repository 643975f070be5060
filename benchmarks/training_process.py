"""One side of a training in a process: `python -m benchmarks.training_process ours|stock R1 FOLDER`.

It prints steps a CPU second, the process's peak memory, and for ours what differs from SB3.
"""

import json
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from benchmarks.panel import panel
from marketdata.config import FeaturesConfig
from marketdata.features import build_features, plan_of
from marketdata.splits import Range
from rl.config import RewardConfig, TrainingConfig
from rl.learner import IndexedPPO
from rl.loss import Batch
from rl.model_config import ModelConfig
from rl.ppo import make_model, make_stock
from rl.task import FeatureTable, Task, make_task
from simulator.config import SimulatorConfig
from simulator.market import prepare_market

BOOKS, STEPS, BATCH, LOOKBACK = 256, 256, 8192, 64
UPDATES = {"ours": 2, "stock": 1}


@dataclass(frozen=True)
class Setting:
    """What is trained. `stock_steps`: of a rollout of stock SB3, whose time for a sample does not depend on how many
    there are; a network that takes it minutes is given fewer, in minibatches of the same size.
    """

    policy: str
    epochs: int
    stock_steps: int = STEPS


SETTINGS = {
    "R1": Setting("mlp", 10),
    "R2": Setting("mlp", 4),
    "R4": Setting("window_cnn", 10, stock_steps=32),
    "R4-shared": Setting("asset_shared", 10, stock_steps=32),
    "R4-attention": Setting("set_attention", 10, stock_steps=32),
    "R4-lstm": Setting("window_lstm", 10, stock_steps=32),
}
NEAR = 1e-6
ROWS = 512


def task() -> Task:
    """20 symbols × 8,313 bars, six features, windows of 64 bars."""
    bars, config = panel(), SimulatorConfig()
    features = FeaturesConfig(feature_set=("ohlcv",), lookback=LOOKBACK)
    built = build_features(bars, plan_of(features, bars))
    table = FeatureTable(built.values, built.names)
    train = Range(LOOKBACK + 20, bars.n_bars - 300)
    return make_task(prepare_market(bars, config), config, RewardConfig(), features, table, train=train)


def model_of(side: str, setting: Setting, steps: int, seen: Task) -> PPO:
    made = make_model if side == "ours" else make_stock
    settings = ModelConfig.model_validate(
        {"policy": setting.policy, "n_steps": steps, "batch_size": BATCH, "n_epochs": setting.epochs}
    )
    model = made(seen, settings, TrainingConfig(n_envs=BOOKS))
    model.set_logger(Logger(None, []))
    return model


def differences(model: PPO, seen: Task, folder: Path) -> list[str]:
    """Sentences where ours is not SB3's: the mean action of the file that stock PPO loads, and the gradient."""
    assert isinstance(model, IndexedPPO)
    batch = next(model.rollout_buffer.shuffled(ROWS))
    model.save(folder / "policy.zip", exclude=["rollout_buffer_class", "rollout_buffer_kwargs"])
    stock = PPO.load(folder / "policy.zip", device="cpu")
    bars = batch.rows.numpy() + LOOKBACK - 1
    observation = {"window": seen.windows.gather(bars), "portfolio": batch.portfolio.numpy()}
    with torch.no_grad():
        mine = model.net.outputs(batch.rows, batch.portfolio).action.numpy().clip(-1, 1)
        theirs = stock.predict(observation, deterministic=True)[0]
    apart = float(np.abs(mine - theirs).max())
    found = [f"the mean action is {apart:.1e} from that of PPO.load"] if apart > NEAR else []
    worst = gradients_apart(model, stock, observation, batch)
    return found + ([f"the gradient is {worst:.1e} of its length from float64's"] if worst > NEAR else [])


def gradients_apart(model: IndexedPPO, stock: PPO, observation: dict[str, np.ndarray], batch: Batch) -> float:
    """Length of the difference from the gradient in float64, as a share of its length."""
    model.policy.zero_grad()
    torch.autograd.backward(model._loss(batch, 0.2).loss)
    policy = stock.policy.double()
    seen = {key: torch.from_numpy(value).double() for key, value in observation.items()}
    action, latent = policy.mlp_extractor(policy.features_extractor(seen))
    law = policy._get_action_dist_from_latent(action)
    ratio = torch.exp(law.log_prob(batch.actions.double()) - batch.log_prob.double())
    gain = batch.advantage.double()
    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
    loss = -torch.min(gain * ratio, gain * ratio.clamp(0.8, 1.2)).mean()
    value = torch.nn.functional.mse_loss(batch.returns.double(), policy.value_net(latent).flatten())
    torch.autograd.backward(loss + model.vf_coef * value)
    mine, right = (
        torch.cat([one.grad.double().flatten() for one in each.parameters()]) for each in (model.policy, policy)
    )
    return float((mine - right).norm() / right.norm())


def main(side: str, setting: Setting, folder: Path) -> None:
    warnings.filterwarnings("ignore", category=UserWarning)
    seen, rollout = task(), STEPS if side == "ours" else setting.stock_steps
    model = model_of(side, setting, rollout, seen)
    if side == "ours":
        model.learn(BOOKS * rollout)  # an unmeasured update: spectra, kernels, memory
    steps = UPDATES[side] * BOOKS * rollout
    began = time.process_time()
    model.learn(steps)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = differences(model, seen, folder) if side == "ours" else []
    print(json.dumps({"steps_s": steps / spent, "peak_mb": peak, "differences": found}))


if __name__ == "__main__":
    main(sys.argv[1], SETTINGS[sys.argv[2]], Path(sys.argv[3]))
