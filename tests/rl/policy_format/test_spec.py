"""The spec and its spaces: what is written is read back, and what differs by one field is refused by its name."""

import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.space_spec import check_space
from rl.policy_format.spaces import plain_space, space_of
from rl.policy_format.spec import PolicySpec, plain_json
from tests.rl.policy_import.hostile import own_members
from tests.rl.policy_import.saves import MIXED, box

SPACES = [
    box(4), box(2, 3, high=np.inf, dtype=np.float64), spaces.Box(-1, 1, (), np.float32), MIXED,
    spaces.Box(np.array([-1, -np.inf], np.float32), np.array([0.1, 1e30], np.float32)),
    spaces.Box(-(2**63), 2**63 - 1, (2,), np.int64), spaces.Discrete(3, start=-2), spaces.MultiDiscrete([2, 9]),
    spaces.MultiBinary(4), spaces.MultiBinary([2, 2]), spaces.Dict([("z", box(1)), ("a", spaces.Discrete(2))]),
]  # fmt: skip


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(own_members()["stockbot/policy.json"])
    return found


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_space_is_read_back(space: spaces.Space) -> None:
    plain = check_space(json.loads(json.dumps(plain_space(space), allow_nan=False)), "space")
    again = space_of(plain)

    assert again == space and plain_space(again) == plain
    if isinstance(space, spaces.Dict):
        assert list(again.spaces) == list(space.spaces)  # a network reads the parts in this order


def test_the_spec_is_read_back_to_the_byte() -> None:
    content = own_members()["stockbot/policy.json"]
    assert plain_json(PolicySpec.from_dict(json.loads(content)).as_dict()) == content


@pytest.mark.parametrize("field", sorted(told()))
def test_each_field_must_be_there_and_be_right(field: str) -> None:
    without = {key: value for key, value in told().items() if key != field}
    with pytest.raises(PolicyFileFault, match=f"lacks {field}"):
        PolicySpec.from_dict(without)
    for wrong in (None, -1, [1], "?", {"?": 1}):
        if (field, wrong) == ("observation_sha256", None):
            continue  # a policy that does not tell what it sees
        with pytest.raises(PolicyFileFault):
            PolicySpec.from_dict(told() | {field: wrong})


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"type": "box", "shape": [2], "dtype": "float32", "low": 1, "high": 0}, "lower bound above"),
        ({"type": "box", "shape": [2], "dtype": "float32", "low": [0], "high": 1}, "one number or 2"),
        ({"type": "box", "shape": [2], "dtype": "object", "low": 0, "high": 1}, "must be one of"),
        ({"type": "box", "shape": [2], "dtype": "uint8", "low": 0, "high": 256}, "whole number from 0 to 255"),
        ({"type": "box", "shape": [-1], "dtype": "float32", "low": 0, "high": 1}, "whole number from 1"),
        ({"type": "box", "shape": [8000, 8000], "dtype": "float32", "low": 0, "high": 1}, "more than 50,000,000"),
        ({"type": "discrete", "n": 0, "start": 0}, "whole number from 1"),
        ({"type": "discrete", "n": True, "start": 0}, "whole number from 1"),
        ({"type": "multi_discrete", "nvec": []}, "1 to 50,000,000 elements"),
        ({"type": "dict", "spaces": []}, "name each of its spaces once"),
        ({"type": "dict", "spaces": [["a", {"type": "discrete", "n": 2, "start": 0}]] * 2}, "each of its spaces once"),
        ({"type": "dict", "spaces": [["a", {"type": "dict", "spaces": []}]]}, "must be one of"),
        ({"type": "text"}, "must be one of"),
        (7, "must be an object"),
    ],
)
def test_what_is_no_space_is_refused(space: Any, says: str) -> None:
    with pytest.raises(PolicyFileFault, match=says):
        check_space(space, "observation_space")
