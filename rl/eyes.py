"""What a policy sees of one book, compiled: the numbers of `rl.observation.portfolio_rows` to the bit."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.decide import Floats
from simulator.extra_state import NEVER, Extra
from simulator.jit import inlined, kernel
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.state import State

Ints = NDArray[np.int64]

PARTS = ("cash", "gross", "drawdown", "weights", "previous_target", "held_bars", "under_way", "halted", "has_bar",
         "sharpe_state")  # fmt: skip
(CASH, GROSS, DRAWDOWN, WEIGHTS, PREVIOUS_TARGET, HELD_BARS, UNDER_WAY, HALTED, HAS_BAR,
 SHARPE_STATE) = range(len(PARTS))  # fmt: skip
MEAN, SQUARE, EQUITY = range(3)


class Eyes(NamedTuple):
    """`parts` index PARTS; `past` is what the book does not know of itself: A and B of the differential Sharpe ratio,
    and the equity at the latest close that was seen. `row` (1, P) takes what is seen.
    """

    parts: Ints
    limit: float
    eta: float  # 1 / bars a year
    past: Floats
    row: NDArray[np.float32]


@inlined
def follow_book(t0: int, state: State, eyes: Eyes) -> None:
    """Take note of the present close; once a bar, in order (see rl.rewards.DiffSharpe)."""
    past, equity = eyes.past, state.equity[0]
    if state.t[0] == t0:
        past[MEAN], past[SQUARE] = 0.0, 0.0
    else:
        gain = equity / past[EQUITY] - 1.0
        mean, square = past[MEAN], past[SQUARE]
        past[MEAN] = mean + eyes.eta * (gain - mean)
        past[SQUARE] = square + eyes.eta * (gain * gain - square)
    past[EQUITY] = equity


@inlined
def put(row: NDArray[np.float32], at: int, value: float, eyes: Eyes) -> None:
    """`value` within the limit."""
    row[at] = eyes.limit if value > eyes.limit else -eyes.limit if value < -eyes.limit else value


@inlined
def weight_of(shares: float, mark: float, equity: float) -> float:
    return shares * mark / equity if shares != 0.0 and equity > 0.0 else 0.0


@inlined
def waiting(a: int, extra: Extra) -> float:
    """Shares of asset a that orders may still trade."""
    state, total = extra.state, 0.0
    for slot in range(state.decided.shape[1]):
        total += state.left[0, slot, a] if state.decided[0, slot] != NEVER else 0.0
    return float(total + state.forced[0, a])


@inlined
def of_book(part: int, t: int, state: State, eyes: Eyes, extra: Extra | None) -> float:
    """A part that is one number; the second of `sharpe_state` is put by `look_at_book`."""
    equity = state.equity[0]
    if part == CASH:
        return float(state.cash[0] / (equity if equity > 0.0 else np.inf))
    if part == GROSS:
        return float(state.gross[0] / equity) if equity > 0.0 else 0.0
    if part == DRAWDOWN:
        return float(state.drawdown[0])
    if part == HALTED:
        if extra is not None:
            halted = extra.state.halted[0] or extra.state.halt_session[0] == extra.market.session[t]
            return 1.0 if halted else 0.0
        return 0.0
    return float(eyes.past[MEAN])


@inlined
def of_asset(part: int, a: int, t: int, market: MarketArrays, rules: Rules, state: State, extra: Extra | None) -> float:
    """A part that holds one number an asset."""
    shares, mark, equity = state.shares[0, a], market.mark[t, a], state.equity[0]
    if part == HAS_BAR:
        return 1.0 if market.has_bar[t, a] else 0.0
    if part == PREVIOUS_TARGET:
        previous = state.target[0, a]
        if extra is not None and extra.state.forced_anew[0]:
            previous = weight_of(shares, mark, equity)
        return float(previous)
    if part == HELD_BARS:
        held = 0.0
        if extra is not None and rules.min_hold > 0 and shares != 0.0:
            held = (t - extra.state.opened[0, a]) / rules.min_hold
        return held
    if part == UNDER_WAY:
        under = 0.0
        if extra is not None:
            under = weight_of(waiting(a, extra), mark, equity)
        return under
    return weight_of(shares, mark, equity)


@inlined
def look_at_book(market: MarketArrays, rules: Rules, state: State, extra: Extra | None, eyes: Eyes) -> None:
    """`row` from book 0 as it stands."""
    row, t, at = eyes.row[0], state.t[0], 0
    for k in range(eyes.parts.shape[0]):
        part = eyes.parts[k]
        if WEIGHTS <= part <= UNDER_WAY or part == HAS_BAR:
            for a in range(state.shares.shape[1]):
                put(row, at, of_asset(part, a, t, market, rules, state, extra), eyes)
                at += 1
        else:
            put(row, at, of_book(part, t, state, eyes, extra), eyes)
            at += 1
            if part == SHARPE_STATE:
                put(row, at, eyes.past[SQUARE], eyes)
                at += 1


@kernel
def follow(t0: int, market: MarketArrays, rules: Rules, state: State, extra: Extra | None, eyes: Eyes) -> None:
    """See a close at which another decides."""
    follow_book(t0, state, eyes)


@kernel
def look(t0: int, market: MarketArrays, rules: Rules, state: State, extra: Extra | None, eyes: Eyes) -> None:
    """See a close, and put down what is seen."""
    follow_book(t0, state, eyes)
    look_at_book(market, rules, state, extra, eyes)
