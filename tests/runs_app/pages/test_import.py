"""The page that imports a result, and the report of one."""

import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backtest.config import RERUN_FIELDS
from backtest.foreign import run as import_run
from backtest.imported import ABSENT
from runfiles import layout, manifest
from runfiles.events import EventWriter
from runfiles.job import Job, read_config
from runfiles.metric_keys import OF_ACCOUNT
from runs_app import places
from runs_app.models import Artifact, Run

ROWS = "time,equity\n" + "".join(f"2019-01-{day:02},{1000 + day}\n" for day in (2, 3, 4, 7, 8, 9, 10, 11, 14, 15))


def form(**fields: str) -> dict[str, Any]:
    file = io.BytesIO(ROWS.encode())
    file.name = "mine.csv"
    return {"file": file, "dataset.id": "sample/us20", **fields}


def defaults(person: Client) -> dict[str, Any]:
    """Every field of the page as a browser sends it unchanged."""
    page = person.get("/import").content.decode()
    found: dict[str, Any] = {}
    texts = r'<input(?=[^>]*type="(?:text|date|number)")[^>]*name="([^"]+)"[^>]*value="([^"]*)"'
    for name, value in re.findall(texts, page):
        found[name] = value
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)"[^>]*selected', options)
        found[name] = chosen[1] if chosen else re.search(r'<option value="([^"]*)"', options)[1]  # type: ignore[index]
    boxes = re.findall(r'<input(?=[^>]*type="checkbox")[^>]*>', page)
    for box in boxes:
        name, value = re.search(r'name="([^"]+)"', box), re.search(r'value="([^"]*)"', box)
        if "checked" in box and name:
            found.setdefault(name[1], []).append(value[1] if value else "on")
    return found


def test_the_page_asks_for_a_file_and_not_for_what_it_cannot_use(person: Client) -> None:
    page = person.get("/import").content.decode()
    assert 'enctype="multipart/form-data"' in page and 'type="file" id="f-file" name="file" required' in page
    for name in ("result.holds", "result.date", "result.value", "dataset.id", "start", "end", "evaluation.benchmark"):
        assert f'name="{name}"' in page
    assert "run again" not in page
    for name in (
        "file_sha256",
        "split.scheme",
        "policy",
        "matched_random",
        *(f"evaluation.{one}" for one in RERUN_FIELDS),
    ):
        assert f'name="{name}"' not in page and f'value="{name}"' not in page
    assert 'href="/import">Import a result' in person.get("/").content.decode()


def test_sent_unchanged_but_for_the_file_it_starts_a_run(person: Client) -> None:
    answer = person.post("/import", defaults(person) | form())
    assert answer.status_code == 302, re.findall(r'id="faults".*?</div>', answer.content.decode(), re.S)
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.id}" and run.kind == "import"
    page = person.get(answer["Location"]).content.decode()
    assert "Imported result on us20" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file": ""}, "Choose the file of the result; one is taken."),
        ({"dataset.id": "files/none"}, "There is no dataset files/none"),
        ({"result.holds": "profit"}, "result.holds"),
        ({"evaluation.waterfall": "on"}, "evaluation.waterfall"),
    ],
)
def test_a_fault_stands_on_the_page(person: Client, change: dict[str, str], sentence: str) -> None:
    answer = person.post("/import", defaults(person) | form(**change))
    assert answer.status_code == 400 and sentence in answer.content.decode()
    assert not Run.objects.exists()


@pytest.fixture
def judged(person: Client, samples: Path) -> Run:
    """An import that has ended, by the real job."""
    light = {"evaluation.bootstrap_paths": "1000", "evaluation.metric_bootstrap_paths": "100"}
    assert person.post("/import", defaults(person) | form(**light)).status_code == 302
    run: Run = Run.objects.get()
    folder = places.run_folder(run.id)
    import_run.run(Job(folder, samples, EventWriter(folder / layout.EVENTS), read_config(folder)))
    for spec in manifest.existing(folder):
        Artifact.objects.create(run=run, **manifest.entry(folder, spec))
    return run


def test_the_report_says_what_the_file_does_not_hold(person: Client, judged: Run) -> None:
    page = person.get(f"/runs/{judged.id}/report").content.decode()
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
    for why in ABSENT.values():
        assert why in text
    assert (
        page.count("not in the file") == len(OF_ACCOUNT) and "Leak gate" in text and "not all could be examined" in text
    )
    for part in ("trades", "orders", "sensitivity", "stress", "capacity", "sides", "costs", "symbols", "run-prices"):
        assert f'id="{part}"' not in page, part
    assert "before costs:" not in text and "out of sample" not in text
    curves = person.get(f"/runs/{judged.id}/report/curves").json()
    own = curves["series"][0]
    assert own["label"] == "Imported result" and own["equity"][0] == 1 and "before_costs" not in own
    assert len(curves["series"]) == 10 and len(curves["time"]) == 10


def test_another_person_has_no_such_page(other_person: Client, judged: Run) -> None:
    for path in ("", "/report", "/report/curves"):
        assert other_person.get(f"/runs/{judged.id}{path}").status_code == 404
