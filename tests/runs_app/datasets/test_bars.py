"""Bars of a symbol by column: bounded, joined, and not sent twice."""

from typing import Any

import numpy as np
import pytest
from django.test import Client

from runs_app import bars_view
from tests.runs_app.datasets.conftest import put
from tests.runs_app.datasets.made import SESSIONS


@pytest.fixture
def mine(alice: Client) -> dict[str, Any]:
    found: dict[str, Any] = put(alice)
    return found


def test_all_bars_of_a_symbol(alice: Client, mine: dict[str, Any]) -> None:
    found = alice.get(f"{mine['url']}/bars?symbol=B").json()
    assert (found["symbol"], found["n_total"], found["bars_a_point"]) == ("B", len(SESSIONS), 1)
    assert found["session"] == [str(day) for day in SESSIONS]
    assert found["close"][0] == 101.0 and found["time"][0] == "2020-01-02T21:00:00Z"
    assert found["volume"][-1] == 1000 + len(SESSIONS) - 1


def test_a_part_and_the_first_symbol_by_default(alice: Client, mine: dict[str, Any]) -> None:
    found = alice.get(f"{mine['url']}/bars?start=2020-01-03&end=2020-01-06").json()
    assert (found["symbol"], found["session"]) == ("A", ["2020-01-03", "2020-01-06"])


def test_more_bars_than_points_are_joined(alice: Client, mine: dict[str, Any]) -> None:
    whole = alice.get(f"{mine['url']}/bars").json()
    found = alice.get(f"{mine['url']}/bars?max_points=2").json()
    assert (len(found["close"]), found["bars_a_point"]) == (2, 69)
    assert found["open"][0] == whole["open"][0] and found["close"][-1] == whole["close"][-1]
    assert found["high"][0] == max(whole["high"][:69]) and found["low"][1] == min(whole["low"][69:])
    assert sum(found["volume"]) == sum(whole["volume"])


def test_a_gap_is_null_and_joined_over() -> None:
    values, starts = np.array([np.nan, 2.0, np.nan, np.nan]), np.array([0, 2])
    for name, wanted in (("open", 2.0), ("close", 2.0), ("high", 2.0), ("low", 2.0), ("volume", 2.0)):
        np.testing.assert_array_equal(bars_view._joined(name, values, starts), [wanted, np.nan])


def test_unchanged_bars_are_not_sent_again(alice: Client, mine: dict[str, Any]) -> None:
    first = alice.get(f"{mine['url']}/bars")
    again = alice.get(f"{mine['url']}/bars", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = alice.get(f"{mine['url']}/bars?symbol=B", headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("symbol=ZZ", "symbol"), ("start=soon", "start"), ("end=2020-02-30", "end"), ("max_points=1", "max_points"),
        ("max_points=99999", "max_points"), ("max_points=x", "max_points"), ("tag=a", "tag"),
        ("start=2020-03-02&end=2020-02-03", "start"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(alice: Client, mine: dict[str, Any], query: str, field: str) -> None:
    answer = alice.get(f"{mine['url']}/bars?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_days_outside_the_data_are_no_bars(alice: Client, mine: dict[str, Any]) -> None:
    found = alice.get(f"{mine['url']}/bars?start=2030-01-01&end=2031-01-01").json()
    assert (found["n_total"], found["close"]) == (0, [])
