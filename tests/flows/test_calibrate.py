"""A calibration by the API on the real site: of one's own configuration, to its end, and stopped on the way."""

import json
from typing import Any

import pytest

from tests.flows.conftest import SMALL, World
from tests.waiting import until

pytestmark = pytest.mark.slow
ASKED: dict[str, Any] = SMALL | {"calibration": {"planted_worlds": 1, "null_worlds": 1}}


def found(world: World, run: str) -> dict[str, Any]:
    """What the calibration has left."""
    address = f"/api/stockbot/runs/{run}/files/calibration"
    assert world.person("bob").get(address).status_code == 404
    answer = world.person("ann").get(address)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = json.loads(answer.content)
    return read


def started(world: World, asked: dict[str, Any]) -> str:
    answer = world.person("ann").post("/api/stockbot/calibrate", json=asked)
    assert answer.status_code == 201 and answer.json()["kind"] == "calibrate", answer.text
    run: str = answer.json()["id"]
    return run


def test_to_its_end(world: World) -> None:
    run = started(world, ASKED)
    world.wait_for(run, "SUCCEEDED", within_s=240)
    left = found(world, run)
    assert left["complete"] and [one["kappa"] for one in left["worlds"]] == [0.5, 0.0]
    assert "the false-discovery rate" in left["sentence"]
    assert world.person("ann").get(f"/api/stockbot/runs/{run}").json()["verdict"] == {}  # of a report, which it has not


def test_stopped_after_its_first_world(world: World) -> None:
    """It is told to stop while a long second world is at work, and keeps the first."""
    long = {"training": SMALL["training"] | {"total_timesteps": 8192}, "calibration": {"null_worlds": 40}}
    run = started(world, ASKED | long)
    until(lambda: world.run(run)["metrics"].get("worlds", 0) >= 1, within_s=240, what="the first world")
    assert world.person("ann").post(f"/api/stockbot/runs/{run}/cancel").status_code == 202
    world.wait_for(run, "CANCELLED", within_s=60)
    left = found(world, run)
    assert not left["complete"] and 1 <= len(left["worlds"]) < 45
