"""JSON that means one thing: UTF-8, no duplicate keys, finite numbers, 64-bit integers, bounded depth and count."""

import codecs
import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_VALUES = 20_000  # values and keys of one text
_MAX_INT = 2**63 - 1
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{},:]', re.DOTALL)


class NotStrictJSON(ValueError):
    """The bytes are no JSON that we take; the message is one sentence for the person who sent them."""


def read(raw: bytes, what: str = "The body", most_values: int = MAX_VALUES) -> Any:
    """The value of `raw`. Raises NotStrictJSON with one sentence that speaks of `what`."""
    if raw.startswith(codecs.BOM_UTF8):
        raise NotStrictJSON(f"{what} must be JSON without a byte order mark.")
    _check_size(raw, what, most_values)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except UnicodeDecodeError as error:
        raise NotStrictJSON(f"{what} must be UTF-8.") from error
    except json.JSONDecodeError as error:
        raise NotStrictJSON(f"{what} is no JSON (line {error.lineno}, column {error.colno}).") from error
    if _has_surrogate(raw):
        _check_text(value, what)
    return value


def _check_size(raw: bytes, what: str, most_values: int) -> None:
    """Depth and count, by the marks on the bytes: the parser itself recurses and must not see a bomb.

    Every value and key but the first follows a comma, a colon or an opening bracket.
    """
    depth = count = 0
    for place, match in enumerate(_MARKS.finditer(raw)):
        mark = match.group()
        count += mark in (b",", b":", b"[", b"{")
        if count > most_values or place > 4 * most_values:
            raise NotStrictJSON(f"{what} holds more than {most_values} values and keys.")
        if mark in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise NotStrictJSON(f"{what} is nested deeper than {MAX_DEPTH} levels.")
        elif mark in (b"]", b"}"):
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotStrictJSON(f"The key {name[:80]!r} stands twice; keep one.")
        found[name] = value
    return found


def _constant(word: str) -> NoReturn:
    raise NotStrictJSON(f"{word} is no JSON number; numbers must be finite.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotStrictJSON(f"The number {text[:20]} is too large; numbers must be finite.")
    return value


def _int(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > _MAX_INT:
        raise NotStrictJSON(f"The whole number {text[:20]} does not fit in 64 bits.")
    return int(text)


def _has_surrogate(raw: bytes) -> bool:
    return b"\\ud" in raw.lower()


def _check_text(value: Any, what: str) -> None:
    """Half a surrogate pair is no text: it can neither be stored nor sent back."""
    for text in _texts(value):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            at = f"{what[:1].lower()}{what[1:]}"
            raise NotStrictJSON(f"A text of {at} holds half a character (a lone surrogate).") from error


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in [key, *_texts(item)]]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []
