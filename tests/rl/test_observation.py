"""What a policy sees: window rows are feature rows, portfolio parts stand in the documented order."""

import dataclasses

import numpy as np
import pytest

from marketdata.splits import Range
from rl.config import RewardConfig
from rl.episodes import Episodes
from rl.observation import Windows
from rl.task import Task
from tests.rl.planted import Planted, costs, task_of


def test_window_rows_are_the_last_feature_rows() -> None:
    features = np.random.default_rng(0).normal(size=(30, 4, 3)).astype(np.float32)

    windows = Windows(features, 5).gather(np.array([4, 17, 29]))

    for row, bar in enumerate((4, 17, 29)):
        assert np.array_equal(windows[row], features[bar - 4 : bar + 1])


@pytest.mark.parametrize("bar", [3, 30])
def test_a_window_outside_the_data_is_refused(bar: int) -> None:
    with pytest.raises(IndexError, match="must lie within the 30 bars"):
        Windows(np.zeros((30, 1, 1), np.float32), 5).gather(np.array([bar]))


def test_a_lookback_longer_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match=r"features\.lookback 31"):
        Windows(np.zeros((30, 1, 1), np.float32), 31)


def window_at(task: Task, bar: int) -> np.ndarray:
    return task.windows.table[bar - 7 : bar + 1]


def test_a_window_ends_at_the_bar_of_its_book(task: Task) -> None:
    episodes = Episodes(task, 2)
    episodes.begin(np.arange(2), np.array([40, 77]), np.array([50, 50]))
    for _ in range(3):
        episodes.step(np.zeros((2, 4)))

    seen = episodes.sight()

    assert seen.bars.tolist() == [43, 80]
    by_hand = np.array([window_at(task, bar) for bar in seen.bars])
    assert np.array_equal(task.windows.gather(seen.bars), by_hand)


def test_the_future_cannot_be_seen(data: Planted, task: Task) -> None:
    later = task_of(data, Range(20, 500))
    values = data.features.values.copy()
    values[301:] += 5.0
    windows = Windows(later.normaliser.apply(values), 8)

    assert np.array_equal(windows.gather(np.array([300])), task.windows.gather(np.array([300])))
    assert not np.array_equal(windows.gather(np.array([301])), task.windows.gather(np.array([301])))


def test_portfolio_in_its_order(data: Planted) -> None:
    config = costs(max_step_change=0.25)
    task = task_of(data, Range(20, 500), config=config, reward=RewardConfig(mode="diff_sharpe"))
    assert task.layout.portfolio == ("cash", "gross", "drawdown", "weights", "previous_target", "sharpe_state")
    episodes = Episodes(task, 1)
    episodes.begin(np.zeros(1, np.int64), np.array([40]), np.array([50]))
    start = episodes.sight().portfolio[0]
    for _ in range(2):
        episodes.step(np.array([[1.0, 1.0, -1.0, -1.0]]))

    row, books = episodes.sight().portfolio[0], episodes.books

    assert start.tolist() == [1.0, 0.0, 0.0, *[0.0] * 8]
    assert row[0] == pytest.approx(books.cash[0] / books.equity[0]) and row[1] == pytest.approx(1 - row[0], abs=1e-6)
    assert row[2] == pytest.approx(books.equity[0] / max(1e5, books.prev_equity[0], books.equity[0]) - 1, abs=1e-6)
    assert row[3:6] == pytest.approx(books.weights[0], abs=1e-7)
    assert row[6:9] == pytest.approx([0.5, 0.0, 0.0], abs=0.01)  # two steps of at most a quarter
    returns = books.equity[0] / books.prev_equity[0] - 1
    assert row[9] != 0 and row[10] > 0 and abs(row[9] - returns / 252) < abs(returns)


def test_ragged_data_show_which_assets_have_a_bar(data: Planted) -> None:
    close = data.bars.close.copy()
    close[100, 1] = np.nan
    ragged = dataclasses.replace(data, bars=dataclasses.replace(data.bars, close=close))
    task = task_of(ragged, Range(20, 500))
    episodes = Episodes(task, 1)
    episodes.begin(np.zeros(1, np.int64), np.array([100]), np.array([50]))

    assert task.layout.portfolio[-1] == "has_bar"
    assert episodes.sight().portfolio[0, -3:].tolist() == [1.0, 0.0, 1.0]
