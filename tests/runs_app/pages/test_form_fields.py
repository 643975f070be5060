"""The forms are made from the models: nothing that can be set is left out, nothing of a later version is drawn."""

from collections.abc import Iterator

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from pydantic import BaseModel

from backtest.config import BacktestConfig
from backtest.registry import BASELINES
from marketdata.config import FeaturesConfig
from marketdata.config_base import is_later
from marketdata.fetch_config import DataConfig
from rl.config import TrainConfig
from runs_app.forms import ConfigForm
from runs_app.start_pages import FILLED
from tests.runs_app.pages.reading import Reading

MODELS = {"runs:train": TrainConfig, "runs:backtest": BacktestConfig, "runs:data": DataConfig}


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """(dotted name, whether a later version brings it) of each leaf, found by walking the model's own defaults."""
    for name, field in model.model_fields.items():
        factory = field.default_factory
        part = factory if isinstance(factory, type) and issubclass(factory, BaseModel) else None
        if part is not None:
            yield from leaves(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", is_later(field)


@pytest.mark.parametrize("start", MODELS)
def test_each_leaf_is_on_the_form_and_no_later_one(start: str, person: Client) -> None:
    drawn = set(Reading(person.get(reverse(start)).content.decode()).fields) - {"csrfmiddlewaretoken"}
    wanted = {name for name, later in leaves(MODELS[start]) if not later and name not in FILLED}
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
    """One seed, not a list; the days that are judged, not those that are read; one subject, not two."""
    train = Reading(person.get(reverse("runs:train")).content.decode()).text
    assert "one whole number in this version. Separated" not in train
    assert "Seed of everything random: one whole number in this version." in train
    backtest = Reading(person.get(reverse("runs:backtest")).content.decode()).text
    for words in (
        "Judge from",
        "Judge to",
        "give this or a training run, not both",
        "give this or a strategy, not both",
    ):
        assert words in backtest
