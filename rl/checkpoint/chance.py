"""Every source of chance of a training as numbers, and set to these numbers again.

Python's, numpy's and torch's own generators, which SB3 seeds, a CUDA device's, and the environment's by their names.
Numbers of more than 64 bits are hexadecimal text, because strict JSON has none.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rl.policy_format.fields import Fields

PYTHON, NUMPY, TORCH, CUDA = "chance.python", "chance.numpy", "chance.torch", "chance.cuda"
_PCG = "PCG64"
_WORDS, _PLACES = 1 << 32, 624


@dataclass(frozen=True)
class Chance:
    """`plain` JSON values and `arrays` by name; together the state of every generator."""

    plain: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def taken(own: Mapping[str, np.random.Generator], device: torch.device) -> Chance:
    """The state of every generator now; the generators stay as they are."""
    version, words, gauss = random.getstate()
    numpy: dict[str, Any] = np.random.get_state(legacy=False)
    arrays = {
        PYTHON: np.array(words, np.uint32), NUMPY: numpy["state"]["key"].astype(np.uint32),
        TORCH: torch.get_rng_state().numpy().copy(),
    }  # fmt: skip
    if device.type == "cuda":
        arrays[CUDA] = torch.cuda.get_rng_state(device).numpy().copy()
    return Chance(
        {
            "python": {"version": version, "gauss": _hex(gauss)},
            "numpy": {"place": numpy["state"]["pos"], "has_gauss": numpy["has_gauss"], "gauss": _hex(numpy["gauss"])},
            "own": {name: _pcg(generator) for name, generator in own.items()},
        },
        arrays,
    )


def put(chance: Chance, own: Mapping[str, np.random.Generator], device: torch.device) -> None:
    """Set every generator to what `taken` gave. Raises PolicyFileFault or ValueError for what is no such state."""
    fields = Fields(chance.plain, "chance")
    python, numpy, mine = (fields.object(name) for name in ("python", "numpy", "own"))
    states = {name: _state(mine.object(name)) for name in own}
    words = tuple(int(word) for word in chance.arrays[PYTHON])
    random.setstate((python.whole("version", 3, 3), words, _number(python)))
    key = chance.arrays[NUMPY].astype(np.uint32)
    place, has_gauss = numpy.whole("place", 0, _PLACES), numpy.whole("has_gauss", 0, 1)
    np.random.set_state(("MT19937", key, place, has_gauss, _number(numpy) or 0.0))
    torch.set_rng_state(torch.from_numpy(chance.arrays[TORCH].copy()))
    if device.type == "cuda":
        torch.cuda.set_rng_state(torch.from_numpy(chance.arrays[CUDA].copy()), device)
    for name, generator in own.items():
        generator.bit_generator.state = states[name]
    for each in (python, numpy, mine, fields):
        each.end()


def _pcg(generator: np.random.Generator) -> dict[str, Any]:
    state: dict[str, Any] = dict(generator.bit_generator.state)
    assert state["bit_generator"] == _PCG
    inner = {name: f"{value:x}" for name, value in state["state"].items()}
    return {**inner, "has_half": state["has_uint32"], "half": state["uinteger"]}


def _state(fields: Fields) -> dict[str, Any]:
    inner = {name: int(fields.text(name, 32), 16) for name in ("state", "inc")}
    halves = {"has_uint32": fields.whole("has_half", 0, 1), "uinteger": fields.whole("half", 0, _WORDS - 1)}
    fields.end()
    return {"bit_generator": _PCG, "state": inner, **halves}


def _hex(value: float | None) -> str | None:
    return None if value is None else float(value).hex()


def _number(fields: Fields) -> float | None:
    value = fields.take("gauss")
    return None if value is None else float.fromhex(str(value))
