"""The policies that lie in a run directory to be judged as one subject."""

from collections.abc import Mapping
from pathlib import Path

from backtest.registry import POLICY, load
from backtest.relay import FoldPolicy, Leg, Relay
from backtest.seeds import SeveralSeeds, TrainedPolicy
from backtest.strategy import Strategy
from runfiles.policy_list import PolicyList

Opened = Mapping[tuple[int | None, int], FoldPolicy]
"""Each policy of a list by its fold and seed."""


def read_subject(folder: Path, sha256: str | None = None) -> Strategy:
    """Several seeds, a walk-forward, or several seeds of one; `sha256` of their list where it is known.

    Raises ValueError with one sentence for what is missing or another file.
    """
    listed = PolicyList.read(folder, sha256)
    return as_one(listed, opened(folder, listed))


def opened(folder: Path, listed: PolicyList) -> Opened:
    """Raises ValueError with one sentence for a policy that is missing or another file."""
    return {(one.fold, one.seed): load(POLICY)(folder / one.path, one.sha256) for one in listed.policies}


def as_one(listed: PolicyList, policies: Opened) -> Strategy:
    """Raises ValueError with one sentence where they were not trained alike."""
    by_seed: dict[int, TrainedPolicy] = {}
    for seed in listed.seeds:
        legs = [Leg(start, policies[start.fold, seed]) for start in listed.folds]
        by_seed[seed] = Relay(legs) if legs else policies[None, seed]
    return next(iter(by_seed.values())) if len(by_seed) == 1 else SeveralSeeds(by_seed)
