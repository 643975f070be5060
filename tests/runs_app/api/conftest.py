"""Alice owns a run, Bob is another person; files are put where a job would leave them."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from runs_app.models import Run

API = "/api/stockbot"
MakeRun = Callable[..., Run]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="pw")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password="pw")


@pytest.fixture
def as_alice(alice: User) -> Client:
    return _client(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return _client(bob)


@pytest.fixture
def make_run(alice: User) -> MakeRun:
    def make(**fields: Any) -> Run:
        given: dict[str, Any] = {
            "owner": alice,
            "kind": "backtest",
            "state": "QUEUED",
            "config_hash": "0" * 64,
        } | fields
        if given["state"] in Run.TERMINAL:
            given.setdefault("ended", timezone.now())
        if given["state"] == "QUEUED":
            given.setdefault("queued", timezone.now())
        run: Run = Run.objects.create(**given)
        folder_of(run).mkdir(parents=True)
        return run

    return make


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    return make_run(state="SUCCEEDED")


def folder_of(run: Run) -> Path:
    return Path(settings.RUNS_ROOT) / str(run.id)


def put(run: Run, path: str, content: bytes) -> Path:
    place = folder_of(run) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def missing() -> uuid.UUID:
    return uuid.uuid4()


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
