"""No value, header or method makes the API fail: whatever it refuses, it refuses in its one shape."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.runs_app.api.conftest import API

BODIES = [
    b"null",
    b"[]",
    b'"x"',
    b"1",
    b'{"a":1,"a":2}',
    b"[" * 100_000,
    b'{"x":1e400}',
    b'{"x":NaN}',
    b'{"\\ud800":1}',
    b"\xff",
    b'{"x":' + b"9" * 400 + b"}",
    b'{"dataset":[]}',
    b'{"dataset":{"id":"\\u0000"}}',
    b'{"dataset":{"start":"9999-12-31"}}',
    b'{"policy":{}}',
    b'{"evaluation":{"baselines":[{}]}}',
    b'{"split":{"custom_ranges":[1]}}',
    b'{"name":"\\u0000"}',
    b'{"training":{"seeds":[-1],"total_timesteps":true}}',
    b'{"features":{"indicators":["' + b"(" * 5000 + b'"]}}',
    b'{"features":{"lookback":9223372036854775807}}',
    b'{"episode":{"start_cash":1e308}}',
    b'{"fees":{"taker_bps":-1}}',
    b'{"username":"\\u0000","password":5}',
    b'{"refresh":"eyJhbGciOiJub25lIn0.e30."}',
    b'{"email":5}',
]
QUERIES = [
    "format=xml",
    "format=",
    "limit=-1",
    "limit=1e9",
    "limit=" + "9" * 30,
    "after=%ff",
    "offset=-5",
    "state=x",
    "kind=%ED%9F%BF",
    "max_points=-1",
    "symbol=%00",
    "symbol=" + "a" * 4000,
    "tag=a&tag=b",
    "a=1&" * 1500,
]
HEADERS: list[dict[str, Any]] = [
    {"Idempotency-Key": "a" * 500},
    {"Idempotency-Key": "\xff"},
    {"Range": "bytes=-1"},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer a b"},
    {"Authorization": "Bearer \xff"},
    {"Host": "evil"},
    {"Last-Event-ID": "9" * 400},
    {"Accept": ""},
    {"Accept": "*"},
    {"Accept": "application/xml"},
    {"Accept": "*/*;q="},
    {"Accept": "a/b" * 3000},
    {"Accept": "application/json; indent=x"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"If-None-Match": "\xff"},
]
ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"  # nobody has it
PATHS = [
    f"{API}/{path}"
    for path in (
        "train",
        "cv",
        "backtest",
        "data",
        "leaks",
        "calibrate",
        "datasets",
        f"datasets/{ID}",
        f"datasets/{ID}/bars",
        f"datasets/{ID}/commit",
        "runs",
        f"runs/{ID}",
        f"runs/{ID}/cancel",
        f"runs/{ID}/log",
        f"runs/{ID}/tb/scalars",
        f"runs/{ID}/files/x",
        "policies",
    )
] + ["/api/users/profile", "/api/auth/login", "/api/auth/register", "/api/auth/refresh", "/api/auth/logout"]


def fits(answer: Any) -> None:
    """Not a fault of the server's, and a refusal says why."""
    assert answer.status_code < 500
    if answer.status_code >= 400 and answer["Content-Type"].startswith("application/json") and answer.content:
        told = json.loads(answer.content)
        assert set(told) >= {"detail", "errors"} and len(told["detail"]) > 8
        assert all(texts and all(texts) for texts in told["errors"].values())


@pytest.mark.parametrize("path", PATHS)
def test_no_body_makes_it_fail(as_alice: Client, path: str) -> None:
    for method in ("POST", "PATCH", "PUT"):
        for body in BODIES:
            fits(as_alice.generic(method, path, body, content_type="application/json"))


@pytest.mark.parametrize("path", PATHS)
def test_no_query_header_or_method_makes_it_fail(as_alice: Client, path: str) -> None:
    for query in QUERIES:
        fits(as_alice.get(f"{path}?{query}"))
    for headers in HEADERS:
        fits(as_alice.get(path, headers=headers))
        fits(as_alice.post(path, b"[]", content_type="application/json", headers=headers))
    for method in ("FOO", "TRACE", "OPTIONS", "HEAD", "PROPFIND"):
        fits(as_alice.generic(method, path))
