"""A restart of the server neither kills nor forgets: another reconciler goes on from rows, locks and files."""

import os
import shutil
import signal

import pytest
from django.db import DatabaseError, transaction

from runs_app import moves, places
from runs_app.models import Run
from runs_app.reconciler import PATIENCE_S
from tests.runs_app.yard import Yard
from tests.waiting import until


def test_a_new_reconciler_sees_a_running_run_to_its_end(yard: Yard) -> None:
    run, _ = yard.running("--seconds", "0.5", "--events", "2")
    yard.reconciler.close()
    yard.reconciler = yard.new_reconciler()
    yard.step_until(run, "SUCCEEDED")
    phases = [event for event in run.events.all() if event.kind == "phase"]
    assert len(phases) == 1


def test_a_run_that_ended_while_no_server_was_there(yard: Yard) -> None:
    run, pid = yard.running("--seconds", "60", "--events", "2")
    yard.wait_for_events(run, 6)
    yard.reconciler.close()
    os.kill(pid, signal.SIGKILL)
    until((places.control_folder(run.id) / "exit.json").exists)
    yard.reconciler = yard.new_reconciler()
    yard.step_until(run, "FAILED", within_s=2)
    assert (run.reason, run.progress_step) == ("killed", 2)


def test_a_claim_without_a_start_is_started_once_more_and_then_given_up(yard: Yard) -> None:
    now = [0.0]
    yard.reconciler = yard.new_reconciler(executor=_NoExecutor(), clock=lambda: now[0])
    run = yard.add()
    yard.step_until(run, "STARTING")
    now[0] += PATIENCE_S - 0.1
    yard.reconciler.turn()
    assert _state(run) == "STARTING"
    now[0] += 0.2
    assert yard.reconciler.look_after(_fresh(run))
    assert _state(run) == "QUEUED"
    yard.reconciler.turn()
    assert (_state(run), _fresh(run).attempts) == ("STARTING", 2)
    now[0] += PATIENCE_S + 0.1
    yard.step_until(run, "INTERRUPTED")
    assert run.reason == "lost"


def test_a_crash_between_claim_and_start_runs_the_job_once(yard: Yard) -> None:
    run = yard.add()
    moves.move(run.id, ("QUEUED",), "STARTING", attempts=1)  # and the server dies here
    now = [0.0]
    yard.reconciler = yard.new_reconciler(clock=lambda: now[0])
    yard.reconciler.turn()
    now[0] += PATIENCE_S + 0.1
    yard.step_until(run, "SUCCEEDED")
    assert run.attempts == 2


def test_a_run_whose_folders_are_gone_ends_and_does_not_stop_the_others(yard: Yard) -> None:
    lost, other = yard.add(), yard.add()
    moves.move(lost.id, ("QUEUED",), "RUNNING")
    moves.wish_cancel(lost.id)
    for folder in (places.run_folder(lost.id), places.control_folder(lost.id)):
        shutil.rmtree(folder)
    yard.step_until(other, "SUCCEEDED")
    yard.step_until(lost, "CANCELLED")
    places.control_folder(lost.id).mkdir()


@pytest.mark.parametrize("state", sorted(Run.TERMINAL))
def test_an_end_absorbs(yard: Yard, state: str) -> None:
    run = yard.step_until(yard.add(), "SUCCEEDED")
    if state != "SUCCEEDED":
        assert moves.move(run.id, Run.ACTIVE, state) is None
    assert moves.wish_cancel(run.id) is None
    with pytest.raises(DatabaseError, match="keeps its state"), transaction.atomic():
        Run.objects.filter(pk=run.id).update(state="FAILED" if state == "SUCCEEDED" else state)
    assert _state(run) == "SUCCEEDED"


def _fresh(run: Run) -> Run:
    run.refresh_from_db()
    return run


def _state(run: Run) -> str:
    return _fresh(run).state


class _NoExecutor:
    """A machine on which nothing ever comes to life."""

    def start(self, run: Run) -> None:
        pass

    def poll(self, run: Run) -> object:
        from runs_app.executors import Standing

        return Standing("gone")

    def cancel(self, run: Run) -> None:
        pass
