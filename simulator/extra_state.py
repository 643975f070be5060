"""What a book keeps only under the extended rules: orders under way, forced orders, halts, and the decision's trail.

The compiled step takes it as one optional argument. Without it Numba leaves all that it stands for out of the code.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.market import Market
from simulator.market_extra import ExtraMarket
from simulator.rules import Rules, is_extended

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER = -1

LEVELS = ("held", "mapping", "sizing", "step", "hold", "caps", "band")
HELD, MAPPED, SIZED, STEPPED, KEPT, CAPPED, BANDED = range(len(LEVELS))


class ExtraState(NamedTuple):
    """N books of A assets, S = latency + 1 slots of orders: a decision of bar d keeps its orders in slot d mod S."""

    decided: Ints  # (N, S) bar of the slot's decision, NEVER for an empty one
    left: Floats  # (N, S, A) shares still to trade
    limit: Floats  # (N, S, A) limit price, NaN for an order at the market
    ratio: Floats  # (N, S, A) shares now for one at the decision
    forced: Floats  # (N, A) shares that a forced order has still to trade
    forced_why: Ints  # (N, A) its reason
    forced_at: Ints  # (N, A) the bar at whose close it was issued
    forced_anew: NDArray[np.bool_]  # (N,) an order was forced since the last decision
    lost: NDArray[np.bool_]  # (N,) the coming decision is lost
    halted: NDArray[np.bool_]  # (N,) for good
    halt_session: Ints  # (N,) session in which a daily-loss flattening filled, NEVER for none
    session_equity: Floats  # (N,) at the last close of the previous session
    opened: Ints  # (N, A) fill bar in which the position left 0 or changed sign
    received: Floats  # (N, A) dividends so far, money


class ExtraScratch(NamedTuple):
    """Working rows (A,), and of orders (legs, A)."""

    free: NDArray[np.bool_]  # may get an order
    member: NDArray[np.bool_]  # free, and offered
    kept: NDArray[np.bool_]  # the least holding time holds its weight
    under: Floats  # shares under way
    reference: Floats  # (legs, A)
    fee: Floats  # (legs, A) a share
    why: Ints  # (legs, A) reason when nothing trades
    maker: NDArray[np.bool_]  # (legs, A) the order rested in the book


class Trail(NamedTuple):
    """The decisions of one book at t0, t0+1, ..: what each layer left of the weights (R, 7, A) and what came of the
    order in shares (R, A); R is 0 where nobody asked. `unit` is m/E, `placed` what could trade before funding.
    """

    first: Ints  # (1,) t0
    action: Floats
    level: Floats
    unit: Floats
    order: Floats
    placed: Floats
    filled: Floats


class Extra(NamedTuple):
    """The optional argument of the step."""

    market: ExtraMarket
    state: ExtraState
    scratch: ExtraScratch
    trail: Trail


def new_extra(market: Market, rules: Rules, n: int, *, trail_from: int = 0, trail_bars: int = 0) -> Extra | None:
    """The extended part of N books, None where no rule, no action and no trail asks for one."""
    if not trail_bars and not is_extended(rules, market):
        return None
    a, slots = market.n_assets, rules.latency + 1
    slot, books, assets = (n, slots, a), (n,), (n, a)
    state = ExtraState(
        decided=np.full((n, slots), NEVER), left=np.zeros(slot), limit=np.zeros(slot), ratio=np.zeros(slot),
        forced=np.zeros(assets), forced_why=np.zeros(assets, np.int64), forced_at=np.zeros(assets, np.int64),
        forced_anew=np.zeros(books, np.bool_), lost=np.zeros(books, np.bool_), halted=np.zeros(books, np.bool_),
        halt_session=np.full(books, NEVER), session_equity=np.zeros(books), opened=np.full(assets, NEVER),
        received=np.zeros(assets),
    )  # fmt: skip
    legs = (slots + 1, a)
    scratch = ExtraScratch(
        free=np.zeros(a, np.bool_), member=np.zeros(a, np.bool_), kept=np.zeros(a, np.bool_), under=np.zeros(a),
        reference=np.zeros(legs), fee=np.zeros(legs), why=np.zeros(legs, np.int64), maker=np.zeros(legs, np.bool_),
    )  # fmt: skip
    return Extra(market.extra, state, scratch, new_trail(trail_from, trail_bars, a))


def new_trail(first: int, bars: int, n_assets: int) -> Trail:
    shape = (bars, n_assets)
    return Trail(
        np.array([first]), np.full(shape, np.nan), np.zeros((bars, len(LEVELS), n_assets)),
        *(np.zeros(shape) for _ in range(4)),
    )  # fmt: skip


def reset_extra(extra: Extra, rows: Ints, cash: float) -> None:
    """Books `rows` as they begin: nothing under way, no halt."""
    state = extra.state
    state.decided[rows], state.opened[rows], state.halt_session[rows] = NEVER, NEVER, NEVER
    for no in (state.lost, state.halted, state.forced_anew):
        no[rows] = False
    state.session_equity[rows] = cash
    for zero in (state.left, state.forced, state.received):
        zero[rows] = 0.0


def legs_of(extra: Extra | None) -> int:
    return 1 if extra is None else extra.scratch.fee.shape[0]
