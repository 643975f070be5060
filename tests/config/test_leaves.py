"""Each leaf that is offered changes the hash; each leaf of a later version is refused by name; nothing is ignored."""

import json

import pytest
from pydantic import ValidationError

from backtest.config import POLICY_FIELDS, BacktestConfig
from marketdata.config_base import config_hash, sentences
from marketdata.fetch_config import DataConfig
from rl.config import CvConfig, TrainConfig
from tests.config.leaves import later, leaves, nested, offered

SHA, ID = "a" * 64, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
RANGES = [{"start": f"20{y}-01-01", "end": f"20{y}-12-31"} for y in (10, 11, 12)]
LATER_RANGES = [*RANGES[:2], {"start": "2012-01-01", "end": "2013-12-31"}]

# Another valid value of each leaf; where a leaf needs company, the company stands in WITH and in both configurations.
OTHER = {
    "fees.preset": "alpaca", "fees.maker_rebate_bps": 1.0, "fees.regulatory_sell_fees": True,
    "margin.maintenance_margin": 0.2, "exec.order_type": "limit", "exec.limit_offset_bps": 5.0,
    "exec.spread_source": "high_low", "exec.tick_size": 0.01, "exec.latency_bars": 1, "exec.remainder": "carry",
    "exec.delist_loss": 0.5, "episode.min_hold_bars": 5, "guards.daily_loss_limit": 0.05, "guards.max_drawdown": 0.2,
    "sizing.kelly.fraction": 0.3, "sizing.vol_target.annual_vol": 0.2, "sizing.sizing_window": 30,
    "sizing.sizing_max": 2.0, "evaluation.waterfall": True,
    "fees.commission_per_share": 0.01, "fees.commission_pct_notional": 0.001, "fees.taker_bps": 3.0,
    "fees.borrow_fee_apr": 0.1, "margin.allow_short": True, "margin.max_gross_leverage": 1.5,
    "margin.max_net_leverage": 0.5, "margin.max_position_weight": 0.3, "margin.cash_borrow_apr": 0.1,
    "margin.cash_yield_apr": 0.02, "margin.cash_yield_column": "tbill", "margin.short_rebate_apr": 0.01,
    "exec.fill": "next_close", "exec.half_spread_bps": 7.0, "exec.impact_k": 50.0,
    "exec.impact_exponent": 0.6, "exec.participation_cap": 0.05,
    "exec.adv_window": 60, "exec.lot_size": 1.0, "exec.min_order_notional": 100.0, "exec.liquidate_at_end": True,
    "episode.start_cash": 5e4, "episode.max_steps": 100, "episode.randomize_start": False, "episode.logit_scale": 2.0,
    "episode.mapping_mode": "discrete", "episode.invest_max": 0.9, "episode.max_step_change": 0.1,
    "episode.rebalance_eps": 0.01, "guards.stop_eq_frac": 0.5, "dataset.id": "sample/us-indices",
    "dataset.version": SHA, "dataset.symbols": ["AAPL"], "dataset.start": "1995-01-03", "dataset.end": "2020-01-03",
    "dataset.adjustment": "raw", "dataset.interval": "1h", "dataset.membership": "none",
    "split.scheme": "80_20", "split.custom_ranges": LATER_RANGES,
    "split.embargo_bars": 9, "split.n_folds": 3, "split.train_window": "rolling", "split.train_bars": 300,
    "split.validation_bars": 60, "split.test_bars": 60, "split.fold": 2, "features.feature_set": ["ohlcv"],
    "features.indicators": ["rsi(14)"], "features.lookback": 32, "features.normalize_observation": False,
    "evaluation.baselines": ["cash"], "evaluation.benchmark": "AAPL", "evaluation.bootstrap_paths": 2000,
    "evaluation.cost_multipliers": [0, 3], "evaluation.delays": [1, 5],
    "evaluation.stress_windows": ["covid_2020"],
    "evaluation.metric_bootstrap_paths": 500, "evaluation.capacity_multipliers": [1, 5],
    "evaluation.rolling_window": 60, "evaluation.trials_variance": 0.01, "evaluation.policy": "last",
    "evaluation.trials": 3, "evaluation.seed": 1,
    "regime.enabled": True, "regime.n_states": 2, "regime.features": ["return"],
    "evaluation.fixed_weights": {"AAPL": 0.4}, "evaluation.matched_random_draws": 200, "reward.scale": 10.0,
    "reward.mode": "delta_nav", "reward.w_drawdown": 0.1, "reward.w_turnover": 0.1, "reward.w_vol": 0.1,
    "reward.w_leverage": 0.1, "model.policy": "mlp", "model.net_arch": [32], "model.activation": "relu",
    "model.n_steps": 128, "model.batch_size": 512, "model.n_epochs": 2, "model.learning_rate": 1e-4,
    "model.gamma": 0.99, "model.gae_lambda": 0.9, "model.clip_range": 0.1, "model.ent_coef": 0.01,
    "model.vf_coef": 0.7, "model.max_grad_norm": 1.0, "model.target_kl": 0.05, "model.log_std_init": -2.0,
    "model.features_dim": 16, "model.attention_heads": 2, "model.cnn_channels": [8, 8], "model.cnn_kernel": 3,
    "model.lstm_hidden": 16, "model.lstm_layers": 2, "model.dropout": 0.1,
    "model.learning_rate_end": 0.0, "model.clip_range_end": 0.0,
    "training.total_timesteps": 4096, "training.n_envs": 128, "training.seeds": [1], "training.siblings": [7],
    "training.early_stop": 5, "training.device": "cpu", "training.threads": 2, "training.eval_every": 1000,
    "training.checkpoint_every": 5000,
    "policy": "buy_hold", "run_id": ID, "policy_sha256": SHA, "start": "2019-01-02", "end": "2021-12-31",
}  # fmt: skip
FOLDS = {"split.scheme": "walk_forward", "split.n_folds": 2, "split.validation_bars": 50, "split.test_bars": 50}
ROLLING = {**FOLDS, "split.train_window": "rolling", "split.train_bars": 200}
WITH = {
    "evaluation.fixed_weights": {
        "evaluation.fixed_weights": {"AAPL": 0.5},
        "evaluation.baselines": ["cash", "fixed_weights"],
    },
    "model.attention_heads": {"model.policy": "set_attention"},
    "model.cnn_channels": {"model.policy": "window_cnn"},
    "model.cnn_kernel": {"model.policy": "window_cnn"},
    "model.lstm_hidden": {"model.policy": "window_lstm"},
    "model.lstm_layers": {"model.policy": "window_lstm"},
    "split.n_folds": FOLDS,
    "split.validation_bars": FOLDS,
    "split.test_bars": FOLDS,
    "split.fold": FOLDS,
    "split.train_window": FOLDS,
    "split.train_bars": ROLLING,
    "split.custom_ranges": {"split.scheme": "custom_ranges", "split.custom_ranges": RANGES},
    "start": {"start": "2018-01-02", "end": "2020-12-31"},
    "end": {"start": "2018-01-02", "end": "2020-12-31"},
}
ALONG = {"split.train_window": {"split.train_bars": 300}}  # what another value needs and the first one refuses
ONE_VALUE = {"out_tag"}  # a label outside the hash
WRONG: dict[str, object] = {}


@pytest.mark.parametrize("name", [name for name in offered(TrainConfig) if name not in ONE_VALUE])
def test_each_leaf_of_a_training_changes_the_hash(name):
    company = WITH.get(name, {})
    base, changed = (
        TrainConfig(**nested(values)) for values in (company, company | ALONG.get(name, {}) | {name: OTHER[name]})
    )
    assert config_hash(base) != config_hash(changed)


@pytest.mark.parametrize("name", [name for name in offered(TrainConfig) if name not in ONE_VALUE])
def test_each_leaf_of_a_training_is_taken_from_json(name):
    """As the API reads it: strictly, where a list is a list and a day a text."""
    given = nested(WITH.get(name, {}) | ALONG.get(name, {}) | {name: OTHER[name]})
    text = json.dumps(given, default=str)
    assert TrainConfig.model_validate_json(text, strict=True) == TrainConfig.model_validate_json(text)


# Leaves of a walk-forward that a training has not, or with another default; one scheme only, and every fold.
OF_CV = {"split.n_folds": 3, "split.validation_bars": 60, "split.test_bars": 60, "split.train_window": "rolling",
         "split.train_bars": 300, "split.embargo_bars": 9}  # fmt: skip


@pytest.mark.parametrize("name", OF_CV)
def test_each_leaf_of_the_folds_changes_the_hash(name):
    company = {"split.train_window": "rolling", "split.train_bars": 200} if name == "split.train_bars" else {}
    along = ALONG.get(name, {})
    base, changed = (CvConfig(**nested(values)) for values in (company, company | along | {name: OF_CV[name]}))
    assert config_hash(base) != config_hash(changed)
    assert base.of_member(2, 0) != changed.of_member(2, 0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("split.scheme", "80_20", "Must be one of walk_forward"), ("split.fold", 1, "a walk-forward trains every fold"),
        ("split.custom_ranges", RANGES, "must be empty with scheme walk_forward"),
        ("split.n_folds", None, "whole number"), ("split.n_folds", 34, "34 folds with 3 seeds each are 102, and 100"),
        ("split.train_bars", 300, "must be empty unless train_window is rolling"),
    ],
)  # fmt: skip
def test_what_a_walk_forward_cannot_have_is_refused(name, value, words):
    with pytest.raises(ValidationError) as fault:
        CvConfig(**nested({name: value}))
    assert list(sentences(fault.value)) == [name] and words in sentences(fault.value)[name][0]


def test_a_walk_forward_is_made_of_trainings():
    config = CvConfig(**nested({"split.n_folds": 2, "training.seeds": [5, 1], "out_tag": "mine"}))
    assert config.members == ((1, 5), (1, 1), (2, 5), (2, 1))
    one = config.of_member(2, 1)
    assert type(one) is TrainConfig and one.out_tag == "mine" and one.members == ((None, 1),)
    assert (one.split.scheme, one.split.n_folds, one.split.fold) == ("walk_forward", 2, 2)


@pytest.mark.parametrize("name", [name for name in offered(BacktestConfig) if name not in ONE_VALUE])
def test_each_leaf_of_a_backtest_changes_the_hash(name):
    judged = {"policy": ID if name.startswith(POLICY_FIELDS) else "equal"}
    subject = {} if name == "run_id" else judged
    base = judged | WITH.get(name, {})
    changed = subject | WITH.get(name, {}) | ALONG.get(name, {}) | {name: OTHER[name]}
    assert config_hash(BacktestConfig(**nested(base))) != config_hash(BacktestConfig(**nested(changed)))


@pytest.mark.parametrize("name", [name for name in offered(BacktestConfig) if name.startswith(POLICY_FIELDS)])
def test_a_baseline_is_given_nothing_that_binds_a_policy_alone(name):
    """A setting that would change no figure is refused by name."""
    field = next(path for path in POLICY_FIELDS if name.startswith(path))
    with pytest.raises(ValidationError, match=rf"{field} cannot be followed: it binds a policy, and equal"):
        BacktestConfig(**nested({"policy": "equal"} | ALONG.get(name, {}) | {name: OTHER[name]}))


# Another valid value of each leaf of a fetch.
OF_DATA = {
    "id": "yahoo/other", "title": "Mine", "symbols": ["AAPL"], "start": "2001-01-02", "end": "2003-01-02",
    "interval": "1h", "calendar": "24/7", "sources": ["yahoo", "sample"], "missing": "leave_out", "refetch": "all",
    "overlap": 9, "retries": 1, "wait_s": 2.0, "indices": ["KO"],
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in offered(DataConfig) if name not in ONE_VALUE])
def test_each_leaf_of_a_fetch_changes_the_hash(name):
    base = {"symbols": ["KO"], "start": "2000-01-03", "end": "2002-01-02"}
    assert config_hash(DataConfig(**base)) != config_hash(DataConfig(**base | {name: OF_DATA[name]}))


def test_the_label_is_outside_the_hash():
    assert config_hash(TrainConfig(out_tag="a")) == config_hash(TrainConfig(out_tag="b"))


@pytest.mark.parametrize("name", later(TrainConfig))
def test_a_leaf_of_a_later_version_is_refused_by_name(name):
    field = dict(leaves(TrainConfig))[name]
    for value in (WRONG.get(name), 7, 0.77, "later", True, ["x"], {"a": 1}):
        if value is None or value == field.default:
            continue
        with pytest.raises(ValidationError) as fault:
            TrainConfig(**nested({name: value}))
        assert list(sentences(fault.value)) == [name], sentences(fault.value)
        said = sentences(fault.value)[name]
        off = json.dumps(field.default)
        assert len(said) == 1 and said[0].endswith(f"not in this version; leave the field at {off}."), (value, said)
    assert TrainConfig(**nested({name: field.default})) == TrainConfig()


def test_every_leaf_is_explained():
    for model in (TrainConfig, BacktestConfig, DataConfig):
        for name, field in leaves(model):
            assert field.description and field.description.endswith("."), name
