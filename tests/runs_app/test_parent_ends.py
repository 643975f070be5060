"""What the row of a training with several seeds says of its times and its end, whatever its own job, the judge, did."""

import datetime as dt
import os
import signal
from typing import Any

import pytest

from runfiles import kernel, layout
from runs_app import harvest, judged, places, services
from runs_app.models import Run
from runs_app.payload import run_payload
from tests.runs_app.test_parents import Family
from tests.runs_app.yard import Yard
from tests.waiting import until


def trained(yard: Yard, judge: tuple[str, ...] = ("--report",)) -> Family:
    """Both seeds are trained; nobody has looked at their parent yet."""
    family = Family(yard, ("--report",), ("--report",), judge=judge)
    with pytest.MonkeyPatch.context() as held:
        held.setattr(yard.reconciler, "settle_parents", lambda: False)
        for child in family.children:
            yard.step_until(child, "SUCCEEDED", within_s=20)
    return family


def test_its_times_are_those_from_the_first_child_to_its_own_end(yard: Yard) -> None:
    family = trained(yard)
    family.turn(0)
    began = family.children[0].started - dt.timedelta(hours=1)  # as if the first had taken an hour
    Run.objects.filter(pk=family.children[0].pk).update(started=began)
    yard.step_until(family.parent, "SUCCEEDED", within_s=20)
    assert family.parent.started == began
    assert family.parent.duration_s == pytest.approx((family.parent.ended - began).total_seconds(), abs=0.001)
    assert family.parent.duration_s > 3600


def test_a_parent_that_fails_with_a_child_took_as_long(yard: Yard) -> None:
    family = Family(yard, ("--code", "1"), ("--report",))
    yard.step_until(family.parent, "FAILED", within_s=20)
    spent = (family.parent.ended - family.parent.started).total_seconds()
    assert family.parent.duration_s == pytest.approx(spent, abs=0.001)


def test_a_parent_that_only_judges_began_with_its_judge(yard: Yard) -> None:
    family, again = trained(yard), Family(yard, ())
    Run.objects.filter(pk=again.children[0].pk).delete()
    again.parent.taken_over.set(family.children)
    again.children = []
    again.parent.config["training"]["seeds"] = [0, 1]
    again.parent.save(update_fields=["config"])
    yard.step_until(again.parent, "SUCCEEDED", within_s=20)
    assert again.parent.started > max(child.ended for child in family.children)


def test_it_is_shown_as_running_till_its_end(yard: Yard) -> None:
    family = Family(yard, ("--report",), ("--report",), judge=("--report", "--seconds", "0.2"))
    shown: list[tuple[str, str]] = []

    def turned() -> bool:
        family.turn()
        shown.append((family.parent.state, run_payload(family.parent)["state"]))
        begun = Run.objects.filter(pk=family.parent.pk).shown_as([shown[-1][1]])
        assert begun.exists() and Run.objects.filter(pk=family.parent.pk).shown_as(["QUEUED"]).exists() == (
            shown[-1][1] == "QUEUED"
        )
        return family.parent.is_terminal

    until(turned, within_s=30, what="the end of the parent")
    words = [word for k, (_, word) in enumerate(shown) if k == 0 or word != shown[k - 1][1]]
    assert words in (["QUEUED", "RUNNING", "SUCCEEDED"], ["RUNNING", "SUCCEEDED"])
    assert {"QUEUED", "STARTING", "RUNNING"} & {state for state, word in shown if word == "RUNNING"} >= {"STARTING"}


def test_what_its_seeds_counted_is_not_shown_as_its_judges(yard: Yard, settings: Any) -> None:
    family = trained(yard)
    Run.objects.filter(pk=family.parent.pk).update(
        progress_step=8, progress_total=8, progress_rate=3.0, progress_eta=0.0
    )
    settings.RUN_SLOTS = 0
    until(lambda: family.turn() or family.parent.queued is not None, what="the parent's turn")
    assert set(run_payload(family.parent)["progress"].values()) == {None}


def test_cancelled_while_it_waits_for_its_judge(yard: Yard, settings: Any) -> None:
    family = trained(yard)
    settings.RUN_SLOTS = 0
    until(lambda: family.turn() or family.parent.queued is not None, what="the parent's turn")
    services.cancel_run(run=family.parent)
    yard.step_until(family.parent, "CANCELLED")
    assert family.parent.sentence == "Cancelled; 2 of 2 seeds had been trained."


@pytest.mark.parametrize("moment", ["STARTING", "RUNNING"])
def test_cancelled_while_it_is_judged(yard: Yard, moment: str) -> None:
    family = trained(yard, judge=("--seconds", "60"))
    if moment == "STARTING":  # the wish is there before the shim looks
        (places.control_folder(family.parent.id) / layout.CANCEL).touch()
    yard.step_until(family.parent, "STARTING", "RUNNING", "CANCELLED")
    services.cancel_run(run=family.parent)
    yard.step_until(family.parent, "CANCELLED")
    assert family.parent.sentence == "Cancelled; 2 of 2 seeds had been trained."


def test_no_sentence_names_a_path_of_the_machine(yard: Yard, tmp_path: Any) -> None:
    family = trained(yard)
    (places.run_folder(family.parent.id) / layout.MEMBERS).write_bytes(b"in the way of a folder")
    yard.step_until(family.parent, "FAILED")
    assert family.parent.sentence == (
        "The policies of the seeds could not be brought together (File exists); resume this training."
    )


def test_a_full_disk_is_told_as_one(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    family = trained(yard)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/somewhere/secret")

    monkeypatch.setattr(judged, "copy_members", full)
    yard.step_until(family.parent, "FAILED")
    assert family.parent.reason == "disk" and "(No space left on device)" in family.parent.sentence
    assert "secret" not in family.parent.sentence


def test_a_policy_that_cannot_be_kept_names_no_path(yard: Yard, settings: Any) -> None:
    settings.POLICIES_ROOT.parent.mkdir(parents=True, exist_ok=True)
    run = yard.add("--report", kind="train")
    with pytest.MonkeyPatch.context() as held:
        held.setattr(harvest, "copy_verified", _refuses)
        yard.step_until(run, "FAILED")
    assert run.sentence == "The trained policy could not be kept (Permission denied)."


def _refuses(*_: Any) -> int:
    raise PermissionError(13, "Permission denied", "/somewhere/secret")


def test_policies_are_copied_beside_the_loop(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long that takes, other runs are looked after; a cancelled parent waits for nothing."""
    import threading

    family, gate = trained(yard), threading.Event()
    monkeypatch.setattr(judged, "copy_members", lambda *_: gate.wait(30))
    try:
        family.turn(3)
        assert family.parent.queued is None
        yard.step_until(yard.add(), "SUCCEEDED")
        services.cancel_run(run=family.parent)
        yard.step_until(family.parent, "CANCELLED")
        assert family.parent.sentence == "Cancelled; 2 of 2 seeds had been trained."
    finally:
        gate.set()


def test_the_judge_that_is_killed_leaves_the_times(yard: Yard) -> None:
    family = trained(yard, judge=("--seconds", "60"))
    yard.step_until(family.parent, "RUNNING")
    began = family.parent.started
    for pid in until(lambda: kernel.marked(str(family.parent.id)), what="the job"):  # it comes a little after its lock
        os.kill(pid, signal.SIGKILL)
    yard.step_until(family.parent, "FAILED", within_s=20)
    assert (family.parent.reason, family.parent.started) == ("killed", began)
