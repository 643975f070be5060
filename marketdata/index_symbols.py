"""Which symbols are levels of an index: nobody can buy one, and its volume times its level is no money.

So a report on them has no capacity, no impact and no participation, and says why.
"""

from collections.abc import Collection, Sequence

MARK = "^"
"""Begins the symbol of an index, such as ^GSPC, with Yahoo and those who write as it does."""


def index_symbols(symbols: Sequence[str], said: Collection[str] = ()) -> tuple[str, ...]:
    """Those of `symbols` that are marked or said to be indices, in their order."""
    return tuple(symbol for symbol in symbols if symbol.startswith(MARK) or symbol in said)
