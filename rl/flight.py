"""A policy and its book from bar to bar in one compiled loop."""

import numpy as np
from numpy.typing import NDArray

from rl.acting import Net, act
from rl.eyes import Eyes, follow_book, look_at_book
from simulator.extra_state import Extra
from simulator.jit import kernel
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.spans import record
from simulator.state import LIVE, OrderLog, Path, Scratch, State, Totals
from simulator.step import step_book


@kernel
def fly(
    t0: int,
    stop: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    scratch: Scratch,
    path: Path,
    log: OrderLog,
    extra: Extra | None,
    eyes: Eyes,
    net: Net,
    seen: NDArray[np.float32],
    first: int,
) -> None:
    """The book, which began at the close of t0, on to the close of `stop` on the policy's decisions; only so far as it
    lives, and to the close at which an answer is no number. Row k of `seen` is what was made of the windows that end at
    bar first + k.
    """
    while state.t[0] < stop and state.status[0] == LIVE:
        t = state.t[0]
        follow_book(t0, state, eyes)
        look_at_book(market, rules, state, extra, eyes)
        if not act(seen[t - first], eyes.row[0], net):
            return
        step_book(0, True, market, rules, state, totals, net.action, scratch, log, extra)
        record(t + 1 - t0, state, totals, path)
