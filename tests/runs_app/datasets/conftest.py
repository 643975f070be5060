"""Files of prices as a person sends them."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.made import prices


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
