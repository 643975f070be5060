"""Every leaf of a configuration model, and another valid value for it."""

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from marketdata.config_base import is_later


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """(dotted name, field) of each field that is no group, in the order of the model."""
    for name, field in model.model_fields.items():
        choices = () if typing.get_origin(field.annotation) is tuple else typing.get_args(field.annotation)
        group = next((choice for choice in (field.annotation, *choices) if is_group(choice)), None)
        if group is not None:
            yield from leaves(group, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def offered(model: type[BaseModel]) -> list[str]:
    return [name for name, field in leaves(model) if not is_later(field)]


def later(model: type[BaseModel]) -> list[str]:
    return [name for name, field in leaves(model) if is_later(field)]


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """{"fees.taker_bps": 3} as {"fees": {"taker_bps": 3}}."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *groups, leaf = name.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = value
    return tree
