"""A fault is a sentence at its field."""

import inspect
import re

import pytest
from pydantic import ValidationError

from backtest.config import BacktestConfig
from marketdata.config_base import canonical, sentences
from marketdata.fetch_config import DataConfig
from rl.config import TrainConfig
from runfiles import yamlio
from tests.config.leaves import is_group, leaves, nested

ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("fees.taker_bps", -1, "Must be at least 0."),
        ("fees.taker_bps", float("nan"), "Must be a finite number."),
        ("fees.taker_fee_bps", 1, "Unknown field; use fees.taker_bps."),
        ("exec.slippage_bps", 1, "Unknown field; use exec.half_spread_bps."),
        ("exec.nonsense", 1, "Unknown field; remove it."),
        ("exec.latency_bars", 21, "Must be at most 20."),
        ("episode.start_weights", [1.0], "A starting portfolio is not in this version; leave the field at null."),
        ("exec.impact_k", -1, "impact_k must be auto or lie between 0 and 10000."),
        ("training.total_timesteps", 10**9, "Must be at most 200000000."),
        ("training.seeds", [1, 2, 1], "Seeds must not repeat."),
        ("training.seeds", [], "Seeds must hold at least one seed."),
        ("training.seeds", list(range(17)), "Must hold at most 16 items."),
        ("dataset.symbols", [], "Symbols must name at least one symbol, or be left empty for all."),
        ("dataset.symbols", ["A", "A"], "Symbols must not repeat."),
        ("dataset.id", "../etc", "Must be a dataset such as sample/us20."),
        ("episode.mapping_mode", "tanh_leverage", "episode.mapping_mode tanh_leverage needs margin.allow_short: true."),
        ("evaluation.cost_multipliers", [1, 1], "cost_multipliers must increase and not repeat, such as 0, 1, 2, 5."),
        ("evaluation.cost_multipliers", [0, 101], "cost_multipliers must lie between 0 and 100."),
        ("evaluation.cost_multipliers", [-1], "Must be at least 0."),
        ("evaluation.delays", [2, 1], "Delays must increase and not repeat, such as 1, 2."),
        ("evaluation.delays", [0, 1], "Must be at least 1."),
        ("evaluation.delays", [21], "Must be at most 20."),
        ("evaluation.capacity_multipliers", [0, 1], "capacity_multipliers must lie above 0."),
        ("evaluation.metric_bootstrap_paths", 5, "Must be at least 100."),
        ("evaluation.rolling_window", 3, "rolling_window must be auto or lie between 10 and 100000."),
        ("evaluation.trials_variance", -1, "Must be at least 0."),
        ("evaluation.stress_windows", ["covid_2020"] * 2, "stress_windows must not repeat."),
        (
            "evaluation.stress_windows",
            ["2020-02-01..2020-01-01"],
            "stress_windows holds '2020-02-01..2020-01-01', whose start does not lie before its end.",
        ),
        (
            "evaluation.stress_windows",
            ["2020-02-01..soon"],
            "stress_windows holds '2020-02-01..soon', which is no pair of days such as 2015-01-02..2015-06-30.",
        ),
        ("split.custom_ranges", [], None),
    ],
)
def test_of_a_training(field, value, said):
    if said is None:
        values = {"split.scheme": "custom_ranges", field: value}
        said = "custom_ranges must hold three ranges: train, validation, test."
    else:
        values = {field: value}
    with pytest.raises(ValidationError) as fault:
        TrainConfig(**nested(values))
    found = sentences(fault.value)
    assert any(name.startswith(field) and said in words for name, words in found.items()), found


@pytest.mark.parametrize(
    ("model", "training", "said"),
    [
        ({"batch_size": 4097}, {}, "at most 4096, a rollout of 64 steps of 64 books"),
        ({}, {"n_envs": 15}, "at most 960, a rollout of 64 steps of 15 books"),
        ({"n_steps": 8, "batch_size": 65}, {"n_envs": 8}, "at most 64, a rollout of 8 steps of 8 books"),
    ],
)
def test_a_minibatch_is_no_larger_than_the_rollout(model, training, said):
    with pytest.raises(ValidationError) as fault:
        TrainConfig(model=model, training=training)
    found = sentences(fault.value)
    assert list(found) == ["model.batch_size"] and said in found["model.batch_size"][0], found


def test_a_minibatch_may_be_the_whole_rollout():
    assert TrainConfig(model={"batch_size": 4096}).model.batch_size == 4096
    assert TrainConfig(training={"n_envs": 16}).model.batch_size == 1024


def test_reversed_dates_are_told_at_the_start():
    with pytest.raises(ValidationError) as fault:
        TrainConfig(dataset={"start": "2020-01-01", "end": "2010-01-01"})
    assert sentences(fault.value) == {"dataset.start": ["Start 2020-01-01 must lie before end 2010-01-01."]}


def test_the_sentences_of_groups_begin_with_a_field():
    """What `sentences` relies on to put a group's own fault beside its field."""
    for model in (
        TrainConfig,
        BacktestConfig,
        DataConfig,
        *(f.annotation for f in TrainConfig.model_fields.values() if is_group(f.annotation)),
    ):
        names = {name for leaf, _ in leaves(model) for name in (leaf, leaf.rsplit(".", 1)[-1])}
        for said in re.findall(r'raise ValueError\(f?"([^ "]+)', inspect.getsource(model)):
            assert said in names | {"{name}", "{field}"}, said


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"symbols": ["aapl"]}, "symbols.0", "Must be a symbol in capitals such as AAPL or ^GSPC."),
        ({"symbols": [".."]}, "symbols.0", "Must be a symbol in capitals such as AAPL or ^GSPC."),
        ({"symbols": []}, "symbols", "Symbols must name at least one."),
        ({"symbols": ["KO", "KO"]}, "symbols", "Symbols must not repeat KO."),
        ({"indices": ["KOE"]}, "indices", "Indices must be among the symbols, and KOE is not."),
        ({"symbols": ["KO"], "indices": ["KO", "KO"]}, "indices", "Indices must not repeat KO."),
        ({"indices": ["sp 500"]}, "indices.0", "Must be a symbol in capitals such as AAPL or ^GSPC."),
        ({"sources": ["moon"]}, "sources", "Sources must be among yahoo, files, sample, not moon."),
        ({"sources": ["sample"]}, "sources", "Sources must name one that is fetched from, such as yahoo."),
        ({"id": "sample/us20"}, "id", "Id must begin with yahoo/, the source that is fetched from first."),
        ({"id": "yahoo/../x"}, "id", "Must be a dataset such as sample/us20."),
        ({"start": "2020-01-02", "end": "2020-01-02"}, "start", "Start 2020-01-02 must lie before end 2020-01-02."),
    ],
)
def test_of_a_fetch(values, field, said):
    with pytest.raises(ValidationError) as fault:
        DataConfig(**{"symbols": ["KO"]} | values)
    assert sentences(fault.value) == {field: [said]}


@pytest.mark.parametrize("values", [{}, {"policy": "equal", "run_id": ID}])
def test_a_backtest_has_one_subject(values):
    with pytest.raises(ValidationError) as fault:
        BacktestConfig(**values)
    assert list(sentences(fault.value)) == ["policy"]


def test_strict_json_takes_no_text_for_a_number():
    for raw in ('{"fees":{"taker_bps":true}}', '{"fees":{"taker_bps":"1"}}', '{"training":{"seeds":["1"]}}'):
        with pytest.raises(ValidationError):
            TrainConfig.model_validate_json(raw, strict=True)
    assert TrainConfig.model_validate_json('{"dataset":{"start":"2000-01-03"}}', strict=True).dataset.start.year == 2000


@pytest.mark.parametrize(
    "config", [TrainConfig(), BacktestConfig(policy="equal", start="2020-01-02", end="2021-01-04")]
)
def test_yaml_brings_back_the_same(config):
    assert type(config)(**yamlio.load(yamlio.dump(canonical(config)))) == config


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ([0], {"model.cnn_channels.0": ["Must be at least 1."]}),
        (["a"], {"model.cnn_channels.0": ["Must be a whole number."]}),
        ([], {"model.cnn_channels": ["Must hold at least 1 item."]}),
    ],
)
def test_a_list_with_a_wrong_item_is_not_called_short(channels, said):
    with pytest.raises(ValidationError) as refused:
        TrainConfig.model_validate({"model": {"policy": "window_cnn", "cnn_channels": channels}})
    assert sentences(refused.value) == said
