"""The form of a walk-forward and the pages of its runs: one entry in lists, its folds under it, and nobody else's."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading
from tests.runs_app.pages.test_start import drawn, refused

API = "/api/stockbot/runs"


def family(owner: Any) -> tuple[Run, list[Run]]:
    """A finished walk-forward of two folds and two seeds."""
    parent = finished_training(owner)
    split = parent.config["split"] | {"scheme": "walk_forward", "n_folds": 2, "test_bars": 60, "validation_bars": 60}
    config = parent.config | {"split": split, "training": parent.config["training"] | {"seeds": [5, 0]}}
    Run.objects.filter(pk=parent.id).update(kind="cv", config=config)
    parent.policies.all().delete()
    parent.refresh_from_db()
    children = []
    for fold in (1, 2):
        for seed in (5, 0):
            child = finished_training(owner)
            own = config | {"split": split | {"fold": fold}, "training": config["training"] | {"seeds": [seed]}}
            Run.objects.filter(pk=child.id).update(parent=parent, config=own)
            children.append(child)
    return parent, children


def text(client: Client, name: str, *args: Any) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def test_a_good_form_starts_a_parent_and_its_folds(owner: Any, person: Client) -> None:
    form = drawn(person, "runs:cv") | {"training.seeds": "4", "split.n_folds": "2"}
    answer = person.post(reverse("runs:cv"), form)
    parent = Run.objects.get(owner=owner, kind="cv")
    assert answer.status_code == 302 and answer["Location"] == reverse("runs:detail", args=[parent.id])
    assert [(child.fold, child.seeds) for child in parent.trainings] == [(1, (4,)), (2, (4,))]
    assert "New walk-forward" in text(person, "runs:list")


def test_the_form_asks_for_folds_and_not_for_other_splits(person: Client) -> None:
    fields = Reading(text(person, "runs:cv")).fields
    assert {"split.n_folds", "split.test_bars", "split.validation_bars", "split.train_window", "split.train_bars",
            "split.embargo_bars"} == {name for name in fields if name.startswith("split.")}  # fmt: skip
    assert "split.fold" in Reading(text(person, "runs:train")).fields


@pytest.mark.parametrize(
    ("name", "typed", "word"),
    [("split.n_folds", "0", "at least 1"), ("split.n_folds", "90", "at most"), ("split.n_folds", "101", "at most 100"),
     ("split.test_bars", "", "whole number"), ("split.validation_bars", "100000", "at most"),
     ("split.train_bars", "300", "must be empty unless"), ("dataset.symbols", "NOPE", "NOPE"),
     ("training.seeds", "1, 1", "repeat")],
)  # fmt: skip
def test_a_bad_value_is_told_beside_its_field(name: str, typed: str, word: str, person: Client) -> None:
    told = refused(person, "runs:cv", drawn(person, "runs:cv") | {name: typed}).fields[name]
    assert word in " ".join(told.errors) and told.values == [typed]


@pytest.mark.parametrize("name", ["split.scheme", "split.fold", "split.custom_ranges"])
def test_what_the_form_does_not_ask_for_is_refused(name: str, person: Client) -> None:
    value = {"split.scheme": "80_20", "split.fold": "1", "split.custom_ranges": "x"}[name]
    assert name in refused(person, "runs:cv", drawn(person, "runs:cv") | {name: value}).text


def test_a_list_holds_the_parent_and_its_folds_by_its_id(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    listed = [row["id"] for row in person.get(API).json()["results"]]
    assert listed == [str(parent.id)]
    assert [row["id"] for row in person.get(f"{API}?kind=cv").json()["results"]] == listed
    full = person.get(f"{API}/{parent.id}").json()
    assert full["children"] == [str(child.id) for child in children]
    page = text(person, "runs:list")
    assert page.count("data-child") == 4 and "Fold 2, seed 0" in page


def test_the_run_pages_lead_to_each_other(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    page = text(person, "runs:detail", parent.id)
    for child in children:
        address = reverse("runs:detail", args=[child.id])
        assert address in page
        assert "one fold of" in person.get(address).content.decode()
        assert reverse("runs:detail", args=[parent.id]) in person.get(address).content.decode()
    assert "Folds" in page and "Training curves" not in page and "Backtest this policy" in page
    form = drawn(person, "runs:backtest", f"?run_id={parent.id}")
    assert form["run_id"] == [str(parent.id)] and form["split.n_folds"] == ["2"]


def test_anothers_folds_are_missing_ones(owner: Any, stranger: Any, person: Client) -> None:
    parent, children = family(stranger)
    assert person.get(API).json()["results"] == []
    for run in (parent, children[3]):
        assert person.get(f"{API}/{run.id}").status_code == 404
        assert person.get(reverse("runs:detail", args=[run.id])).status_code == 404
        assert person.get(reverse("runs:part", args=[run.id, "trainings"])).status_code == 404
        assert person.post(reverse("runs:cancel", args=[run.id])).status_code == 404
        assert person.get(f"{reverse('runs:backtest')}?run_id={run.id}").status_code == 404


def test_nobody_starts_one(db: None) -> None:
    assert Client().post(reverse("runs:cv"), {}).status_code == 302
    assert Client().post("/api/stockbot/cv", {}, content_type="application/json").status_code == 401
    assert not Run.objects.exists()


def test_the_report_page_says_what_each_fold_learned_from(owner: Any, person: Client) -> None:
    import json

    from runfiles import layout
    from runs_app import places

    parent, _ = family(owner)
    path = places.run_folder(parent.id) / layout.REPORT / "summary.json"
    fold = {"fold": 1, "start": "2020-01-02", "end": "2020-03-31", "n_bars": 60, "learned_until": "2019-12-20",
            "total_return": 0.01, "excess": 0.02, "baseline": "equal", "steps": [25_088, 512],
            "learned": [{"role": "train", "start": "2010-01-04", "end": "2018-12-31"},
                        {"role": "validation", "start": "2019-01-31", "end": "2019-12-20"}]}  # fmt: skip
    split = {"scheme": "walk_forward", "lookback": 6, "embargo": 5, "train_window": "expanding", "ranges": [],
             "folds": [fold]}  # fmt: skip
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"split": split}))
    page = text(person, "runs:report", parent.id)
    assert "What each fold learned from" in page and "25,088, 512" in page and "2018-12-31" in page
    assert "has learned from nothing" not in page
    for odd in (3, [3], [{"role": []}], [{"role": "train", "start": {}}]):
        path.write_text(json.dumps(summary | {"split": split | {"folds": [fold | {"learned": odd, "steps": odd}]}}))
        assert person.get(reverse("runs:report", args=[parent.id])).status_code == 200
