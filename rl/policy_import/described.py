"""Numbers, arrays and gymnasium spaces out of their description in a pickle. Each fault is a PolicyFileFault."""

import math
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.space_spec import Space, check_space, flat_size
from rl.policy_import import names
from rl.policy_import.pickle_reader import NOT_BUILT, Call

MOST_ELEMENTS = 200_000
_DTYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"}


def space(described: Any, where: str) -> Space:
    """The space as JSON."""
    found = check_space(_space(described, where, inside=False), where)
    if flat_size(found) > MOST_ELEMENTS:
        raise PolicyFileFault(f"{where} has more than {MOST_ELEMENTS:,} elements", "too_large")
    return found


def _space(described: Any, where: str, *, inside: bool) -> dict[str, Any]:
    if not isinstance(described, Call) or described.args or not isinstance(described.state, dict):
        _refuse(where)
    state = described.state
    if described.calls(names.DICT) and not inside:
        inner = mapping(state.get("spaces"), where)
        return {"type": "dict", "spaces": [[key, _space(each, where, inside=True)] for key, each in inner.items()]}
    if described.calls(names.BOX):
        return _box(state, where)
    if described.calls(names.DISCRETE):
        return {"type": "discrete", "n": whole(state.get("n"), where), "start": whole(state.get("start", 0), where)}
    if described.calls(names.MULTI_DISCRETE):
        if "start" in state and array(state["start"], where).any():
            raise PolicyFileFault(f"{where} counts from another number than 0", "unsupported")
        nvec = array(state.get("nvec"), where)
        if nvec.ndim != 1:
            raise PolicyFileFault(f"{where} is a table of choices, which is not read", "unsupported")
        return {"type": "multi_discrete", "nvec": [int(each) for each in nvec]}
    if described.calls(names.MULTI_BINARY):
        count = state.get("n")
        sizes = count if isinstance(count, tuple) else (count,)
        return {"type": "multi_binary", "shape": [whole(size, where) for size in sizes]}
    raise PolicyFileFault(f"{where} is {_called(described)}; Box, Discrete, MultiDiscrete, MultiBinary and one Dict of "
                          "them are read", "space")  # fmt: skip


def _box(state: dict[str, Any], where: str) -> dict[str, Any]:
    shape = state.get("_shape")
    if not isinstance(shape, tuple) or len(shape) > 3:
        raise PolicyFileFault(f"{where} must have at most three dimensions", "space")
    sizes = tuple(whole(size, where) for size in shape)
    low, high = (array(state.get(key), where) for key in ("low", "high"))
    kind = np.dtype(dtype(state.get("dtype"), where))
    if low.shape != sizes or high.shape != sizes or {low.dtype, high.dtype} != {kind}:
        raise PolicyFileFault(f"{where} has bounds of another shape or type", "space")
    return {"type": "box", "shape": list(sizes), "dtype": kind.name, "low": _bounds(low, where),
            "high": _bounds(high, where)}  # fmt: skip


def _bounds(values: NDArray[Any], where: str) -> Any:
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise PolicyFileFault(f"{where} has a bound that is no number", "space")
    flat = values.ravel().tolist()
    plain = [value if math.isfinite(value) else ("inf" if value > 0 else "-inf") for value in flat]
    return plain[0] if plain and plain.count(plain[0]) == len(plain) else plain


def mapping(described: Any, where: str) -> dict[Any, Any]:
    """A dict, or an OrderedDict as it is described."""
    if isinstance(described, Call) and described.calls(names.ORDERED_DICT) and not described.args:
        return described.pairs
    if not isinstance(described, dict):
        _refuse(where)
    return described


def whole(described: Any, where: str) -> int:
    """An int, or a numpy integer of no dimension."""
    if isinstance(described, Call) and described.calls(*names.SCALAR) and len(described.args) == 2:
        kind, content = described.args
        described = _values(content, dtype(kind, where), (), where).item()
    if type(described) is not int:
        _refuse(where)
    return described


def array(described: Any, where: str) -> NDArray[Any]:
    """An array whose bytes are in the pickle."""
    if isinstance(described, Call) and described.calls(*names.FROM_BUFFER) and len(described.args) == 4:
        content, kind, shape, order = described.args
        if order != "C" and not (isinstance(shape, tuple) and len(shape) == 1):
            _refuse(where)
        return _values(content, dtype(kind, where), shape, where)
    if isinstance(described, Call) and described.calls(*names.RECONSTRUCT):
        state = described.state
        if isinstance(state, tuple) and len(state) == 5 and state[0] == 1 and state[3] is False:
            return _values(state[4], dtype(state[2], where), state[1], where)
    _refuse(where)


def dtype(described: Any, where: str) -> str:
    """A little-endian dtype of a plain number."""
    if not isinstance(described, Call) or not described.calls(names.DTYPE) or not described.args:
        _refuse(where)
    kind, state = described.args[0], described.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
    if kind not in _DTYPES or not (state is NOT_BUILT or order in ("<", "|")):
        raise PolicyFileFault(f"{where} holds what is no plain number", "space")
    return f"<{kind}"


def _values(content: Any, kind: str, shape: Any, where: str) -> NDArray[Any]:
    if not isinstance(content, bytes) or not isinstance(shape, tuple) or len(shape) > 3:
        _refuse(where)
    sizes = tuple(size if type(size) is int and 0 <= size <= MOST_ELEMENTS else _refuse(where) for size in shape)
    if math.prod(sizes) * np.dtype(kind).itemsize != len(content):
        raise PolicyFileFault(f"{where} holds an array of another size than it says", "space")
    return np.frombuffer(content, dtype=kind).reshape(sizes)


def _called(described: Call) -> str:
    return str(described.what) if not isinstance(described.what, Call) else "made by a call"


def _refuse(where: str) -> NoReturn:
    raise PolicyFileFault(f"{where} cannot be read: it is not told as gymnasium and numpy tell it", "space")
