"""Tasks on a planted market: `planted-v1` (rl.calibrate.planted), smaller."""

from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from rl.calibrate.oracle import targets as oracle_targets
from rl.calibrate.planted import costs, planted
from rl.calibrate.world import World as Planted
from rl.config import RewardConfig
from rl.task import Task, make_task
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market

__all__ = ["VALIDATION", "Planted", "Range", "costs", "market_of", "oracle_targets", "planted", "task_of"]

VALIDATION = Range(513, 599)
"""Behind the training bars of the small task (tests.rl.conftest)."""


def market_of(data: Planted, config: SimulatorConfig | None = None) -> Market:
    return prepare_market(data.bars, config or costs())


def task_of(data: Planted, train: Range, *, lookback: int = 8, config: SimulatorConfig | None = None,
            reward: RewardConfig | None = None) -> Task:  # fmt: skip
    config = config or costs()
    seen = FeaturesConfig(lookback=lookback)
    return make_task(
        prepare_market(data.bars, config), config, reward or RewardConfig(), seen, data.features, train=train
    )
