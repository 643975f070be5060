"""The run's page and its fragments, while it waits, works and after each of its ends."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs_app.models import Artifact, Run
from tests.runs_app.finished_run import finished_training, unfinished_training
from tests.runs_app.pages.reading import Reading


def shown(person: Client, run: Run) -> Reading:
    return Reading(person.get(reverse("runs:detail", args=[run.id])).content.decode())


def marks(page: Reading) -> dict[str | None, str | None]:
    return {found["data-phase"]: found.get("data-mark") for tag, found in page.tags if "data-phase" in found}


def test_a_run_at_work_shows_phase_progress_and_cancel(owner: Any, person: Client) -> None:
    page = shown(person, unfinished_training(owner, state="RUNNING", phase="train"))
    assert marks(page) == {"data": "done", "train": "now", "validate": "", "judge": "", "report": ""}
    bar = next(found for tag, found in page.tags if tag == "progress")
    assert (bar["value"], bar["max"]) == ("24576", "60000")
    assert "24,576" in page.text
    assert "1,812" in page.text
    assert "Cancel run" in page.text


def test_what_is_expected_stands_beside_the_facts(owner: Any, person: Client) -> None:
    live = {"expected_memory_mb": 815.4, "expected_disk_mb": 9.2, "expected_time_s": 91.0, "validation_score": 0.1}
    page = shown(person, unfinished_training(owner, state="RUNNING", phase="train", live=live))
    for told in ("Memory expected", "815 MiB", "Disk expected", "9 MiB", "Training expected", "1:31"):
        assert told in page.text
    assert "Memory expected" not in shown(person, unfinished_training(owner, state="RUNNING", phase="data")).text


def test_a_backtest_has_no_training_phases_and_no_curves(owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state="RUNNING", kind="backtest", subject="equal", phase="judge", name="")
    page = shown(person, run)
    assert list(marks(page)) == ["data", "judge", "report"]
    assert "Training curves" not in page.text
    assert "Equal weight on us20" in page.text


def test_the_end_shows_verdict_report_and_backtest(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    page = Reading(person.get(reverse("runs:part", args=[run.id, "outcome"])).content.decode())
    hrefs = [found.get("href") for tag, found in page.tags if tag == "a"]
    assert "not shown to be skill" in page.text
    assert hrefs == [
        reverse("runs:report", args=[run.id]),
        *(f"{reverse(name)}?run_id={run.id}" for name in ("runs:backtest", "runs:calibrate")),
    ]


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "INTERRUPTED"])
def test_a_bad_end_shows_its_sentence(state: str, owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state=state, sentence="The data has a gap of 31 sessions.")
    page = shown(person, run)
    assert f"{state.capitalize()}. The data has a gap of 31 sessions." in page.text
    assert "Read the report" not in page.text


def test_a_cancelled_run_says_so_once(owner: Any, person: Client) -> None:
    page = shown(person, unfinished_training(owner, state="CANCELLED", sentence="Cancelled."))
    assert "Cancelled. What it wrote" in page.text


def test_files_are_listed_by_key_and_never_by_path(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    page = Reading(person.get(reverse("runs:part", args=[run.id, "record"])).content.decode())
    files = {found["href"] for tag, found in page.tags if tag == "a"}
    assert f"/api/stockbot/runs/{run.id}/files/equity" in files
    assert f"/api/stockbot/runs/{run.id}/files/equal.equity" in files
    assert len(files) == run.artifacts.count()
    for address in files:
        assert person.get(address).status_code == 200


def test_text_of_a_job_is_shown_as_text(owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state="FAILED", sentence="<script>alert(1)</script>", name="<b>bold</b>")
    html = person.get(reverse("runs:detail", args=[run.id])).content.decode()
    assert "<script>alert" not in html
    assert "<b>bold" not in html


def test_cancel_leaves_a_wish_and_the_page_says_stopping(owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state="RUNNING")
    answer = person.post(reverse("runs:cancel", args=[run.id]))
    assert answer["Location"] == reverse("runs:detail", args=[run.id])
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert "Stopping" in shown(person, run).text


def test_cancel_wants_a_post_with_a_token(owner: Any) -> None:
    run = unfinished_training(owner, state="RUNNING")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.get(reverse("runs:cancel", args=[run.id])).status_code == 405
    assert strict.post(reverse("runs:cancel", args=[run.id])).status_code == 403


def test_the_mark_in_the_top_bar_counts_what_is_active(owner: Any, person: Client) -> None:
    assert person.get(reverse("runs:queue")).json()["words"] == ""
    unfinished_training(owner, state="RUNNING")
    unfinished_training(owner, state="QUEUED")
    unfinished_training(owner, state="STARTING")
    assert person.get(reverse("runs:queue")).json() == {"state": "RUNNING", "words": "1 running, 2 queued"}


def test_a_parent_that_left_no_files_says_so(owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state="CANCELLED")
    run.config["training"]["seeds"] = [0, 1]
    run.save(update_fields=["config"])
    text = shown(person, run).text
    assert "It left no files; those of its seeds are listed in their runs." in text
    assert "Files are listed when" not in text
    assert "Files are listed when" in shown(person, unfinished_training(owner, state="RUNNING")).text


def test_files_of_baselines_are_offered_where_there_are_some(owner: Any, person: Client) -> None:
    run = unfinished_training(owner, state="FAILED")
    Artifact.objects.create(run=run, key="job_log", kind="log", bytes=2 * 1024 * 1024, sha256="0" * 64)
    page = shown(person, run)
    assert "Files of the baselines" not in page.text and "2 MiB" in page.text
    assert "Files of the baselines" in shown(person, finished_training(owner)).text
