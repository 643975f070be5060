"""The run list: empty, full, filtered, page by page, and the fragment that htmx asks for."""

from typing import Any

from django.test import Client
from django.urls import reverse

from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading


def add(owner: Any, **row: Any) -> Run:
    values = {"kind": "train", "config": {}, "config_hash": "0" * 64, "dataset_name": "sample/us20"}
    return Run.objects.create(owner=owner, **(values | row))


def shown(person: Client, query: str = "", **headers: str) -> Reading:
    answer = person.get(reverse("runs:list") + query, headers=headers)
    assert answer.status_code == 200
    return Reading(answer.content.decode())


def test_without_runs_it_says_what_will_be_here_and_offers_one(person: Client) -> None:
    page = shown(person)
    assert "No runs yet." in page.text
    assert ("a", reverse("runs:train")) in [(tag, found.get("href")) for tag, found in page.tags]


def test_a_finished_run_shows_its_figures_with_sign_and_three_digits(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    run.metrics |= {"total_return": 0.123456, "sharpe": 0.98765, "max_drawdown": None}
    run.save(update_fields=["metrics"])
    page = shown(person)
    assert "+12.3" in page.text
    assert "0.988" in page.text
    assert "—" in page.text
    titles = [found.get("title") for _, found in page.tags]
    assert "12.3456 %" in titles
    assert "not shown" in page.text


def test_filters_are_anded(owner: Any, person: Client) -> None:
    add(owner, name="alpha one")
    add(owner, name="alpha two", kind="backtest")
    add(owner, name="beta", out_tag="alpha")
    text = shown(person, "?q=alpha&kind=train").text
    assert "alpha one" in text
    assert "beta" in text
    assert "alpha two" not in text
    assert "No run matches." in shown(person, "?q=gamma").text


def test_a_claimed_run_is_among_the_queued(owner: Any, person: Client) -> None:
    add(owner, name="claimed", state="STARTING")
    text = shown(person, "?state=QUEUED").text
    assert "claimed" in text
    assert "STARTING" not in text


def test_htmx_gets_the_table_alone(owner: Any, person: Client) -> None:
    add(owner, name="alpha")
    whole, fragment = shown(person), shown(person, **{"HX-Request": "true"})
    assert "alpha" in fragment.text
    assert "html" in [tag for tag, _ in whole.tags]
    assert "html" not in [tag for tag, _ in fragment.tags]


def test_many_runs_come_page_by_page(owner: Any, person: Client) -> None:
    for number in range(53):
        add(owner, name=f"run-{number:03}")
    first, second = shown(person).text, shown(person, "?page=2").text
    assert "1–50 of 53" in first
    assert "run-052" in first
    assert "run-000" not in first
    assert "51–53 of 53" in second
    assert "run-000" in second


def test_the_list_asks_the_database_as_often_for_many_as_for_few(
    owner: Any, person: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        add(owner, name=f"run-{number}")
    with django_assert_max_num_queries(8):
        shown(person)
