"""Faults without end in a body get a short answer soon, at every route that takes a body."""

import json
import time
from typing import Any

import pytest
from django.test import Client

from runs_app.models import Run
from tests.runs_app.api.conftest import API

MANY = {f"wrong{n}": n for n in range(9_000)}
LONG = {"x" * 30_000 + str(n): n for n in range(9)}
ITEMS = [None] * 9_000
LISTS = {
    "dataset": {"symbols": ITEMS},
    "split": {"custom_ranges": ITEMS},
    "features": {"feature_set": ITEMS},
    "model": {"net_arch": ITEMS},
    "evaluation": {"baselines": ITEMS},
}
ROUTES = [
    ("post", f"{API}/train"),
    ("post", f"{API}/backtest"),
    ("patch", f"{API}/runs/{{run}}"),
    ("post", "/api/auth/register"),
    ("post", "/api/auth/login"),
    ("patch", "/api/users/profile"),
]


def refused(person: Client, method: str, address: str, body: Any) -> None:
    """One answer 400 of at most 10 KB, within a second of processor time."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    began = time.process_time()
    if method == "get":
        answer = person.get(address)
    else:
        answer = getattr(person, method)(address, raw, content_type="application/json")
    assert time.process_time() - began < 1
    assert answer.status_code == 400, answer.content[:300]
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("body", [MANY, LONG, LISTS], ids=["many", "long", "lists"])
@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_the_answer_is_short(as_alice: Client, run: Run, method: str, route: str, body: Any) -> None:
    refused(as_alice, method, route.format(run=run.id), body)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"dataset": {"symbols": [' + b"1," * 600_000 + b"1]}}",
        b"{" + b",".join(b'"k%d":1' % n for n in range(40_000)) + b',"k39999":1}',
    ],
    ids=["items", "twin"],
)
@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_a_body_of_a_megabyte_of_faults(as_alice: Client, run: Run, method: str, route: str, raw: bytes) -> None:
    refused(as_alice, method, route.format(run=run.id), raw)


def test_unknown_filters_are_told_in_part(as_alice: Client) -> None:
    refused(as_alice, "get", f"{API}/runs?" + "&".join(f"wrong{n}=1" for n in range(900)), {})
