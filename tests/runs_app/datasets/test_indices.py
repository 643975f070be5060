"""Which symbols are indices: said at the commit or on the form, known by their mark, shown, and told to a run."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from runfiles import layout
from runs_app import datasets, places
from runs_app.models import Dataset, Upload
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, put, send
from tests.runs_app.datasets.made import prices
from tests.runs_app.pages.reading import Reading

MARKED = prices("AB").replace(",A,", ",^GSPC,")


def test_what_is_said_and_what_is_marked(alice: Client) -> None:
    assert put(alice, name="none")["indices"] == []
    assert put(alice, name="said", indices=["B"])["indices"] == ["B"]
    assert put(alice, MARKED, name="marked")["indices"] == ["^GSPC"]
    both = put(alice, MARKED, name="both", indices=["B"])
    assert both["indices"] == ["^GSPC", "B"] == alice.get(both["url"]).json()["indices"]
    assert "^GSPC · B" in alice.get(both["url"].replace(f"{API}/", "/")).content.decode()


def test_a_run_is_told_and_has_no_capacity(alice: Client) -> None:
    mine = put(alice, indices=["B"])
    body = {"policy": "equal", "dataset": {"id": mine["id"]}, "start": "2020-03-02", "end": "2020-07-10"}
    run = alice.post(f"{API}/backtest", body, content_type="application/json").json()
    assert json.loads((places.run_folder(run["id"]) / layout.PROVENANCE).read_text())["indices"] == ["B"]


@pytest.mark.parametrize(
    ("indices", "field", "said"),
    [
        (["C"], "indices", "C is not among the symbols of the files, which are A, B."),
        (["a b"], "indices.0", "Must be a symbol such as AAPL."),
        ("B", "indices", "Must be a list."),
    ],
)
def test_what_is_no_symbol_of_the_files_is_refused(alice: Client, indices: Any, field: str, said: str) -> None:
    answer = commit(alice, send(alice, named("a.csv", prices())).json(), indices=indices)
    assert (answer.status_code, answer.json()["errors"]) == (400, {field: [said]})
    assert not Dataset.objects.exists() and Upload.objects.exists()


def test_the_page_of_the_columns_takes_them(alice: Client) -> None:
    upload = send(alice, named("a.csv", prices())).json()
    page = f"/datasets/uploads/{upload['id']}"
    form = Reading(alice.get(page).content.decode()).form()
    wrong = alice.post(page, form | {"indices": "B, Z"})
    said = Reading(wrong.content.decode()).fields["indices"]
    assert wrong.status_code == 400 and said.errors == ["Z is not among the symbols of the files, which are A, B."]
    assert alice.post(page, form | {"indices": "B"}).status_code == 302
    assert Dataset.objects.get().details["indices"] == ["B"]


def test_a_row_of_an_older_version_knows_its_marked_ones(alice: Client) -> None:
    mine = put(alice, MARKED)
    row = Dataset.objects.get()
    del row.details["indices"]
    row.save()
    assert alice.get(mine["url"]).json()["indices"] == ["^GSPC"]


def test_rows_of_samples_say_what_the_store_says_at_each_start(samples: Path, alice: Client) -> None:
    row = Dataset.objects.get(name="sample/us-indices")
    Dataset.objects.filter(pk=row.pk).update(title="Old", details=row.details | {"indices": [], "source": "old"})
    assert datasets.register_stored() == 0
    again = Dataset.objects.get(pk=row.pk)
    assert (again.title, again.details) == (row.title, row.details)
    assert alice.get(f"{API}/datasets/{row.id}").json()["indices"] == ["SP500", "NASDAQ"]
