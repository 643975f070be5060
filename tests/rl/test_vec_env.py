"""N books at once are N books one by one; episodes begin, are cut and end as documented."""

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecEnv

from marketdata.splits import Range
from rl.env import PortfolioEnv
from rl.task import Task
from rl.vec_env import PortfolioVecEnv
from tests.rl.planted import Planted, costs, task_of


def make(task: Task, n: int, seed: int = 0) -> PortfolioVecEnv:
    draw, cut = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    return PortfolioVecEnv(task, n, draw, cut)


def actions(n: int, width: int, steps: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(-1, 1, (steps, n, width))


@pytest.mark.parametrize("mode", ["simplex_cash", "discrete"])
def test_many_books_equal_single_books_bit_for_bit(data: Planted, mode: str) -> None:
    task = task_of(data, Range(20, 500), config=costs(mapping_mode=mode, max_steps=30))
    many = make(task, 5)
    seen = many.reset()
    lengths = np.random.default_rng(np.random.SeedSequence(0).spawn(2)[1]).integers(1, 31, 5)
    singles = [PortfolioEnv(task) for _ in range(5)]
    for single, bar, length in zip(singles, seen.bars, lengths, strict=True):
        single.reset(options={"start": int(bar), "length": int(length)})
    plan = actions(5, many._episodes.books.width, 30)
    if mode == "discrete":
        plan = np.floor((plan + 1) / 2 * 2)
    running = np.ones(5, bool)
    for step in range(30):
        seen, rewards, dones, infos = many.step(plan[step])
        for i in np.flatnonzero(running):
            alone, reward, terminated, truncated, _ = singles[i].step(plan[step, i])
            together = infos[i]["terminal_observation"] if dones[i] else {key: value[i] for key, value in seen.items()}
            assert all(np.array_equal(alone[key], together[key]) for key in alone)
            assert np.float32(reward) == rewards[i] and (terminated or truncated) == dones[i]
        running &= ~dones
    assert not running.any()


def test_the_first_episodes_end_at_different_bars(task: Task) -> None:
    env = make(task, 64)
    env.reset()
    ends = np.zeros(64, int)
    for step in range(1, 253):
        _, _, dones, _ = env.step(np.zeros((64, 4)))
        ends[dones & (ends == 0)] = step

    assert ends.min() >= 1 and ends.max() <= 252 and len(set(ends)) > 40


def test_later_episodes_last_max_steps_and_start_inside_the_range(data: Planted) -> None:
    task = task_of(data, Range(20, 500), config=costs(max_steps=10))
    env, starts, lengths = make(task, 32), [], []
    seen = env.reset()
    starts.extend(seen.bars)
    for step in range(200):
        seen, _, dones, infos = env.step(np.zeros((32, 4)))
        starts.extend(seen.bars[dones])
        lengths.extend(infos[i]["episode"]["l"] for i in np.flatnonzero(dones) if step >= 10)

    assert min(starts) >= 20 and max(starts) <= 490 and len(set(starts)) > 200
    assert set(lengths) == {10}


def test_a_range_shorter_than_an_episode_is_one_episode(data: Planted) -> None:
    env = make(task_of(data, Range(20, 60)), 8)
    starts = {int(bar) for bar in env.reset().bars}
    lengths = []
    for _ in range(100):
        _, _, _, infos = env.step(np.zeros((8, 4)))
        lengths.extend(info["episode"]["l"] for info in infos if "episode" in info)

    assert starts == {20} and max(lengths) == 40


def test_without_random_starts_every_episode_begins_at_the_first_bar(data: Planted) -> None:
    env = make(task_of(data, Range(20, 500), config=costs(max_steps=10, randomize_start=False)), 4)

    assert set(env.reset().bars) == {20}


def test_the_end_of_bars_is_truncation_with_the_last_observation(data: Planted) -> None:
    env = make(task_of(data, Range(20, 500), config=costs(max_steps=10)), 1)
    bar = int(env.reset().bars[0])
    for _ in range(10):
        seen, _, dones, infos = env.step(np.ones((1, 4)))
        bar += 1
        if dones[0]:
            break

    assert infos[0]["TimeLimit.truncated"] is True
    window = env._episodes._task.windows.gather(np.array([bar]))[0]
    assert np.array_equal(infos[0]["terminal_observation"]["window"], window)
    assert infos[0]["terminal_observation"]["portfolio"][1] > 0.5  # invested; the next one starts in cash
    assert seen["portfolio"][0, 1] == 0.0


def test_a_stopped_book_is_terminated_not_truncated(data: Planted) -> None:
    config = costs().model_copy(update={"guards": costs().guards.model_copy(update={"stop_eq_frac": 0.999})})
    env = make(task_of(data, Range(20, 500), config=config), 16)
    env.reset()
    ends = []
    for _ in range(60):
        _, _, _, infos = env.step(np.ones((16, 4)))
        ends.extend(info["TimeLimit.truncated"] for info in infos if "episode" in info)

    assert False in ends


def test_rewards_of_an_episode_add_up_to_its_growth(data: Planted) -> None:
    env = make(task_of(data, Range(20, 500), config=costs(max_steps=40)), 8)
    env.reset()
    paid, checked = np.zeros(8), 0
    for plan in actions(8, 4, 90):
        _, rewards, dones, infos = env.step(plan)
        paid += rewards
        for i in np.flatnonzero(dones):
            assert infos[i]["episode"]["r"] == pytest.approx(paid[i], abs=1e-3)
            assert infos[i]["episode"]["growth"] == pytest.approx(infos[i]["episode"]["r"] / 100, abs=1e-9)
            checked, paid[i] = checked + 1, 0.0
    assert checked >= 16


def test_it_is_a_vec_env_that_refuses_what_it_cannot_do(task: Task) -> None:
    env = make(task, 3)

    assert isinstance(env, VecEnv) and env.get_attr("num_envs") == [3, 3, 3]
    assert env.env_is_wrapped(object) == [False] * 3
    with pytest.raises(AttributeError, match="share one task"):
        env.set_attr("task", None)
    with pytest.raises(AttributeError, match="stepped together"):
        env.env_method("reset")
