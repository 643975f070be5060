"""E of the step under the extended rules: the checks that force orders, and the forced orders themselves."""

from simulator.decide import TINY_SHARES, round_to_lot
from simulator.extra_state import Extra
from simulator.jit import inlined, outlined
from simulator.rules import Rules
from simulator.state import BY_DAILY_LOSS, BY_DRAWDOWN, BY_MARGIN, CANCELLED, OrderLog, State
from simulator.working import drop_all, drop_forced

NOTHING = -1


@inlined
def check_limits(i: int, t: int, rules: Rules, state: State, log: OrderLog, extra: Extra) -> None:
    """Drawdown, daily loss, margin: the first that holds forces orders. None is checked once halted for good."""
    if extra.state.halted[i]:
        return
    equity, gross = state.equity[i], state.gross[i]
    why, keep = NOTHING, 0.0
    if rules.max_drawdown > 0.0 and equity <= (1.0 - rules.max_drawdown) * state.peak[i]:
        why = BY_DRAWDOWN
        extra.state.halted[i] = True
    elif lost_a_day(i, rules, state, extra):
        why = BY_DAILY_LOSS
    elif rules.maintenance > 0.0 and equity < rules.maintenance * gross:
        why = BY_MARGIN
        keep = rules.gross_cap * equity / gross
    if why != NOTHING:
        force(i, t, why, keep, rules, state, log, extra)


@inlined
def lost_a_day(i: int, rules: Rules, state: State, extra: Extra) -> bool:
    """Whether equity fell by the daily limit while a position is open."""
    limit = (1.0 - rules.daily_loss) * extra.state.session_equity[i]
    return rules.daily_loss > 0.0 and state.equity[i] <= limit and holds_any(i, state)


@inlined
def holds_any(i: int, state: State) -> bool:
    held = 0
    for a in range(state.shares.shape[1]):
        held += 1 if state.shares[i, a] != 0.0 else 0
    return held > 0


@outlined
def force(i: int, t: int, why: int, keep: float, rules: Rules, state: State, log: OrderLog, extra: Extra) -> None:
    """Orders at the close of t that leave the share `keep` of every position, to lots toward zero.

    They end every other order and lose the decision of t. What is being flattened already is not asked twice, and a
    margin order is not repeated while a forced one waits.
    """
    issued = extra.state.halted[i]
    for a in range(state.shares.shape[1]):
        held = state.shares[i, a]
        waits = extra.state.forced[i, a] != 0.0
        if held == 0.0 or (waits and (why == BY_MARGIN or extra.state.forced_why[i, a] != BY_MARGIN)):
            continue
        order = round_to_lot(held * keep, rules.lot) - held
        if abs(order) >= TINY_SHARES:
            drop_forced(i, a, CANCELLED, log, extra)
            extra.state.forced[i, a] = order
            extra.state.forced_why[i, a] = why
            extra.state.forced_at[i, a] = t
            issued = True
    if issued:
        drop_all(i, CANCELLED, log, extra)
        extra.state.lost[i] = True
        extra.state.forced_anew[i] = True
