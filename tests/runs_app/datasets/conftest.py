"""Files of prices as a person sends them."""

import datetime as dt
import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client

from tests.runs_app.api.conftest import API

DAYS = [dt.date(2020, 1, 2) + dt.timedelta(days) for days in range(200)]
CLOSED = {dt.date(2020, 1, 20), dt.date(2020, 2, 17), dt.date(2020, 4, 10), dt.date(2020, 5, 25), dt.date(2020, 7, 3)}
SESSIONS = [day for day in DAYS if day.weekday() < 5 and day not in CLOSED]
Send = Callable[..., Any]


def prices(symbols: str = "AB", *, level: float = 100.0) -> str:
    """A long CSV: a row a session and symbol, closes that wander a little."""
    rows = ["date,symbol,open,high,low,close,volume"]
    for place, day in enumerate(SESSIONS):
        for number, symbol in enumerate(symbols):
            close = level * (1 + 0.01 * ((place * (7 + number)) % 13)) + number
            rows.append(f"{day},{symbol},{close - 0.5:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},{1000 + place}")
    return "\n".join(rows) + "\n"


def named(name: str, content: str | bytes) -> io.BytesIO:
    found = io.BytesIO(content.encode() if isinstance(content, str) else content)
    found.name = name
    return found


def send(client: Client, *files: io.BytesIO, **more: Any) -> Any:
    return client.post(f"{API}/datasets", {"file": list(files), **more})


def commit(client: Client, upload: Mapping[str, Any], **fields: Any) -> Any:
    body = {**upload["preview"]["guess"], "name": "mine", "as_of": "2020-12-31", **fields}
    return client.post(upload["commit_url"], body, content_type="application/json")


def put(client: Client, content: str | None = None, **fields: Any) -> Any:
    """The committed dataset of a long CSV."""
    sent = send(client, named("prices.csv", prices() if content is None else content))
    assert sent.status_code == 201, sent.content
    answer = commit(client, sent.json(), **fields)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def alice(owner: Any) -> Client:
    return _logged_in(owner)


@pytest.fixture
def bob(stranger: Any) -> Client:
    return _logged_in(stranger)


def _logged_in(person: Any) -> Client:
    found = Client()
    found.force_login(person)
    return found
