"""The claims of numbers.md §1.8 about the whole engine, on random worlds with every rule."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketdata.bars import FIELDS, Bars
from simulator.books import Books
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.simulator.agreement import by_engine
from tests.simulator.worlds import World, worlds

SOME = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def with_future(bars: Bars, cut: int) -> Bars:
    """The same bars up to `cut`, other prices and volumes after it; who trades when stays."""
    columns = {}
    for name in FIELDS:
        column = bars.column(name)
        if column is not None:
            columns[name] = column.copy()
            columns[name][cut + 1 :] *= 1.7
    return dataclasses.replace(bars, **columns)


def past(ledger: Ledger, cut: int) -> list[np.ndarray]:
    """Everything that the book did up to the close of `cut`."""
    rows = cut - ledger.t0 + 1
    paths = [getattr(ledger, name)[:rows] for name in ("equity", "cash", "shares", "fees", "interest", "dividends")]
    orders = ledger.orders
    filled = (orders.filled >= 0) & (orders.filled <= cut)
    names = ("decided", "filled", "asset", "qty_filled", "price_fill", "fee", "spread", "impact")
    return paths + [getattr(orders, name)[filled] for name in names]


@given(worlds())
@SOME
def test_the_future_changes_nothing_of_the_past(case: World):
    """Changing bars > t changes nothing decided at t or filled ≤ t: of other futures even the orders are the same."""
    config = SimulatorConfig(**case.groups)
    cut = (case.t0 + case.t1) // 2
    other = dataclasses.replace(case, bars=with_future(case.bars, cut))
    for mine, theirs in zip(past(by_engine(case, config), cut), past(by_engine(other, config), cut), strict=True):
        assert np.array_equal(mine, theirs, equal_nan=True)


@given(worlds(), st.integers(2, 5), st.integers(0, 2**16))
@SOME
def test_n_books_equal_one_by_one(case: World, n: int, seed: int):
    """N books at once equal N books one by one, bit for bit."""
    case = dataclasses.replace(case, layers="policy")
    config = SimulatorConfig(**case.groups)
    market = prepare_market(case.bars, config, cost_multiplier=case.cost_multiplier)
    rng = np.random.default_rng(seed)
    width = case.bars.n_assets + (config.episode.mapping_mode == "simplex_cash")
    steps = case.t1 - case.t0
    actions = rng.uniform(-1, 1, (steps, n, width))
    if config.episode.mapping_mode == "discrete":
        actions = rng.integers(0, 3 if config.margin.allow_short else 2, (steps, n, width)).astype(float)
    books = Books(market, config, n)
    books.reset(np.arange(n), np.full(n, case.t0))
    sessions = [BookSession(market, config, case.t0, case.t1) for _ in range(n)]
    for k, row in enumerate(actions[:-1]):  # the last bar may liquidate, which only a finished book does
        books.step(row)
        for b, session in enumerate(sessions):
            session.step(actions[k, b])
            assert (session.equity, session.cash) == (books.equity[b], books.cash[b])
            assert np.array_equal(session.weights, books.weights[b])


def reckoned(ledger: Ledger, bars: Bars) -> float:
    """What the fills realised and the open lots stand for, by average cost on shares of the day; before any fee."""
    orders, total = ledger.orders, 0.0
    split = bars.split if bars.split is not None else np.ones((bars.n_bars, bars.n_assets))
    done = np.flatnonzero(orders.filled >= 0)
    for a in range(bars.n_assets):
        held = entry = 0.0
        mine = [k for k in done if orders.asset[k] == a]
        for t in range(ledger.t0 + 1, ledger.t1 + 1):
            held, entry = held * split[t, a], entry / split[t, a]
            for k in [k for k in mine if orders.filled[k] == t]:
                x, p = orders.qty_filled[k], orders.price_fill[k]
                closed = min(abs(x), abs(held)) if x * held < 0 else 0.0
                total += closed * (p - entry) * np.sign(held)
                opened = abs(x) - closed
                kept = 0.0 if closed else abs(held)
                entry = entry if opened <= 0 else (entry * kept + p * opened) / (kept + opened)
                held += x
        if abs(held) > 1e-6:
            total += held * (ledger.marks[-1, a] - entry)
    return total


@given(worlds())
@SOME
def test_profit_is_trades_and_lots_and_dividends_and_financing_less_fees(case: World):
    """E_N − E₀ = what trades realised + open lots + dividends + financing − fees; E = K + Σ q·m. To 1e-9·E₀."""
    config = SimulatorConfig(**case.groups)
    ledger = by_engine(case, config)
    start = config.episode.start_cash
    gained = reckoned(ledger, case.bars) + ledger.dividends[-1] + ledger.financing[-1] - ledger.fees[-1]
    assert ledger.equity[-1] - start == pytest.approx(gained, abs=1e-9 * start)
    assert np.abs(ledger.equity - ledger.cash - ledger.values.sum(axis=1)).max() <= 1e-9 * start
    filled = ledger.orders.filled >= 0
    for name in ("fee", "spread", "impact"):
        whole = {"fee": "fees"}.get(name, name)
        assert getattr(ledger.orders, name)[filled].sum() == pytest.approx(getattr(ledger, whole)[-1], abs=1e-9 * start)


@given(worlds(), st.sampled_from([1.0, 2.0, 5.0, 20.0]))
@SOME
def test_more_cost_with_the_same_fills_never_ends_richer(case: World, dearer: float):
    """Without yield, margin calls, guards and ruin; worlds whose fills differ say nothing."""
    groups = {name: dict(fields) for name, fields in case.groups.items()}
    groups["fees"]["maker_rebate_bps"] = groups["margin"]["maintenance_margin"] = 0.0
    groups["margin"] |= {"cash_yield_apr": 0.0, "cash_yield_column": None, "short_rebate_apr": 0.0}
    groups["guards"] = {}
    config = SimulatorConfig(**groups)
    cheap, dear = (by_engine(dataclasses.replace(case, cost_multiplier=m), config) for m in (0.5, 0.5 + dearer))
    same = len(cheap.orders) == len(dear.orders) and np.array_equal(cheap.orders.qty_filled, dear.orders.qty_filled)
    if same and not cheap.ended and not dear.ended:
        assert dear.equity[-1] <= cheap.equity[-1] + 1e-9 * config.episode.start_cash
