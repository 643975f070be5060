"""The trained policy that a backtest judges: whose it is, what it was trained with, and its file."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backtest.config import BacktestConfig
from marketdata.config_base import ConfigFault, sentences
from runs_app import harvest, places
from runs_app.models import Policy, Run

_OWN = frozenset({"policy", "run_id", "policy_sha256", "out_tag", "start", "end"})
_SHARED = tuple(name for name in BacktestConfig.model_fields if name not in _OWN)
_FILES = {"best": "best_model", "last": "model"}


@dataclass(frozen=True)
class Subject:
    """A policy file by run and key or by policy row; `sha256` is what our row holds."""

    run: Run | None
    policy: Policy | None
    key: str
    sha256: str
    config: Mapping[str, Any]


def find(owner: Any, config: BacktestConfig) -> Subject | None:
    """The policy that is asked for, or None for a baseline. Another person's is told like a missing one."""
    if config.run_id is not None:
        return _of_run(owner, config)
    try:
        policy_id = uuid.UUID(config.policy)
    except ValueError:
        return None
    policy: Policy | None = Policy.objects.owned_by(owner).filter(pk=policy_id).select_related("run").first()
    if policy is None:
        raise ConfigFault({"policy": ["There is no such policy; give a baseline's key or the id of one of yours."]})
    return Subject(policy.run, policy, "", policy.sha256, policy.config)


def filled(config: BacktestConfig, subject: Subject) -> BacktestConfig:
    """The client's configuration over the training's, field by field. Raises ConfigFault.

    A dataset of another name, or a split of its own scheme, is taken whole: the training's symbols, version or ranges
    say nothing about it. What the policy sees is its training's and nobody else's to choose.
    """
    asked = config.model_dump(mode="json", exclude_unset=True)
    trained = {name: subject.config[name] for name in _SHARED if name in subject.config}
    if "id" in asked.get("dataset", {}) and asked["dataset"]["id"] != trained["dataset"]["id"]:
        del trained["dataset"]
    if "scheme" in asked.get("split", {}):
        del trained["split"]
    if asked.get("features") not in (None, trained["features"]):
        raise ConfigFault({"features": ["The policy sees what it was trained on; leave features out."]})
    if asked.get("policy_sha256") not in (None, subject.sha256):
        raise ConfigFault({"policy_sha256": ["This is not the hash of the policy's file; leave it out."]})
    asked |= {"features": trained["features"], "policy_sha256": subject.sha256}
    try:
        return BacktestConfig.model_validate(_over(trained, asked))
    except ValidationError as error:
        raise ConfigFault(sentences(error)) from error


def copy(subject: Subject, target: Path) -> None:
    """Put the policy's file beside the backtest's configuration, verified. Raises ConfigFault when it is not it."""
    field = "policy" if subject.key == "" else "run_id"
    try:
        if subject.run is not None and subject.key:
            harvest.copy_verified(subject.run.id, subject.key, target, subject.sha256)
        elif subject.policy is not None:
            with places.policy_file(subject.policy).open("rb") as source:
                harvest.write_verified(source, target, subject.sha256)
    except FileNotFoundError as error:
        raise ConfigFault({field: ["The policy's file is gone; train again."]}) from error
    except ValueError as error:
        raise ConfigFault({field: ["The policy's file is not the one that its training left; train again."]}) from error


def _of_run(owner: Any, config: BacktestConfig) -> Subject:
    run: Run | None = Run.objects.owned_by(owner).filter(pk=config.run_id, kind=Run.Kind.TRAIN).first()
    if run is None:
        raise ConfigFault({"run_id": ["There is no such training run."]})
    if run.state != Run.State.SUCCEEDED:
        raise ConfigFault(
            {"run_id": [f"This training is {run.get_state_display().lower()}; only a succeeded one can be judged."]}
        )
    which = run.config["evaluation"]["policy"]
    if "evaluation" in config.model_fields_set and "policy" in config.evaluation.model_fields_set:
        which = config.evaluation.policy
    artifact = run.artifacts.filter(key=_FILES[which]).first()
    if artifact is None:
        raise ConfigFault({"run_id": [f"This training left no {which} policy."]})
    policy = run.policies.filter(which=which).first()
    return Subject(run, policy, _FILES[which], artifact.sha256, run.config)


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` laid over `base`: groups are merged, fields replaced."""
    merged = dict(base)
    for name, value in top.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
