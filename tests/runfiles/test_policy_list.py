"""`members.json`: what is written is read, and nothing else."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from runfiles import layout
from runfiles.policy_list import Listed, PolicyList, Start

A, B, C, D = ("abcd"[k] * 64 for k in range(4))
SEEDS = PolicyList((Listed(None, 7, A), Listed(None, 3, B)))
STARTS = (Start(1, dt.date(2020, 3, 2), 0), Start(2, dt.date(2020, 3, 2), 4))
FOLDS = PolicyList((Listed(1, 7, A), Listed(1, 3, B), Listed(2, 7, C), Listed(2, 3, D)), STARTS)
ONE = PolicyList((Listed(1, 0, A),), STARTS[:1])


@pytest.mark.parametrize("listed", [SEEDS, FOLDS, ONE], ids=["seeds", "folds", "one"])
def test_it_comes_back_in_its_order(tmp_path: Path, listed: PolicyList) -> None:
    listed.write(tmp_path)
    assert PolicyList.read(tmp_path, listed.sha256) == PolicyList.read(tmp_path) == listed


def test_each_policy_has_a_file_of_its_own() -> None:
    assert [one.path for one in SEEDS.policies] == ["members/seed_7.zip", "members/seed_3.zip"]
    assert [one.path for one in FOLDS.policies[1:3]] == ["members/fold_1_seed_3.zip", "members/fold_2_seed_7.zip"]
    assert FOLDS.seeds == SEEDS.seeds == (7, 3)


def changed(listed: PolicyList, part: str, place: int, **fields: Any) -> bytes:
    value = json.loads(listed.content())
    value[part][place] |= fields
    return json.dumps(value).encode()


def without(listed: PolicyList, part: str, place: int) -> bytes:
    value = json.loads(listed.content())
    del value[part][place]
    return json.dumps(value).encode()


FORM, GRID = "not in the form", "a policy for each fold and seed"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", FORM), (b"[]", FORM), (b"\xff", ""), (b'{"v": 1, "v": 1}', "stands twice"),
        (SEEDS.content().replace(b'"v": 1', b'"v": 2'), FORM),
        (SEEDS.content().replace(b'"v": 1', b'"v": 1, "policies": 3'), "stands twice"),
        (changed(SEEDS, "policies", 0, seed=-1), FORM), (changed(SEEDS, "policies", 0, seed=True), FORM),
        (changed(SEEDS, "policies", 0, seed="7"), FORM), (changed(SEEDS, "policies", 0, sha256=7), FORM),
        (changed(SEEDS, "policies", 0, path="x"), FORM), (changed(FOLDS, "folds", 0, day="2020-3-2"), FORM),
        (changed(FOLDS, "folds", 0, bar=-1), FORM), (changed(FOLDS, "policies", 0, fold=1.0), FORM),
        (changed(SEEDS, "policies", 1, seed=7), "must name 2 to 16 seeds"),
        (without(SEEDS, "policies", 0), "must name 2 to 16 seeds"),
        (changed(SEEDS, "policies", 1, fold=1), GRID), (without(FOLDS, "policies", 2), GRID),
        (changed(FOLDS, "policies", 3, seed=7), GRID), (without(FOLDS, "folds", 1), GRID),
        (changed(FOLDS, "folds", 1, fold=3), "counted from 1"), (changed(FOLDS, "folds", 1, bar=0), "in order of time"),
        (changed(FOLDS, "folds", 1, day="2020-03-01"), "in order of time"),
    ],
)  # fmt: skip
def test_what_is_no_such_list_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / layout.MEMBERS_LIST).write_bytes(content)
    with pytest.raises(ValueError, match=words or "members.json"):
        PolicyList.read(tmp_path)


def test_a_missing_list_and_another_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        PolicyList.read(tmp_path)
    SEEDS.write(tmp_path)
    with pytest.raises(ValueError, match="sha256 differs"):
        PolicyList.read(tmp_path, FOLDS.sha256)
