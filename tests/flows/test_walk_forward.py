"""A walk-forward through the real server, which is killed while the folds are trained."""

from typing import Any

import pytest

from runfiles.policy_list import PolicyList
from tests.flows.conftest import SMALL, World

pytestmark = pytest.mark.slow
TEST = 120
FOLDS: dict[str, Any] = SMALL | {"split": {"n_folds": 2, "test_bars": TEST, "validation_bars": 100}}


def test_its_folds_are_trained_and_judged_in_one_book_over_a_kill(world: World) -> None:
    answer = world.person("ann").post("/api/stockbot/cv", json=FOLDS)
    assert answer.status_code == 201, answer.text
    parent, children = answer.json()["id"], answer.json()["children"]
    world.wait_for(children[0], "RUNNING")
    world.kill_server()
    world.start_again()
    found = world.wait_for(parent, "SUCCEEDED", "FAILED", "INTERRUPTED", within_s=180)

    assert found["state"] == "SUCCEEDED", found["sentence"]
    assert [world.run(child)["state"] for child in children] == ["SUCCEEDED"] * 2
    summary, first = world.summary(parent), world.summary(children[0])
    assert summary["range"]["n_bars"] == 2 * TEST and found["verdict"]["seen"] == 0
    folds = summary["split"]["folds"]
    assert folds[0] == first["split"]["folds"][0]  # the book begins as the first fold's own
    assert folds[0]["end"] == folds[1]["start"]
    assert len(PolicyList.read(world.folder(parent)).folds) == 2
    listed = world.person("ann").get("/api/stockbot/runs").json()["results"]
    assert parent in [row["id"] for row in listed] and not set(children) & {row["id"] for row in listed}
    page = world.person("ann").get(f"/api/stockbot/runs/{parent}/files/report")
    assert page.status_code == 200 and "What each fold learned from" in page.text

    backtest = world.person("ann").post("/api/stockbot/backtest", json={"run_id": parent}).json()["id"]
    world.wait_for(backtest, "SUCCEEDED", within_s=120)
    assert world.summary(backtest) == summary
