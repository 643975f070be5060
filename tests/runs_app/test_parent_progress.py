"""How far a training with several seeds is: the steps of all its seeds together, told once a second at most."""

import datetime as dt
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs_app import parents
from runs_app.models import Run
from runs_app.payload import run_payload
from runs_app.titles import queue_mark
from tests.runs_app.test_parents import Family
from tests.runs_app.yard import Yard


def put(run: Run, **columns: Any) -> None:
    started = timezone.now() if columns.get("state") == "RUNNING" else None
    Run.objects.filter(pk=run.pk).update(started=started, **columns)


def told(family: Family) -> dict[str, Any]:
    """What the payload says of progress a second after the last news."""
    Run.objects.filter(pk=family.parent.pk).update(updated=timezone.now() - dt.timedelta(seconds=1))
    family.yard.reconciler.settle_parents()
    family.parent.refresh_from_db()
    found: dict[str, Any] = run_payload(family.parent)["progress"]
    return found


def test_the_steps_of_all_seeds_together(yard: Yard) -> None:
    family = Family(yard, (), (), ())
    first, second, third = family.children
    unknown = {"step": None, "total": None, "rate": None, "eta_s": None}
    assert told(family) == unknown
    put(first, state="RUNNING", phase="data", progress_step=1, progress_total=2)
    assert told(family) == unknown  # rows of data are no steps
    put(first, state="RUNNING", phase="train", progress_step=100, progress_total=400, progress_rate=50.0)
    assert told(family) == {"step": 100, "total": 1200, "rate": 50.0, "eta_s": None}
    put(second, state="RUNNING", phase="train", progress_step=40, progress_total=400, progress_rate=30.0)
    assert told(family) == {"step": 140, "total": 1200, "rate": 80.0, "eta_s": None}
    put(first, state="RUNNING", phase="judge", progress_step=3, progress_total=9, progress_rate=1.0)
    put(second, state="RUNNING", phase="validate", progress_step=None, progress_total=None, progress_rate=None)
    assert told(family) == {"step": 800, "total": 1200, "rate": None, "eta_s": None}
    put(first, state="SUCCEEDED", ended=timezone.now(), phase="report")
    put(third, state="RUNNING", phase="train", progress_step=None, progress_total=None)
    assert told(family)["step"] == 800


def test_the_time_left_waits_for_those_that_wait(yard: Yard) -> None:
    """A seed that waits begins when another has been judged too, of which steps say nothing."""
    family = Family(yard, (), (), (), ())
    first, second, third, fourth = family.children
    train = {"state": "RUNNING", "phase": "train", "progress_total": 400, "progress_rate": 50.0}
    put(first, **train, progress_step=400)
    put(second, **train, progress_step=100)
    assert told(family)["eta_s"] is None
    put(first, state="SUCCEEDED", ended=timezone.now(), phase="report", duration_s=60.0)
    assert told(family)["eta_s"] == pytest.approx(60 * 3, abs=5)  # one at a time: the rest of one, and two whole ones
    put(third, **train, progress_step=0)
    assert told(family)["eta_s"] == pytest.approx((60 + 60 + 60) / 2, abs=5)
    put(fourth, **train, progress_step=0)
    assert told(family)["eta_s"] == (1600 - 400 - 100) / 150  # nobody waits: what is left of training


def test_what_was_taken_over_is_trained(yard: Yard) -> None:
    family, others = Family(yard, ()), Family(yard, ())
    put(others.children[0], state="SUCCEEDED", ended=timezone.now(), phase="report")
    Run.objects.filter(pk=others.children[0].pk).update(started=timezone.now() - dt.timedelta(days=1))
    family.parent.taken_over.set([others.children[0]])
    put(family.children[0], state="RUNNING", phase="train", progress_step=10, progress_total=400)
    assert (told(family)["step"], told(family)["total"]) == (410, 800)
    family.children[0].refresh_from_db()
    assert family.parent.started == family.children[0].started  # not a day ago


def test_progress_alone_is_written_once_a_second(yard: Yard) -> None:
    family = Family(yard, (), ())
    put(family.children[0], state="RUNNING", phase="train", progress_step=100, progress_total=400)
    told(family)
    put(family.children[0], phase="train", progress_step=200, progress_total=400)
    Run.objects.filter(pk=family.children[0].pk).update(started=family.parent.started)
    Run.objects.filter(pk=family.parent.pk).update(updated=timezone.now() + dt.timedelta(seconds=60))
    assert not yard.reconciler.settle_parents()
    assert told(family)["step"] == 200


@pytest.mark.parametrize("seeds", [2, 7])
def test_looking_at_them_costs_the_same_however_many_there_are(
    yard: Yard, seeds: int, django_assert_num_queries: Any
) -> None:
    """Four times a second: three queries, no JSON."""
    from django.db import connection

    for _ in range(seeds):
        family = Family(yard, *[() for _ in range(seeds)])
        put(family.children[0], state="RUNNING", phase="train", progress_step=1, progress_total=4)
    yard.reconciler.settle_parents()
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert not yard.reconciler.settle_parents()
    assert len(found) == 3
    for column in ("config", "metrics", "verdict", "baselines", "live", "warnings", "sentence"):
        assert not any(f'"{column}"' in query["sql"] for query in found.captured_queries)


def test_the_policies_of_all_seeds_are_found_by_two_queries(yard: Yard, django_assert_num_queries: Any) -> None:
    family = Family(yard, *[("--report",) for _ in range(3)])
    for child in family.children:
        yard.step_until(child, "SUCCEEDED", within_s=30)
    from runs_app import judged

    fresh = Run.objects.get(pk=family.parent.pk)
    with django_assert_num_queries(3):  # children, taken over, their files
        assert len(judged.members_of(fresh, "best").listed.policies) == 3
    assert parents.missing(fresh.trainings) == ""


def test_a_parent_that_waits_is_not_counted_as_queued(yard: Yard) -> None:
    family = Family(yard, (), (), ())
    assert queue_mark(yard.owner) == {"state": "QUEUED", "words": "3 queued"}
    put(family.children[0], state="RUNNING")
    assert queue_mark(yard.owner) == {"state": "RUNNING", "words": "1 running, 2 queued"}
