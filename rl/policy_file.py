"""The policy file, `stockbot-policy` v1: one zip that plain `PPO.load` opens, and that we read without unpickling.

Members, rules and order are in rl.policy_format.own; the same policy gives the same bytes. `load` compares the sha256
with the one that our own row or run holds *before* it opens the file.
"""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import stable_baselines3
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy

from marketdata.regime import RegimeFault, RegimeModel
from rl.learned_days import LearnedDays
from rl.normaliser import Normaliser, NormaliserFault
from rl.observation_layout import ObservationLayout, ObservationMismatch
from rl.policy_format import container, own
from rl.policy_format.build import build_policy, describe, weights_of
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.own import OBSERVATION, OBSNORM, REGIME, PolicyDocument
from rl.policy_format.sb3_members import sb3_members
from rl.policy_format.spaces import plain_space
from rl.policy_format.spec import PolicySpec
from runfiles import atomic

TRAINED = "trained"


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as it lies in a file, with what is needed to show it a market. `policy` acts; it cannot learn on."""

    policy: ActorCriticPolicy
    normaliser: Normaliser
    layout: ObservationLayout
    learned: LearnedDays
    regime: RegimeModel | None = None


def pack(model: PPO, normaliser: Normaliser, layout: ObservationLayout, learned: LearnedDays,
         regime: RegimeModel | None = None) -> bytes:  # fmt: skip
    """The policy file's bytes; the same policy gives the same bytes. Model and torch's generator stay as they are.

    Raises PolicyFileFault for a network that stands in no registry.
    """
    documents = {OBSNORM: normaliser.as_dict(), OBSERVATION: layout.as_dict() | {TRAINED: learned.as_dict()}}
    if regime is not None:
        documents[REGIME] = regime.as_dict()
    return pack_document(document_of(model, documents))


def document_of(model: PPO, documents: dict[str, Any]) -> PolicyDocument:
    """What a policy file says of a model, with the JSON members `documents`. Raises PolicyFileFault."""
    policy = model.policy
    told = describe(policy, vars(model), model.policy_kwargs)
    spec = PolicySpec(
        **told, steps=int(model.num_timesteps), weights_sha256="", observation_sha256=None, source_sha256=None,
        sb3=stable_baselines3.__version__,
    )  # fmt: skip
    return PolicyDocument(spec, weights_of(policy), documents)


def pack_document(document: PolicyDocument, policy: ActorCriticPolicy | None = None) -> bytes:
    """The whole file of a policy, SB3's members made anew; `policy`: the document built, where it has been already.

    Raises PolicyFileFault where the weights do not fit.
    """
    policy = policy or build_policy(document.spec, document.weights)
    return container.write(own.members_of(document) | sb3_members(document.spec, policy), own.ORDER)


def save(path: Path, model: PPO, normaliser: Normaliser, layout: ObservationLayout, learned: LearnedDays,
         regime: RegimeModel | None = None) -> str:  # fmt: skip
    """Writes the policy file beside and renames it. Returns its sha256."""
    content = pack(model, normaliser, layout, learned, regime)
    atomic.write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path, sha256: str) -> StoredPolicy:
    """Opens a policy of ours. Raises PolicyFileFault where the file is missing, another one, or not whole."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFileFault(f"the policy file {path.name} cannot be read", "unreadable") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        said = f"the policy file {path.name} is not the one that was kept: its sha256 differs"
        raise PolicyFileFault(said, "unreadable")
    try:
        return stored_of(own.read(container.read(content, own.KEPT)))
    except PolicyFileFault as fault:
        raise PolicyFileFault(f"the policy file {path.name} is not taken: {fault}", fault.code) from fault


def stored_of(document: PolicyDocument) -> StoredPolicy:
    """The policy and what it sees. Raises PolicyFileFault where the two do not fit each other."""
    seen = Seen.of(document)
    return StoredPolicy(
        build_policy(document.spec, document.weights), **{each.name: getattr(seen, each.name) for each in fields(seen)}
    )


def seen_in(content: bytes) -> "Seen":
    """What the policy of a file that we wrote sees. Raises PolicyFileFault where it does not tell."""
    return Seen.of(own.read(container.read(content, own.KEPT)))


@dataclass(frozen=True)
class Seen:
    """What a policy is shown of a market: layout, scale, days and regimes, as its file tells them."""

    normaliser: Normaliser
    layout: ObservationLayout
    learned: LearnedDays
    regime: RegimeModel | None

    @classmethod
    def of(cls, document: PolicyDocument) -> "Seen":
        """Raises PolicyFileFault where a member is missing, not what we write, or does not fit the spaces."""
        documents = document.documents
        for name in (OBSNORM, OBSERVATION):
            if name not in documents:
                raise PolicyFileFault(f"it lacks {name}, which tells what the policy sees", "missing")
        try:
            seen = dict(documents[OBSERVATION])
            learned = LearnedDays.from_dict(seen.pop(TRAINED, None))
            layout = ObservationLayout.from_dict(seen)
            _check_spaces(document.spec, layout)
            normaliser = Normaliser.from_dict(documents[OBSNORM], len(layout.features))
            return cls(normaliser, layout, learned, _regime(documents, layout))
        except (
            RegimeFault,
            NormaliserFault,
            ObservationMismatch,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as fault:
            if isinstance(fault, PolicyFileFault):
                raise
            said = str(fault).rstrip(".") if isinstance(fault, ValueError) else "a member is not what it must be"
            raise PolicyFileFault(f"it does not fit this version: {said}", "observation") from fault

    def documents(self) -> dict[str, Any]:
        """The JSON members again, in the one form that we write."""
        told = {
            OBSNORM: self.normaliser.as_dict(),
            OBSERVATION: self.layout.as_dict() | {TRAINED: self.learned.as_dict()},
        }
        return told | ({REGIME: self.regime.as_dict()} if self.regime else {})


def _check_spaces(spec: PolicySpec, layout: ObservationLayout) -> None:
    """Raises PolicyFileFault, which names each part that the policy takes otherwise than its layout says."""
    faults = []
    taken = {"action": spec.action_space, **dict(spec.observation_space.get("spaces", ()))}
    told = {"action": layout.action_space(), **layout.space().spaces}
    for name in sorted({*taken, *told}):
        has, says = taken.get(name), plain_space(told[name]) if name in told else None
        if has != says:
            faults.append(f"{name} is {_size(has)} in the network and {_size(says)} in {OBSERVATION}")
    if faults:
        raise PolicyFileFault(
            "what the policy takes is not what it says that it sees: " + "; ".join(faults), "observation"
        )


def _size(space: dict[str, Any] | None) -> str:
    if space is None:
        return "absent"
    return f"{space['type']} {space.get('shape', space.get('nvec', space.get('n')))}"


def _regime(documents: Any, layout: ObservationLayout) -> RegimeModel | None:
    """The model whose beliefs the layout names. Raises PolicyFileFault where the file holds another one, or none."""
    if not layout.regime:
        return None
    if REGIME not in documents:
        raise PolicyFileFault(f"it lacks {REGIME}", "missing")
    model = RegimeModel.from_dict(documents[REGIME])
    if model.names != layout.regime:
        said = f"{REGIME} has {model.n_states} regimes, and {OBSERVATION} sees {len(layout.regime)}"
        raise PolicyFileFault(said, "observation")
    return model
