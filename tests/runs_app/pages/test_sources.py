"""The page "New data" lets a person choose the sources of a fetch and their order."""

import json
from typing import Any

import pytest
from django.test import Client

from marketdata.sources.base import HISTORIES
from runs_app.models import Run
from tests.runs_app.pages.reading import Field, Reading

FORM = {"id": "yahoo/mine", "symbols": "AAA BBB", "interval": "1d", "calendar": "XNYS", "missing": "refuse",
        "refetch": "missing", "overlap": "5", "retries": "5", "wait_s": "30"}  # fmt: skip


def sources(answer: Any) -> Field:
    return Reading(answer.content.decode()).fields["sources"]


def test_there_is_a_place_for_each_source_that_can_be_asked(person: Client, settings: Any) -> None:
    settings.FILES_FOLDER = ""
    assert sources(person.get("/data")).values == ["yahoo", ""]
    settings.FILES_FOLDER = "/srv/prices"
    drawn = sources(person.get("/data"))
    assert drawn.values == ["yahoo", "", ""]
    assert drawn.options == ["", *HISTORIES] * 3


@pytest.mark.parametrize("chosen", [["sample", "yahoo"], ["yahoo", "sample"], ["files", "", "yahoo"]])
def test_the_order_of_the_places_is_the_order_of_the_chain(person: Client, settings: Any, chosen: list[str]) -> None:
    settings.FILES_FOLDER = "/srv/prices"
    answer = person.post("/data", FORM | {"sources": chosen})
    assert answer.status_code == 302, answer.content.decode()
    run = Run.objects.get()
    asked = [key for key in chosen if key]
    assert run.config["sources"] == asked
    again = sources(person.get(f"/data?like={run.id}"))
    assert again.values == asked + [""] * (3 - len(asked))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (["yahoo", "yahoo"], "Sources must not repeat yahoo."),
        (["", ""], "Sources must name at least one."),
        (["sample", ""], "Sources must name one that is fetched from, such as yahoo."),
        (["moon", "yahoo"], "Sources must be among yahoo, files, sample, not moon."),
        (["../x", "yahoo"], "Must be a key of lower-case letters, digits and underscores."),
        (
            ["yahoo", "files"],
            "files is not set up on this server, whose operator names its folder in STOCKBOT_FILES; leave it out.",
        ),
    ],
)
def test_a_bad_chain_is_told_beside_it_and_stays_as_it_was_typed(
    person: Client, settings: Any, chosen: list[str], said: str
) -> None:
    settings.FILES_FOLDER = ""
    answer = person.post("/data", FORM | {"sources": chosen})
    assert answer.status_code == 400 and not Run.objects.exists()
    drawn = sources(answer)
    assert (drawn.errors, drawn.invalid) == ([said], True)
    assert [key for key in drawn.values if key] == [key for key in chosen if key]


def test_the_api_refuses_a_source_that_is_not_set_up(person: Client, settings: Any) -> None:
    settings.FILES_FOLDER = ""
    body = json.dumps({"id": "yahoo/mine", "symbols": ["AAA"], "sources": ["files", "yahoo"]})
    answer = person.post("/api/stockbot/data", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["sources"])
    settings.FILES_FOLDER = "/srv/prices"
    assert person.post("/api/stockbot/data", body, content_type="application/json").status_code == 201
