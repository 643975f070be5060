"""`Portfolio-v0` passes both checkers and refuses what is wrong."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from stable_baselines3.common.env_checker import check_env as check_by_sb3

from marketdata.splits import Range
from rl.config import RewardConfig
from rl.env import ENV_ID, PortfolioEnv
from rl.task import Task
from simulator.books import ActionError
from tests.rl.planted import Planted, costs, task_of


@pytest.mark.parametrize("mode", ["simplex_cash", "tanh_leverage", "discrete"])
def test_both_checkers_are_content(data: Planted, mode: str) -> None:
    config = costs(allow_short=True, mapping_mode=mode)
    task = task_of(data, Range(20, 500), config=config, reward=RewardConfig(mode="diff_sharpe"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*image.*|.*has an unconventional.*")
        env = gymnasium.make(ENV_ID, task=task)
        check_by_gymnasium(env.unwrapped, skip_render_check=True)
        check_by_sb3(env.unwrapped)


def test_the_same_seed_gives_the_same_episode(task: Task) -> None:
    first, second = PortfolioEnv(task), PortfolioEnv(task)

    assert first.reset(seed=5)[1] == second.reset(seed=5)[1]
    assert first.reset()[1] == second.reset()[1]
    assert len({first.reset()[1]["bar"] for _ in range(20)}) > 10


def test_terms_stand_in_the_info_and_add_up(data: Planted) -> None:
    env = PortfolioEnv(task_of(data, Range(20, 500), reward=RewardConfig(w_turnover=0.1, w_vol=2.0)))
    env.reset(seed=0)

    _, reward, _, _, info = env.step(np.ones(4, np.float32))

    assert set(info["reward_terms"]) == {"log_nav", "turnover", "vol"}
    assert reward == pytest.approx(sum(info["reward_terms"].values()), abs=1e-9)


@pytest.mark.parametrize("options", [{"start": 19}, {"start": 490, "length": 20}, {"length": 0}])
def test_a_start_outside_the_training_bars_is_refused(task: Task, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must lie within the training bars 20 to 500"):
        PortfolioEnv(task).reset(seed=0, options=options)


def test_a_step_before_a_reset_is_refused(task: Task) -> None:
    with pytest.raises(RuntimeError, match="reset before step"):
        PortfolioEnv(task).step(np.zeros(4))


def test_an_action_that_is_no_number_is_refused_by_name(task: Task) -> None:
    env = PortfolioEnv(task)
    env.reset(options={"start": 40})
    with pytest.raises(ActionError, match="P1"):
        env.step(np.array([0.0, 0.0, np.nan, 0.0]))
