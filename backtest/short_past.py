"""Where a baseline had too little past to be what its name says, in words: it took equal weights instead."""

from collections.abc import Sequence

from backtest.baselines import Baseline
from backtest.registry import spec_for
from backtest.strategy import Strategy


def clause(strategy: Strategy, t0: int, t1: int) -> str:
    """`took equal weights at 11 of 13 decisions, …` over a range that was decided; empty where it never did."""
    if not isinstance(strategy, Baseline):
        return ""
    found = strategy.short_past.get((t0, t1))
    if found is None or not found.equal:
        return ""
    return (
        f"took equal weights at {found.equal} of {found.decisions} decisions, for want of a symbol with "
        f"{strategy.past} bars up to them"
    )


def sentence(strategies: Sequence[Strategy], t0: int, t1: int) -> str:
    """All of them over one range; empty where each had its past."""
    told = [f"{spec_for(one.key).label} {text}" for one in strategies if (text := clause(one, t0, t1))]
    return f"{'; '.join(told)}." if told else ""
