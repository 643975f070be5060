"""Slots, turns and places in the queue."""

from collections import Counter
from typing import Any

from runs_app import moves, queueing, services
from runs_app.payload import run_payload
from tests.runs_app.yard import Yard


def test_the_person_with_the_fewest_runs_at_work_comes_first() -> None:
    waiting = [("a1", "A"), ("a2", "A"), ("a3", "A"), ("b1", "B"), ("c1", "C")]
    assert [run for run, _ in queueing.fair_order(waiting, Counter())] == ["a1", "b1", "c1", "a2", "a3"]
    assert [run for run, _ in queueing.fair_order(waiting, Counter(A=1))] == ["b1", "c1", "a1", "a2", "a3"]


def test_slots_of_all_and_of_one(yard: Yard, stranger: Any, settings: Any) -> None:
    settings.RUN_SLOTS, settings.RUN_SLOTS_PER_USER = 2, 1
    mine = [yard.add("--seconds", "60") for _ in range(3)]
    theirs = yard.add("--seconds", "60", owner=stranger)
    for run in (mine[0], theirs):
        yard.step_until(run, "RUNNING")
    for _ in range(3):
        yard.reconciler.turn()
    for run in mine:
        run.refresh_from_db()
    assert [run.state for run in mine] == ["RUNNING", "QUEUED", "QUEUED"]
    assert [run_payload(run)["queue_position"] for run in mine] == [None, 1, 2]
    settings.RUN_SLOTS_PER_USER = 3
    yard.reconciler.turn()
    mine[1].refresh_from_db()
    assert mine[1].state == "QUEUED"  # no slot is free


def test_a_wish_to_cancel_that_comes_just_before_the_claim_wins(yard: Yard) -> None:
    run = yard.add()
    assert queueing.in_turn() == [(run.id, run.owner_id)]
    services.cancel_run(run=run)
    assert moves.move(run.id, ("QUEUED",), "STARTING", unless_cancelled=True) is None
    assert queueing.in_turn() == []
    yard.step_until(run, "CANCELLED")


def test_a_fetch_holds_no_slot(yard: Yard, stranger: Any, settings: Any) -> None:
    """It may wait long for its provider: trainings start meanwhile, and it starts while trainings are at work."""
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    fetch = {"kind": "data", "config": {"sources": ["yahoo"]}}
    first, second = (yard.add("--seconds", "60", owner=owner, **fetch) for owner in (None, stranger))
    training, later = yard.add("--seconds", "60"), yard.add("--seconds", "60")
    for run in (first, training):
        yard.step_until(run, "RUNNING")
    for _ in range(3):
        yard.reconciler.turn()
    for run in (second, later):
        run.refresh_from_db()
        assert run.state == "QUEUED"
    assert queueing.positions() == {second.id: 1, later.id: 1}  # each behind its own kind
    services.cancel_run(run=first)
    yard.step_until(second, "RUNNING")
    later.refresh_from_db()
    assert later.state == "QUEUED"
