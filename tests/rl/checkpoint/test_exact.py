"""A training that was stopped and goes on ends as one that was never stopped: the same bytes."""

from pathlib import Path
from typing import Any

import pytest

from marketdata.splits import Range
from rl import training
from rl.config import RewardConfig, TrainConfig, TrainingConfig
from rl.learner import IndexedPPO
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.ppo import make_stock
from rl.task import Task
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import checkpoint_of, go_on, outcome, stopped_at, trained
from tests.rl.planted import Planted, costs, task_of
from tests.rl.small import OWN

ROLLOUT = 16 * 8  # 16 bars of 8 books


def config(steps: int = 6 * ROLLOUT, model: dict[str, Any] | None = None, **training: Any) -> TrainConfig:
    chosen = {"n_steps": 16, "batch_size": 64, "n_epochs": 2, "net_arch": (8,), **(model or {})}
    return TrainConfig(
        model=ModelConfig.model_validate(chosen),
        training=TrainingConfig.model_validate(
            {"total_timesteps": steps, "n_envs": 8, "eval_every": 256, "threads": 1, "checkpoint_every": None}
            | training
        ),
    )


def stop(task: Task, chosen: TrainConfig, folder: Path, call: int, **where: Any) -> None:
    with stopped_at(call, **where), pytest.raises(JobCancelled):
        trained(task, chosen, folder)


@pytest.mark.parametrize("bar", [5, 16, 17, 50, 96], ids=lambda bar: f"bar{bar}")
def test_stopped_in_a_rollout(task: Task, tmp_path: Path, bar: int) -> None:
    trained(task, config(), tmp_path / "whole")
    stop(task, config(), tmp_path / "first", bar)
    assert checkpoint_of(tmp_path / "first").step == (bar - 1) // 16 * ROLLOUT
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, config(), tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")


def test_stopped_twice(task: Task, tmp_path: Path) -> None:
    whole = trained(task, config(), tmp_path / "whole")
    stop(task, config(), tmp_path / "1", 40)
    go_on(tmp_path / "1", tmp_path / "2")
    stop(task, config(), tmp_path / "2", 30)
    assert checkpoint_of(tmp_path / "2").step == 3 * ROLLOUT
    go_on(tmp_path / "2", tmp_path / "3")
    found = trained(task, config(), tmp_path / "3")
    assert outcome(tmp_path / "3") == outcome(tmp_path / "whole")
    assert found == whole


def test_stopped_in_an_update(task: Task, tmp_path: Path) -> None:
    """The rollout before it is dropped with it."""
    trained(task, config(), tmp_path / "whole")
    stop(task, config(), tmp_path / "first", 11, owner=IndexedPPO, name="_descend")  # 4 steps an update
    assert checkpoint_of(tmp_path / "first").step == 2 * ROLLOUT
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, config(), tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")


def test_stopped_after_the_last_update_while_it_is_looked_at(task: Task, tmp_path: Path) -> None:
    """The end's checkpoint brings back a training in which nothing is left to do."""
    trained(task, config(), tmp_path / "whole")
    go_on(tmp_path / "whole", tmp_path / "again")
    trained(task, config(), tmp_path / "again")
    assert outcome(tmp_path / "again") == outcome(tmp_path / "whole")


@pytest.fixture
def best_at_1024(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores by the step alone, which no processor rounds: they rise up to 1024 and fall from there on."""
    monkeypatch.setattr(training, "_scorer", lambda model, *rest: lambda: -abs(model.num_timesteps - 1024) / 1e6)


@pytest.mark.usefixtures("best_at_1024")
@pytest.mark.parametrize("bar", [20, 100, 140, 170])
def test_an_early_stop_counts_on(task: Task, tmp_path: Path, bar: int) -> None:
    """Patience of two looks: the count of looks in vain, which are at bars 160 and 192, goes over the stop."""
    chosen = config(steps=20 * ROLLOUT, early_stop=2)
    whole = trained(task, chosen, tmp_path / "whole")
    assert [look.step for look in whole.looks[-3:]] == [1024, 1280, 1536] and whole.best.step == 1024
    stop(task, chosen, tmp_path / "first", bar)
    go_on(tmp_path / "first", tmp_path / "second")
    assert trained(task, chosen, tmp_path / "second") == whole
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")


@pytest.mark.usefixtures("best_at_1024")
def test_stopped_once_it_had_stopped_early(task: Task, tmp_path: Path) -> None:
    chosen = config(steps=12 * ROLLOUT, early_stop=1)
    whole = trained(task, chosen, tmp_path / "whole")
    assert whole.looks[-1].step == 1280
    go_on(tmp_path / "whole", tmp_path / "again")
    assert trained(task, chosen, tmp_path / "again") == whole
    assert outcome(tmp_path / "again") == outcome(tmp_path / "whole")


RULES: dict[str, dict[str, Any]] = {
    "latency": {"latency_bars": 2}, "carry": {"remainder": "carry", "participation_cap": 0.01},
    "limits": {"order_type": "limit", "limit_offset_bps": 20.0},
}  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    ["discrete", "sharpe", "flat", *(pytest.param(name, marks=pytest.mark.slow) for name in (*RULES, "guards"))],
)
def test_every_kind_of_book_goes_on(data: Planted, tmp_path: Path, rules: str) -> None:
    """Orders under way, halts, categories and the ratio's running estimates lie in the checkpoint too."""
    changes: dict[str, Any] = {"episode": {"max_steps": 12}}
    if rules in RULES:
        changes["exec"] = RULES[rules]
    if rules == "guards":
        changes["guards"] = {"daily_loss_limit": 0.002, "max_drawdown": 0.01}
    if rules == "discrete":
        changes["episode"]["mapping_mode"] = "discrete"
    base = costs().model_dump()
    market = type(costs()).model_validate({group: base[group] | changes.get(group, {}) for group in base})
    reward = RewardConfig(mode="diff_sharpe") if rules == "sharpe" else RewardConfig()
    task = task_of(data, Range(20, 500), config=market, reward=reward)
    chosen = config(steps=4 * ROLLOUT, model={"policy": "mlp" if rules == "flat" else "asset_shared"})
    trained(task, chosen, tmp_path / "whole")
    stop(task, chosen, tmp_path / "first", 40)
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, chosen, tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")


@pytest.mark.parametrize("network", sorted(set(NETS) - {"asset_shared", "mlp"}))  # with which the tests above are made
def test_every_network_goes_on(task: Task, tmp_path: Path, network: str) -> None:
    chosen = config(steps=4 * ROLLOUT, model={"policy": network, **OWN.get(network, {})})
    trained(task, chosen, tmp_path / "whole")
    stop(task, chosen, tmp_path / "first", 40)
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, chosen, tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")


def test_stock_ppo_goes_on_too(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its minibatches are numpy's chance, its first observation the one it saw last."""
    monkeypatch.setattr(training, "make_model", make_stock)
    trained(task, config(), tmp_path / "whole")
    stop(task, config(), tmp_path / "first", 50)
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, config(), tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")
