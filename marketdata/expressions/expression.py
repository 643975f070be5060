"""An expression whose names are looked up: what it reads, how long it waits, and what its value is measured in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from marketdata.bars import DAILY
from marketdata.expressions import units
from marketdata.expressions.functions import FIELDS, FUNCTIONS, LONGEST_WINDOW, OF_ONE, OVER_TIME
from marketdata.expressions.grammar import GrammarError, read
from marketdata.expressions.tree import COMPARE, LEVELS, Binary, Named, Negative, Node, Number, written
from marketdata.expressions.units import Dimension
from marketdata.findings import counted
from marketdata.indicators.registry import INDICATORS, Call, IndicatorError, call_of


@dataclass(frozen=True)
class Part:
    """One step: `does` is a sign, a function, `field`, `number`, `indicator` or `negative`. `number`: its value, or the
    n of a function over bars. `unit` None: absolute, measured in prices and volumes as they were quoted.
    """

    does: str
    name: str
    parts: tuple["Part", ...] = ()
    number: float = 0.0
    call: Call | None = None
    unit: Dimension = units.FREE

    @cached_property
    def columns(self) -> frozenset[str]:
        """What it reads."""
        own = {self.name} if self.does == "field" else set(self.call.columns if self.call else ())
        return frozenset(own).union(*(part.columns for part in self.parts))

    @cached_property
    def warmup(self) -> int:
        """Bars of a symbol before its first value."""
        below = max((part.warmup for part in self.parts), default=self.call.warmup if self.call else 0)
        return below + (OVER_TIME[self.does].waits(int(self.number)) if self.does in OVER_TIME else 0)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The indicators in it, each once."""
        own = [self.call] if self.call else []
        return tuple(dict.fromkeys([*own, *(call for part in self.parts for call in part.calls)]))

    @property
    def zero(self) -> bool:
        """Whether it is the number 0, which is the same in every unit."""
        return self.does == "number" and self.number == 0


@dataclass(frozen=True)
class Expression:
    """A feature made of others: as `Call` has, a canonical `name`, `columns` and a `warmup` in bars."""

    root: Part

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def columns(self) -> frozenset[str]:
        return self.root.columns

    @property
    def warmup(self) -> int:
        return self.root.warmup

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.root.calls

    @property
    def price_level(self) -> bool:
        """It changes with the unit of prices or volumes, or it is not known that it does not."""
        return self.root.unit != units.FREE


Feature = Call | Expression


def parse(text: str, interval: str = DAILY, calendar: str = "XNYS") -> Feature:
    """One indicator as `Call`, everything else as `Expression`. Raises IndicatorError with one sentence."""
    try:
        tree = read(text)
    except GrammarError as error:
        raise IndicatorError(str(error)) from error
    if isinstance(tree, Named) and tree.name not in FUNCTIONS and tree.name not in FIELDS:
        return call_of(tree, interval, calendar)
    binder = _Binder(text.strip(), interval, calendar)
    root = binder.part(binder.full(tree))
    if not root.columns:
        raise IndicatorError(
            f"Feature {text!r} reads nothing of the market; a column or an indicator must stand in it."
        )
    return Expression(root)


class _Binder:
    def __init__(self, text: str, interval: str, calendar: str) -> None:
        self._text, self._interval, self._calendar = text, interval, calendar

    def full(self, node: Node) -> Node:
        """The tree with the parameters of every indicator written out, so that `rsi - 1` is `rsi(14)-1`."""
        if isinstance(node, Negative):
            return replace(node, inside=self.full(node.inside))
        if isinstance(node, Binary):
            return replace(node, left=self.full(node.left), right=self.full(node.right))
        if not isinstance(node, Named):
            return node
        if node.name in INDICATORS:
            params = tuple(Number(str(value)) for value in self._call(node).params)
            return replace(node, args=params or None)
        return replace(node, args=node.args and tuple(arg and self.full(arg) for arg in node.args))

    def part(self, node: Node) -> Part:
        if isinstance(node, Number):
            return Part("number", node.digits, number=float(node.digits))
        if isinstance(node, Negative):
            inside = self.part(node.inside)
            return Part("negative", written(node), (inside,), unit=_negative(inside.unit))
        if isinstance(node, Binary):
            left, right = self.part(node.left), self.part(node.right)
            return Part(node.sign, written(node), (left, right), unit=_of_sign(node.sign, left, right))
        if node.name in FIELDS:
            return self._field(node)
        if node.name in FUNCTIONS:
            return self._function(node)
        return self._indicator(node)

    def _fault(self, node: Node, sentence: str) -> IndicatorError:
        return IndicatorError(f"Feature {self._text!r}, character {node.at}: {sentence}.")

    def _field(self, node: Named) -> Part:
        if node.frame:
            raise self._fault(node, f"@{node.frame} goes with an indicator, as in rsi(14)@1w, not with {node.name}")
        if node.args is not None:
            raise self._fault(node, f"{node.name} is a column and takes no brackets; lag({node.name}, 1) looks back")
        return Part("field", node.name, unit=FIELDS[node.name])

    def _indicator(self, node: Named) -> Part:
        if node.name not in INDICATORS:
            known = ", ".join([*FIELDS, *FUNCTIONS])
            raise self._fault(node, f"{node.name} is neither a column or function ({known}) nor an indicator")
        call = self._call(node)
        return Part("indicator", call.name, call=call, unit=units.ABSOLUTE if call.price_level else units.FREE)

    def _call(self, node: Named) -> Call:
        try:
            return call_of(node, self._interval, self._calendar)
        except IndicatorError as error:
            raise self._fault(node, str(error).rstrip(".")) from error

    def _function(self, node: Named) -> Part:
        wanted = FUNCTIONS[node.name]
        if node.frame:
            raise self._fault(node, f"@{node.frame} goes with an indicator, as in rsi(14)@1w, not with {node.name}")
        args = [arg for arg in node.args or () if arg is not None]
        if len(args) != len(wanted) or len(node.args or ()) != len(wanted):
            raise self._fault(node, f"{node.name} takes {counted(len(wanted), 'arguments')} ({', '.join(wanted)})")
        if node.name in OVER_TIME:
            return self._over_time(node, args)
        parts = tuple(self.part(arg) for arg in args)
        if not parts[0].columns:
            raise self._fault(args[0], f"{node.name} needs something of the market here, not a number")
        if node.name == "clip":
            self._check_clip(args, parts)
        return Part(node.name, _text(node.name, parts), parts, unit=_of_function(node.name, parts))

    def _over_time(self, node: Named, args: list[Node]) -> Part:
        function, inside = OVER_TIME[node.name], self.part(args[0])
        if not inside.columns:
            raise self._fault(args[0], f"{node.name} needs something of the market here, not a number")
        digits = args[1].digits if isinstance(args[1], Number) else ""
        if not digits.isdigit() or not function.least <= int(digits) <= LONGEST_WINDOW:
            least = f"{function.least} to {LONGEST_WINDOW}"
            raise self._fault(args[1], f"{node.name} needs a whole number of bars from {least}")
        name = f"{node.name}({inside.name},{digits})"
        return Part(node.name, name, (inside,), float(digits), unit=function.unit(inside.unit))

    def _check_clip(self, args: list[Node], parts: tuple[Part, ...]) -> None:
        bounds = [_literal(part) for part in parts[1:]]
        for arg, bound in zip(args[1:], bounds, strict=True):
            if bound is None:
                raise self._fault(arg, "clip needs a number as bound")
        if bounds[0] is not None and bounds[1] is not None and bounds[0] >= bounds[1]:
            raise self._fault(args[1], "clip needs lo below hi")


def _text(name: str, parts: tuple[Part, ...]) -> str:
    return f"{name}({','.join(part.name for part in parts)})"


def _literal(part: Part) -> float | None:
    if part.does == "negative":
        inside = _literal(part.parts[0])
        return None if inside is None else -inside
    return part.number if part.does == "number" else None


def _negative(unit: Dimension) -> Dimension:
    return units.made(-unit.price, -unit.volume, True) if unit is not None and unit.log else unit


def _of_sign(sign: str, left: Part, right: Part) -> Dimension:
    zeros = left.zero, right.zero
    if sign in ("*", "/"):
        return units.product(left.unit, right.unit, 1 if sign == "*" else -1)
    if LEVELS[sign] == COMPARE:
        return units.compared(left.unit, right.unit, zeros)
    return units.added(left.unit, right.unit, 1 if sign == "+" else -1, zeros)


def _of_where(parts: tuple[Part, ...]) -> Dimension:
    condition, a, b = parts
    return units.alike((a.unit, b.unit), (a.zero, b.zero)) if condition.unit == units.FREE else units.ABSOLUTE


def _of_function(name: str, parts: tuple[Part, ...]) -> Dimension:
    if name == "where":
        return _of_where(parts)
    rule: Callable[[Dimension], Dimension] = OF_ONE[name].unit if name in OF_ONE else units.only_free
    return rule(parts[0].unit)
