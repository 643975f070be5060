"""Gymnasium's spaces out of their JSON (rl.policy_format.space_spec), and back."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.space_spec import Space


def space_of(space: Space) -> spaces.Space:
    """The space of a checked description, without a random generator."""
    kind = space["type"]
    if kind == "dict":
        return spaces.Dict([(name, space_of(inner)) for name, inner in space["spaces"]])
    if kind == "box":
        shape, dtype = tuple(space["shape"]), np.dtype(space["dtype"])
        low, high = (_array(space[key], shape, dtype) for key in ("low", "high"))
        return spaces.Box(low, high, shape, dtype.type)
    if kind == "discrete":
        return spaces.Discrete(space["n"], start=space["start"])
    if kind == "multi_discrete":
        return spaces.MultiDiscrete(space["nvec"])
    shape = tuple(space["shape"])
    return spaces.MultiBinary(shape[0] if len(shape) == 1 else shape)


def plain_space(space: spaces.Space) -> Space:
    """The description of a space. Raises PolicyFileFault where it has none."""
    if isinstance(space, spaces.Dict):
        return {"type": "dict", "spaces": [[name, plain_space(inner)] for name, inner in space.spaces.items()]}
    if isinstance(space, spaces.Box):
        bounds = {"low": _bounds(space.low), "high": _bounds(space.high)}
        return {"type": "box", "shape": [int(n) for n in space.shape], "dtype": space.dtype.name, **bounds}
    if isinstance(space, spaces.Discrete):
        return {"type": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1 and not space.start.any():
        return {"type": "multi_discrete", "nvec": [int(n) for n in space.nvec]}
    if isinstance(space, spaces.MultiBinary):
        return {"type": "multi_binary", "shape": [int(n) for n in space.shape]}
    raise PolicyFileFault(f"the space {type(space).__name__} is none that a policy file holds", "space")


def _array(bounds: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Bounds as an array; whole numbers never pass through a float."""
    if dtype.kind == "f":
        listed = [float(each) for each in bounds] if isinstance(bounds, list) else float(bounds)
        with np.errstate(over="ignore"):
            flat = np.asarray(listed, dtype=np.float64).astype(dtype)
    else:
        flat = np.asarray(bounds, dtype=dtype)
    return flat.reshape(shape) if isinstance(bounds, list) else np.full(shape, flat, dtype=dtype)


def _bounds(array: NDArray[Any]) -> Any:
    plain = [_bound(each) for each in array.ravel().tolist()]
    return plain[0] if plain.count(plain[0]) == len(plain) else plain


def _bound(value: Any) -> Any:
    return value if isinstance(value, int) or np.isfinite(value) else ("inf" if value > 0 else "-inf")
