"""Policies are several seeds of one training only where they were made by the same of everything else."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from backtest.config import BacktestConfig
from backtest.run import subject_of
from backtest.seeds import SeveralSeeds
from marketdata.config import FeaturesConfig
from rl.config import TrainingConfig
from rl.model_config import ModelConfig
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job, JobRefused
from runfiles.policy_list import Listed, PolicyList

DAYS = (("train", dt.date(2020, 1, 2), dt.date(2021, 1, 4)),)


@dataclass
class Policy:
    """What a policy's file tells of its training."""

    seed: int
    sees: FeaturesConfig = field(default_factory=FeaturesConfig)
    days: tuple[Any, ...] = DAYS
    symbols: tuple[str, ...] = ("A", "B")
    layers: str = "policy"
    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 1000
    told: bool = True

    def learned_spans(self) -> tuple[Any, ...]:
        return self.days

    def trained_symbols(self) -> tuple[str, ...]:
        return self.symbols

    def taught(self) -> Mapping[str, BaseModel] | None:
        training = TrainingConfig(seeds=(self.seed,), total_timesteps=self.steps)
        return {"model": self.model, "training": training} if self.told else None

    def family(self) -> tuple[int, ...]:
        return (self.seed,) if self.told else ()


def several(first: Policy, second: Policy) -> SeveralSeeds:
    return SeveralSeeds({one.seed: one for one in (first, second)})  # type: ignore[dict-item]


def test_those_that_differ_in_their_seed_alone_are_one_subject() -> None:
    found = several(Policy(3), Policy(5)).taught()
    assert found is not None and found["training"] == TrainingConfig(seeds=(3, 5), total_timesteps=1000)
    assert several(Policy(3, told=False), Policy(5, told=False)).taught() is None


OTHER: dict[str, tuple[Callable[[int], Policy], str]] = {
    "features": (lambda seed: Policy(seed, sees=FeaturesConfig(lookback=9)), "features"),
    "days": (lambda seed: Policy(seed, days=(("train", dt.date(2020, 1, 3), dt.date(2021, 1, 4)),)), "days"),
    "symbols": (lambda seed: Policy(seed, symbols=("A", "C")), "symbols"),
    "their order": (lambda seed: Policy(seed, symbols=("B", "A")), "symbols"),
    "layers": (lambda seed: Policy(seed, layers="mandate"), "layers"),
    "a network": (lambda seed: Policy(seed, model=ModelConfig(policy="mlp")), "settings"),
    "steps": (lambda seed: Policy(seed, steps=2000), "settings"),
    "one that does not tell": (lambda seed: Policy(seed, told=False), "settings"),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_was_made_otherwise_is_refused_by_name(name: str) -> None:
    made, word = OTHER[name]
    with pytest.raises(ValueError, match=f"^seed 5 was trained with other {word} than seed 3$"):
        several(Policy(3), made(5))
    with pytest.raises(ValueError, match=f"^seed 3 was trained with other {word} than seed 5$"):
        several(made(5), Policy(3))


def test_a_waterfall_of_several_seeds_is_refused_before_any_policy_is_read(tmp_path: Path) -> None:
    listed = PolicyList((Listed(None, 3, "0" * 64), Listed(None, 5, "1" * 64)))
    listed.write(tmp_path)
    asked = {
        "run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": listed.sha256,
        "evaluation": {"waterfall": True}
    }  # fmt: skip
    job = Job(tmp_path, tmp_path, EventWriter(tmp_path / layout.EVENTS), asked)
    with pytest.raises(
        JobRefused, match=r"^evaluation\.waterfall: Several seeds have no decision in common; judge one"
    ):
        subject_of(job, BacktestConfig.model_validate(asked))
