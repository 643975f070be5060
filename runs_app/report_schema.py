"""The parts of a report that pages and rows hold, by name and type. A job's file may say anything.

What comes in has been through `runfiles.plain_json.plain`: every number is finite.
"""

from typing import Any, Final

from runfiles.metric_keys import METRICS
from runfiles.report_rows import luck_words
from runfiles.seed_rows import seeds_words

_NUMBERS: Final = (
    "excess_per_year", "low", "high", "equal_risk_excess", "power", "p", "years_needed", "seeds_needed",
    "n_bars", "trials", "seeds", "seen",
)  # fmt: skip
_TEXTS: Final = ("code", "sentence", "leak_gate")
_BASELINES: Final = ("baseline", "years_against", "seeds_against")
_MOST_STAMPS: Final = 64
_MOST_EXCESSES: Final = 64
_MOST_STRATEGIES: Final = 64
_MOST_TEXTS: Final = 256
_MOST_SEEDS: Final = 64
_MOST_CHECKS: Final = 32
_GATE: Final = {"passed": "no leak found", "failed": "leak found", "incomplete": "not all could be examined"}
_CHECK: Final = {"passed": "Passed", "failed": "Leak", "not_examined": "Not examined", "absent": "Nothing of this kind"}


def metrics(values: Any) -> dict[str, float | None]:
    """The metrics that are there, None where one is no number; empty where `values` is no object."""
    found = values if isinstance(values, dict) else {}
    return {key: found[key] if _is_number(found[key]) else None for key in METRICS if key in found}


def verdict(value: Any) -> dict[str, Any]:
    """What is known of a verdict and of the right type; empty where there is none."""
    if not isinstance(value, dict):
        return {}
    found = {key: value[key] for key in _NUMBERS if key in value and (value[key] is None or _is_number(value[key]))}
    found |= {key: value[key] for key in _TEXTS if isinstance(value.get(key), str)}
    if isinstance(value.get("seed_points"), list):
        found["seed_points"] = [point for point in value["seed_points"] if _is_number(point)][:_MOST_SEEDS]
    for key in _BASELINES:
        if key in value and isinstance(value[key], str | None):
            found[key] = value[key]
    return found


def summary(value: dict[str, Any]) -> dict[str, Any]:
    """The parts of a `summary.json` that pages show, lists and texts of the right type; empty where the file is."""
    if not value:
        return {}
    stamps, span = value.get("stamps"), value.get("range")
    texts = [text for text in stamps if isinstance(text, str)] if isinstance(stamps, list) else []
    days = {key: text for key, text in span.items() if isinstance(text, str)} if isinstance(span, dict) else {}
    return {
        "verdict": verdict(value.get("verdict")),
        "stamps": texts[:_MOST_STAMPS],
        "range": days if {"start", "end"} <= days.keys() else {},
        "metrics": metrics(value.get("metrics")),
        "strategies": strategies(value.get("strategies")),
        "split": value["split"] if isinstance(value.get("split"), dict) else {},
        "seeds": seeds_words(value.get("seeds")),
        "luck": luck_words(value.get("matched_random")),
        "rules": _rules(value.get("rules")),
        "diagnosis": _texts(value.get("diagnosis"), ("key", "issue", "advice")),
        "absent": _texts(value.get("absent"), ("key", "name", "why")),
        **excesses(value.get("excesses")),
    }


def strategies(rows: Any) -> list[dict[str, Any]]:
    """Rows of `key`, `label` and `series`, the subject first; none where the file does not tell them."""
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = [{name: row.get(name) for name in ("key", "label", "series")} for row in known]
    whole = [row for row in found if isinstance(row["key"], str) and isinstance(row["label"], str)]
    return [row for row in whole if isinstance(row["series"], int)][:_MOST_STRATEGIES]


def excesses(rows: Any) -> dict[str, Any]:
    """`{"excesses": [row with a baseline's key]}`; empty where the file tells of none, which an empty list is not."""
    if not isinstance(rows, list):
        return {}
    known = [row for row in rows if isinstance(row, dict) and isinstance(row.get("baseline"), str)]
    return {"excesses": known[:_MOST_EXCESSES]}


def _texts(rows: Any, keys: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows that hold a text under each of `keys`; none where `rows` is no list."""
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = [{key: row[key] for key in keys} for row in known if all(isinstance(row.get(key), str) for key in keys)]
    return found[:_MOST_TEXTS]


def _rules(rows: Any) -> list[dict[str, str]]:
    """Rules with their group, empty in reports of an earlier version."""
    known = [{"group": "", **row} for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return _texts(known, ("name", "text", "definition", "group"))


def leaks(value: dict[str, Any]) -> dict[str, Any]:
    """State, sentence and checks of a `leaks.json`, each state with a `word`; empty where it tells no known state."""
    checks = value.get("checks")
    if _word(value, _GATE) is None or not isinstance(checks, list):
        return {}
    known = [check for check in checks if isinstance(check, dict) and _word(check, _CHECK) is not None]
    return {
        "state": value["state"],
        "word": _GATE[value["state"]],
        "sentence": str(value.get("sentence", "")),
        "reruns": value["reruns"] if _is_number(value.get("reruns")) else None,
        "checks": [
            {
                "name": str(check.get("name", "")),
                "state": check["state"],
                "word": _CHECK[check["state"]],
                "cases": check["cases"] if _is_number(check.get("cases")) else None,
                "sentence": str(check.get("sentence", "")),
            }
            for check in known[:_MOST_CHECKS]
        ],
    }


def _word(value: dict[str, Any], words: dict[str, str]) -> str | None:
    """The word for a `state`, None where it is no known one."""
    state = value.get("state")
    return words.get(state) if isinstance(state, str) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
