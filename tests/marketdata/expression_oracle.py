"""A second, naive reading of expressions: one bar of one symbol at a time, in plain floats, from the tree of the text.

It shares the grammar with the product and nothing else. Prices are as they stand: bars without splits.
"""

import math
import statistics
from typing import Any

from marketdata.bars import Bars
from marketdata.expressions.tree import Binary, Named, Negative, Node, Number

NONE = math.nan
COLUMNS = ("open", "high", "low", "close", "volume", "vwap")


def columns_of(node: Node | None) -> set[str]:
    if isinstance(node, Negative):
        return columns_of(node.inside)
    if isinstance(node, Binary):
        return columns_of(node.left) | columns_of(node.right)
    if isinstance(node, Named):
        if node.name == "gap":
            return {"open", "close"}
        return {node.name} if node.name in COLUMNS else set().union(*map(columns_of, node.args or ()))
    return set()


class Oracle:
    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.known: dict[Any, float] = {}

    def raw(self, name: str, t: int, a: int) -> float:
        value = float(self.bars.column(name)[t, a])  # type: ignore[index]
        return value if math.isfinite(value) and (value > 0 or (name == "volume" and value == 0)) else NONE

    def has(self, node: Node, t: int, a: int) -> bool:
        return not any(math.isnan(self.raw(name, t, a)) for name in columns_of(node))

    def before(self, node: Node, t: int, a: int, n: int) -> list[int] | None:
        """The last n own bars of the symbol up to t; None where t is none or there are too few."""
        if not self.has(node, t, a):
            return None
        rows = [s for s in range(t + 1) if self.has(node, s, a)]
        return rows[-n:] if len(rows) >= n else None

    def value(self, node: Node, t: int, a: int) -> float:
        key = node, t, a
        if key not in self.known:
            found = self._value(node, t, a)
            self.known[key] = found if math.isfinite(found) else NONE
        return self.known[key]

    def _value(self, node: Node, t: int, a: int) -> float:
        if isinstance(node, Number):
            return float(node.digits)
        if isinstance(node, Negative):
            return -self.value(node.inside, t, a)
        if isinstance(node, Binary):
            return binary(node.sign, self.value(node.left, t, a), self.value(node.right, t, a))
        if node.name in COLUMNS:
            return self.raw(node.name, t, a)
        if node.name == "gap":
            rows = self.before(node, t, a, 2)
            return NONE if rows is None else math.log(self.raw("open", t, a) / self.raw("close", rows[0], a))
        return self._function(node, t, a)

    def _function(self, node: Named, t: int, a: int) -> float:
        x, *rest = node.args  # type: ignore[misc]
        assert x is not None
        if node.name in ("lag", "delta", "mean", "std", "max", "min", "zscore"):
            n = int(rest[0].digits)
            rows = self.before(x, t, a, n + 1 if node.name in ("lag", "delta") else n)
            return NONE if rows is None else over(node.name, [self.value(x, s, a) for s in rows])
        if node.name == "rank":
            return self._rank(x, t, a)
        values = [self.value(arg, t, a) for arg in node.args]  # type: ignore[union-attr,arg-type]
        if any(map(math.isnan, values)):
            return NONE
        one = values[0]
        if node.name == "where":
            return values[1] if one else values[2]
        if node.name == "clip":
            return min(max(one, values[1]), values[2])
        if node.name == "log":
            return math.log(one) if one > 0 else NONE
        return abs(one) if node.name == "abs" else float((one > 0) - (one < 0))

    def _rank(self, x: Node, t: int, a: int) -> float:
        values = [self.value(x, t, other) for other in range(self.bars.n_assets)]
        own, known = values[a], [value for value in values if not math.isnan(value)]
        if math.isnan(own):
            return NONE
        if len(known) == 1:
            return 0.0
        below, level = sum(v < own for v in known), sum(v == own for v in known)
        return 2 * (below + (level - 1) / 2) / (len(known) - 1) - 1


def binary(sign: str, x: float, y: float) -> float:
    if math.isnan(x) or math.isnan(y):
        return NONE
    if sign == "/":
        return 0.0 if y == 0 else x / y
    if sign in "+-*":
        return {"+": x + y, "-": x - y, "*": x * y}[sign]
    return float({"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}[sign])


def over(name: str, x: list[float]) -> float:
    if name in ("lag", "delta"):
        return x[0] if name == "lag" else x[-1] - x[0]
    if any(map(math.isnan, x)):
        return NONE
    if name in ("max", "min"):
        return max(x) if name == "max" else min(x)
    mean = math.fsum(x) / len(x)
    if name == "mean":
        return mean
    deviation = statistics.stdev(x)
    if deviation < 1e-9 * abs(mean):
        deviation = 0.0
    if name == "std":
        return deviation
    return 0.0 if deviation == 0 else (x[-1] - mean) / deviation
