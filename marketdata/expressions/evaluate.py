"""Expressions on bars: (T, A) values of each part, computed once however many features hold it, and let go after the
last one.

A part is computed of prices free of splits, in shares of the first bar. What still depends on that unit at the end, or
is set against a plain number, is first brought to the shares of its own bar, as quoted then: no later split is used,
and no value depends on where the data begin.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Floats
from marketdata.expressions import units
from marketdata.expressions.expression import Expression, Part
from marketdata.expressions.functions import ACROSS, OF_ONE, OVER_TIME, SIGNS
from marketdata.expressions.tree import COMPARE, LEVELS
from marketdata.panel import Panel


class Evaluator:
    """`indicators`: (T, A) of every indicator that the `expressions` hold, by canonical name."""

    def __init__(self, panel: Panel, indicators: Mapping[str, Floats], expressions: Iterable[Expression]) -> None:
        self._panel, self._indicators = panel, indicators
        self._values: dict[str, Floats] = {}
        self._rows: dict[frozenset[str], list[NDArray[np.int64]]] = {}
        self._readers = _readers([expression.root for expression in expressions])

    def values(self, expression: Expression) -> Floats:
        """(T, A), NaN where the symbol lacks a bar, has too few, or the formula has no value; never infinite."""
        return self._quoted(expression.root)

    def _quoted(self, part: Part) -> Floats:
        """The part in shares of each bar itself."""
        if part.does == "field":
            return self._field(part, as_quoted=True)
        value, unit, shares = self._value(part), part.unit, self._panel.shares
        if unit is None or shares is None or unit.price == unit.volume:
            return value
        power = unit.price - unit.volume
        return value - power * np.log(shares) if unit.log else _finite(value * shares ** float(-power))

    def _value(self, part: Part) -> Floats:
        if part.name not in self._values:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
                self._values[part.name] = _finite(self._make(part))
        self._readers[part.name] -= 1
        return self._values[part.name] if self._readers[part.name] > 0 else self._values.pop(part.name)

    def _make(self, part: Part) -> Floats:
        if part.does == "number":
            return np.asarray(part.number)
        if part.does == "field":
            return self._field(part, as_quoted=False)
        if part.does == "indicator":
            return self._indicators[part.name]
        inner = [self._quoted(one) if part.unit is units.ABSOLUTE else self._value(one) for one in part.parts]
        return self._done(part, inner)

    def _done(self, part: Part, inner: list[Floats]) -> Floats:
        if part.does == "negative":
            return -inner[0]
        if part.does in SIGNS:
            return _signed(part.does, *inner)
        if part.does in OVER_TIME:
            return self._over_time(part, inner[0])
        if part.does in OF_ONE:
            return OF_ONE[part.does].compute(inner[0])
        if part.does in ACROSS:
            return ACROSS[part.does](np.where(self._panel.members, inner[0], np.nan))
        if part.does == "clip":
            return np.clip(*inner)
        chosen = np.where(inner[0] != 0, inner[1], inner[2])
        return np.where(np.isnan(inner[0] + inner[1] + inner[2]), np.nan, chosen)

    def _field(self, part: Part, *, as_quoted: bool) -> Floats:
        column = self._panel.column(part.name, as_quoted=as_quoted)
        held = np.isfinite(column) & (column >= 0 if part.name == "volume" else column > 0)
        return np.where(held, column, np.nan)

    def _over_time(self, part: Part, inside: Floats) -> Floats:
        """Over each symbol's own bars, those that have all that the part reads; others are skipped, not filled."""
        out, n = np.full(inside.shape, np.nan), int(part.number)
        for asset, rows in enumerate(self._own_rows(part.columns)):
            if len(rows) > OVER_TIME[part.does].waits(n):
                out[rows, asset] = OVER_TIME[part.does].compute(inside[rows, asset], n)
        return out

    def _own_rows(self, columns: frozenset[str]) -> list[NDArray[np.int64]]:
        if columns not in self._rows:
            count = self._panel.bars.n_assets
            self._rows[columns] = [self._panel.own(columns, asset)[0] for asset in range(count)]
        return self._rows[columns]


def _signed(sign: str, left: Floats, right: Floats) -> Floats:
    found = SIGNS[sign](left, right)
    if LEVELS[sign] == COMPARE or sign == "/":
        return np.where(np.isnan(left) | np.isnan(right), np.nan, found)
    return found


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _readers(roots: list[Part]) -> Counter[str]:
    """How many different parts, or features, read each part."""
    readers, seen, open_parts = Counter[str](), set[str](), list(roots)
    readers.update(root.name for root in roots)
    while open_parts:
        part = open_parts.pop()
        if part.name not in seen:
            seen.add(part.name)
            readers.update(inner.name for inner in part.parts)
            open_parts += part.parts
    return readers
