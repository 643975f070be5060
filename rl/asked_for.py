"""Whether the policies that lie in a run directory are those that its configuration asks for.

A job that finds them there trains nothing. By hand the configuration may have been edited since they were trained, and
a report under it would then speak of policies that it never made.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from backtest.together import Opened
from marketdata.config_base import canonical, config_hash
from rl.config import TrainConfig, taught_groups
from runfiles import layout
from runfiles.job import JobRefused, read_config
from runfiles.policy_list import PolicyList, Start, member_name

_ANEW = "take a new run directory"


def require_listed(listed: PolicyList, config: TrainConfig, starts: Sequence[Start]) -> None:
    """Raises JobRefused where the list names other seeds or folds, or folds that begin elsewhere."""
    there = tuple((one.fold, one.seed) for one in listed.policies)
    if there != config.members:
        said = f"{layout.MEMBERS_LIST} names {_names(there)}, and {layout.CONFIG} asks for {_names(config.members)}"
        raise JobRefused(f"The policies in the run directory are of another training: {said}; {_ANEW}.")
    for begins, asked in zip(listed.folds, starts, strict=True):
        if begins != asked:
            said = f"fold {asked.fold} begins on {asked.day} by {layout.CONFIG}, and on {begins.day} by"
            raise JobRefused(f"The policies in the run directory are of other folds: {said} {layout.MEMBERS_LIST}; "
                             f"{_ANEW}.")  # fmt: skip


def require_trained_so(folder: Path, policies: Opened, config: TrainConfig) -> None:
    """Raises JobRefused where one was trained otherwise: by what its file says, and by the configuration of its own run
    where that lies beside it.
    """
    for (fold, seed), policy in policies.items():
        asked, name = config.of_member(fold, seed), member_name(seed, fold)
        if other := _other(policy.taught(), asked):
            raise JobRefused(f"{name} in the run directory was trained with other {', '.join(other)} than "
                             f"{layout.CONFIG} asks for; {_ANEW}.")  # fmt: skip
        own = folder / layout.member_folder(seed, fold)
        if (own / layout.CONFIG).is_file() and not _same(own, asked):
            raise JobRefused(f"{name} in the run directory was trained by another configuration than {layout.CONFIG} "
                             f"is now; {_ANEW}, or change it back.")  # fmt: skip


def _other(told: Mapping[str, BaseModel] | None, asked: TrainConfig) -> list[str]:
    """The groups in which the two differ."""
    if told is None:
        return ["settings, in words of another version,"]
    return [name for name, group in taught_groups(asked.taught).items() if canonical(group) != canonical(told[name])]


def _same(own: Path, asked: TrainConfig) -> bool:
    try:
        return config_hash(TrainConfig.model_validate(read_config(own))) == config_hash(asked)
    except ValidationError:
        return False


def _names(members: Sequence[tuple[int | None, int]]) -> str:
    folds = len({fold for fold, _ in members if fold is not None})
    seeds = ", ".join(str(seed) for seed in dict.fromkeys(seed for _, seed in members))
    return f"seeds {seeds}" + (f" in {folds} folds" if folds else "")
