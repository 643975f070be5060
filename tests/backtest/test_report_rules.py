"""The rules of a report beyond trading: data, what a policy sees, how it was trained, judging."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from backtest import run
from backtest.config import EvaluationConfig
from backtest.report_rules import ALWAYS, JUDGING, SEEN, TOLD_ELSEWHERE, TRAINED
from backtest.rules import part_rules, title_of
from marketdata.config import FeaturesConfig
from marketdata.config_base import is_later
from marketdata.store import EntryMeta, Store
from rl.config import TAUGHT, TrainConfig, taught_groups
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.backtest.conftest import MakeJob
from tests.marketdata.build import bars_of, random_ohlcv

PARTS: dict[str, type[BaseModel]] = {"features": FeaturesConfig, "evaluation": EvaluationConfig, **TAUGHT}
OTHER: dict[str, tuple[Any, str]] = {
    "features.feature_set": (["ohlcv"], "ohlcv"),
    "features.indicators": (["rsi(14)", "gap"], "rsi(14), gap"),
    "features.lookback": (8, "8 bars"),
    "features.normalize_observation": (False, "no"),
    "reward.scale": (10.0, "10"),
    "reward.mode": ("delta_nav", "delta_nav"),
    "reward.w_drawdown": (0.25, "0.25"),
    "reward.w_turnover": (0.35, "0.35"),
    "reward.w_vol": (2.5, "2.5"),
    "reward.w_leverage": (0.75, "0.75"),
    "regime.enabled": (True, "yes"),
    "regime.n_states": (4, "4"),
    "regime.features": (["return", "dispersion"], "return, dispersion"),
    "model.policy": ("mlp", "mlp"),
    "model.net_arch": ([32, 16], "32, 16"),
    "model.activation": ("relu", "relu"),
    "model.dropout": (0.25, "25 %"),
    "model.n_steps": (32, "32 steps"),
    "model.batch_size": (256, "256"),
    "model.n_epochs": (7, "7"),
    "model.learning_rate": (0.0003, "0.0003"),
    "model.learning_rate_end": (0.0001, "0.0001"),
    "model.gamma": (0.95, "0.95"),
    "model.gae_lambda": (0.8, "0.8"),
    "model.clip_range": (0.1, "0.1"),
    "model.clip_range_end": (0.0, "0"),
    "model.ent_coef": (0.01, "0.01"),
    "model.vf_coef": (0.7, "0.7"),
    "model.max_grad_norm": (0.9, "0.9"),
    "model.target_kl": (0.02, "0.02"),
    "model.log_std_init": (-2.0, "−2"),
    "model.features_dim": (16, "16"),
    "model.attention_heads": (2, "2"),
    "model.cnn_channels": ([8, 4], "8, 4"),
    "model.cnn_kernel": (3, "3 bars"),
    "model.lstm_hidden": (16, "16"),
    "model.lstm_layers": (2, "2"),
    "training.total_timesteps": (6000, "6000 steps"),
    "training.n_envs": (16, "16"),
    "training.seeds": ([5], "5"),
    "training.siblings": ([7, 8], "7, 8"),
    "training.device": ("cpu", "cpu"),
    "training.threads": (2, "2"),
    "training.eval_every": (3000, "3000 steps"),
    "training.early_stop": (5, "5 looks"),
    "training.checkpoint_every": (9000, "9000 steps"),
    "evaluation.baselines": (["cash", "equal"], "cash, equal"),
    "evaluation.benchmark": ("SPY", "SPY"),
    "evaluation.cost_multipliers": ([0, 1.5], "0, 1.5"),
    "evaluation.delays": ([1, 5], "1, 5"),
    "evaluation.stress_windows": ([], "none"),
    "evaluation.metric_bootstrap_paths": (500, "500 paths"),
    "evaluation.policy": ("last", "last"),
    "evaluation.fixed_weights": ({"A": 0.6, "B": -0.25}, "A 60 %, B −25 %"),
    "evaluation.matched_random_draws": (700, "700 draws"),
    "evaluation.waterfall": (True, "yes"),
    "evaluation.capacity_multipliers": ([1, 3], "1, 3"),
    "evaluation.rolling_window": (60, "60 bars"),
    "evaluation.trials": (9, "9"),
    "evaluation.trials_variance": (0.01, "0.01"),
}

COMPANY: dict[str, dict[str, Any]] = {
    "model.attention_heads": {"policy": "set_attention"},
    "model.cnn_channels": {"policy": "window_cnn"},
    "model.cnn_kernel": {"policy": "window_cnn"},
    "model.lstm_hidden": {"policy": "window_lstm"},
    "model.lstm_layers": {"policy": "window_lstm"},
}
"""What a leaf needs beside it; told before it."""


def leaves() -> Iterator[str]:
    for name, part in PARTS.items():
        yield from (f"{name}.{field}" for field, info in part.model_fields.items() if not is_later(info))


def test_the_table_names_every_leaf() -> None:
    assert set(OTHER) == set(leaves()) - TOLD_ELSEWHERE
    assert set(leaves()) >= ALWAYS | TOLD_ELSEWHERE


@pytest.mark.parametrize("path", OTHER)
def test_what_is_not_at_its_default_is_told(path: str) -> None:
    group, leaf = path.split(".")
    value, text = OTHER[path]
    field = PARTS[group].model_fields[leaf]
    company = COMPANY.get(path, {})
    part = PARTS[group].model_validate({**company, leaf: value})
    told = {one.name: one for one in part_rules(group, part, "Group", leave=TOLD_ELSEWHERE)}
    beside = [title_of(name, PARTS[group].model_fields[name]) for name in company]
    assert list(told) == [*beside, title_of(path, field)]
    found = told[title_of(path, field)]
    assert (found.text, found.definition, found.group) == (text, field.description, "Group") and field.description
    plain = part_rules(group, PARTS[group](), "Group", always=ALWAYS, leave=TOLD_ELSEWHERE)
    assert len(plain) == sum(one.startswith(f"{group}.") for one in ALWAYS)


def test_a_training_says_of_itself_what_its_policy_file_says_later() -> None:
    config = TrainConfig.model_validate(
        {"reward": {"w_vol": 2.0}, "regime": {"enabled": True}, "model": {"n_epochs": 2}}
    )
    stored = taught_groups(json.loads(json.dumps(config.taught)))
    assert stored == {name: getattr(config, name) for name in TAUGHT}


def rules(folder: Path) -> dict[str, dict[str, str]]:
    told = json.loads((folder / "report/summary.json").read_text())["rules"]
    return {one["name"]: one for one in told}


def test_data_that_are_a_choice_are_told(tmp_path: Path) -> None:
    """One of two symbols, from a later day, split-adjusted by the run."""
    import numpy as np

    bars = bars_of(random_ohlcv(260).close, split=np.ones((260, 2)), dividend=np.zeros((260, 2)))
    meta = EntryMeta("files/x", "X", "unknown", "2021-01-01", "an upload", "")
    version = Store(tmp_path / "store").put(bars, meta)
    dataset = {"id": "files/x", "version": version, "symbols": ["B"], "start": "2020-03-02", "adjustment": "split"}
    quick = {"baselines": ["cash"], "bootstrap_paths": 1000, "cost_multipliers": [], "stress_windows": [],
             "capacity_multipliers": []}  # fmt: skip
    config = {"policy": "equal", "start": "2020-06-01", "end": "2020-11-30", "dataset": dataset, "evaluation": quick}
    run.run(Job(tmp_path, tmp_path / "store", EventWriter(tmp_path / "events.jsonl"), config))
    told = rules(tmp_path)
    assert told["Prices"]["text"] == "split-adjusted, without dividends, computed by the run from raw bars"
    assert told["Symbols"]["text"] == "1 of 2: B" and told["Data from"]["text"] == "2020-03-02"
    assert "Data to" not in told and told["Baselines"]["group"] == JUDGING
    page = (tmp_path / "report/report.html").read_text()
    assert "What is named neither here nor under" in page and ">Judging</h3>" in page and ">Data</h3>" in page
    assert not {SEEN, TRAINED} & {one["group"] for one in told.values()}


def test_all_of_the_data_needs_no_word_but_how_prices_are(make_job: MakeJob) -> None:
    job = make_job(
        policy="equal", dataset={"id": "sample/us20"}, start="2021-01-04", end="2021-12-31",
        evaluation={"bootstrap_paths": 1000, "baselines": ["cash"], "cost_multipliers": [], "stress_windows": []},
    )  # fmt: skip
    run.run(job)
    told = rules(job.folder)
    assert told["Prices"]["text"] == "adjusted for splits and dividends"
    assert not {"Symbols", "Data from", "Data to", "Interval", "Membership"} & set(told)
