"""Bytes from outside as a policy document. Nothing of them is unpickled, imported by name, or kept.

A zip with `stockbot/policy.json` is read from our own members alone. Any other must be a plain save of stock SB3.
"""

from typing import Final

from rl.policy_format import container, own, spec
from rl.policy_format.container import Rules
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.own import PolicyDocument
from rl.policy_format.space_spec import flat_size
from rl.policy_import.described import MOST_ELEMENTS
from rl.policy_import.foreign import Notes, read_foreign

_MIB = 1 << 20
MOST_BYTES: Final = 64 * _MIB
_MOST: Final = {name: 64 * _MIB if name.endswith((".pth", ".safetensors")) else 4 * _MIB for name in own.ORDER} | {
    "data": 16 * _MIB, "_stable_baselines3_version": 64, "system_info.txt": 16 * 1024,
}  # fmt: skip
RULES: Final = Rules(MOST_BYTES, 16, _MOST.get)


def read_policy(content: bytes) -> tuple[PolicyDocument, Notes]:
    """The policy in `content`, and notes on what of it was left out. Raises PolicyFileFault."""
    members = container.read(content, RULES)
    if spec.MEMBER not in members:
        return read_foreign(content, members)
    document = own.read(members)
    if flat_size(document.spec.observation_space) > MOST_ELEMENTS:
        raise PolicyFileFault(f"the observation has more than {MOST_ELEMENTS:,} elements", "too_large")
    return document, []
