"""What every configuration group shares: frozen, unknown keys refused, one sentence a fault, one hash.

Pydantic models are the only definition: serializers, forms, OpenAPI, YAML and command line are made from them.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from runfiles import layout

# No plugin may look into our validation or change it; to look for one pydantic reads what every installed package says.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

MOST_FAULTS = 50  # that one answer tells
LONGEST_NAME = 120  # characters of a field that nobody knows
OWN_KINDS: Final = ("not_in_this_version", "no_code", "weights")  # of faults whose message is a sentence of ours

RENAMED = {
    "taker_fee_bps": "fees.taker_bps",
    "maker_fee_bps": "fees.maker_rebate_bps",
    "commission_bps": "fees.commission_pct_notional",
    "slippage_bps": "exec.half_spread_bps",
    "fill_policy": "exec.fill",
    "max_participation": "exec.participation_cap",
    "participation": "exec.participation_cap",
    "impact_bps": "exec.impact_k",
    "max_leverage": "margin.max_gross_leverage",
    "initial_cash": "episode.start_cash",
    "train_eval_split": "split.scheme",
    "timesteps": "training.total_timesteps",
    "seed": "training.seeds",
}


class ConfigFault(ValueError):
    """A configuration that is well formed but cannot be done with the data there is: sentences by dotted field name."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{name}: {text}" for name, texts in errors.items() for text in texts))

    @property
    def first(self) -> str:
        """`field: sentence` of the first fault, for a job that can say one thing."""
        field, said = next(iter(self.errors.items()))
        return f"{field}: {said[0]}"


class Part(BaseModel):
    """A group of a configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=False)


def later(off: Any, *, what: str) -> Any:
    """Metadata of a field that a later version brings: `off` is its only value today, all else is refused by name."""
    sentence = f"{what} is not in this version; leave the field at {json.dumps(off)}"

    def refuse(value: Any, parse: ValidatorFunctionWrapHandler) -> Any:
        try:
            held = parse(value)
        except ValidationError as fault:
            raise _not_yet(sentence) from fault
        if held != off:
            raise _not_yet(sentence)
        return held

    return WrapValidator(refuse)


def _not_yet(sentence: str) -> PydanticCustomError:
    """A fault of a field itself, whatever was given: a ValueError on a dict would read as the fault of a group."""
    return PydanticCustomError("not_in_this_version", "{sentence}", {"sentence": sentence})


def knob(
    default: Any, text: str, *, unit: str = "", advanced: bool = False, title: str = "", ordered: bool = False,
    **bounds: Any,
) -> Any:  # fmt: skip
    """A field: its default, help text (one sentence), unit and bounds; forms and OpenAPI read all of them.

    `ordered`: a list of choices whose order counts, so that a form asks for the first, the second and so on.
    """
    extra: JsonDict = {"unit": unit, "advanced": advanced, **({"ordered": True} if ordered else {})}
    if default is ...:
        return Field(description=text, title=title or None, json_schema_extra=extra, **bounds)
    return Field(default, description=text, title=title or None, json_schema_extra=extra, **bounds)


def off(default: Any, text: str) -> Any:
    """A field of a later version (used together with `later`): not drawn in forms."""
    return Field(default, description=text, json_schema_extra={"later": True})


def is_later(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("later"))


def canonical(config: BaseModel) -> dict[str, Any]:
    """The configuration as plain JSON values, groups and fields in the order of the model."""
    return config.model_dump(mode="json")


def config_hash(config: BaseModel) -> str:
    """sha256 of the canonical form without `out_tag`, which is a label and changes nothing."""
    content = canonical(config)
    content.pop("out_tag", None)
    text = json.dumps(
        {"schema": layout.SCHEMA_VERSION, **content}, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def sentences(error: ValidationError) -> dict[str, list[str]]:
    """Faults by dotted field name, each a sentence a person understands; after fifty, only how many more there are."""
    found: dict[str, list[str]] = {}
    every = error.errors(include_url=False, include_context=True)
    faults = [fault for fault in every if not _only_counts_the_good(fault, every)]
    for fault in faults[:MOST_FAULTS]:
        name = _field_name(fault)[:LONGEST_NAME]  # type: ignore[arg-type]
        sentence = _sentence(name, fault)  # type: ignore[arg-type]
        bucket = found.setdefault(name or "config", [])
        if sentence not in bucket:
            bucket.append(sentence)
    if len(faults) > MOST_FAULTS:
        found.setdefault("config", []).append(f"And {len(faults) - MOST_FAULTS} more faults.")
    return found


def _only_counts_the_good(fault: Any, faults: Sequence[Any]) -> bool:
    """Of a list with a wrong item pydantic says that it is too short too, when too few of its items are right."""
    place = fault["loc"]
    return fault["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in faults
    )


_BRANCH = re.compile(r"(literal|function-|tuple|constrained|nullable|union).*|float|int|str|date|none|\[key\]")


def _field_name(fault: dict[str, Any]) -> str:
    """Dotted name without the branches of a union. A group's own fault begins with the name of the field at fault."""
    parts = [str(part) for part in fault["loc"] if isinstance(part, int) or not _BRANCH.fullmatch(part)]
    if fault["type"] == "value_error" and isinstance(fault.get("input"), dict):
        parts += fault["msg"].removeprefix("Value error, ").split(" ", 1)[0].split(".")
    return ".".join(parts)


_TEMPLATES = {
    "missing": "This field is required.",
    "finite_number": "Must be a finite number.",
    "int_from_float": "Must be a whole number.",
    "int_type": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "float_type": "Must be a number.",
    "float_parsing": "Must be a number.",
    "bool_type": "Must be true or false.",
    "bool_parsing": "Must be true or false.",
    "string_type": "Must be text.",
    "date_from_datetime_parsing": "Must be a date such as 2022-12-28.",
    "date_type": "Must be a date such as 2022-12-28.",
    "model_type": "Must be a group of fields.",
    "model_attributes_type": "Must be a group of fields.",
    "dict_type": "Must be a group of fields.",
    "tuple_type": "Must be a list.",
    "list_type": "Must be a list.",
    "int_parsing_size": "Must be a whole number within 64 bits.",
    "bool_from_float": "Must be true or false.",
    "string_unicode": "Must be text.",
    "string_sub_type": "Must be text.",
    "date_parsing": "Must be a date such as 2022-12-28.",
    "date_from_datetime_inexact": "Must be a date such as 2022-12-28, without a time of day.",
    "none_required": "Must be left empty.",
    "json_invalid": "Must be JSON.",
    "json_type": "Must be JSON.",
    "frozen_set_type": "Must be a list.",
    "set_type": "Must be a list.",
    "mapping_type": "Must be a group of fields.",
}
_OTHERWISE = "Must be another value; see the field's description."
_COUNTED: dict[str, tuple[str, str, str]] = {
    "too_long": ("at most", "max_length", "item"), "too_short": ("at least", "min_length", "item"),
    "string_too_long": ("at most", "max_length", "character"),
    "string_too_short": ("at least", "min_length", "character"),
}  # fmt: skip


SYMBOL_PATTERN = r"^[A-Za-z0-9^.=\-]{1,16}$"
FETCHED_PATTERN = r"^[A-Z0-9^][A-Z0-9.=\-]{0,15}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
DATASET_PATTERN = r"^[a-z0-9][a-z0-9_\-]{0,31}/[a-z0-9][a-z0-9_\-]{0,63}$"
SHORT_NAME_PATTERN = r"^[a-z0-9][a-z0-9_\-]{0,63}$"
KEY_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
LABEL_PATTERN = r"^[^\x00-\x1f\x7f/\\]*$"

LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
LINES_PATTERN = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"

_PATTERN_WORDS = {
    SYMBOL_PATTERN: "Must be a symbol such as AAPL.",
    FETCHED_PATTERN: "Must be a symbol in capitals such as AAPL or ^GSPC.",
    SHA256_PATTERN: "Must be a sha256 of 64 hexadecimal digits.",
    DATASET_PATTERN: "Must be a dataset such as sample/us20.",
    SHORT_NAME_PATTERN: "Must be lower-case letters, digits, - and _, at most 64, such as my-stocks.",
    KEY_PATTERN: "Must be a key of lower-case letters, digits and underscores.",
    UUID_PATTERN: "Must be an id such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301.",
    LABEL_PATTERN: "Must be plain text without slashes and control characters.",
    LINE_PATTERN: "Must be one line of plain text without control characters.",
    LINES_PATTERN: "Must be plain text without control characters; line ends are taken.",
}


def _sentence(name: str, fault: dict[str, Any]) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        leaf = name.rsplit(".", 1)[-1]
        return f"Unknown field; use {RENAMED[leaf]}." if leaf in RENAMED else "Unknown field; remove it."
    if kind in _TEMPLATES:
        return _TEMPLATES[kind]
    bounds = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most"),
              "greater_than": ("gt", "more than"), "less_than": ("lt", "less than")}  # fmt: skip
    if kind in bounds:
        key, words = bounds[kind]
        limit = f"{context[key]:g}" if isinstance(context[key], float) else str(context[key])
        return f"Must be {words} {limit}."
    if kind in _COUNTED:
        words, key, what = _COUNTED[kind]
        count = context[key]
        verb = "hold" if what == "item" else "have"
        return f"Must {verb} {words} {count:,} {what}{'' if count == 1 else 's'}."
    if kind == "literal_error":
        return f"Must be one of {str(context['expected']).replace(chr(39), '')}."
    if kind == "string_pattern_mismatch":
        return _PATTERN_WORDS.get(context["pattern"], _OTHERWISE)
    if kind == "value_error":
        return as_sentence(str(context.get("error", fault["msg"])))
    return as_sentence(str(fault["msg"])) if kind in OWN_KINDS else _OTHERWISE


def as_sentence(text: str) -> str:
    """With a full stop, and a capital unless the first word is the name of a field."""
    first = text.split(" ", 1)[0]
    named = "_" in first or "." in first
    return (text if named else text[:1].upper() + text[1:]).rstrip(".") + "."
