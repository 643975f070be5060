"""Every strategy that may be judged: key, label, dotted path, series number on charts, place in the verdict.

Standard library only, so that the web process can read it: the dotted paths stay text until `load` is called in a
run's own process.
"""

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

POLICY = "policy"
MATCHED_RANDOM = "matched_random"
"""Asked for like a baseline; it is no book of its own but a percentile of the subject (`backtest.matched_random`)."""
MATCHED_RANDOM_LABEL = "Matched random"
OWN_SERIES = 14
"""What a person brings along: fixed weights, and strategies from the command line. They share a hue."""
IMPORTED = "imported"
"""A result that was made elsewhere; it is no strategy that could be run."""
IMPORTED_LABEL = "Imported result"
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
    ("min_variance", "Minimum variance", "backtest.optimised:MinVariance", 10, True,
     "The long-only weights of least variance over 252 returns, monthly."),
    ("benchmark", "Benchmark", "backtest.holding:Benchmark", 7, True, "One symbol bought and held."),
    ("random", "Random", "backtest.random_fund:RandomFund", 8, True,
     "Twenty books of random weights drawn monthly, as one fund that never moves money between them."),
    ("first_long", "First symbol", "backtest.holding:FirstLong", 9, False, "The first symbol bought and held."),
    ("risk_parity", "Risk parity", "backtest.optimised:RiskParity", 11, False,
     "Each asset brings the same part of the variance over 252 returns, monthly."),
    ("hrp", "Hierarchical risk parity", "backtest.optimised:HierarchicalRiskParity", 12, False,
     "Variance over 252 returns split down a tree of correlations, monthly."),
    ("equal_daily", "Equal weight, each bar", "backtest.baselines:EqualDaily", 13, False,
     "Equal weights, rebalanced at each bar."),
    ("fixed_weights", "Fixed weights", "backtest.baselines:FixedWeights", OWN_SERIES, False,
     "The weights that the configuration names, rebalanced monthly."),
)  # fmt: skip

_MAKERS: dict[str, Callable[..., Any]] = {}
"""How a strategy from the command line is made, by key; empty but in a run that was given one."""
STRATEGIES: dict[str, StrategySpec] = {row[0]: StrategySpec(*row) for row in _ROWS}
BASELINES: tuple[str, ...] = tuple(key for key in STRATEGIES if key != POLICY)
CHOICES: tuple[str, ...] = (*BASELINES, MATCHED_RANDOM)
"""What `evaluation.baselines` may hold."""
IN_VERDICT: tuple[str, ...] = tuple(key for key in BASELINES if STRATEGIES[key].in_verdict)
DEFAULT: tuple[str, ...] = (*IN_VERDICT, "first_long")
"""The whole verdict, so that nobody leaves out a baseline by not knowing it."""


class UnknownStrategy(ValueError):
    """The key names no strategy; the message lists those there are."""


def spec_for(key: str) -> StrategySpec:
    """Raises UnknownStrategy with one sentence."""
    if key not in STRATEGIES:
        raise UnknownStrategy(f"there is no strategy {key!r}; use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[key]


def label_of(key: str) -> str:
    """The label of a choice or of an imported result; the key itself where it is neither."""
    named = {MATCHED_RANDOM: MATCHED_RANDOM_LABEL, IMPORTED: IMPORTED_LABEL}
    if key in named:
        return named[key]
    return STRATEGIES[key].label if key in STRATEGIES else key


def evaluation_faults(
    baselines: Sequence[str], benchmark: str | None, symbols: Sequence[str], weighted: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Sentences by field for baselines that do not exist, and a benchmark or symbols of fixed weights (`weighted`)
    that are not among the run's symbols.
    """
    faults: dict[str, list[str]] = {}
    for key in baselines:
        if (key not in STRATEGIES and key != MATCHED_RANDOM) or key == POLICY:
            sentence = f"{key} is no baseline; use {', '.join(CHOICES)}."
            faults.setdefault("evaluation.baselines", []).append(sentence)
    if benchmark is not None and benchmark not in symbols:
        faults["evaluation.benchmark"] = [f"{benchmark} is not among the run's symbols."]
    for symbol in weighted:
        if symbol not in symbols:
            sentence = f"{symbol} is not among the run's symbols."
            faults.setdefault("evaluation.fixed_weights", []).append(sentence)
    return faults


def load(key: str) -> Any:
    """What makes the strategy behind a key of a configuration: its class, or for one from the command line what checks
    its answers. Imports its module, so only a run's own process may call it.
    """
    if key in _MAKERS:
        return _MAKERS[key]
    return imported(spec_for(key).dotted)


def imported(dotted: str) -> Any:
    """What `package.module:name` names. Imports the module."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)


def add(spec: StrategySpec, make: Callable[..., Any]) -> None:
    """A strategy for this process alone; `make` gives it for a configuration."""
    STRATEGIES[spec.key] = spec
    _MAKERS[spec.key] = make
