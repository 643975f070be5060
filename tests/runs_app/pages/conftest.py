"""A browser logged in as the owner, and one as a stranger."""

from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def person(owner: Any, samples: Any) -> Client:
    return _logged_in(owner)


@pytest.fixture
def other_person(stranger: Any, samples: Any) -> Client:
    return _logged_in(stranger)


def _logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client
