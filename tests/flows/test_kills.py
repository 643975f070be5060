"""Whatever is killed, nothing is lost and nothing is left: the real server, the real trainer, SIGKILL."""

import signal
import time

import pytest

from tests.flows.conftest import OVER, SMALL, World
from tests.waiting import until

pytestmark = pytest.mark.slow


def test_a_training_outlives_its_server(world: World) -> None:
    """The server dies in the middle; the training ends by itself, and a new server shows it with its report."""
    run = world.at_work(
        SMALL | {"training": {"total_timesteps": 40_960, "n_envs": 8, "eval_every": 20_480, "seeds": [0]}}
    )
    world.kill_server()
    assert world.processes(run)
    until((world.control(run) / "exit.json").exists, within_s=120, what="the end of the training")
    world.start_again()
    found = world.wait_for(run, "SUCCEEDED", within_s=10)
    assert found["verdict"]["sentence"] == world.summary(run)["verdict"]["sentence"]
    assert not world.processes(run)


def test_a_server_finds_a_training_at_work_again(world: World) -> None:
    run = world.at_work()
    world.kill_server()
    world.start_again()
    before = world.run(run)
    assert before["state"] == "RUNNING"
    until(lambda: (world.run(run)["progress"]["step"] or 0) > before["progress"]["step"], within_s=30, what="news")
    world.person("ann").post(f"/api/stockbot/runs/{run}/cancel")
    world.wait_for(run, "CANCELLED", within_s=15)
    assert not world.processes(run)


def test_a_killed_trainer_is_failed_with_a_reason(world: World) -> None:
    run = world.at_work()
    world.process(run, "rl.train_ppo").send_signal(signal.SIGKILL)
    killed = time.monotonic()
    found = world.wait_for(run, *OVER)
    assert time.monotonic() - killed < 2
    assert (found["state"], found["reason"]) == ("FAILED", "killed")
    assert "killed" in found["sentence"].lower()
    assert not world.processes(run)


def test_a_killed_shim_is_interrupted_and_leaves_nothing(world: World) -> None:
    run = world.at_work()
    world.process(run, "runfiles.shim").send_signal(signal.SIGKILL)
    found = world.wait_for(run, *OVER, within_s=10)
    assert found["state"] == "INTERRUPTED"
    until(lambda: not world.processes(run), within_s=5, what="the end of every process")


def test_a_cancelled_training_leaves_nothing(world: World) -> None:
    run = world.at_work()
    assert world.person("ann").post(f"/api/stockbot/runs/{run}/cancel").status_code in {200, 202}
    assert world.wait_for(run, *OVER, within_s=15)["state"] == "CANCELLED"
    assert not world.processes(run)
