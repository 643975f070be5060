"""All that a report rests on, in groups: trading, data, what a policy saw, how it was trained, judging, strategies.

Whatever of the configuration is not at its default is named here, but for the ranges, which stand under "How it was
split". A policy's file says how it was trained, so that a training and a backtest of its policy tell the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

from backtest.registry import POLICY
from backtest.rules import Rule, part_rules, simulator_rules
from marketdata.config import DatasetConfig

if TYPE_CHECKING:
    from backtest.case import Case

DATA, SEEN, TRAINED = "Data", "What the policy sees", "How the policy was trained"
JUDGING, STRATEGIES = "Judging", "Strategies"
ALWAYS = frozenset({
    "features.feature_set", "features.lookback", "model.policy", "reward.mode", "training.total_timesteps",
    "training.seeds", "regime.enabled",
})  # fmt: skip
"""Of a policy, told whatever they are."""
TOLD_ELSEWHERE = frozenset({"evaluation.bootstrap_paths", "evaluation.seed"})
"""In the sentence on the resampling."""
PRICES = {
    "raw": "raw, as traded, with their recorded splits and dividends",
    "split": "split-adjusted, without dividends",
    "total_return": "adjusted for splits and dividends",
}
COMPUTED = ", computed by the run from raw bars"
UNTOLD = "its file does not tell: it was written by an earlier version"


def rules_of(case: Case) -> list[Rule]:
    """In the order of the groups."""
    return [
        *(case.imported.rules() if case.imported else []),
        *simulator_rules(case.config, case.market), *_data(case), *_policy(case),
        *part_rules("evaluation", case.config.evaluation, JUDGING, leave=TOLD_ELSEWHERE), _resampling(case),
        *_strategies(case),
    ]  # fmt: skip


def _data(case: Case) -> list[Rule]:
    """Which of the stored bars were used, and how."""
    entry, bars = case.feed.entry, case.feed.bars
    told = {"adjustment": PRICES[bars.adjustment] + (COMPUTED if bars.adjustment != entry.adjustment else "")}
    if bars.symbols != entry.symbols:
        told["symbols"] = f"{len(bars.symbols)} of {len(entry.symbols)}: {', '.join(bars.symbols)}"
    first, last = (bars.session[k].item() for k in (0, -1))
    told |= {"start": str(first)} if first != entry.start else {}
    told |= {"end": str(last)} if last != entry.end else {}
    told |= {"interval": bars.interval} if bars.interval != "1d" else {}
    if entry.member:
        told["membership"] = "point in time" if bars.member is not None else "set aside"
    names = {"adjustment": "Prices", "symbols": "Symbols", "start": "Data from", "end": "Data to"}
    fields = DatasetConfig.model_fields
    return [
        Rule(names.get(key, key.capitalize()), told[key], fields[key].description or "", DATA)
        for key in fields
        if key in told
    ]


def _policy(case: Case) -> list[Rule]:
    """What a policy sees and how it was trained; nothing of a subject that learned nothing."""
    if case.subject.key != POLICY:
        return []
    seen = [] if case.features is None else part_rules("features", case.features, SEEN, always=ALWAYS)
    return seen + (_trained(case.taught) if case.taught else [Rule("Training", UNTOLD, "", TRAINED)])


def _trained(groups: Mapping[str, BaseModel]) -> list[Rule]:
    return [rule for name, part in groups.items() for rule in part_rules(name, part, TRAINED, always=ALWAYS)]


def _resampling(case: Case) -> Rule:
    chosen = case.config.evaluation
    block = "" if case.excess is None else f", mean block {case.excess.mean_block:.1f} bars"
    return Rule(
        "Resampling",
        f"{chosen.bootstrap_paths:,} paths of the stationary bootstrap{block}, seed {chosen.seed}",
        "How the intervals were made: blocks of bars drawn with replacement.",
        JUDGING,
    )


def _strategies(case: Case) -> list[Rule]:
    """Each strategy of the report in one sentence; a benchmark says which one it is."""
    symbol = case.config.evaluation.benchmark
    benchmark = f"{symbol} bought and held." if symbol else "Buy and hold stands for it: no symbol is named."
    return [
        Rule(one.spec.label, benchmark if one.key == "benchmark" else one.spec.note, "", STRATEGIES)
        for one in case.judged
    ]
