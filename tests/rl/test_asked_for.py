"""Policies that lie in a run directory are judged under the configuration that they were trained by, and no other."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from rl.asked_for import require_listed, require_trained_so
from rl.config import CvConfig, TrainConfig, taught_groups
from runfiles import layout, yamlio
from runfiles.job import JobRefused
from runfiles.policy_list import Listed, PolicyList, Start

CONFIG = TrainConfig.model_validate({"training": {"seeds": [5, 6], "total_timesteps": 1024}})
WALK = CvConfig.model_validate({"split": {"n_folds": 2, "test_bars": 50}, "training": {"seeds": [5]}})
STARTS = (Start(1, dt.date(2020, 1, 2), 0), Start(2, dt.date(2020, 5, 4), 0))


class Told:
    """What a policy's file says of its training, and no more of a policy."""

    def __init__(self, config: TrainConfig | None) -> None:
        self._config = config

    def taught(self) -> Any:
        return None if self._config is None else taught_groups(self._config.taught)


def listed(config: TrainConfig, starts: tuple[Start, ...] = ()) -> PolicyList:
    return PolicyList(tuple(Listed(fold, seed, "0" * 64) for fold, seed in config.members), starts)


def policies(config: TrainConfig) -> Any:
    return {member: Told(config.of_member(*member)) for member in config.members}


def changed(config: TrainConfig, **groups: Any) -> TrainConfig:
    content = config.model_dump(mode="json")
    return type(config).model_validate({name: content[name] | groups.get(name, {}) if isinstance(content[name], dict)
                                        else content[name] for name in content})  # fmt: skip


def put_own(folder: Path, config: TrainConfig) -> None:
    for fold, seed in config.members:
        own = folder / layout.member_folder(seed, fold)
        own.mkdir(parents=True)
        content = {"schema_version": 1, **config.of_member(fold, seed).model_dump(mode="json")}
        (own / layout.CONFIG).write_text(yamlio.dump(content))


@pytest.mark.parametrize(("config", "starts"), [(CONFIG, ()), (WALK, STARTS)])
def test_what_was_trained_so_is_taken(tmp_path: Path, config: TrainConfig, starts: tuple[Start, ...]) -> None:
    put_own(tmp_path, config)
    require_listed(listed(config, starts), config, starts)
    require_trained_so(tmp_path, policies(config), config)


@pytest.mark.parametrize("seeds", [[11, 12], [6, 5], [5], [5, 6, 7]])
def test_other_seeds_are_refused_by_number(seeds: list[int]) -> None:
    asked = changed(CONFIG, training={"seeds": seeds})
    words = f"names seeds 5, 6, and config.yaml asks for seeds {', '.join(map(str, seeds))}; take a new run directory"
    with pytest.raises(JobRefused, match=words):
        require_listed(listed(CONFIG), asked, ())


def test_other_folds_are_refused() -> None:
    asked = changed(WALK, split={"n_folds": 3})
    with pytest.raises(JobRefused, match=r"names seeds 5 in 2 folds, and config\.yaml asks for seeds 5 in 3 folds"):
        require_listed(listed(WALK, STARTS), asked, STARTS)
    later = (STARTS[0], Start(2, dt.date(2020, 5, 5), 0))
    with pytest.raises(JobRefused, match=r"fold 2 begins on 2020-05-05 by config\.yaml, and on 2020-05-04 by"):
        require_listed(listed(WALK, STARTS), WALK, later)


@pytest.mark.parametrize(("group", "field", "value"), [
    ("training", "total_timesteps", 4096), ("model", "net_arch", [32]), ("reward", "scale", 1.0),
    ("regime", "enabled", True),
])  # fmt: skip
def test_another_way_of_training_is_refused_by_its_group(tmp_path: Path, group: str, field: str, value: Any) -> None:
    """By the policy's file alone, as it lies where the server put it."""
    asked = changed(CONFIG, **{group: {field: value}})
    with pytest.raises(JobRefused, match=f"Seed 5 in the run directory was trained with other {group} than"):
        require_trained_so(tmp_path, policies(CONFIG), asked)


def test_a_policy_under_another_seeds_name_is_refused(tmp_path: Path) -> None:
    swapped = dict(zip(CONFIG.members, reversed(policies(CONFIG).values()), strict=True))
    with pytest.raises(JobRefused, match="Seed 5 in the run directory was trained with other training"):
        require_trained_so(tmp_path, swapped, CONFIG)


def test_what_does_not_tell_how_it_was_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobRefused, match="in words of another version"):
        require_trained_so(tmp_path, dict.fromkeys(CONFIG.members, Told(None)), CONFIG)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [
    {"fees": {"taker_bps": 33.0}}, {"features": {"lookback": 7}}, {"dataset": {"start": "2015-01-02"}},
])  # fmt: skip
def test_what_only_its_own_configuration_tells_is_refused_too(tmp_path: Path, change: Any) -> None:
    put_own(tmp_path, CONFIG)
    with pytest.raises(JobRefused, match=r"Seed 5 .* by another configuration than config\.yaml is now"):
        require_trained_so(tmp_path, policies(CONFIG), changed(CONFIG, **change))


def test_a_label_is_no_other_configuration(tmp_path: Path) -> None:
    put_own(tmp_path, CONFIG)
    require_trained_so(tmp_path, policies(CONFIG), CONFIG.model_copy(update={"out_tag": "mine"}))
