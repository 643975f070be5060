"""The policy file, `stockbot-policy` v1: one zip that plain `PPO.load` opens, and that we read without unpickling.

Members, rules and order are in rl.policy_format.own; the same policy gives the same bytes. `load` compares the sha256
with the one that our own row or run holds *before* it opens the file.
"""

import dataclasses
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import stable_baselines3
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy

from marketdata.regime import RegimeModel
from rl.learned_days import LearnedDays
from rl.normaliser import Normaliser
from rl.observation_layout import ObservationLayout
from rl.policy_format import container, own
from rl.policy_format.build import build_policy, describe, weights_of
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.own import PolicyDocument
from rl.policy_format.registry import EXTRACTORS, POLICIES, plain_arguments
from rl.policy_format.sb3_members import sb3_members
from rl.policy_format.spaces import plain_space
from rl.policy_format.spec import PolicySpec
from rl.policy_seen import Seen
from runfiles import atomic
from runfiles.hashes import sha256_of


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as it lies in a file, with what is needed to show it a market. `taught`: None where it does not tell how
    it was trained. `policy` acts; it cannot learn on. `document`: what it was built from."""

    policy: ActorCriticPolicy
    document: PolicyDocument
    normaliser: Normaliser
    layout: ObservationLayout
    learned: LearnedDays
    regime: RegimeModel | None = None
    taught: dict[str, Any] | None = None


def pack(model: PPO, normaliser: Normaliser, layout: ObservationLayout, learned: LearnedDays,
         regime: RegimeModel | None = None, taught: dict[str, Any] | None = None) -> bytes:  # fmt: skip
    """The policy file's bytes; the same policy gives the same bytes. Model and torch's generator stay as they are.

    `taught`: of `TrainConfig.taught`. Raises PolicyFileFault for a network that stands in no registry.
    """
    documents = Seen(normaliser, layout, learned, regime, taught).documents()
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
         regime: RegimeModel | None = None, taught: dict[str, Any] | None = None) -> str:  # fmt: skip
    """Writes the policy file beside and renames it. Returns its sha256."""
    content = pack(model, normaliser, layout, learned, regime, taught)
    atomic.write_bytes(path, content)
    return sha256_of(content)


def load(path: Path, sha256: str) -> StoredPolicy:
    """Opens a policy of ours. Raises PolicyFileFault where the file is missing, another one, or not whole."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFileFault(f"the policy file {path.name} cannot be read", "unreadable") from error
    if sha256_of(content) != sha256:
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
        build_policy(document.spec, document.weights),
        document,
        **{each.name: getattr(seen, each.name) for each in fields(seen)},
    )


def acts_on_any_symbols(stored: StoredPolicy) -> bool:
    """Whether its weights say nothing of one symbol or of their number."""
    return POLICIES[stored.document.spec.policy].any_assets


def on_symbols(stored: StoredPolicy, symbols: tuple[str, ...]) -> StoredPolicy:
    """The same policy for other symbols. Raises PolicyFileFault where it cannot take so many."""
    layout, document = dataclasses.replace(stored.layout, symbols=symbols), stored.document
    parts = plain_arguments(EXTRACTORS[document.spec.extractor], {**stored.policy.features_extractor_kwargs,
                                                                  "parts": layout.parts})  # fmt: skip
    spec = dataclasses.replace(
        document.spec, observation_space=plain_space(layout.space()), action_space=plain_space(layout.action_space()),
        extractor_kwargs=parts,
    )  # fmt: skip
    return dataclasses.replace(stored, policy=build_policy(spec, document.weights), layout=layout)
