"""The trained policy that a backtest judges: whose it is, what it was trained with, and its file."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backtest.config import BacktestConfig, EvaluationConfig
from backtest.registry import BASELINES
from marketdata.config import SplitConfig
from marketdata.config_base import ConfigFault, canonical, sentences
from rl.config import ANY_SYMBOLS, CvConfig
from runfiles import layout
from runfiles.policy_list import Listed, PolicyList
from runs_app import harvest, places, resolve
from runs_app.models import Artifact, Policy, Run

_OWN = frozenset({"policy", "run_id", "policy_sha256", "out_tag", "start", "end"})
_SHARED = tuple(name for name in BacktestConfig.model_fields if name not in _OWN)
FILES = {"best": "best_model", "last": "model"}
_SEEN = (("dataset", "symbols"), ("dataset", "interval"), ("dataset", "adjustment"), ("margin", "allow_short"),
         ("episode", "mapping_mode"), ("episode", "logit_scale"), ("episode", "max_step_change"))  # fmt: skip
"""What makes up an observation or an action, beside the features, which are the training's in any case."""


@dataclass(frozen=True)
class Subject:
    """A policy file by run and key or by policy row; `sha256` is what our row holds, `which` is best or last.

    Of several seeds or folds `members` are their policies, and `sha256` is of the list of them.
    """

    run: Run | None
    policy: Policy | None
    key: str
    which: str
    sha256: str
    config: Mapping[str, Any]
    members: "Members | None" = None


@dataclass(frozen=True)
class Members:
    """Policies that are judged together: their list, and the run that left each of them as its file `key`."""

    listed: PolicyList
    runs: tuple[Run, ...]
    key: str


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
    return Subject(policy.run, policy, "", policy.which, policy.sha256, policy.config)


def baseline(config: BacktestConfig) -> BacktestConfig:
    """The same again, of a baseline. Raises ConfigFault where it is none, or where only a policy could be meant."""
    if config.policy not in BASELINES:
        known = ", ".join(BASELINES)
        raise ConfigFault({"policy": [f"There is no strategy {config.policy}; use {known}, or the id of a policy."]})
    faults = _without_effect(config, SplitConfig(), "")
    faults |= {
        name: [f"A baseline has no {name}; leave it out."]
        for name in ("features", "policy_sha256")
        if getattr(config, name) is not None
    }
    if faults:
        raise ConfigFault(faults)
    return config


def filled(config: BacktestConfig, subject: Subject) -> BacktestConfig:
    """The client's configuration over the training's, field by field. Raises ConfigFault.

    A dataset of another name, or a split of its own scheme, is taken whole: the training's symbols, version or ranges
    say nothing about it. What the policy sees is its training's and nobody else's to choose.
    """
    asked = config.model_dump(mode="json", exclude_unset=True)
    trained = {name: subject.config[name] for name in _SHARED if name in subject.config}
    if asked.get("dataset", {}).get("symbols", ()) is None:
        del asked["dataset"]["symbols"]  # a form's empty field: those of the training, as when it is left out
    if "id" in asked.get("dataset", {}) and asked["dataset"]["id"] != trained["dataset"]["id"]:
        del trained["dataset"]
    if "scheme" in asked.get("split", {}):
        del trained["split"]
    if asked.get("features") not in (None, trained["features"]):
        raise ConfigFault({"features": ["The policy sees what it was trained on; leave features out."]})
    if asked.get("policy_sha256") not in (None, subject.sha256):
        raise ConfigFault({"policy_sha256": ["This is not the hash of the policy's file; leave it out."]})
    if subject.members is not None and len(subject.members.listed.seeds) > 1:
        trained["evaluation"] = {**trained["evaluation"], "waterfall": False}
        if asked.get("evaluation", {}).get("waterfall"):
            raise ConfigFault(
                {"evaluation.waterfall": ["Several seeds have no decision in common; judge one of them."]}
            )
    if faults := _without_effect(config, SplitConfig.model_validate(subject.config["split"]), subject.which):
        raise ConfigFault(faults)
    asked |= {"features": trained["features"], "policy_sha256": subject.sha256}
    try:
        found = BacktestConfig.model_validate(_over(trained, asked))
    except ValidationError as error:
        raise ConfigFault(sentences(error)) from error
    judging = found.evaluation.model_copy(update={"policy": subject.which})
    return found.model_copy(update={"evaluation": judging})


def check_seen(config: BacktestConfig, subject: Subject) -> None:
    """Raises ConfigFault where a resolved backtest would show the policy what it was not trained on.

    The job itself holds the whole observation against the policy file; here stands what the configurations tell.
    """
    offered = canonical(config)
    faults: dict[str, list[str]] = {}
    any_symbols = subject.config["model"]["policy"] in ANY_SYMBOLS
    for group, name in _SEEN:
        if name == "symbols" and any_symbols:
            continue
        here, trained = offered[group][name], subject.config[group][name]
        if name == "max_step_change":  # whether there is a step limit is part of what it sees; how large is not
            here, trained = ("none" if limit is None else "a limit" for limit in (here, trained))
        if here != trained:
            told = f"{', '.join(trained)}, in this order" if name == "symbols" else json.dumps(trained)
            faults[f"{group}.{name}"] = [f"The policy was trained with {told}; it can be judged with nothing else."]
    if faults:
        raise ConfigFault(faults)


def copy(subject: Subject, folder: Path) -> None:
    """Put the policy's file, or those of all seeds, beside the backtest's configuration, verified. Raises ConfigFault
    when one is not it.
    """
    field, target = "policy" if subject.key == "" else "run_id", folder / layout.JUDGED_POLICY
    try:
        if subject.members is not None:
            copy_members(subject.members, folder)
        elif subject.run is not None and subject.key:
            harvest.copy_verified(subject.run.id, subject.key, target, subject.sha256)
        elif subject.policy is not None:
            with places.policy_file(subject.policy).open("rb") as source:
                harvest.write_verified(source, target, subject.sha256)
    except FileNotFoundError as error:
        raise ConfigFault({field: ["The policy's file is gone; train again."]}) from error
    except ValueError as error:
        raise ConfigFault({field: ["The policy's file is not the one that its training left; train again."]}) from error


def members_of(run: Run, which: str) -> Members:
    """The `which` (best, last) policy of each training of a parent, and where its folds begin.

    Raises ValueError where one left none, ConfigFault (also one) where its dataset is gone.
    """
    runs, policies, key = tuple(run.trainings), [], FILES[which]
    rows = {row.run_id: row for row in Artifact.objects.filter(run__in=runs, key=key)}
    for child in runs:
        if child.id not in rows:
            raise ValueError(f"{child.member_name} left no {which} policy")
        policies.append(Listed(child.fold, child.seeds[0], rows[child.id].sha256))
    starts = resolve.fold_starts(run.owner, CvConfig.model_validate(run.config)) if run.kind == Run.Kind.CV else ()
    return Members(PolicyList(tuple(policies), starts), runs, key)


def copy_members(members: Members, folder: Path) -> None:
    """Put the policies into a run directory, verified, and last the list of them.

    Raises FileNotFoundError, ValueError where one is not what its row says.
    """
    (folder / layout.MEMBERS).mkdir(exist_ok=True)
    for run, one in zip(members.runs, members.listed.policies, strict=True):
        harvest.copy_verified(run.id, members.key, folder / one.path, one.sha256)
    members.listed.write(folder)


def _of_run(owner: Any, config: BacktestConfig) -> Subject:
    run: Run | None = Run.objects.owned_by(owner).filter(pk=config.run_id, kind__in=Run.TRAINED).first()
    if run is None:
        raise ConfigFault({"run_id": ["There is no such training run."]})
    if run.state != Run.State.SUCCEEDED:
        raise ConfigFault(
            {"run_id": [f"This training is {run.get_state_display().lower()}; only a succeeded one can be judged."]}
        )
    which = run.config["evaluation"]["policy"]
    if "evaluation" in config.model_fields_set and "policy" in config.evaluation.model_fields_set:
        which = config.evaluation.policy
    if run.is_parent:
        try:
            members = members_of(run, which)
        except ValueError as error:
            raise ConfigFault({"run_id": [f"{str(error).rstrip('.')}; train again."]}) from error
        return Subject(run, None, FILES[which], which, members.listed.sha256, run.config, members)
    artifact = run.artifacts.filter(key=FILES[which]).first()
    if artifact is None:
        raise ConfigFault({"run_id": [f"This training left no {which} policy."]})
    policy = run.policies.filter(which=which).first()
    return Subject(run, policy, FILES[which], which, artifact.sha256, run.config)


def _without_effect(config: BacktestConfig, split: SplitConfig, which: str) -> dict[str, list[str]]:
    """Sentences at what was asked for and would change nothing. `split` and `which` are what the subject brings along.

    A form sends each of its fields, so that a default counts as not asked for.
    """
    faults = {}
    if config.start is not None and config.split not in (SplitConfig(), split):
        faults["split.scheme"] = ["The range is given by start and end already; leave out either these or the split."]
    if config.evaluation.policy not in (EvaluationConfig().policy, which):
        faults["evaluation.policy"] = ["This chooses among the policies of run_id; leave it out here."]
    return faults


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` laid over `base`: groups are merged, fields replaced."""
    merged = dict(base)
    for name, value in top.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
