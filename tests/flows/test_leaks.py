"""A leak check by the API on the real site: of a baseline, a configuration, a policy; its file is its owner's."""

import json

import pytest

from tests.flows.conftest import SMALL, World

pytestmark = pytest.mark.slow


def checked(world: World, asked: dict[str, object]) -> dict[str, object]:
    """What a leak check of this configuration leaves."""
    answer = world.person("ann").post("/api/stockbot/leaks", json=asked)
    assert answer.status_code == 201, answer.text
    run = answer.json()["id"]
    world.wait_for(run, "SUCCEEDED", within_s=120)
    address = f"/api/stockbot/runs/{run}/files/leaks"
    assert world.person("bob").get(address).status_code == 404
    found: dict[str, object] = json.loads(world.person("ann").get(address).content)
    return found


def test_of_a_baseline_a_configuration_and_a_policy(world: World) -> None:
    assert checked(world, {"policy": "equal", "dataset": SMALL["dataset"]})["state"] == "passed"
    assert checked(world, {"dataset": SMALL["dataset"], "features": SMALL["features"]})["state"] == "passed"
    training = world.train(SMALL)
    world.wait_for(training, "SUCCEEDED", within_s=240)
    found = checked(world, {"run_id": training})
    assert (found["state"], found["subject"]) == ("passed", "policy")
