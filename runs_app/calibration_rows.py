"""What a calibration has found, as its page shows it. A job's file may say anything: what is no number is a dash."""

import math
from typing import Any, Final

from runfiles.report_tables import number_of

WORDS: Final = {
    "learns": "it can learn", "not_shown": "it learns, and its test does not show it",
    "learns_nothing": "it learned nothing that lasts", "false_alarms": "it calls luck skill",
    "no_signal": "no signal was planted",
}  # fmt: skip
_VERDICTS: Final = {
    "shown": "Shown", "not_shown": "Not shown", "worse": "Worse", "too_short": "Too short",
}  # fmt: skip
_BPS: Final = 1e4
_MOST_GROUPS: Final = 8
_MOST_WORLDS: Final = 512
NONE: Final = "—"


def calibration(value: dict[str, Any]) -> dict[str, Any]:
    """Word, sentence, a row a strength (`groups`) and a row a world; empty where the file tells no known result."""
    code, groups, worlds = value.get("code"), value.get("groups"), value.get("worlds")
    if not isinstance(code, str) or code not in WORDS or not isinstance(groups, list) or not isinstance(worlds, list):
        return {}
    return {
        "code": code,
        "word": WORDS[code],
        "sentence": str(value.get("sentence", "")),
        "groups": [_group(one) for one in groups[:_MOST_GROUPS] if isinstance(one, dict)],
        "worlds": [_world(one) for one in worlds[:_MOST_WORLDS] if isinstance(one, dict)],
    }


def _group(one: dict[str, Any]) -> dict[str, str]:
    planted = (number_of(one.get("kappa")) or 0) > 0
    limit, name = ("low", "at least") if planted and one.get("shown") != 0 else ("high", "at most")
    ends = [_text(one.get(f"capture_{end}"), "{:.2f}") for end in ("least", "most")]
    return {
        "name": _strength(one),
        "shown": f"{_whole(one.get('shown'))} of {_whole(one.get('tried'))}",
        "rate": f"{name} {_percent(one.get(limit), up=limit == 'high')}",
        "capture": _text(one.get("capture"), "{:.2f}"),
        "spread": NONE if NONE in ends else " to ".join(ends),
        "growth": _signed(one.get("growth")),
    }


def _world(one: dict[str, Any]) -> dict[str, str]:
    code, captures, growth = one.get("code"), one.get("capture"), one.get("growth")
    return {
        "number": _whole(one.get("number")),
        "name": _strength(one),
        "verdict": _VERDICTS.get(code, NONE) if isinstance(code, str) else NONE,
        "capture": _each(captures, lambda each: f"{each:.2f}"),
        "growth": _each(growth, _signed),
        "oracle": _signed(one.get("oracle")),
    }


def _strength(one: dict[str, Any]) -> str:
    kappa = number_of(one.get("kappa"))
    if kappa is None:
        return NONE
    return f"{kappa:g}" if kappa else "nothing to find"


def _each(values: Any, told: Any) -> str:
    numbers = [each for each in map(number_of, values) if each is not None] if isinstance(values, list) else []
    return ", ".join(map(told, numbers)) or NONE


def _signed(value: Any) -> str:
    """bps a bar."""
    number = number_of(value)
    return NONE if number is None else f"{number * _BPS:+.2f}".replace("-", "−")


def _percent(value: Any, *, up: bool) -> str:
    """A limit, rounded so that it stays one."""
    number = number_of(value)
    if number is None:
        return NONE
    percent = round(100 * number, 9)
    return f"{math.ceil(percent) if up else math.floor(percent)} %"


def _text(value: Any, form: str) -> str:
    number = number_of(value)
    return NONE if number is None else form.format(number).replace("-", "−")


def _whole(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else NONE
