"""The members of a policy file that are ours. They are all that is ever read of it; the others are for stock SB3.

| member                         | content                                                                            |
|--------------------------------|------------------------------------------------------------------------------------|
| `stockbot/policy.json`         | the spec: spaces, network, settings (rl.policy_format.spec)                         |
| `stockbot/weights.safetensors` | its weights, float32                                                               |
| `stockbot/obsnorm.json`        | mean, std, clip of each feature                                                    |
| `stockbot/observation.json`    | what it sees, how its action is read, which days it learned from                   |
| `stockbot/training.json`       | how it was trained: groups of the training's configuration                         |
| `stockbot/regime.json`         | only with regimes: the model that was fitted on the training bars                  |
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rl.policy_format import container, spec, weights
from rl.policy_format.container import Rules
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import read_json
from rl.policy_format.spec import PolicySpec, plain_json
from runfiles.hashes import sha256_of

OBSNORM: Final = "stockbot/obsnorm.json"
OBSERVATION: Final = "stockbot/observation.json"
TRAINING: Final = "stockbot/training.json"
REGIME: Final = "stockbot/regime.json"
DOCUMENTS: Final = (OBSNORM, OBSERVATION, TRAINING, REGIME)
SB3_MEMBERS: Final = (
    "data",
    "policy.pth",
    "policy.optimizer.pth",
    "pytorch_variables.pth",
    "_stable_baselines3_version",
)
ORDER: Final = (*SB3_MEMBERS, spec.MEMBER, weights.MEMBER, *DOCUMENTS)
"""Every member, as they follow each other."""

_GIB = 1 << 30
KEPT: Final = Rules(2 * _GIB, 16, lambda name: _GIB if name in ORDER else None, frozenset({container.STORED}))
"""A file of ours, whose sha256 is known: sizes are bounded by sense alone."""


@dataclass(frozen=True)
class PolicyDocument:
    """A policy without SB3: its spec, its weights by name, and the values of the JSON members beside it."""

    spec: PolicySpec
    weights: weights.Weights
    documents: Mapping[str, Any] = field(default_factory=dict)


def read(members: Mapping[str, bytes]) -> PolicyDocument:
    """The policy out of a zip's members. Raises PolicyFileFault."""
    if spec.MEMBER not in members:
        said = f"it lacks {spec.MEMBER}, as files from before stockbot-policy 1 do; train again"
        raise PolicyFileFault(said, "missing")
    if weights.MEMBER not in members:
        raise PolicyFileFault(f"it lacks {weights.MEMBER}", "missing")
    found = PolicySpec.from_dict(read_json(members[spec.MEMBER], spec.MEMBER))
    if sha256_of(members[weights.MEMBER]) != found.weights_sha256:
        raise PolicyFileFault(f"{weights.MEMBER} is not the one that {spec.MEMBER} names", "weights")
    numbers = weights.read(members[weights.MEMBER])
    check_size(found, numbers)
    told = sha256_of(members[OBSERVATION]) if OBSERVATION in members else None
    if told != found.observation_sha256:
        raise PolicyFileFault(f"{OBSERVATION} is not the one that {spec.MEMBER} names", "observation")
    return PolicyDocument(
        found, numbers, {name: read_json(members[name], name) for name in DOCUMENTS if name in members}
    )


def check_size(told: PolicySpec, numbers: weights.Weights) -> None:
    """Raises PolicyFileFault where the network would be larger than the weights are: it is not even built."""
    if told.least_weights() > sum(each.size for each in numbers.values()):
        raise PolicyFileFault("there are fewer weights than the network has", "weights")


def members_of(document: PolicyDocument) -> dict[str, bytes]:
    """The members of a policy; hashes are made of what is written, whatever the spec said."""
    content = weights.write(document.weights)
    told = {name: plain_json(value) for name, value in document.documents.items()}
    observation = sha256_of(told[OBSERVATION]) if OBSERVATION in told else None
    named = dataclasses.replace(document.spec, weights_sha256=sha256_of(content), observation_sha256=observation)
    return {spec.MEMBER: plain_json(named.as_dict()), weights.MEMBER: content, **told}
