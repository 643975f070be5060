"""The forms are made from the models: nothing that can be set is left out, nothing of a later version is drawn."""

import uuid
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from backtest.config import BacktestConfig
from backtest.registry import BASELINES
from marketdata.config import FeaturesConfig
from marketdata.fetch_config import DataConfig
from rl.config import CvConfig, TrainConfig
from runs_app.forms import ConfigForm
from runs_app.start_pages import FILLED, OF_FOLDS
from simulator.config_groups import KellyConfig
from tests.config.leaves import offered
from tests.runs_app.pages.reading import Reading

MODELS = {
    "runs:train": TrainConfig, "runs:cv": CvConfig, "runs:backtest": BacktestConfig, "runs:data": DataConfig,
}  # fmt: skip
NOT_ASKED = {"runs:backtest": FILLED, "runs:cv": OF_FOLDS}


@pytest.mark.parametrize("start", MODELS)
def test_each_leaf_is_on_the_form_and_no_later_one(start: str, person: Client) -> None:
    drawn = set(Reading(person.get(reverse(start)).content.decode()).fields) - {"csrfmiddlewaretoken"}
    filled = NOT_ASKED.get(start, frozenset())
    wanted = {name for name in offered(MODELS[start]) if not {name, name.split(".")[0]} & filled}
    assert len(wanted) >= 14
    assert drawn == wanted


def test_help_title_unit_and_bounds_are_the_models(person: Client) -> None:
    text = Reading(person.get(reverse("runs:train")).content.decode()).text
    lookback = FeaturesConfig.model_fields["lookback"]
    assert f"{lookback.title} bars" in text
    assert f"{lookback.description} 1 to 1,024." in text


def test_the_form_as_drawn_is_the_presets_configuration(person: Client) -> None:
    """What a browser would send back from the untouched page validates to the preset over the defaults."""
    drawn = Reading(person.get(reverse("runs:train") + "?preset=standard").content.decode()).form()
    post = QueryDict(mutable=True)
    for name, values in drawn.items():
        post.setlist(name, values)
    ticked = {"evaluation.baselines": [(key, key) for key in BASELINES]}
    config = ConfigForm(TrainConfig, options=ticked).read(post)
    plain = {"training": {"total_timesteps": 500_000, "eval_every": 50_000}, "features": {"lookback": 64}}
    assert config == TrainConfig.model_validate(plain)


@pytest.mark.parametrize(("preset", "steps", "lookback"), [("quick", "60000", "32"), ("standard", "500000", "64")])
def test_presets_prefill(preset: str, steps: str, lookback: str, person: Client) -> None:
    fields = Reading(person.get(f"{reverse('runs:train')}?preset={preset}").content.decode()).fields
    assert fields["training.total_timesteps"].values == [steps]
    assert fields["features.lookback"].values == [lookback]


def test_a_field_says_what_it_is_not_to_be_mistaken_for(person: Client) -> None:
    """Seeds, each a training; the days that are judged, not those that are read; one subject, not two."""
    train = Reading(person.get(reverse("runs:train")).content.decode()).text
    assert "Seeds of everything random, each a training of its own" in train
    backtest = Reading(person.get(reverse("runs:backtest")).content.decode()).text
    for words in (
        "Judge from",
        "Judge to",
        "give this or a training run, not both",
        "give this or a strategy, not both",
    ):
        assert words in backtest


KELLY, VOL = "sizing.kelly.fraction", "sizing.vol_target.annual_vol"
STARTS = ("runs:train", "runs:backtest")


def read(person: Client, start: str, **typed: str) -> tuple[ConfigForm[Any], Any]:
    """The form as the untouched page with these texts fills it in, and the configuration it makes."""
    post = QueryDict(mutable=True)
    for name, values in Reading(person.get(reverse(start)).content.decode()).form().items():
        post.setlist(name, values)
    for name, text in typed.items():
        post[name.replace("__", ".")] = text
    form = ConfigForm(MODELS[start], filled=FILLED if start == "runs:backtest" else frozenset())
    return form, form.read(post)


@pytest.mark.parametrize("start", STARTS)
def test_an_optional_group_is_off_where_all_of_it_is_empty(start: str, person: Client) -> None:
    """Its own defaults must not switch it on: a page that nobody touched scales nothing."""
    drawn = Reading(person.get(reverse(start)).content.decode())
    assert drawn.fields[KELLY].values == drawn.fields[VOL].values == [""]
    assert "Part of the growth-optimal size. Scale by a fraction of Kelly's factor; empty is off." in drawn.text
    _, config = read(person, start)
    assert config.sizing.kelly is None and config.sizing.vol_target is None


@pytest.mark.parametrize("start", STARTS)
def test_an_optional_group_is_on_where_a_field_of_it_is_given(start: str, person: Client) -> None:
    subject = {"policy": str(uuid.uuid4())} if start == "runs:backtest" else {}  # a baseline has no sizing
    _, config = read(person, start, sizing__kelly__fraction="0.25", sizing__sizing_max="2", **subject)
    assert config.sizing.kelly == KellyConfig(fraction=0.25) and config.sizing.sizing_max == 2


def test_a_fault_of_an_optional_group_stands_at_its_field(person: Client) -> None:
    form, config = read(person, "runs:train", sizing__kelly__fraction="3")
    assert config is None and form.errors == {KELLY: ["Must be at most 2."]}
    form, config = read(person, "runs:train", sizing__kelly__fraction="0.5", sizing__vol_target__annual_vol="0.1")
    assert config is None and list(form.errors) == [KELLY] and "exclude each other" in form.errors[KELLY][0]


def test_another_runs_optional_group_is_filled_in_and_emptied_again() -> None:
    form = ConfigForm(TrainConfig)
    form.prefill({"sizing": {"kelly": {"fraction": 0.25}, "vol_target": None}})
    assert {name: form._typed[name] for name in (KELLY, VOL)} == {KELLY: ["0.25"], VOL: []}
    form.prefill({"sizing": {"kelly": None}})
    assert form._typed[KELLY] == []


@pytest.mark.parametrize("start", STARTS)
def test_a_fee_preset_chosen_on_the_untouched_page_sets_its_fees(start: str, person: Client) -> None:
    _, config = read(person, start, fees__preset="alpaca")
    assert (config.fees.preset, config.fees.taker_bps, config.fees.regulatory_sell_fees) == ("alpaca", 0.0, True)


def test_a_fee_that_a_preset_sets_otherwise_is_told_at_its_field(person: Client) -> None:
    form, config = read(person, "runs:train", fees__preset="alpaca", fees__taker_bps="7")
    assert config is None and "differs from the preset alpaca" in form.errors["fees.taker_bps"][0]


@pytest.mark.parametrize("start", STARTS)
def test_a_starting_portfolio_is_neither_drawn_nor_taken(start: str, person: Client) -> None:
    form, config = read(person, start, episode__start_weights="AAPL 1")
    assert config is None and "not in this version" in " ".join(form.loose_errors)
