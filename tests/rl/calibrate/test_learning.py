"""A training that leaves nothing behind ends with the weights that the product's own training keeps; seeds are judged
by books of their own.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from marketdata.splits import Range
from rl import policy_file
from rl.calibrate import learning
from rl.calibrate.learning import LearnedBySeeds, LearnedHere, learn
from rl.config import TrainConfig
from rl.ppo import make_model
from rl.task import Task
from rl.training import TrainingDiverged, train
from runfiles import layout
from runfiles.events import EventWriter
from simulator.engine import BookSession
from tests.rl.planted import VALIDATION, costs

pytestmark = pytest.mark.slow
SMALL: dict[str, Any] = {
    "model": {"n_steps": 16, "batch_size": 64, "net_arch": [16]},
    "training": {"total_timesteps": 1_024, "n_envs": 8, "eval_every": 256, "seeds": [3]},
}


def config(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(
        {name: SMALL.get(name, {}) | changes.get(name, {}) for name in {**SMALL, **changes}}
    )


@pytest.mark.parametrize(("which", "name"), [("best", layout.BEST_POLICY), ("last", layout.LAST_POLICY)])
@pytest.mark.parametrize("patience", [None, 1])
def test_it_ends_as_the_products_own_training(
    task: Task, tmp_path: Path, which: str, name: str, patience: int | None
) -> None:
    chosen = config(evaluation={"policy": which}, training={"early_stop": patience}, model={"learning_rate": 0.1})
    kept = train(task, chosen, VALIDATION, tmp_path, EventWriter(tmp_path / "events"), lambda text: None)
    assert kept.best.step < kept.looks[-1].step, "the best must be another than the last"
    stored = policy_file.load(tmp_path / name, kept.sha256[name]).policy.state_dict()
    heard: list[int] = []
    mine = learn(task, chosen, VALIDATION, heard.append)._policy.state_dict()
    assert stored.keys() == mine.keys()
    assert all(torch.equal(stored[key], mine[key]) for key in stored)
    assert heard == sorted(heard)


def test_one_that_diverges_says_so(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        model = make_model(*args)
        model.policy.log_std.data.fill_(float("nan"))  # one bad gradient spoils every weight
        return model

    monkeypatch.setattr(learning, "make_model", broken)
    with pytest.raises(TrainingDiverged, match=r"The training diverged: .* smaller model\.learning_rate"):
        learn(task, config(), VALIDATION, lambda steps: None)


def test_each_seed_has_a_book_of_its_own(task: Task) -> None:
    members = tuple(learn(task, config(training={"seeds": [seed]}), VALIDATION, lambda steps: None) for seed in (3, 4))
    both = LearnedBySeeds((3, 4), members)
    span = Range(520, 590)
    both.prepare(task.market, costs())
    books = both.books(task.market, costs(), span.t0, span.t1)
    assert not np.array_equal(books[0].equity, books[1].equity)
    for one, book in zip(members, books, strict=True):
        assert np.array_equal(book.equity, alone(one, task, span))


def alone(one: LearnedHere, task: Task, span: Range) -> np.ndarray:
    session = BookSession(task.market, costs(), span.t0, span.t1, one.layers)
    while not session.done:
        session.step(one.decide(session.t, session))
    return session.ledger().equity
