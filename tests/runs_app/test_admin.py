"""The admin sees all runs, changes names alone, and cancels through the service."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.signals import pre_save
from django.test import Client

from accounts.models import User
from runs_app.models import Policy, Run, RunEvent
from tests.runs_app.api.conftest import MakeRun


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="pw")


@pytest.fixture
def make_run(alice: User) -> MakeRun:
    return lambda **fields: Run.objects.create(owner=alice, kind="train", config_hash="0" * 64, **fields)


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="pw"))
    return client


def test_the_list_has_filters(boss: Client, make_run: MakeRun) -> None:
    run = make_run(state="RUNNING")
    assert str(run.id) in boss.get("/admin/runs_app/run/?state__exact=RUNNING").content.decode()
    assert str(run.id) not in boss.get("/admin/runs_app/run/?state__exact=FAILED").content.decode()
    assert boss.get("/admin/runs_app/run/?q=alice").status_code == 200


@pytest.mark.parametrize("model", ["run", "runevent", "artifact", "policy"])
def test_rows_are_neither_made_nor_deleted_here(boss: Client, model: str) -> None:
    assert boss.get(f"/admin/runs_app/{model}/").status_code == 200
    assert boss.get(f"/admin/runs_app/{model}/add/").status_code == 403


def test_only_the_name_can_be_changed(boss: Client, make_run: MakeRun, alice: User) -> None:
    run = make_run(state="RUNNING")
    before: dict[str, Any] = Run.objects.values().get()
    given = {"name": "kept", "state": "SUCCEEDED", "owner": str(User.objects.get(username="boss").pk), "config": "{}"}
    assert boss.post(f"/admin/runs_app/run/{run.id}/change/", given).status_code == 302
    after: dict[str, Any] = Run.objects.values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"name", "updated"} and after["name"] == "kept"


@pytest.mark.parametrize("model", [Run, Policy])
def test_what_the_reconciler_writes_meanwhile_is_kept(boss: Client, make_run: MakeRun, alice: User, model: Any) -> None:
    run = make_run(state="RUNNING")
    policy = Policy.objects.create(owner=alice, run=run, which="best", sha256="0" * 64, bytes=1)
    row, column = (run, "phase") if model is Run else (policy, "sha256")

    def meanwhile(**_: Any) -> None:
        model.objects.filter(pk=row.pk).update(**{column: "judge"})

    pre_save.connect(meanwhile, sender=model)
    try:
        answer = boss.post(f"/admin/runs_app/{model._meta.model_name}/{row.pk}/change/", {"name": "kept"})
    finally:
        pre_save.disconnect(meanwhile, sender=model)
    row.refresh_from_db()
    assert (answer.status_code, row.name, getattr(row, column)) == (302, "kept", "judge")


def test_who_may_only_look_cannot_cancel(make_run: MakeRun) -> None:
    clerk = User.objects.create_user("clerk", password="pw", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_run"))
    client, run = Client(), make_run(state="RUNNING")
    client.force_login(clerk)
    assert "Cancel the selected" not in client.get("/admin/runs_app/run/").content.decode()
    client.post("/admin/runs_app/run/", {"action": "cancel", "_selected_action": [str(run.id)]})
    assert not RunEvent.objects.filter(run=run, kind="cancel").exists()


def test_cancel_goes_through_the_service(boss: Client, make_run: MakeRun) -> None:
    running, ended = make_run(state="RUNNING"), make_run(state="FAILED", ended="2026-01-01T00:00:00Z")
    given = {"action": "cancel", "_selected_action": [str(running.id), str(ended.id)]}
    assert boss.post("/admin/runs_app/run/", given).status_code == 302
    assert RunEvent.objects.filter(run=running, kind="cancel").count() == 1
    ended.refresh_from_db()
    assert ended.cancel_requested_at is None


def test_what_is_no_id_is_passed_over(boss: Client, make_run: MakeRun) -> None:
    run = make_run(state="RUNNING")
    assert boss.post("/admin/runs_app/run/", {"action": "cancel", "_selected_action": ["no id"]}).status_code == 302
    given = {"action": "cancel", "_selected_action": ["no id", str(run.id), "\x00", "1" * 5000]}
    assert boss.post("/admin/runs_app/run/", given).status_code == 302
    assert RunEvent.objects.filter(run=run, kind="cancel").count() == 1


def test_an_ordinary_person_is_sent_away(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/admin/runs_app/run/").status_code == 302
