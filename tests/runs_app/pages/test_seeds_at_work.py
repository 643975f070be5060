"""The page of a training with several seeds while they are trained: it says what happens, and shows no empty box."""

from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs_app import moves, services
from runs_app.models import Run
from tests.runs_app.families import CONFIG, failed_family


def shown(client: Client, run: Run, part: str = "") -> str:
    address = reverse("runs:part", args=[run.id, part]) if part else reverse("runs:detail", args=[run.id])
    return client.get(address).content.decode()


def test_the_events_are_those_of_the_seeds_too(owner: Any, person: Client, samples: Path) -> None:
    run = services.start_training(owner=owner, config=CONFIG)
    assert "Nothing has happened yet: it waits for its turn." in shown(person, run, "record")
    first = run.trainings[0]
    moves.move(first.id, ("QUEUED",), "STARTING")
    moves.move(first.id, ("STARTING",), "RUNNING", started=timezone.now())
    moves.note(first.id, [("phase", {"phase": "train"}), ("alarm", {"sentence": "Far update."})])
    page = shown(person, run, "record")
    assert "Seed 7: Running" in page and "Seed 7: <strong>Alarm</strong> Far update." in page
    assert "Queued" not in page and page.index("Far update.") < page.index("Seed 7: Running")
    assert "Seed 7:" not in shown(person, first, "record")  # its own page


def test_what_every_seed_warns_of_stands_there_once(owner: Any, person: Client, samples: Path) -> None:
    run = services.start_training(owner=owner, config=CONFIG)
    first, second = run.trainings[:2]
    for child in (first, second, run):
        moves.note(child.id, [("warning", {"sentence": "RRC has the same close on 69 bars."})])
    moves.note(second.id, [("warning", {"sentence": "Few bars."})] * 2)
    page = shown(person, run, "record")
    assert page.count("RRC has the same close") == 1 and f"{first.member_name}: <strong>Warning" not in page
    assert f"{second.member_name}: <strong>Warning</strong> Few bars." in page and page.count("Few bars.") == 1


def test_events_of_a_run_that_was_taken_over_are_its_own(owner: Any, person: Client, samples: Path) -> None:
    old, (first, *_) = failed_family(owner)
    moves._write(first.id, [("alarm", {"sentence": "Long ago."})])
    again = services.resume_training(run=old)
    assert "Long ago." not in shown(person, again, "record") and "Seed 7 is taken over" in shown(person, again)


def test_a_parent_that_trains_is_shown_as_running(owner: Any, person: Client, samples: Path) -> None:
    run = services.start_training(owner=owner, config=CONFIG)
    Run.objects.filter(pk=run.pk).update(started=timezone.now(), phase="train", progress_step=5, progress_total=30)
    for page in (shown(person, run), person.get(reverse("runs:list")).content.decode()):
        assert '<span class="sb-state" data-state="RUNNING">Running</span>' in page
    assert "Step, all seeds" in shown(person, run)


def test_the_log_is_not_shown_before_there_is_one(owner: Any, person: Client, samples: Path) -> None:
    run = services.start_training(owner=owner, config=CONFIG)
    assert 'aria-labelledby="log-title" hidden>' in shown(person, run)
    assert 'aria-labelledby="log-title">' in shown(person, run.trainings[0])


def test_the_page_asks_no_query_a_seed(
    owner: Any, person: Client, samples: Path, django_assert_max_num_queries: Any
) -> None:
    sixteen = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"seeds": tuple(range(16))})})
    run = services.start_training(owner=owner, config=sixteen)
    for address in (reverse("runs:detail", args=[run.id]), reverse("runs:list"), f"/api/stockbot/runs/{run.id}"):
        with django_assert_max_num_queries(20):
            assert person.get(address).status_code == 200
