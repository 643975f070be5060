"""A pickle read as a description: what it would import and call is written down, and neither imported nor called.

A pickle is a program for a stack machine. This machine runs the part of it that saved policies use and builds plain
values, with `Global`, `Call` and `Persistent` standing for what an unpickler would look up, call and fetch.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from rl.policy_format.fault import PolicyFileFault

MOST_BYTES: Final = 3 << 20
MOST_OPCODES: Final = 20_000
"""Of all pickles of one file together."""
NOT_BUILT: Final = object()


@dataclass(frozen=True)
class Global:
    """A name that would be imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:100]


@dataclass(eq=False)
class Call:
    """What would be called, with what; then the state, items and pairs that the result would be given."""

    what: Any
    args: tuple[Any, ...]
    state: Any = NOT_BUILT
    items: list[Any] = field(default_factory=list)
    pairs: dict[Any, Any] = field(default_factory=dict)

    def calls(self, *names: Global) -> bool:
        return isinstance(self.what, Global) and self.what in names


@dataclass(frozen=True, eq=False)
class Persistent:
    """What would be fetched from outside the pickle."""

    id: Any


@dataclass
class Budget:
    """How many opcodes may still be read."""

    left: int = MOST_OPCODES


@dataclass(frozen=True)
class Read:
    """The described value, and every name in it."""

    value: Any
    names: frozenset[Global]


def read(content: bytes, where: str, budget: Budget) -> Read:
    """The pickle `content`, called `where` in refusals. Raises PolicyFileFault."""
    if len(content) > MOST_BYTES:
        raise PolicyFileFault(f"the pickle in {where} is larger than {MOST_BYTES >> 20} MiB", "too_large")
    machine = _Machine(where)
    try:
        for opcode, argument, place in pickletools.genops(content):
            budget.left -= 1
            if budget.left < 0:
                raise PolicyFileFault(f"the pickles have more than {MOST_OPCODES:,} steps", "too_large")
            if opcode.name == "STOP":
                if place != len(content) - 1:
                    machine.refuse("goes on behind its end")
                break
            machine.step(opcode.name, argument)
        return Read(machine.result(), frozenset(machine.names))
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError, RecursionError) as error:
        if isinstance(error, PolicyFileFault):
            raise
        raise PolicyFileFault(f"the pickle in {where} is damaged", "pickle") from error


_MARK: Final = object()
_PUSHED: Final = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES",
     "SHORT_BINBYTES"}
)  # fmt: skip
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_SIZES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    def __init__(self, where: str) -> None:
        self._where, self._stack, self._memo = where, [], {}  # type: tuple[str, list[Any], dict[int, Any]]
        self.names: set[Global] = set()
        self._steps: dict[str, Callable[[Any], None]] = {
            "PROTO": self._protocol,
            "FRAME": lambda _: None,
            "MARK": lambda _: self._stack.append(_MARK),
            "POP": lambda _: self._drop(),
            "BYTEARRAY8": lambda argument: self._stack.append(bytes(argument)),
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "EMPTY_LIST": lambda _: self._stack.append([]),
            "TUPLE": lambda _: self._stack.append(tuple(self._marked())),
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "BINGET": self._recall,
            "LONG_BINGET": self._recall,
            "APPEND": lambda _: self._append([self._pop()]),
            "APPENDS": lambda _: self._append(self._marked()),
            "SETITEM": lambda _: self._set([*reversed([self._pop(), self._pop()])]),
            "SETITEMS": lambda _: self._set(self._marked()),
            "GLOBAL": lambda argument: self._global(*argument.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self._global(*reversed([self._pop(), self._pop()])),
            "REDUCE": lambda _: self._call(),
            "NEWOBJ": lambda _: self._call(),
            "BUILD": lambda _: self._build(),
            "BINPERSID": lambda _: self._stack.append(Persistent(self._pop())),
        }

    def step(self, name: str, argument: Any) -> None:
        if name in _PUSHED:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _SIZES:
            values = [self._pop() for _ in range(_SIZES[name])]
            self._stack.append(tuple(reversed(values)))
        elif name in self._steps:
            self._steps[name](argument)
        else:
            self.refuse(f"uses the step {name}")

    def result(self) -> Any:
        value = self._pop()
        if self._stack:
            self.refuse("leaves more than one value")
        return value

    def refuse(self, what: str) -> NoReturn:
        raise PolicyFileFault(f"the pickle in {self._where} {what}, which no saved policy does", "pickle")

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            self.refuse("takes a value that is not there")
        return self._stack.pop()

    def _drop(self) -> None:
        if not self._stack:
            self.refuse("takes a value that is not there")
        self._stack.pop()

    def _top(self) -> Any:
        if not self._stack:
            self.refuse("uses a value that is not there")
        return self._stack[-1]

    def _marked(self) -> list[Any]:
        """Everything above the last mark."""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                found = self._stack[place + 1 :]
                del self._stack[place:]
                return found
        self.refuse("takes values from a mark that is not there")

    def _protocol(self, version: int) -> None:
        if not 2 <= version <= 5:
            self.refuse(f"is of protocol {version}")

    def _remember(self, place: int) -> None:
        if place in self._memo or self._top() is _MARK:
            self.refuse("remembers a value twice")
        self._memo[place] = self._top()

    def _recall(self, place: int) -> None:
        if place not in self._memo:
            self.refuse("recalls a value that is not there")
        self._stack.append(self._memo[place])

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, Call):
            target.items.extend(values)
        elif isinstance(target, list):
            target.extend(values)
        else:
            self.refuse("appends to what is no list")

    def _set(self, values: list[Any]) -> None:
        target = self._top()
        pairs = target.pairs if isinstance(target, Call) else target
        if not isinstance(pairs, dict) or len(values) % 2:
            self.refuse("sets items of what is no mapping")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) not in (str, int) or key in pairs:
                self.refuse("sets a key twice, or one that is no plain key")
            pairs[key] = value

    def _global(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            self.refuse("names what it would import by no text")
        found = Global(module, name)
        self.names.add(found)
        self._stack.append(found)

    def _call(self) -> None:
        args, what = self._pop(), self._pop()
        if not isinstance(what, Global | Call) or not isinstance(args, tuple):
            self.refuse("calls what cannot be called")
        self._stack.append(Call(what, args))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if not isinstance(target, Call) or target.state is not NOT_BUILT:
            self.refuse("gives a state twice, or to what takes none")
        target.state = state
