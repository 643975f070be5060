"""A training with several seeds through the real server, which is killed while the seeds are trained."""

from typing import Any

import pytest

from tests.flows.conftest import SMALL, World

pytestmark = pytest.mark.slow
SEEDS = [0, 5]
SEVERAL: dict[str, Any] = SMALL | {
    "training": {"total_timesteps": 2048, "n_envs": 8, "eval_every": 1024, "seeds": SEEDS}
}


def test_its_seeds_are_trained_and_judged_together_over_a_kill(world: World) -> None:
    parent = world.train(SEVERAL)
    children = world.run(parent)["children"]
    world.wait_for(children[0], "RUNNING", "SUCCEEDED")  # so small a training may be over before it is seen at work
    world.kill_server()
    world.start_again()
    found = world.wait_for(parent, *("SUCCEEDED", "FAILED", "INTERRUPTED"), within_s=180)

    assert found["state"] == "SUCCEEDED", found["sentence"]
    assert [world.run(child)["state"] for child in children] == ["SUCCEEDED"] * 2
    summary = world.summary(parent)
    assert [row["seed"] for row in summary["seeds"]["rows"]] == SEEDS
    for row, child in zip(summary["seeds"]["rows"], children, strict=True):
        own = world.summary(child)
        assert row["sharpe"] == own["metrics"]["sharpe"]
        assert row["least_excess_per_year"] == pytest.approx(own["verdict"]["excess_per_year"], rel=1e-12)
        assert own["verdict"]["trials"] == 2 and any("one of 2 seeds of one training" in text for text in own["stamps"])
    assert found["verdict"]["seeds"] == 2 and found["policies"] == []
    listed = world.person("ann").get("/api/stockbot/runs").json()["results"]
    assert parent in [row["id"] for row in listed] and not set(children) & {row["id"] for row in listed}

    asked = {"run_id": parent}
    backtest = world.person("ann").post("/api/stockbot/backtest", json=asked).json()["id"]
    world.wait_for(backtest, "SUCCEEDED", within_s=120)
    assert world.summary(backtest) == summary
