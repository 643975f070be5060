"""How runs end, with real processes: every end is told, none leaves a process."""

import os
import signal
import time

import pytest

from runs_app import places, services
from runs_app.models import Run
from runs_app.reconciler import PATIENCE_S
from tests.runs_app.yard import Yard
from tests.waiting import until


def test_a_run_that_ends_well(yard: Yard) -> None:
    run = yard.step_until(yard.add("--events", "3"), "SUCCEEDED")
    assert (run.reason, run.sentence, run.phase, run.progress_step) == ("", "", "train", 3)
    assert run.started <= run.ended
    assert run.duration_s > 0
    assert {artifact.key for artifact in run.artifacts.all()} == {"config", "events", "job_log", "manifest"}
    kinds = [event.data.get("state", event.kind) for event in run.events.all() if event.data.get("state") != "RUNNING"]
    assert kinds == ["STARTING", "phase", "warning", "SUCCEEDED"]  # so short a run may end before it is seen running
    assert [event.seq for event in run.events.all()] == list(range(1, run.seq + 1))
    assert yard.changes[-1] == (run.id, run.seq)


def test_a_job_that_says_well_without_a_manifest_has_failed(yard: Yard) -> None:
    run = yard.step_until(yard.add("--no-manifest"), "FAILED")
    assert run.reason == "error"
    assert "no manifest" in run.sentence


def test_a_killed_trainer_is_told_within_two_seconds(yard: Yard) -> None:
    run, pid = yard.running("--seconds", "60")
    os.kill(pid, signal.SIGKILL)
    yard.step_until(run, "FAILED", within_s=2)
    assert run.reason == "killed"
    assert "signal 9" in run.sentence


def test_a_killed_shim_interrupts_and_leaves_no_process(yard: Yard) -> None:
    run, _ = yard.running("--seconds", "60", "--children", "3")
    until(lambda: len(yard.processes(run)) == 4, what="the job and its three children")
    os.kill(yard.shim_pid(run), signal.SIGKILL)
    yard.step_until(run, "INTERRUPTED", within_s=2)
    assert yard.processes(run) == []
    assert "interrupted" in run.sentence


def test_cancel_of_a_stopped_job_with_children(yard: Yard) -> None:
    run, pid = yard.running("--seconds", "60", "--children", "3", "--escape")
    os.kill(pid, signal.SIGSTOP)
    services.cancel_run(run=run)
    yard.step_until(run, "CANCELLED", within_s=4)
    assert yard.processes(run) == []


def test_cancel_of_a_job_that_ignores_term(yard: Yard) -> None:
    run, _ = yard.running("--seconds", "60", "--ignore-term")
    begun = time.monotonic()
    services.cancel_run(run=run)
    yard.step_until(run, "CANCELLED", within_s=8)
    assert time.monotonic() - begun > 2.9
    assert yard.processes(run) == []


def test_cancel_of_a_run_that_waits_never_starts_it(yard: Yard) -> None:
    run = yard.add()
    services.cancel_run(run=run)
    yard.step_until(run, "CANCELLED")
    assert run.attempts == 0
    assert not (places.control_folder(run.id) / "start.json").exists()


def test_cancel_between_two_starts_stops_the_first_that_comes_late(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first start shows no sign of life, the run waits for its second; then the first shim comes up after all."""
    now = [1000.0]
    start = yard.executor.start
    monkeypatch.setattr(yard.executor, "start", lambda run: None)
    reconciler = yard.new_reconciler(clock=lambda: now[0])
    run = yard.add("--seconds", "60")
    reconciler.turn()
    now[0] += PATIENCE_S + 1
    reconciler.look_after_all()
    services.cancel_run(run=run)
    reconciler.turn()
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("CANCELLED", 1)
    start(run)
    until(lambda: (places.control_folder(run.id) / "exit.json").exists(), what="the late shim's end")
    assert yard.processes(run) == []
    assert not (places.run_folder(run.id) / "pid").exists()
    reconciler.close()


def test_a_run_that_dies_keeps_what_there_is(yard: Yard) -> None:
    run, pid = yard.running("--seconds", "60", "--say", "hello", "--events", "1")
    yard.wait_for_events(run, 3)
    os.kill(pid, signal.SIGKILL)
    yard.step_until(run, "FAILED")
    assert {artifact.key for artifact in run.artifacts.all()} == {"config", "events", "job_log"}


def test_an_unreadable_end_is_an_interruption(yard: Yard) -> None:
    run, _ = yard.running("--seconds", "60")
    os.kill(yard.shim_pid(run), signal.SIGKILL)
    until(lambda: not yard.processes(run))
    (places.control_folder(run.id) / "exit.json").write_text('{"v":1,"end":"o')
    yard.step_until(run, "INTERRUPTED")


def test_out_of_memory_is_told_with_its_peak(yard: Yard) -> None:
    run = yard.step_until(yard.add("--job", "--memory-error"), "FAILED")
    assert run.reason == "oom"
    assert run.peak_rss_mb > 1


@pytest.mark.slow
def test_cancel_racing_the_finish_ends_once(yard: Yard) -> None:
    ends = []
    for attempt in range(30):
        run = yard.add("--seconds", f"{0.004 * attempt}")
        yard.step_until(run, "RUNNING", "SUCCEEDED")
        services.cancel_run(run=run)
        yard.step_until(run, "SUCCEEDED", "CANCELLED")
        for _ in range(3):
            yard.reconciler.turn()
        run.refresh_from_db()
        ends.append(run.state)
        last = [event for event in run.events.all() if event.data.get("state") in Run.TERMINAL]
        assert [event.data["state"] for event in last] == [run.state]
        assert yard.processes(run) == []
    assert set(ends) <= {"SUCCEEDED", "CANCELLED"}
