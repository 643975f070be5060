"""A setting of PPO that changes over a training stands as two fields: what it begins with, and what it ends with.

Forms, hash, report and OpenAPI read single fields. A client may also say both in one, `{start, end, schedule}`, which
is taken apart here before anything is checked.
"""

from collections.abc import Mapping
from typing import Any

SCHEDULED = ("learning_rate", "clip_range")
KINDS = ("linear", "constant")


def taken_apart(group: Any) -> Any:
    """The fields of `model` with every `{start, end, schedule}` as two of them. Raises ValueError naming the field.

    Lists become tuples: what comes from JSON is Python's once this has seen it, and a strict tuple takes no list.
    """
    if not isinstance(group, Mapping):
        return group
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in group.items()}
    for name in SCHEDULED:
        if isinstance(found.get(name), Mapping):
            found |= _apart(name, found[name], found)
    return found


def _apart(name: str, told: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    end, kind = told.get("end"), told.get("schedule", "linear")
    if set(told) - {"start", "end", "schedule"} or "start" not in told or kind not in KINDS:
        raise ValueError(f"{name} must be a number, or start, end and schedule: linear or constant")
    if (kind == "linear") != (end is not None):
        raise ValueError(f"{name} needs an end where its schedule is linear, and has none where it is constant")
    if group.get(f"{name}_end") is not None:
        raise ValueError(f"{name}_end must be left empty where {name} says its own end")
    return {name: told["start"], f"{name}_end": end}
