"""Observation and action spaces as JSON: `box`, `discrete`, `multi_discrete`, `multi_binary`, and a `dict` of those.

| type             | fields                                                                                        |
|------------------|-----------------------------------------------------------------------------------------------|
| `box`            | `shape`, `dtype`, `low`, `high`: one number where all bounds are equal, else one an element    |
| `discrete`       | `n`, `start`                                                                                  |
| `multi_discrete` | `nvec`                                                                                        |
| `multi_binary`   | `shape`                                                                                       |
| `dict`           | `spaces`: pairs of name and space, in the order in which a network reads them                 |

Bounds are finite numbers, `"inf"` or `"-inf"`.
"""

import math
from collections.abc import Callable
from typing import Any

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import Fields, number, text, whole

DTYPES = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8")
MOST_ELEMENTS = 50_000_000
MOST_CHOICES = 100_000
MOST_KEYS = 16
MOST_DIMENSIONS = 3

Space = dict[str, Any]


def check_space(value: Any, where: str) -> Space:
    """The space, canonical. Raises PolicyFileFault."""
    fields = Fields(value, where)
    kind = fields.choice("type", ("dict", *_FLAT))
    if kind != "dict":
        return _flat(fields, kind)
    found: list[list[Any]] = []
    for position, pair in enumerate(fields.items("spaces", MOST_KEYS)):
        at = f"{where}.spaces[{position}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise PolicyFileFault(f"{at} must be a name and a space", "space")
        inner = Fields(pair[1], at)
        found.append([text(pair[0], 64, at), _flat(inner, inner.choice("type", _FLAT))])
    fields.end()
    names = [name for name, _ in found]
    if not names or len(set(names)) != len(names) or not all(names):
        raise PolicyFileFault(f"{where}.spaces must name each of its spaces once", "space")
    space = {"type": "dict", "spaces": found}
    if flat_size(space) > MOST_ELEMENTS:
        raise PolicyFileFault(f"{where} has more than {MOST_ELEMENTS:,} elements", "too_large")
    return space


def check_action_space(value: Any, where: str) -> Space:
    """As `check_space`; actions are no `dict`, and SB3 wants finite bounds of them."""
    space = check_space(value, where)
    if space["type"] == "dict" or len(space.get("shape", [0])) != 1:
        raise PolicyFileFault(f"{where} must be one flat space", "space")
    if space["type"] == "box" and not _is_finite(space):
        raise PolicyFileFault(f"{where} must have finite bounds", "space")
    return space


def _is_finite(space: Space) -> bool:
    return all(math.isfinite(each) for key in ("low", "high") for each in _spread(space[key], 1))


def flat_size(space: Space) -> int:
    """How many numbers a network reads of it: choices are one number each."""
    kind = space["type"]
    if kind == "dict":
        return sum(flat_size(inner) for _, inner in space["spaces"])
    if kind in ("box", "multi_binary"):
        return math.prod(space["shape"])
    return int(space["n"]) if kind == "discrete" else sum(space["nvec"])


def _flat(fields: Fields, kind: str) -> Space:
    space = {"type": kind, **_FLAT[kind](fields)}
    fields.end()
    if not 0 < flat_size(space) <= MOST_ELEMENTS:
        raise PolicyFileFault(f"{fields.where} must have 1 to {MOST_ELEMENTS:,} elements", "space")
    return space


def _box(fields: Fields) -> Space:
    shape = _shape(fields)
    size = math.prod(shape)
    if size > MOST_ELEMENTS:
        raise PolicyFileFault(f"{fields.where} has more than {MOST_ELEMENTS:,} elements", "too_large")
    dtype = fields.choice("dtype", DTYPES)
    if len(shape) == 3 and dtype == "uint8":
        raise PolicyFileFault(f"{fields.where} is an image; networks for images are not read", "unsupported")
    bound = _real if dtype.startswith("float") else _whole_of(dtype)
    low, high = (_bounds(fields.take(key), size, f"{fields.where}.{key}", bound) for key in ("low", "high"))
    for below, above in zip(_spread(low, size), _spread(high, size), strict=True):
        if not below <= above or below == math.inf or above == -math.inf:
            raise PolicyFileFault(f"{fields.where} has a lower bound above its upper one", "space")
    return {"shape": shape, "dtype": dtype, "low": low, "high": high}


def _discrete(fields: Fields) -> Space:
    return {"n": fields.whole("n", 1, MOST_CHOICES), "start": fields.whole("start", -(2**31), 2**31)}


def _multi_discrete(fields: Fields) -> Space:
    where = f"{fields.where}.nvec"
    return {"nvec": [whole(n, 1, MOST_CHOICES, where) for n in fields.items("nvec", 10_000)]}


def _multi_binary(fields: Fields) -> Space:
    return {"shape": _shape(fields)}


_FLAT = {"box": _box, "discrete": _discrete, "multi_discrete": _multi_discrete, "multi_binary": _multi_binary}


def _shape(fields: Fields) -> list[int]:
    return [whole(n, 1, MOST_ELEMENTS, f"{fields.where}.shape") for n in fields.items("shape", MOST_DIMENSIONS)]


def _bounds(value: Any, size: int, where: str, bound: Callable[[Any, str], Any]) -> Any:
    """One bound, where all are the same, else a list of `size`."""
    if not isinstance(value, list):
        return bound(value, where)
    if len(value) != size:
        raise PolicyFileFault(f"{where} must be one number or {size}", "space")
    checked = [bound(each, where) for each in value]
    return checked[0] if checked.count(checked[0]) == size else checked


def _real(value: Any, where: str) -> Any:
    return value if value in ("inf", "-inf") else number(value, -1.8e308, 1.8e308, where)


def _whole_of(dtype: str) -> Callable[[Any, str], int]:
    bits, signed = int(dtype.lstrip("uint")), dtype.startswith("int")
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return lambda value, where: whole(value, least, most, where)


def _spread(bounds: Any, size: int) -> list[float]:
    return [float(each) for each in bounds] if isinstance(bounds, list) else [float(bounds)] * size
