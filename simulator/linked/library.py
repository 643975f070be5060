"""Calling code that set-up has linked into a shared library: no numba, no compiler, the library opens in a millisecond.

A library has for each function and each kinds of arguments an entry `int entry(int64 *words, int64 *out)` that
`simulator.linked.link` writes: a word an argument, tuples laid flat. An array's word is the address of its Python
object, whose data, shape and strides the entry reads where numpy's C interface has them; a number's word is its 64
bits. The index of the entries is JSON in the library itself. What is not in the library is compiled as ever.
"""

import ctypes
import functools
import hashlib
import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Kinds = tuple[str | int, ...]
"""What decides the code of a call: dtype and dimensions of each array, the type of each number, names of tuples."""

NUMBERS: dict[type, str] = {
    float: "float", np.float64: "float", int: "int", np.int64: "int", bool: "bool", np.bool_: "bool",
}  # fmt: skip
PACKED = {"float": "d", "int": "q", "bool": "?7x"}
"""How `struct` packs a number into a word, zeros behind the byte of a truth."""
UNKNOWN, NOTHING = "?", "none"
MOST_RESULTS = 8
INDEX, RELEASE = "stockbot_index", "stockbot_release"
Words = list[Any]


def flat(args: tuple[Any, ...]) -> tuple[Kinds, Words]:
    """Kinds and words of arguments. An array that is not plain (C order, writeable, aligned) has no kind."""
    kinds: list[str | int] = []
    words: Words = []
    _flatten(args, kinds, words)
    return tuple(kinds), words


def _flatten(args: tuple[Any, ...], kinds: list[str | int], words: Words) -> None:
    for value in args:
        plain = type(value)
        if plain is np.ndarray:
            kinds.append(value.dtype.str if value.flags.carray else UNKNOWN)
            kinds.append(value.ndim)
            words.append(id(value))
        elif plain in NUMBERS:
            kinds.append(NUMBERS[plain])
            words.append(value)
        elif value is None:
            kinds.append(NOTHING)
        elif isinstance(value, tuple):
            kinds.append(plain.__name__)
            _flatten(value, kinds, words)
        else:
            kinds.append(UNKNOWN)


def packing(kinds: Kinds) -> str:
    """How `struct` packs the words of these kinds."""
    return "".join("Q" if isinstance(kind, int) else PACKED.get(kind, "") for kind in kinds)


class Linked:
    """One entry, called with the words of its arguments. `gives` says what comes back: "" nothing, a `struct` code for
    each number, "[n" a new float64 array of n dimensions.
    """

    def __init__(self, name: str, entry: Callable[..., int], release: Callable[[int], None], kinds: Kinds, gives: str):
        self._name, self._entry = name, entry
        self._pack = struct.Struct(packing(kinds)).pack
        self._read = _reader(gives, release)
        self._out = ctypes.c_int64 * MOST_RESULTS

    def __call__(self, words: Words) -> Any:
        """Raises ZeroDivisionError, the one error that a kernel of ours can end with."""
        out = self._out()
        if self._entry(self._pack(*words), out):
            raise ZeroDivisionError(f"division by zero in {self._name}")
        return self._read(out)


def _reader(gives: str, release: Callable[[int], None]) -> Callable[[Any], Any]:
    if not gives:
        return lambda out: None
    if gives.startswith("["):
        return functools.partial(_array, int(gives[1:]), release)
    unpack = struct.Struct(gives).unpack_from
    return unpack if len(gives) > 1 else lambda out: unpack(out)[0]


def _array(n_dimensions: int, release: Callable[[int], None], out: Any) -> np.ndarray[Any, Any]:
    """A copy of the array whose block, data and shape stand in `out`; the block is let go."""
    block, data, *shape = out[: 2 + n_dimensions]
    copy = np.empty(shape)
    ctypes.memmove(copy.ctypes.data, data, copy.nbytes)
    release(block)
    return copy


class Library:
    """The entries of one file; none where there is no such file."""

    def __init__(self, path: Path) -> None:
        self._index: dict[str, dict[str, tuple[str, str]]] = {}
        if not path.is_file():
            return
        self._file = ctypes.PyDLL(str(path))
        self._index = json.loads(ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(self._file, INDEX))))
        self._release = getattr(self._file, RELEASE)
        self._release.argtypes, self._release.restype = [ctypes.c_void_p], None

    def find(self, name: str, kinds: Kinds) -> Linked | None:
        found = self._index.get(name, {}).get(index_key(kinds))
        if found is None:
            return None
        symbol, gives = found
        entry = getattr(self._file, symbol)
        entry.argtypes, entry.restype = [ctypes.c_char_p, ctypes.c_void_p], ctypes.c_int
        return Linked(name, entry, self._release, kinds, gives)


def index_key(kinds: Kinds) -> str:
    return " ".join(map(str, kinds))


@functools.cache
def opened(folder: Path) -> Library:
    """The library of a folder of kernels, for this processor and this Python."""
    return Library(folder / file_name())


def file_name() -> str:
    """A name that another processor, Python or numpy does not have: the code is for this processor alone, and reads
    arrays where this numpy has them.
    """
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    parts = (_processor(), sys.implementation.cache_tag, np.__version__, sources)
    return f"linked-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.so"


def _processor() -> str:
    """Model and features of the first processor where Linux says them, else what the platform module knows."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as stream:
            first = stream.read(16_384).partition("\n\n")[0].splitlines()
    except OSError:
        return " ".join(os.uname())
    return "\n".join(line for line in first if line.startswith(("model", "cpu family", "flags", "Features", "CPU ")))
