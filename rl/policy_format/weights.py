"""`stockbot/weights.safetensors`: a policy's numbers, float32, each under the name that torch gives it.

A tensor that the network holds under several names (SB3 lists a shared features extractor three times) stands once.
"""

import struct
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import Fields, read_json, whole
from rl.policy_format.spec import MOST_NUMBERS

MEMBER: Final = "stockbot/weights.safetensors"
MOST_TENSORS = 1000
MOST_DIMENSIONS = 4
MOST_HEADER = 1 << 20

Weights = Mapping[str, NDArray[np.float32]]


def write(weights: Weights) -> bytes:
    """The member's bytes; the same weights give the same bytes, in whatever order they come."""
    return pack({name: np.ascontiguousarray(weights[name], dtype="<f4") for name in sorted(weights)})


def read(content: bytes) -> dict[str, NDArray[np.float32]]:
    """Raises PolicyFileFault where it is not what `write` writes."""
    _check_header(content)
    try:
        found = unpack(content)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise PolicyFileFault(f"{MEMBER} is damaged", "weights") from error
    weights = {name: np.array(found[name], dtype=np.float32) for name in sorted(found)}
    check(weights)
    return weights


def check(weights: Weights) -> None:
    """Raises PolicyFileFault for too many numbers, or one that is not finite."""
    if not weights or len(weights) > MOST_TENSORS or sum(value.size for value in weights.values()) > MOST_NUMBERS:
        raise PolicyFileFault(f"the weights must be 1 to {MOST_NUMBERS:,} numbers in {MOST_TENSORS} tensors", "weights")
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise PolicyFileFault(f"the weights {name} are not finite", "weights")


def _check_header(content: bytes) -> None:
    """The header is JSON, of which the library takes the last of two equal keys, and any type of number."""
    size = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else MOST_HEADER + 1
    if size > MOST_HEADER or 8 + size > len(content):
        raise PolicyFileFault(f"{MEMBER} has no header", "weights")
    header = read_json(content[8 : 8 + size], MEMBER)
    if not isinstance(header, dict) or len(header) > MOST_TENSORS:
        raise PolicyFileFault(f"{MEMBER} must hold at most {MOST_TENSORS} tensors", "weights")
    for name, value in header.items():
        fields = Fields(value, f"{MEMBER} {name[:80]}")
        if fields.take("dtype") != "F32":
            raise PolicyFileFault(f"{fields.where} must be of float32", "weights")
        for count in fields.items("shape", MOST_DIMENSIONS):
            whole(count, 1, MOST_NUMBERS, fields.where)
        fields.items("data_offsets", 2)
        fields.end()
