"""Pages and lists of a training with several seeds: one entry, its seeds under it, the spread before any one."""

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from runfiles import layout
from runs_app import places
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training

API = "/api/stockbot/runs"


def family(owner: Any) -> tuple[Run, list[Run]]:
    parent = finished_training(owner)
    parent.config["training"]["seeds"] = [0, 1, 2]
    parent.save(update_fields=["config"])
    children = []
    for seed in parent.seeds:
        config = parent.config | {"training": parent.config["training"] | {"seeds": [seed]}}
        child = finished_training(owner)
        Run.objects.filter(pk=child.id).update(parent=parent, config=config)
        children.append(child)
    return parent, children


def listed(client: Client, query: str = "") -> list[str]:
    return [row["id"] for row in client.get(f"{API}{query}").json()["results"]]


def test_a_list_holds_the_parent_and_its_seeds_by_its_id(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    assert listed(person) == [str(parent.id)]
    assert set(listed(person, f"?parent={parent.id}")) == {str(child.id) for child in children}
    assert person.get(f"{API}?parent=x").status_code == 400
    full = person.get(f"{API}/{parent.id}").json()
    assert full["children"] == [str(child.id) for child in children] and full["parent"] is None
    of_child = person.get(f"{API}/{children[1].id}").json()
    assert (of_child["parent"], of_child["children"]) == (str(parent.id), [])


def test_anothers_seeds_are_missing_ones(owner: Any, stranger: Any, person: Client) -> None:
    parent, children = family(stranger)
    assert listed(person) == listed(person, f"?parent={parent.id}") == []
    for run in (parent, children[0]):
        assert person.get(f"{API}/{run.id}").status_code == 404
        assert person.get(reverse("runs:detail", args=[run.id])).status_code == 404
        assert person.get(reverse("runs:part", args=[run.id, "trainings"])).status_code == 404


def test_the_page_of_runs_shows_the_seeds_under_their_training(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    page = person.get(reverse("runs:list")).content.decode()
    assert page.count("data-child") == 3
    places_of = [page.index(reverse("runs:detail", args=[run.id])) for run in (parent, *children)]
    assert places_of == sorted(places_of)


def test_the_run_pages_lead_to_each_other(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    page = person.get(reverse("runs:detail", args=[parent.id])).content.decode()
    for child in children:
        address = reverse("runs:detail", args=[child.id])
        assert address in page
        assert reverse("runs:detail", args=[parent.id]) in person.get(address).content.decode()
    assert "Training curves" not in page  # they are its seeds'


def test_the_verdict_names_every_seeds_point(owner: Any, person: Client) -> None:
    parent, _ = family(owner)
    parent.verdict |= {"seeds": 3, "seed_points": [0.01, -0.02, 0.03]}
    parent.save(update_fields=["verdict"])
    page = person.get(reverse("runs:detail", args=[parent.id])).content.decode()
    assert "in the mean of 3 seeds" in page and "Medians over 3 seeds" in page


def test_the_report_page_shows_the_spread_first(owner: Any, person: Client) -> None:
    parent, _ = family(owner)
    path = places.run_folder(parent.id) / layout.REPORT / "summary.json"
    summary = json.loads(path.read_text())
    rows = [{"seed": seed, "excess_per_year": 0.01 * seed, "baseline": "equal", "sharpe": 1.0} for seed in (0, 1, 2)]
    spread = {"key": "excess_per_year", "mean": 0.01, "median": 0.01, "q1": 0.005, "q3": 0.015, "low": 0, "high": 0.02}
    path.write_text(json.dumps(summary | {"seeds": {"rows": rows, "spread": [spread]}}))
    page = person.get(reverse("runs:report", args=[parent.id])).content.decode()
    assert page.index("Middle half") < page.index('id="charts"')
    assert "+0.500 to +1.50" in page and "Seed 2" in page
    for odd in ({"rows": 1}, {"rows": [{"seed": "x"}] * 3, "spread": 4}, [1], "text"):
        path.write_text(json.dumps(summary | {"seeds": odd}))
        answer = person.get(reverse("runs:report", args=[parent.id]))
        assert answer.status_code == 200 and "Middle half" not in answer.content.decode()


def test_tables_of_what_each_book_did_say_that_they_hold_all_of_them(owner: Any, person: Client) -> None:
    parent, children = family(owner)
    path = places.run_folder(parent.id) / layout.REPORT / "summary.json"
    summary = json.loads(path.read_text())
    rows = [{"seed": seed, "excess_per_year": 0.01, "baseline": "equal", "sharpe": 1.0} for seed in (0, 1, 2)]
    path.write_text(json.dumps(summary | {"seeds": {"rows": rows, "spread": []}}))
    of_all, of_one = (
        person.get(reverse("runs:report", args=[run.id])).content.decode() for run in (parent, children[0])
    )
    for title in ("Price and trades", "Trades", "Orders"):
        assert f"{title}, all seeds&#x27; books added up</h2>" in of_all, title
        assert f"{title}</h2>" in of_one, title
