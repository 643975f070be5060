"""What a configuration model says about each of its leaves, as a form needs it. Nothing of it is repeated here."""

import datetime as dt
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from marketdata.config_base import is_later

# groups whose name is an abbreviation or says too little as a heading
TITLES = {
    "dataset": "Data",
    "exec": "Execution",
    "episode": "Book and episode",
    "evaluation": "Report",
    "columns": "Columns",
}


@dataclass(frozen=True)
class Leaf:
    """One field. `name` is dotted, as in faults and in `config.yaml`; `options` are the values of a closed choice.

    `within`: the dotted name of the optional group that it belongs to, which is off where all its fields are empty.
    """

    name: str
    title: str
    help: str
    unit: str
    bounds: str
    advanced: bool
    widget: str
    optional: bool
    options: tuple[str, ...]
    default: Any
    within: str = ""


@dataclass(frozen=True)
class Group:
    """The leaves of one group that this version draws; `name` is empty for the fields of the model itself."""

    name: str
    title: str
    help: str
    leaves: tuple[Leaf, ...]


@cache
def groups_of(model: type[BaseModel], filled: frozenset[str] = frozenset()) -> tuple[Group, ...]:
    """Groups with something to draw, in the model's order; top-level fields come first.

    `filled`, names of groups and dotted names of fields, are left out.
    """
    own: list[Leaf] = []
    parts: list[Group] = []
    for name, field in model.model_fields.items():
        if name in filled or is_later(field):
            continue
        part = _part(field.annotation)
        if part is None:
            own.append(_leaf(name, name, field))
        else:
            leaves = tuple(leaf for leaf in _leaves(name, part) if leaf.name not in filled)
            parts.append(Group(name, TITLES.get(name, _words(name)), _first_line(part), leaves))
    own.sort(key=lambda leaf: leaf.name == "out_tag")  # what is judged comes before what it is called
    head = [Group("", "", "", tuple(own))] if own else []
    return tuple(group for group in head + parts if group.leaves)


def _leaves(prefix: str, part: type[BaseModel]) -> Iterator[Leaf]:
    for name, field in part.model_fields.items():
        if is_later(field):
            continue
        inner = _part(field.annotation)
        if inner is None:
            yield _leaf(f"{prefix}.{name}", name, field)
        else:
            yield from _switched(f"{prefix}.{name}", field.description or "", inner)


def _switched(prefix: str, help: str, part: type[BaseModel]) -> Iterator[Leaf]:
    """The fields of a group that is None where nothing of it is given: empty, whatever its own defaults say."""
    for leaf in _leaves(prefix, part):
        yield replace(leaf, help=f"{leaf.help} {help}".strip(), optional=True, default=None, within=prefix)


def _leaf(dotted: str, name: str, field: FieldInfo) -> Leaf:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    widget, optional, options = _widget(field.annotation)
    widget = "ordered" if extra.get("ordered") else widget
    return Leaf(
        name=dotted,
        title=field.title or _words(name),
        help=field.description or "",
        unit=str(extra.get("unit", "")),
        bounds=_bounds(field),
        advanced=bool(extra.get("advanced")),
        widget=widget,
        optional=optional,
        options=options,
        default=None if field.is_required() else field.get_default(call_default_factory=True, validated_data={}),
    )


_SCALARS = {bool: "bool", int: "int", float: "float", dt.date: "date", str: "text"}


def _widget(annotation: Any) -> tuple[str, bool, tuple[str, ...]]:
    """(widget, whether empty means None, closed options)."""
    branches, optional = _branches(annotation)
    if len(branches) > 1:
        return "text", optional, ()  # such as `auto` or a number
    kind = branches[0]
    if get_origin(kind) is Literal:
        return "choice", optional, tuple(str(value) for value in get_args(kind))
    if get_origin(kind) is dict:
        return "weights", optional, ()
    if get_origin(kind) is tuple:
        inner = _branches(get_args(kind)[0])[0][0]
        if get_origin(inner) is Literal:
            return "choices", optional, tuple(str(value) for value in get_args(inner))
        return ("ranges" if _part(inner) else "list"), optional, ()
    return _SCALARS[kind], optional, ()


def _branches(annotation: Any) -> tuple[list[Any], bool]:
    """Members of a union without None and without Annotated, and whether None was among them."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, types.UnionType):
        return [annotation], False
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    plain = [_branches(kind)[0][0] for kind in kinds]
    return list(dict.fromkeys(plain)), len(kinds) < len(get_args(annotation))


def _part(annotation: Any) -> type[BaseModel] | None:
    kind = _branches(annotation)[0][0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _bounds(field: FieldInfo) -> str:
    """`0 to 20`, `Above 0, up to 20`, `0 to below 1`; empty for a field without both bounds."""
    low = high = ""
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = f"{_number(rule.ge)} to "
        elif isinstance(rule, annotated_types.Gt):
            low = f"Above {_number(rule.gt)}, up to "
        elif isinstance(rule, annotated_types.Le):
            high = _number(rule.le)
        elif isinstance(rule, annotated_types.Lt):
            high = f"below {_number(rule.lt)}"
    return low + high if low and high else ""


def _number(value: Any) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _first_line(part: type[BaseModel]) -> str:
    line = (part.__doc__ or "").strip().split("\n", 1)[0]
    return re.sub(r" \([^()]*docs/[^()]*\)", "", line)  # a page cannot follow a pointer into the repository
