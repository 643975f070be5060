"""The subject on its training bars: run again for the diagnosis, and told where it was far better there."""

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest

from backtest import judge, run
from backtest.baselines import EqualDaily
from backtest.config import BacktestConfig
from backtest.contest import Contest
from backtest.feed import load_feed, read_config
from backtest.holding import FirstLong
from backtest.in_sample import in_sample
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.backtest.conftest import MakeJob
from tests.simulator.markets import random_bars, sessions

SETTINGS = BacktestConfig(policy="first_long")
Spans = tuple[tuple[str, dt.date, dt.date], ...]
FIRST, LAST = 20, 180


class Trained(FirstLong):
    """Remembers to have been trained on bars 20 to 180."""

    def learned_spans(self) -> Spans:
        days = sessions(300)
        return (("train", days[FIRST].item(), days[LAST].item()), ("validation", days[190].item(), days[200].item()))


class OfOthers(Trained):
    """On the same days, on other symbols."""

    def trained_symbols(self) -> tuple[str, ...]:
        return ("NONE", "ELSE")


class Elsewhere(FirstLong):
    """On days that begin on a Saturday, which no bar has."""

    def learned_spans(self) -> Spans:
        return (("train", dt.date(2020, 1, 4), sessions(300)[LAST].item()),)


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare_market(random_bars(4, 300, 2), SETTINGS)


def test_it_is_the_sharpe_of_a_book_over_those_bars(market: Market) -> None:
    found = in_sample(Contest(SETTINGS, Trained(SETTINGS)), market, needed=20)
    equity = run_strategy(FirstLong(SETTINGS), market, SETTINGS, FIRST, LAST).equity
    returns = equity[1:] / equity[:-1] - 1
    assert found is not None and found.n_bars == LAST - FIRST
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252), rel=1e-9)


@pytest.mark.parametrize(("kind", "needed"), [(FirstLong, 0), (Elsewhere, 0), (OfOthers, 20), (Trained, 21)])
def test_without_training_bars_here_there_is_none(market: Market, kind: type[FirstLong], needed: int) -> None:
    """Nothing learned; learned elsewhere; on other symbols; too few bars before the first."""
    assert in_sample(Contest(SETTINGS, kind(SETTINGS)), market, needed) is None


class Memory(EqualDaily):
    """Knows by heart what rose on the day after each fill of 2010 to 2017, and nothing else."""

    def learned_spans(self) -> Spans:
        return (("train", dt.date(2010, 1, 4), dt.date(2017, 12, 29)),)

    def shares_of(self, market: Market, t: int) -> Any:
        if not 2010 <= market.bars.session[t].item().year <= 2017:
            return super().shares_of(market, t)
        rise = market.mark[t + 2] / market.mark[t + 1]  # closes alone: a decision at t is filled at the close of t+1
        return np.eye(market.n_assets)[int(rise.argmax())]


@pytest.mark.parametrize(("kind", "told"), [(Memory, True), (EqualDaily, False)])
def test_a_memory_of_the_training_bars_is_told(make_job: MakeJob, kind: type[EqualDaily], told: bool) -> None:
    job = make_job(
        policy="equal_daily", dataset={"id": "sample/us20", "symbols": ["KO", "XOM"]}, start="2018-01-02",
        end="2019-12-31", evaluation={"baselines": ["cash"], "bootstrap_paths": 1000, "stress_windows": [],
                                      "cost_multipliers": [], "capacity_multipliers": []},
    )  # fmt: skip
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    judge.judge_and_write(job, config, feed, run.judged_range(config, feed), kind(config))
    found = json.loads((job.folder / "report/summary.json").read_text())["diagnosis"]
    assert ("overfit" in [one["key"] for one in found]) is told
