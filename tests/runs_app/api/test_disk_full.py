"""A disk that is full: 507 with a sentence, by the API and on the pages, and nothing half-written left."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient, Client

from accounts.models import User
from runs_app import places, services
from runs_app.models import Run
from tests.runs_app.api.conftest import API
from tests.runs_app.api.test_start import BACKTEST, nothing_left, post
from tests.runs_app.pages.test_sources import FORM

SENTENCE = "The disk of the server is full: nothing was stored. Whoever runs it must free some; then send it again."
FULL = [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    OperationalError("database or disk is full"),
]


@pytest.fixture(params=FULL, ids=["disk", "quota", "database"])
def _full(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails while the folders of a run are filled."""

    def fail(run: Run) -> None:
        places.make_folders(run)
        raise request.param

    monkeypatch.setattr(services, "_fill", fail)


@pytest.mark.usefixtures("_full")
def test_the_api_answers_507_and_keeps_nothing(as_alice: Client, samples: Path, settings: Any) -> None:
    as_alice.raise_request_exception = False
    answer = post(as_alice, "backtest", BACKTEST)
    assert (answer.status_code, answer.json()) == (507, {"detail": SENTENCE, "errors": {}})
    assert nothing_left(settings)


@pytest.mark.usefixtures("_full")
def test_so_does_a_page(as_alice: Client, samples: Path, settings: Any) -> None:
    as_alice.raise_request_exception = False
    answer = as_alice.post("/data", FORM | {"sources": "yahoo"})
    assert answer.status_code == 507 and "The disk of the server is full" in answer.content.decode()
    assert nothing_left(settings)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_full")
async def test_and_as_the_server_calls_it(alice: User, samples: Path) -> None:
    """Through ASGI an error crosses threads before it is answered."""
    client = AsyncClient(raise_request_exception=False)
    await client.aforce_login(alice)
    answer = await client.post(f"{API}/backtest", BACKTEST, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (507, SENTENCE)
