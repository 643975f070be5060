"""Every strategy that may be judged: key, label, dotted path, series number on charts, place in the verdict.

Standard library only, so that the web process can read it: the dotted paths stay text until `load` is called in a
run's own process.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

POLICY = "policy"
TRAIN_CONFIG = "rl.config:TrainConfig"
UNTRAINED = "rl.untrained:UntrainedPolicy"
"""The leak gate's way to a training's configuration, and to what a policy of it would see."""


@dataclass(frozen=True)
class StrategySpec:
    """`series` 1..14 fixes the hue on every chart and table (1 is the policy's accent); `note` is one sentence."""

    key: str
    label: str
    dotted: str
    series: int
    in_verdict: bool
    note: str


_ROWS: tuple[tuple[str, str, str, int, bool, str], ...] = (
    (POLICY, "PPO policy", "rl.policy_strategy:PolicyStrategy", 1, False, "The learned policy, acting by its mean."),
    ("cash", "Cash", "backtest.baselines:Cash", 2, True, "Nothing is ever bought."),
    ("buy_hold", "Buy and hold", "backtest.baselines:BuyHold", 3, True, "Equal weights at first, never traded again."),
    ("equal", "Equal weight", "backtest.baselines:Equal", 4, True, "Equal weights, rebalanced monthly."),
    ("inverse_vol", "Inverse volatility", "backtest.baselines:InverseVol", 5, True,
     "Weights by one over the deviation of 60 returns, monthly."),
    ("momentum", "Momentum", "backtest.baselines:Momentum", 6, True,
     "The fifth with the best year up to a month ago, equally weighted, monthly."),
    ("benchmark", "Benchmark", "backtest.baselines:Benchmark", 7, True, "One symbol bought and held."),
    ("random", "Random", "backtest.random_fund:RandomFund", 8, True,
     "Twenty books of random weights drawn monthly, as one fund that never moves money between them."),
    ("first_long", "First symbol", "backtest.baselines:FirstLong", 9, False, "The first symbol bought and held."),
)  # fmt: skip

STRATEGIES: dict[str, StrategySpec] = {row[0]: StrategySpec(*row) for row in _ROWS}
BASELINES: tuple[str, ...] = tuple(key for key in STRATEGIES if key != POLICY)


class UnknownStrategy(ValueError):
    """The key names no strategy; the message lists those there are."""


def spec_for(key: str) -> StrategySpec:
    """Raises UnknownStrategy with one sentence."""
    if key not in STRATEGIES:
        raise UnknownStrategy(f"there is no strategy {key!r}; use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[key]


def evaluation_faults(baselines: Sequence[str], benchmark: str | None, symbols: Sequence[str]) -> dict[str, list[str]]:
    """Sentences by field for baselines that do not exist and a benchmark that is not among the run's symbols."""
    faults: dict[str, list[str]] = {}
    for key in baselines:
        if key not in BASELINES:
            faults.setdefault("evaluation.baselines", []).append(f"{key} is no baseline; use {', '.join(BASELINES)}.")
    if benchmark is not None and benchmark not in symbols:
        faults["evaluation.benchmark"] = [f"{benchmark} is not among the run's symbols."]
    return faults


def load(key: str) -> Any:
    """The class behind a key. Imports its module, so only a run's own process may call it."""
    return imported(spec_for(key).dotted)


def imported(dotted: str) -> Any:
    """What `package.module:name` names. Imports the module."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)
