"""The policies that lie in a run directory to be judged as one subject."""

from pathlib import Path

from backtest.registry import POLICY, load
from backtest.relay import Leg, Relay
from backtest.seeds import SeveralSeeds, TrainedPolicy
from backtest.strategy import Strategy
from runfiles.policy_list import PolicyList


def read_subject(folder: Path, sha256: str | None = None) -> Strategy:
    """Several seeds, a walk-forward, or several seeds of one; `sha256` of their list where it is known.

    Raises ValueError with one sentence for what is missing or another file.
    """
    found = PolicyList.read(folder, sha256)
    opened = {(one.fold, one.seed): load(POLICY)(folder / one.path, one.sha256) for one in found.policies}
    by_seed: dict[int, TrainedPolicy] = {}
    for seed in found.seeds:
        legs = [Leg(start, opened[start.fold, seed]) for start in found.folds]
        by_seed[seed] = Relay(legs) if legs else opened[None, seed]
    return next(iter(by_seed.values())) if len(by_seed) == 1 else SeveralSeeds(by_seed)
