"""Splits and dividends that stand beside the rows of a symbol, one of a kind a session. Runs in the child only.

Rows of a session may all carry its action: who lays daily actions on shorter bars repeats them on each. The same amount
again is the same action. Two amounts are not: which of them is true, or whether both are, is not ours to guess.
"""

import numpy as np

from marketdata.bars import DAILY, NO_ACTION, Days
from marketdata.files.layouts import SymbolRows
from marketdata.files.limits import FileRefused
from marketdata.sessions import days_of
from marketdata.sources.alignment import Events

_WHOLE = {"split": "product", "dividend": "sum"}


def events(symbol: str, name: str, rows: SymbolRows, starts: Days, *, calendar: str, interval: str) -> Events:
    """Day and amount of each split or dividend, by day; an empty cell and 0 are none, and so is a split of 1.

    `starts` (n,): the days of daily rows, or when the bars of shorter ones start, in UTC. Raises FileRefused for an
    amount that is not above 0, and for two of one session.
    """
    values = rows.values[name]
    some = np.flatnonzero(~(np.isnan(values) | (values == 0) | (values == NO_ACTION[name])))
    days, amounts = starts[some], values[some]
    days = days.astype("datetime64[D]") if interval == DAILY else days_of(calendar, days)
    wrong = np.flatnonzero(~(np.isfinite(amounts) & (amounts > 0)))
    if len(wrong):
        said = f"{symbol} has a {name} of {amounts[wrong[0]]:g} on {days[wrong[0]]}; it must be above 0."
        raise FileRefused(said, f"columns.{name}")
    session, first, of = np.unique(days, return_index=True, return_inverse=True)
    other = np.flatnonzero(amounts != amounts[first][of])
    if len(other):
        one, day = amounts[first][of][other[0]], days[other[0]]
        said = f"{symbol} has a {name} of {one:g} and one of {amounts[other[0]]:g} on {day}"
        raise FileRefused(f"{said}; a session has one, the {_WHOLE[name]} where there were two.", f"columns.{name}")
    return list(zip(session, (float(amount) for amount in amounts[first]), strict=True))
