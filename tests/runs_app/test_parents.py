"""A training with several seeds: what its parent does in every state of its children, over restarts too."""

import hashlib
import json
from typing import Any

import pytest

from runfiles import kernel, layout
from runfiles.policy_list import Listed, PolicyList
from runs_app import places, queueing, services
from runs_app.models import Run
from runs_app.payload import run_payload
from tests.runs_app.families import bring
from tests.runs_app.yard import Yard
from tests.waiting import until

POLICY = hashlib.sha256(b"weights").hexdigest()


class Family:
    """A parent and its children in a yard, each with the switches of its stub job."""

    def __init__(self, yard: Yard, *switches: tuple[str, ...], judge: tuple[str, ...] = ("--report",)) -> None:
        self.yard = yard
        config = {"evaluation": {"policy": "best"}, "training": {"seeds": list(range(len(switches))), "threads": 1}}
        self.parent = yard.add(*judge, kind="train", config=config, queued=None)
        self.children = [
            yard.add(*own, kind="train", parent=self.parent,
                     config=config | {"training": {"seeds": [seed], "threads": 1}})
            for seed, own in enumerate(switches)
        ]  # fmt: skip

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.yard.reconciler.turn()
        for run in (self.parent, *self.children):
            run.refresh_from_db()

    def states(self) -> list[str]:
        self.turn(0)
        return [run.state for run in (self.parent, *self.children)]


def test_the_parent_waits_without_a_slot_and_then_judges(yard: Yard, settings: Any) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    family = Family(yard, ("--report",), ("--report",))
    assert queueing.positions() == {child.id: place for place, child in enumerate(family.children, start=1)}
    yard.step_until(family.children[1], "SUCCEEDED", within_s=20)
    yard.step_until(family.parent, "SUCCEEDED", within_s=20)

    assert family.states() == ["SUCCEEDED"] * 3
    folder = places.run_folder(family.parent.id)
    assert PolicyList.read(folder) == PolicyList((Listed(None, 0, POLICY), Listed(None, 1, POLICY)))
    assert [(folder / layout.member_policy(seed)).read_bytes() for seed in (0, 1)] == [b"weights"] * 2
    assert family.parent.metrics["sharpe"] == 1.5
    assert not family.parent.policies.exists() and all(child.policies.count() == 2 for child in family.children)
    told = [event.data.get("state") for event in family.parent.events.filter(kind="state")]
    assert told == ["QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]
    assert (family.parent.attempts, family.parent.progress_step, family.parent.progress_total) == (1, None, None)


def test_a_parent_without_children_waits_for_nobody(yard: Yard) -> None:
    """It is queued for its own job, which trains the seeds one after the other, as by hand."""
    family = Family(yard, ("--report",), ("--report",))
    Run.objects.filter(parent=family.parent).update(parent=None)
    yard.step_until(family.parent, "SUCCEEDED")
    assert family.parent.attempts == 1


def test_it_is_shown_as_running_from_its_first_child_on(yard: Yard) -> None:
    family = Family(yard, ("--seconds", "60"), ("--report",))
    shown = run_payload(family.parent)
    assert (shown["state"], shown["queue_position"]) == ("QUEUED", None)
    yard.step_until(family.children[1], "SUCCEEDED")
    until(lambda: family.turn() or family.parent.started is not None, what="the news of the first child's start")

    shown = run_payload(family.parent)
    assert (shown["state"], shown["phase"], shown["queue_position"]) == ("RUNNING", "train", None)
    assert family.parent.state == "QUEUED" and family.parent.started == min(
        child.started for child in family.children if child.started
    )
    mine = Run.objects.owned_by(yard.owner)
    assert family.parent in mine.shown_as(["RUNNING"]) and family.parent not in mine.shown_as(["QUEUED"])
    before = family.parent.seq
    family.turn(3)
    assert family.parent.seq == before  # no news, no event


@pytest.mark.parametrize(
    ("switches", "state", "sentence"),
    [
        (("--code", "1"), "FAILED", "Seed 1 failed: "),
        (("--job", "--memory-error"), "FAILED", "Seed 1 failed: The job ran out of memory"),
    ],
)
def test_a_child_that_fails_fails_its_parent_and_no_other(
    yard: Yard, switches: tuple[str, ...], state: str, sentence: str
) -> None:
    family = Family(yard, ("--report",), switches, ("--report",))
    yard.step_until(family.parent, "FAILED", within_s=20)

    assert family.states() == ["FAILED", "SUCCEEDED", state, "SUCCEEDED"]
    assert family.parent.reason == "seeds" and family.parent.sentence.startswith(sentence)
    assert family.parent.sentence.endswith(" What the others left is kept.")
    assert family.parent.attempts == 0 and not (places.run_folder(family.parent.id) / layout.MEMBERS_LIST).exists()
    assert family.children[2].policies.count() == 2


def test_the_parent_ends_with_its_last_child(yard: Yard) -> None:
    family = Family(yard, ("--code", "1"), ("--seconds", "60"))
    yard.step_until(family.children[0], "FAILED")
    yard.step_until(family.children[1], "RUNNING")
    family.turn(3)
    assert family.parent.is_active
    services.cancel_run(run=family.children[1])
    yard.step_until(family.parent, "FAILED")
    assert "Seed 0 failed: " in family.parent.sentence and "Seed 1 was cancelled: " in family.parent.sentence


def test_a_child_whose_process_is_gone_interrupts_nobody_else(yard: Yard) -> None:
    import os
    import signal

    family = Family(yard, ("--report",), ("--seconds", "60"))
    yard.step_until(family.children[1], "RUNNING")
    os.kill(yard.shim_pid(family.children[1]), signal.SIGKILL)
    for pid in yard.processes(family.children[1]):
        os.kill(pid, signal.SIGKILL)
    yard.step_until(family.parent, "FAILED", within_s=20)
    assert family.states() == ["FAILED", "SUCCEEDED", "INTERRUPTED"]
    assert family.parent.sentence.startswith("Seed 1 was interrupted: ")


@pytest.mark.parametrize("running", [False, True])
def test_cancelling_the_parent_cancels_its_children(yard: Yard, settings: Any, running: bool) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    family = Family(yard, ("--seconds", "60"), ("--seconds", "60"))
    if running:
        yard.step_until(family.children[0], "RUNNING")
    assert services.cancel_run(run=family.parent)
    assert not services.cancel_run(run=family.parent)
    family.turn(0)
    assert all(child.cancel_requested for child in family.children)
    yard.step_until(family.parent, "CANCELLED")
    assert family.states() == ["CANCELLED"] * 3
    assert family.parent.sentence == "Cancelled; 0 of 2 seeds had been trained."


def test_a_wish_that_reached_the_parent_alone_reaches_the_children(yard: Yard) -> None:
    """As a crash between two lines of an earlier version, or a child that came between, would leave it."""
    from runs_app import moves

    family = Family(yard, ("--seconds", "60"), ("--seconds", "60"))
    moves.wish_cancel(family.parent.id)
    yard.step_until(family.parent, "CANCELLED")
    assert family.states() == ["CANCELLED"] * 3


def test_a_restart_of_the_server_after_any_change_loses_nothing(yard: Yard) -> None:
    """A new reconciler after every single change of a row: all that is remembered is in the rows."""
    family = Family(yard, ("--report",), ("--report", "--seconds", "0.3"), judge=("--report", "--seconds", "0.3"))

    def turned() -> bool:
        before = len(yard.changes)
        family.turn()
        if len(yard.changes) > before:
            yard.reconciler.close()
            yard.reconciler = yard.new_reconciler()
        return family.parent.is_terminal

    until(turned, within_s=30, what="the end of the parent")
    assert family.states() == ["SUCCEEDED"] * 3
    assert [run.attempts for run in (family.parent, *family.children)] == [1, 1, 1]
    told = [event.data.get("state") for event in family.parent.events.filter(kind="state")]
    assert told == ["QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]


def test_a_crash_between_the_policies_and_the_row_is_made_good(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family(yard, ("--report",), ("--report",))
    with monkeypatch.context() as held:
        held.setattr(yard.reconciler, "settle_parents", lambda: False)
        for child in family.children:
            yard.step_until(child, "SUCCEEDED")
    bring(family.parent)  # and no more: the row knows nothing of it
    family.parent.refresh_from_db()
    assert family.parent.queued is None
    yard.step_until(family.parent, "SUCCEEDED")
    assert family.parent.attempts == 1


def test_another_file_in_a_policys_place_is_not_judged(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family(yard, ("--report",), ("--report",))
    with monkeypatch.context() as held:
        held.setattr(yard.reconciler, "settle_parents", lambda: False)
        for child in family.children:
            yard.step_until(child, "SUCCEEDED")
    (places.run_folder(family.children[1].id) / layout.BEST_POLICY).write_bytes(b"another")
    yard.step_until(family.parent, "FAILED")
    assert "could not be brought together" in family.parent.sentence
    assert not (places.run_folder(family.parent.id) / layout.MEMBERS_LIST).exists()
    assert not kernel.is_locked(places.control_folder(family.parent.id) / "lock")


def test_the_judge_that_dies_ends_the_parent_and_no_child(yard: Yard) -> None:
    family = Family(yard, ("--report",), ("--report",), judge=("--code", "3"))
    yard.step_until(family.parent, "FAILED")
    assert family.states() == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert json.loads((places.run_folder(family.parent.id) / layout.MEMBERS_LIST).read_text())["v"] == 1
