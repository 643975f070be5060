"""The tensors of a `*.pth` member, which is a zip of torch: a pickle of descriptions beside raw numbers."""

import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rl.policy_format import container
from rl.policy_format.container import STORED, Rules
from rl.policy_format.fault import PolicyFileFault
from rl.policy_import import names
from rl.policy_import.described import mapping
from rl.policy_import.pickle_reader import MOST_BYTES, Call, Persistent

MOST_TENSORS = 200
MOST_DIMENSIONS = 4
_NAME = re.compile(
    r"[A-Za-z0-9_.-]{1,64}/"
    r"(data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/\d{1,4})"
)
_MIB = 1 << 20


def _most(name: str) -> int | None:
    found = _NAME.fullmatch(name)
    if not found:
        return None
    if found[1] == "data.pkl":
        return MOST_BYTES
    return 64 * _MIB if found[1].startswith("data/") else 64


RULES = Rules(64 * _MIB, 4 * MOST_TENSORS, _most, frozenset({STORED}))


def open_members(content: bytes, where: str) -> dict[str, bytes]:
    """The members, without torch's common folder. Raises PolicyFileFault."""
    try:
        members = container.read(content, RULES)
    except PolicyFileFault as fault:
        raise PolicyFileFault(f"{where}: {fault}", fault.code) from fault
    if len({name.split("/", 1)[0] for name in members}) != 1:
        _refuse(where, "has members of several folders")
    found = {name.split("/", 1)[1]: data for name, data in members.items()}
    if "data.pkl" not in found or found.get("byteorder", b"little") != b"little":
        _refuse(where, "is none that torch writes on a little-endian machine")
    return found


def tensors(members: Mapping[str, bytes], value: Any, where: str) -> dict[str, NDArray[np.float32]]:
    """The state dict of a policy: `value` describes it, the numbers are in `members`. Raises PolicyFileFault."""
    found = mapping(value, where)
    if not 0 < len(found) <= MOST_TENSORS:
        _refuse(where, f"must hold 1 to {MOST_TENSORS} tensors")
    named = {_text(name, where): each for name, each in found.items()}
    return {name: _tensor(each, members, f"{where} {name}") for name, each in named.items()}


def _tensor(described: Any, members: Mapping[str, bytes], where: str) -> NDArray[np.float32]:
    if not isinstance(described, Call) or not described.calls(names.REBUILD_TENSOR) or len(described.args) < 5:
        _refuse(where, "is no plain tensor")
    storage, offset, size, stride = described.args[:4]
    numbers = _storage(storage, members, where)
    shape = _wholes(size, where)
    if len(shape) > MOST_DIMENSIONS or len(_wholes(stride, where)) != len(shape) or type(offset) is not int:
        _refuse(where, f"must have at most {MOST_DIMENSIONS} dimensions")
    count = math.prod(shape)
    if not _is_contiguous(shape, _wholes(stride, where)) or not 0 <= offset <= len(numbers) - count:
        _refuse(where, "does not lie in its storage in order")
    return numbers[offset : offset + count].reshape(shape)


def _storage(described: Any, members: Mapping[str, bytes], where: str) -> NDArray[np.float32]:
    told = described.id if isinstance(described, Persistent) else None
    if not isinstance(told, tuple) or len(told) != 5 or told[0] != "storage" or type(told[2]) is not str:
        _refuse(where, "has no storage")
    if told[1] != names.FLOAT_STORAGE:
        _refuse(where, "must be of float32")
    content = members.get(f"data/{told[2]}")
    if content is None or type(told[4]) is not int or len(content) != 4 * told[4]:
        _refuse(where, "has a storage of another size than it says")
    return np.frombuffer(content, dtype="<f4")


def _is_contiguous(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    step = 1
    for size, found in zip(reversed(shape), reversed(stride), strict=True):
        if size != 1 and found != step:
            return False
        step *= size
    return True


def _wholes(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(type(each) is int and 0 <= each <= 1 << 26 for each in value):
        _refuse(where, "has no plain shape")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > 200:
        _refuse(where, "names a tensor by no text")
    return value


def _refuse(where: str, what: str) -> NoReturn:
    raise PolicyFileFault(f"{where} {what}", "weights")
