"""Another run with the settings of one: each form is filled in from a run of its own kind and its own person."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backtest.config import BacktestConfig, ImportConfig
from rl.config import CvConfig, TrainConfig
from runs_app.models import Run
from tests.runs_app.finished_run import unfinished_training
from tests.runs_app.pages.reading import Reading

TRAINED = {"training": {"seeds": [5], "total_timesteps": 12_345}, "dataset": {"id": "sample/us20"}}
# kind, form, settings, a field of the form and what must stand in it
KINDS: list[tuple[str, str, Any, str, str]] = [
    ("train", "runs:train", TrainConfig.model_validate(TRAINED), "training.total_timesteps", "12345"),
    ("cv", "runs:cv", CvConfig.model_validate(TRAINED), "training.total_timesteps", "12345"),
    ("leaks", "runs:leaks", TrainConfig.model_validate(TRAINED), "training.total_timesteps", "12345"),
    ("leaks", "runs:leaks-strategy", BacktestConfig.model_validate({"policy": "momentum"}), "policy", "momentum"),
    ("backtest", "runs:backtest", BacktestConfig.model_validate({"policy": "momentum"}), "policy", "momentum"),
    ("import", "runs:import", ImportConfig.model_validate({"result": {"value": "Gain"}}), "result.value", "Gain"),
]  # fmt: skip


def ended(owner: Any, kind: str, config: Any, **row: Any) -> Run:
    run = unfinished_training(owner, kind=kind, state="CANCELLED", **row)
    Run.objects.filter(pk=run.pk).update(config=config.model_dump(mode="json"))
    return run


@pytest.mark.parametrize(("kind", "page", "config", "field", "text"), KINDS)
def test_the_form_holds_the_settings_of_the_run(
    owner: Any, person: Client, kind: str, page: str, config: Any, field: str, text: str
) -> None:
    run = ended(owner, kind, config)
    address = f"{reverse(page)}?like={run.id}"
    links = [
        found.get("href")
        for _, found in Reading(person.get(reverse("runs:detail", args=[run.id])).content.decode()).tags
    ]
    assert address in links
    shown = Reading(person.get(address).content.decode())
    assert shown.fields[field].values == [text]
    assert "Filled in with the settings of" in shown.text


def test_of_one_of_several_seeds_it_is_the_whole_training(owner: Any, person: Client) -> None:
    several = TrainConfig.model_validate({"training": {"seeds": [3, 4]}})
    parent = ended(owner, "train", several)
    child = ended(owner, "train", TrainConfig.model_validate(TRAINED), parent=parent)
    assert f"?like={parent.id}" in person.get(reverse("runs:detail", args=[child.id])).content.decode()


def test_another_kind_and_anothers_run_are_missing(owner: Any, stranger: Any, person: Client) -> None:
    own, foreign = (ended(one, "train", TrainConfig.model_validate(TRAINED)) for one in (owner, stranger))
    for text in (foreign.id, "x", ""):
        assert person.get(f"{reverse('runs:train')}?like={text}").status_code == 404
    for page in ("runs:cv", "runs:backtest", "runs:import", "runs:data"):
        assert person.get(f"{reverse(page)}?like={own.id}").status_code == 404
