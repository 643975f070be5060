"""Policies and datasets: what is there, and what an empty page says."""

from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse

from runs_app import datasets
from runs_app.models import Dataset, Policy
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading


def text(person: Client, name: str) -> str:
    return Reading(person.get(reverse(name)).content.decode()).text


def test_a_policy_leads_to_its_training_and_its_backtest(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    page = Reading(person.get(reverse("runs:policies")).content.decode())
    hrefs = [found.get("href") for tag, found in page.tags if tag == "a"]
    assert reverse("runs:detail", args=[run.id]) in hrefs
    assert f"{reverse('runs:backtest')}?policy={run.policies.get().id}" in hrefs


def test_a_verdict_stands_beside_the_policy_that_it_judged_alone(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    best = run.policies.get()
    Policy.objects.create(owner=owner, run=run, which="last", sha256="0" * 64, bytes=1, config=best.config)
    page = text(person, "runs:policies")
    assert ("best on validation" in page, page.count("not shown")) == (True, 1)


def test_no_policies(person: Client) -> None:
    assert "No policies yet." in text(person, "runs:policies")


def test_the_samples_with_what_one_must_know_of_them(person: Client) -> None:
    page = text(person, "runs:datasets")
    assert "sample/us20" in page
    assert "survivors only: biased upwards" in page
    assert "open, high, low, close, volume" in page


def test_another_persons_dataset_is_not_shown(stranger: Any, person: Client) -> None:
    version = datasets.catalog().find("sample/us-indices").version
    Dataset.objects.create(owner=stranger, name="files/theirs", version=version)
    assert "files/theirs" not in text(person, "runs:datasets")
    assert "files/theirs" not in text(person, "runs:train")


def test_no_datasets(person: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATASETS_ROOT = tmp_path / "nothing"
    assert "Nothing is stored yet." in text(person, "runs:datasets")
    assert person.get(reverse("runs:train")).status_code == 200
