"""HTML forms made from the configuration models: what is drawn, what a POST says, and where a fault is shown.

One builder for every model: titles, help, units, bounds and choices are the model's. A form never checks a value
itself; the model and the catalog do, and their sentences are put beside the field they name.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.http import QueryDict
from pydantic import BaseModel, ValidationError

from marketdata.config_base import ConfigFault, sentences
from runs_app.form_fields import Group, Leaf, groups_of

Options = Mapping[str, Iterable[tuple[str, str]]]
M = TypeVar("M", bound=BaseModel)

NOT_CONFIG = frozenset({"csrfmiddlewaretoken"})


@dataclass
class BoundField:
    """A leaf with the text a person sees: `value` is what was typed, or what the prefill says; `chosen` all of it."""

    leaf: Leaf
    value: str
    chosen: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    errors: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return "f-" + self.leaf.name.replace(".", "-")

    @property
    def widget(self) -> str:
        """A list or a text whose choices the page knows is drawn as a choice."""
        if self.options and self.leaf.widget in ("list", "choices"):
            return "choices"
        return "choice" if self.options and self.leaf.widget != "ordered" else self.leaf.widget

    @property
    def places(self) -> list[str]:
        """What stands at each place of an ordered choice; the last ones are empty where fewer were chosen."""
        held = [text for text in self.chosen if text]
        return held + [""] * (len(self.options) - len(held))

    @property
    def described_by(self) -> str:
        return f"{self.id}-help {self.id}-error" if self.errors else f"{self.id}-help"


@dataclass
class BoundGroup:
    group: Group
    fields: list[BoundField]

    @property
    def id(self) -> str:
        return f"g-{self.group.name or 'main'}"

    @property
    def plain(self) -> list[BoundField]:
        return [bound for bound in self.fields if not bound.leaf.advanced]

    @property
    def advanced(self) -> list[BoundField]:
        return [bound for bound in self.fields if bound.leaf.advanced]

    @property
    def advanced_open(self) -> bool:
        return any(bound.errors for bound in self.advanced)


class ConfigForm(Generic[M]):
    """A configuration model as a form. `filled`: names of groups and dotted names of fields that the service fills in,
    or that nothing would follow: nobody is asked.
    """

    def __init__(self, model: type[M], *, order: tuple[str, ...] = (), filled: frozenset[str] = frozenset(),
                 options: Options | None = None) -> None:  # fmt: skip
        self.model = model
        self.errors: dict[str, list[str]] = {}
        self.loose_errors: list[str] = []
        self._options = {name: tuple(pairs) for name, pairs in (options or {}).items()}
        groups = groups_of(model, filled)
        rank = {name: place for place, name in enumerate(order)}
        self._groups = sorted(groups, key=lambda group: rank.get(group.name, len(rank)))
        self.leaves = {leaf.name: leaf for group in groups for leaf in group.leaves}
        self._typed: dict[str, list[str]] = {name: texts_of(leaf, leaf.default) for name, leaf in self.leaves.items()}

    def prefill(self, values: Mapping[str, Any]) -> None:
        """Put nested plain values (a preset, another run's configuration) over what stands."""
        for name, leaf in self.leaves.items():
            found, value = _dig(values, name)
            if not found and leaf.within:
                found = _dig(values, leaf.within) == (True, None)
            if found:
                self._typed[name] = texts_of(leaf, value)

    def read(self, post: QueryDict) -> M | None:
        """The checked configuration, or None with `errors` set; what was typed is kept either way."""
        for name in self.leaves:
            self._typed[name] = post.getlist(name)
        if long := [name for name, leaf in self.leaves.items() if _too_long(leaf, self._typed[name])]:
            self.add_errors({name: [f"Must be at most {_LONGEST} characters long."] for name in long})
            return None
        try:
            return self.model.model_validate(self._nested(post))
        except ValidationError as fault:
            self.add_errors(sentences(fault))
            return None

    def add_errors(self, errors: Mapping[str, list[str]]) -> None:
        """Each fault goes beside the field it names (`dataset.symbols.3` → symbols); the others stand on top."""
        for name, found in errors.items():
            owner = self._owner(name)
            if owner is not None:
                self.errors.setdefault(owner, []).extend(found)
            else:
                self.loose_errors += found if name == "config" else [f"{name}: {text}" for text in found]

    def add_fault(self, fault: ConfigFault) -> None:
        self.add_errors(fault.errors)

    @property
    def groups(self) -> list[BoundGroup]:
        return [BoundGroup(group, [self._bound(leaf) for leaf in group.leaves]) for group in self._groups]

    @property
    def faulty(self) -> list[BoundField]:
        """Fields with errors, in the order they are drawn: the summary on top links to them."""
        return [bound for group in self.groups for bound in group.fields if bound.errors]

    def _bound(self, leaf: Leaf) -> BoundField:
        typed = self._typed[leaf.name]
        known = self._options.get(leaf.name, tuple((value, value) for value in leaf.options))
        value = typed[0] if typed else ""
        if known and leaf.widget not in ("list", "choices"):
            asked = typed if leaf.widget == "ordered" else typed[:1]
            strange = [text for text in dict.fromkeys(asked) if text and text not in dict(known)]
            known += tuple((text, f"{text} (unknown)") for text in strange)  # it stays on the page beside its fault
        return BoundField(leaf, value, tuple(typed), known, self.errors.get(leaf.name, []))

    def _owner(self, name: str) -> str | None:
        parts = name.split(".")
        names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((candidate for candidate in names if candidate in self.leaves), None)

    def _nested(self, post: QueryDict) -> dict[str, Any]:
        """What was posted, as the model takes it. A key that is no field goes along, so that the model refuses it."""
        data: dict[str, Any] = {}
        for name, leaf in self.leaves.items():
            value = _value(leaf, post.getlist(name), name in self._options)
            if value is not None or not leaf.within:
                _put(data, name, value)
        for name in post:
            if name not in self.leaves and name not in NOT_CONFIG:
                _put(data, name, post[name])
        return data


def texts_of(leaf: Leaf, value: Any) -> list[str]:
    """A plain value as form texts: one for most, one a choice for lists of choices, none for false and None."""
    if value is None or value is False:
        return []
    if value is True:
        return ["on"]
    if leaf.widget == "ranges":
        return ["\n".join(f"{_get(part, 'start')} {_get(part, 'end')}" for part in value)]
    if leaf.widget == "weights":
        return ["\n".join(f"{symbol} {_text(weight)}" for symbol, weight in value.items())]
    if isinstance(value, list | tuple):
        texts = [_text(part) for part in value]
        return texts if leaf.widget in ("choices", "ordered") else [", ".join(texts), *texts]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


_LONGEST = 16 * 1024  # characters of a list's text
_PIECES = re.compile(r"[^,;\s()]+|.", re.DOTALL)
_BESIDE_SIGNS = re.compile(r"(?<=[+*/<>=!-])[ \t]+(?=\S)|(?<=\S)[ \t]+(?=[+*/<>=!-])")


def _items(text: str) -> list[str]:
    """The items of a list's text, cut at commas, semicolons and space outside the brackets of macd(12, 26, 9), but not
    at a space beside a sign, as in close / open.
    """
    items, held, depth = [], list[str](), 0
    for piece in _PIECES.findall(_BESIDE_SIGNS.sub("", text)):
        depth = depth + 1 if piece == "(" else max(0, depth - 1) if piece == ")" else depth
        if depth or not (piece in ",;" or piece.isspace()):
            held.append(piece)
        elif held:
            items.append("".join(held))
            held = []
    return [*items, "".join(held)] if held else items


def _too_long(leaf: Leaf, typed: list[str]) -> bool:
    return leaf.widget in ("list", "ordered", "ranges", "weights") and sum(map(len, typed)) > _LONGEST


def _value(leaf: Leaf, typed: list[str], chosen: bool) -> Any:
    """The texts of one field as a value for the model in its lax mode. Empty is None, or an empty list."""
    if leaf.widget == "bool":
        return bool(typed) and typed[-1] not in ("false", "0", "")
    if leaf.widget in ("choices", "ordered") or (leaf.widget == "list" and chosen):
        return [text for text in typed if text]
    text = typed[-1].strip() if typed else ""
    if leaf.widget == "list":
        parts = _items(text)
        return None if leaf.optional and not parts else parts
    if leaf.widget == "ranges":
        return [_range(line.split()) for line in text.splitlines() if line.strip()]
    if leaf.widget == "weights" and text:
        return {symbol: weight.strip() for symbol, _, weight in (line.strip().partition(" ") for line in _lines(text))}
    return None if leaf.optional and not text else text


def _lines(text: str) -> list[str]:
    """Lines with something in them; commas and semicolons end one too."""
    return [line for line in re.split(r"[\n\r,;]", text) if line.strip()]


def _range(parts: list[str]) -> dict[str, str]:
    return dict(zip(("start", "end"), [*parts[:1], *parts[-1:]] if len(parts) > 1 else parts, strict=False))


def _get(part: Any, name: str) -> Any:
    return part[name] if isinstance(part, Mapping) else getattr(part, name)


def _dig(values: Mapping[str, Any], name: str) -> tuple[bool, Any]:
    here: Any = values
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False, None
        here = here[part]
    return True, here


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    *groups, last = name.split(".")
    for part in groups:
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            return  # a key below a plain field: the field itself is refused already
        data = inner
    data[last] = value
