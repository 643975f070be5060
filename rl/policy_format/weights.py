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
    check_header(content, MEMBER, frozenset({"F32"}), MOST_TENSORS)
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


def check_header(content: bytes, member: str, kinds: frozenset[str], most: int, least: int = 1) -> None:
    """The header is JSON, of which the library takes the last of two equal keys, and any type of number.

    At most `most` tensors of these `kinds`, with no axis below `least`. Raises PolicyFileFault.
    """
    size = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else MOST_HEADER + 1
    if size > MOST_HEADER or 8 + size > len(content):
        raise PolicyFileFault(f"{member} has no header", "weights")
    header = read_json(content[8 : 8 + size], member)
    if not isinstance(header, dict) or len(header) > most:
        raise PolicyFileFault(f"{member} must hold at most {most} tensors", "weights")
    for name, value in header.items():
        fields = Fields(value, f"{member} {name[:80]}")
        if fields.take("dtype") not in kinds:
            raise PolicyFileFault(f"{fields.where} must be of {_names(kinds)}", "weights")
        for count in fields.items("shape", MOST_DIMENSIONS):
            whole(count, least, MOST_NUMBERS, fields.where)
        fields.items("data_offsets", 2)
        fields.end()


def _names(kinds: frozenset[str]) -> str:
    return "float32" if kinds == {"F32"} else f"one of {', '.join(sorted(kinds))}"
