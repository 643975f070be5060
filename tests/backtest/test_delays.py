"""Everything again with later decisions: on paper, by shifted decisions, and against runs configured so."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from backtest.baselines import Baseline
from backtest.config import BacktestConfig
from backtest.contest import Contest, Ledgers
from backtest.rerun import Reruns
from marketdata.splits import Range
from runfiles.report_rows import delay_words
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market, prepare_market
from tests.backtest.test_rerun import nothing
from tests.simulator.markets import make_bars, random_bars

N = 60
EVERY = 10


class InAndOut(Baseline):
    """Half of equity in the first asset at bar 10, 30, 50, nothing at 20, 40, 60, all `later` bars later."""

    key = "equal"
    later = 0

    def bars(self, market: Market, t0: int, t1: int) -> np.ndarray:
        bars = t0 + self.later + np.arange(0, t1 - t0, EVERY)
        return bars[bars < t1]

    def shares_of(self, market: Market, t: int) -> np.ndarray:
        weights = np.zeros(market.n_assets)
        weights[0] = 0.5 if (t - self.later) // EVERY % 2 == 0 else 0.0
        return weights


class Looking(InAndOut):
    """The same, asked bar by bar; tells under which latency it was prepared."""

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self.prepared = [*getattr(self, "prepared", []), config.exec.latency_bars]

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        return None  # type: ignore[return-value]

    def decide(self, t: int, session: BookSession) -> np.ndarray | None:  # type: ignore[override]
        return self.shares_of(session.market, t) if t % EVERY == 0 else None


def still(seed: int = 3) -> Any:
    """Closes at 10, opens at random: what is ordered hangs on the close, what is paid on the open."""
    chance = np.random.default_rng(seed)
    closes = np.full((N + 1, 2), 10.0)
    return make_bars(closes, open=10 * np.exp(0.02 * chance.standard_normal(closes.shape)))


def contest(bars: Any, subject: type[Baseline] = InAndOut, latency: int = 0, **evaluation: Any) -> tuple[
    Contest, Market, Ledgers
]:  # fmt: skip
    config = BacktestConfig.model_validate({
        "policy": "equal", "exec": {"latency_bars": latency, "fill": "next_open", "half_spread_bps": 2.0},
        "evaluation": {"baselines": ["cash", "momentum", "random"], **evaluation},
    })  # fmt: skip
    market = prepare_market(bars, config)
    made = Contest(config, subject(config))
    judged = made.judge(market, Range(0, N), nothing)
    return made, market, {one.key: one.ledger for one in judged}


def delayed(made: tuple[Contest, Market, Ledgers], *bars: int) -> Any:
    found, market, first = made
    rf = np.zeros(N)
    ticks: list[int] = []
    rows = Reruns(found, market, Range(0, N), ("cash", "momentum"), rf, first).delays(bars, lambda: ticks.append(1))
    assert len(ticks) == len(bars)
    return rows


def test_on_paper() -> None:
    """One purchase of half the money and its sale, 1 + k bars after each decision, at the open and half the spread."""

    class Once(InAndOut):
        def bars(self, market: Market, t0: int, t1: int) -> np.ndarray:
            return np.array([0, 10])

    bars = dataclasses.replace(random_bars(5, N + 1, 2), volume=None)
    free = {"fees": {"taker_bps": 0.0}}
    config = BacktestConfig.model_validate({
        "policy": "equal", **free, "exec": {"fill": "next_open", "half_spread_bps": 2.0},
        "evaluation": {"baselines": ["cash"]}, "episode": {"start_cash": 1000.0},
    })  # fmt: skip
    market = prepare_market(bars, config)
    made = Contest(config, Once(config))
    judged = made.judge(market, Range(0, N), nothing)
    rows = Reruns(made, market, Range(0, N), ("cash",), np.zeros(N), {one.key: one.ledger for one in judged}).delays(
        (1, 3), nothing
    )
    price = bars.open[:, 0]
    for row in rows:
        shares = 500.0 / bars.close[0, 0]
        end = 1000.0 - shares * price[1 + row.bars] * 1.0002 + shares * price[11 + row.bars] * 0.9998
        assert row.strategies[0].total_return == pytest.approx(end / 1000.0 - 1.0, rel=1e-9)
    assert len({row.strategies[0].total_return for row in rows}) == 3


@pytest.mark.parametrize("more", [1, 2, 5])
def test_decisions_that_are_as_much_later_where_closes_stand_still(more: int) -> None:
    class Later(InAndOut):
        later = more

    row = delayed(contest(still()), more)[-1]
    shifted = contest(still(), Later)[2]["equal"]
    assert row.bars == more
    assert row.strategies[0].total_return == pytest.approx(shifted.equity[-1] / shifted.equity[0] - 1.0, rel=1e-12)
    assert row.strategies[0].total_return != pytest.approx(
        delayed(contest(still()), more)[0].strategies[0].total_return
    )


def test_the_row_at_nothing_is_the_run_of_the_verdict() -> None:
    made = contest(random_bars(4, N + 1, 2))
    row = delayed(made, 1)[0]
    assert row.bars == 0
    for one in row.strategies:
        ledger = made[2][one.strategy]
        assert one.total_return == max(ledger.equity[-1] / ledger.equity[0] - 1.0, -1.0)


def test_none_asked_for_none_run() -> None:
    assert delayed(contest(still())) == ()


@pytest.mark.parametrize("subject", [InAndOut, Looking])
def test_it_adds_to_the_latency_that_is_configured(subject: type[Baseline]) -> None:
    """Subject, baselines and a fund of books: 1 and 1 more is 2."""
    bars = random_bars(8, N + 1, 3)
    more, told = delayed(contest(bars, subject, latency=1), 1), delayed(contest(bars, subject, latency=2), 1)
    assert more[1].strategies == told[0].strategies and more[1].excess_per_year == told[0].excess_per_year
    assert more[0].strategies != more[1].strategies
    traded = [one.strategy for one, other in zip(*(row.strategies for row in more), strict=True) if one != other]
    assert traded == ["equal", "momentum", "random"]  # cash is what it was


@pytest.mark.parametrize("waterfall", [False, True])
def test_who_looks_at_its_book_is_prepared_as_configured(waterfall: bool) -> None:
    made = contest(still(), Looking, waterfall=waterfall, baselines=["cash", "momentum"])
    delayed(made, 1, 2)
    assert set(made[0].subject.prepared) == {0}  # type: ignore[attr-defined]


def test_orders_still_under_way_at_the_end_do_not_fill() -> None:
    """A delay as long as the range leaves cash."""
    made = contest(still(), InAndOut)
    row = delayed(made, N)[-1]
    assert row.strategies[0].total_return == 0.0 and row.strategies[0].filled == 0.0


def test_the_sentence() -> None:
    rows = [{"bars": 0, "excess_per_year": 0.12, "baseline": "equal"},
            {"bars": 1, "excess_per_year": -0.01, "baseline": "equal"},
            {"bars": 2, "excess_per_year": 0.03, "baseline": "cash"}]  # fmt: skip
    told = delay_words(rows, {"equal": "Equal", "cash": "Cash"})
    assert told == (
        "Excess over the hardest baseline: +12.0 % a year (over Equal) as configured; −1.00 % a year (over Equal) with "
        "decisions 1 bar later; +3.00 % a year (over Cash) with decisions 2 bars later."
    )
    assert delay_words(rows[1:], {}) == delay_words(rows[:1], {}) == delay_words([1, {}, {"bars": "x"}], {}) == ""
