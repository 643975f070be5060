"""Fields of strict JSON, taken one by one with their bounds; what is left over is refused."""

import math
import re
from typing import Any, NoReturn

from rl.policy_format.fault import PolicyFileFault
from runfiles import strict_json

MOST_VALUES = 500_000
_TEXT = re.compile(r"[\x20-\x7e]*")


def read_json(content: bytes, name: str) -> Any:
    """The value of a JSON member. Raises PolicyFileFault."""
    try:
        return strict_json.read(content, name, MOST_VALUES)
    except (strict_json.NotStrictJSON, RecursionError, ValueError) as error:
        raise PolicyFileFault(f"{name}: {str(error).rstrip('.')}", "json") from error


class Fields:
    """The fields of one JSON object. `where` names it in refusals, each of which is a PolicyFileFault."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise PolicyFileFault(f"{where} must be an object", "json")
        self._left, self.where = dict(value), where

    def take(self, key: str) -> Any:
        if key not in self._left:
            raise PolicyFileFault(f"{self.where} lacks {key}", "missing")
        return self._left.pop(key)

    def object(self, key: str) -> "Fields":
        return Fields(self.take(key), f"{self.where}.{key}")

    def whole(self, key: str, least: int, most: int) -> int:
        return whole(self.take(key), least, most, f"{self.where}.{key}")

    def number(self, key: str, least: float, most: float) -> float:
        return number(self.take(key), least, most, f"{self.where}.{key}")

    def text(self, key: str, most: int = 64) -> str:
        return text(self.take(key), most, f"{self.where}.{key}")

    def choice(self, key: str, among: Any) -> str:
        """One of `among`, which are texts."""
        value = self.take(key)
        if not isinstance(value, str) or value not in among:
            self.refuse(key, f"one of {', '.join(sorted(among))}")
        return value

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            self.refuse(key, "true or false")
        return value

    def items(self, key: str, most: int) -> list[Any]:
        """A list of at most `most` values."""
        value = self.take(key)
        if not isinstance(value, list) or len(value) > most:
            self.refuse(key, f"a list of at most {most}")
        return value

    def has(self, key: str) -> bool:
        return key in self._left

    def rest(self) -> dict[str, Any]:
        """All that was not taken yet."""
        return dict(self._left)

    def end(self) -> None:
        """Nothing but what was taken."""
        if self._left:
            name = str(min(self._left))[:40]
            raise PolicyFileFault(f"{self.where} has a field {name!r}, which is not known", "json")

    def refuse(self, key: str, right: str, code: str = "json") -> NoReturn:
        refuse(f"{self.where}.{key}", right, code)


def refuse(where: str, right: str, code: str = "json") -> NoReturn:
    raise PolicyFileFault(f"{where} must be {right}", code)


def whole(value: Any, least: int, most: int, where: str) -> int:
    """An integer within its bounds; true and 1.0 are none."""
    if type(value) is not int or not least <= value <= most:
        refuse(where, f"a whole number from {least} to {most}")
    return value


def number(value: Any, least: float, most: float, where: str) -> float:
    """A finite number within its bounds."""
    if type(value) not in (int, float) or not math.isfinite(value) or not least <= value <= most:
        refuse(where, f"a number from {least:g} to {most:g}")
    return float(value)


def text(value: Any, most: int, where: str) -> str:
    """Printable ASCII."""
    if not isinstance(value, str) or len(value) > most or not _TEXT.fullmatch(value):
        refuse(where, f"plain text of at most {most} characters")
    return value
