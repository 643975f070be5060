"""A run whose row cannot be written keeps nobody waiting but itself, and ends once its fault is gone."""

import pytest

from runs_app import places, services
from runs_app.models import Artifact, Run
from tests.runs_app.yard import Yard
from tests.waiting import until


@pytest.fixture
def poisoned(yard: Yard) -> tuple[Run, Artifact]:
    """A run that has been given, out of turn, a row that its own ending must write."""
    run = yard.add()
    return run, Artifact.objects.create(run=run, key="config", kind="config", bytes=0, sha256="0" * 64)


def test_the_healthy_run_beside_it_ends(yard: Yard, poisoned: tuple[Run, Artifact]) -> None:
    run, foreign = poisoned
    healthy = yard.add()
    yard.step_until(healthy, "SUCCEEDED")
    until(lambda: [yard.reconciler.turn(), (places.control_folder(run.id) / "exit.json").exists()][1], what="the end")
    later = yard.step_until(yard.add(), "SUCCEEDED")  # new ones are claimed too
    run.refresh_from_db()
    assert run.is_active and later.is_terminal
    foreign.delete()
    yard.step_until(run, "SUCCEEDED")
    assert run.artifacts.filter(key="config").exists()


def test_a_cancel_that_fails_keeps_no_other(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = yard.add(attempts=1), yard.add()
    for one in (run, other):
        services.cancel_run(run=one)
    cancel = yard.executor.cancel
    monkeypatch.setattr(yard.executor, "cancel", _no_disk)
    yard.step_until(other, "CANCELLED")
    run.refresh_from_db()
    assert run.state == "QUEUED"
    monkeypatch.setattr(yard.executor, "cancel", cancel)
    yard.step_until(run, "CANCELLED")


def _no_disk(run: Run) -> None:
    raise PermissionError("the control folder cannot be written")
