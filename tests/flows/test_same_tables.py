"""A backtest of a trained policy on the training's range leaves the training's own tables, byte for byte."""

import pytest

from tests.flows.conftest import SMALL, World

pytestmark = pytest.mark.slow


def files(world: World, run: str) -> dict[str, bytes]:
    root = world.folder(run) / "report"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_by_run_and_by_policy(world: World) -> None:
    training = world.train(SMALL)
    world.wait_for(training, "SUCCEEDED", within_s=120)
    expected = files(world, training)
    assert len(expected) > 50
    policies = world.person("ann").get("/api/stockbot/policies").json()["policies"]
    best = next(policy["id"] for policy in policies if policy["run"] == training and policy["which"] == "best")
    for asked in ({"run_id": training}, {"policy": best}):
        backtest = world.person("ann").post("/api/stockbot/backtest", json=asked).json()["id"]
        world.wait_for(backtest, "SUCCEEDED", within_s=60)
        assert files(world, backtest) == expected


def test_the_same_seed_leaves_the_same_policy(world: World) -> None:
    runs = [world.train(SMALL) for _ in range(2)]
    for run in runs:
        world.wait_for(run, "SUCCEEDED", within_s=120)
    for name in ("ppo_policy.zip", "best_policy.zip"):
        one, two = ((world.folder(run) / name).read_bytes() for run in runs)
        assert one == two
    assert files(world, runs[0]) == files(world, runs[1])
