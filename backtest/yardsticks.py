"""How much of what it ordered a yardstick got: one that was cut is not what its name says.

Yardsticks are the baselines of the verdict and the benchmark, on which alpha, beta and what is captured rest.
"""

import math
from collections.abc import Mapping, Sequence

from backtest.needed import listed
from backtest.registry import spec_for
from backtest.statistics import optional
from runfiles.figures import significant
from runfiles.report_rows import WHOLE
from simulator.ledger import Ledger

BENCHMARK, STAND_IN = "benchmark", "buy_hold"


def filled_share(ledger: Ledger) -> float:
    """Shares filled over shares ordered, at the price of the decision; NaN without an order."""
    orders = ledger.orders
    price = ledger.marks[orders.decided - ledger.t0, orders.asset]
    wanted = float((abs(orders.qty_target) * price).sum())
    return float((abs(orders.qty_filled) * price).sum()) / wanted if wanted > 0 else math.nan


def filled_of(ledgers: Mapping[str, Ledger]) -> dict[str, float | None]:
    """`filled_share` by key, None without an order."""
    return {key: optional(filled_share(ledger)) for key, ledger in ledgers.items()}


def yardsticks(subject: str, against: Sequence[str], benchmark: str | None) -> tuple[str, ...]:
    """Keys: the baselines of the verdict, and the benchmark, once where `buy_hold` stands for it."""
    same = benchmark is None and STAND_IN in (subject, *against)
    return tuple(against) if same or BENCHMARK in (subject, *against) else (*against, BENCHMARK)


def cut_sentence(ledgers: Mapping[str, Ledger], keys: Sequence[str]) -> str:
    """Those of `keys` that got less than `WHOLE` of what they ordered, and a benchmark that could not order; empty
    where there is none.
    """
    told = [f"{spec_for(key).label} {text}" for key in keys if (text := _clause(key, ledgers[key]))]
    if not told:
        return ""
    return f"Yardsticks that could not buy what they wanted are not what their names say: {listed(told)}."


def _clause(key: str, ledger: Ledger) -> str:
    share = filled_share(ledger)
    if math.isnan(share):
        return "could order nothing" if key == BENCHMARK else ""
    if share >= WHOLE:
        return ""
    return f"got {_percent(share)} of the value that it ordered (invested to {_percent(_invested(ledger))} on average)"


def _invested(ledger: Ledger) -> float:
    """Mean gross over the closes 1..N."""
    return float(ledger.gross[1:].mean())


def _percent(share: float) -> str:
    return f"{significant(share * 100)} %"
