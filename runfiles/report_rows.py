"""Rows of the tables behind a verdict, from what the artifacts hold, and the words that stand beside them.

What comes in has the shape of the files: `report.html` gives what it has just written, the site what it has read. Such
a file may hold anything; what is of the wrong type is a dash.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runfiles.figures import DASH, metric, minus, significant
from runfiles.metric_keys import METRICS
from runfiles.policy_list import MOST_FOLDS
from runfiles.report_tables import Cell, Column, cell, number_of

Row = dict[str, Any]
Labels = Mapping[str, str]

KINDS = {"interval": "95 % interval", "range": "resampled range", "seeds_fixed": "95 %, seeds held fixed"}
NAMES = {
    "fees": "Fees", "spread": "Spread", "impact": "Impact", "borrow": "Borrow", "interest": "Interest", "long": "Long",
    "short": "Short", "cash": "Interest on cash",
}  # fmt: skip
SCHEMES = {
    "last_year": "Split last_year: judged on the last twelve months, validated on what is left of the twelve before",
    "80_20": "Split 80_20: judged on the last fifth of the bars, validated on what is left of the fifth before",
    "custom_ranges": "Split custom_ranges: ranges by the days that the configuration names",
    "walk_forward": "Split walk_forward: test folds that adjoin and end at the last bar",
    "file": "Judged on the days of the imported file; what its maker learned from them, and how often, is not known",
    "dates": "Judged between two days that were given; no split was asked for",
}
ROLES = {"train": "Train", "validation": "Validation", "test": "Test"}
_ENDS = ("start", "end")
WHOLE = 0.99
"""Of the value ordered: who got as much was not cut; a full book always lacks the money for its costs."""
NOT_MODELLED = {
    "no_volume": "Not modelled: without volume, or with impact and the participation cap switched off, size costs "
    "nothing, so that nothing can be said of how much money this could carry.",
    "index": "Left out: the run holds an index. Its volume is that of its members' shares and its level is no price of "
    "a share, so that one times the other says nothing of how much money this could carry.",
}
NOT_IN_FILE = "not in the file"
NOT_IN_FILE_MEANS = "An imported result holds a curve and nothing that this could be computed from."
ABSENT_MEANS = "What an imported result cannot be asked, and why."
BEFORE_COSTS = "before costs"
BEFORE_COSTS_MEANS = (
    "Before costs: equity plus the fees and slippage so far, less interest and borrow so far; none of it reinvested."
)
RETURN_MEANS = {
    "cagr": "The constant yearly return that gives the total return of the strategy, run again in that row's setting.",
    "total_return": "Last equity over the first, less one, of the strategy run again in that window.",
    "filled": "Share of the value ordered that found a fill; who gets less than it wants is not what its name says.",
}
PANDAS = """import pandas as pd
equity = pd.read_csv("equity.csv", index_col="time", parse_dates=True)["equity"]
print(equity.pct_change().dropna().add(1).resample("YE").prod().sub(1))"""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Excess", "How much more the subject grew than a baseline in a year: the ratio of their growths, less one."),
    ("At equal risk", "The same with the baseline scaled to the subject's volatility, so that leverage is no skill."),
    (
        "95 % interval",
        "From resampled blocks of bars, and of an excess of several seeds from the luck of other seeds too; one that "
        "holds 0 says that chance alone could have made the excess.",
    ),
    ("Resampled range", "What the same bars show in other orders; it has no confidence level."),
    ("p", "Share of resampled paths in which the excess is not above 0; of all baselines at once, the largest."),
    ("Could show from", "The least excess whose lower limit would lie above zero in four of five cases."),
    ("Deflated Sharpe", "How probably the Sharpe is more than the best of so many trials would show by luck."),
    ("Seeds", "Trainings of one configuration that differ in their random numbers; judged together."),
    ("Break-even", "The multiple of all costs at which nothing is left of the excess over the hardest baseline."),
    ("Reference price", "The fill rule's price before spread and impact."),
    ("Bar", "One step of the calendar: a session for daily data."),
)


def break_even_words(found: Mapping[str, Any] | None) -> str:
    """One sentence on the break-even of a sweep; empty where there was none."""
    if not found:
        return ""
    status, times, cost = found.get("status"), number_of(found.get("multiplier")), number_of(found.get("cost_bps"))
    if status == "none":
        return "Break-even: none; there is no excess over the hardest baseline even at 0 × the costs."
    if status == "beyond":
        return "Break-even: beyond 20 × the configured costs; the excess is still above zero there."
    if status == "found" and times is not None:
        paid = "" if cost is None else f", where trading takes {significant(cost)} bps of the value traded"
        return f"Break-even: at {significant(times)} × the configured costs{paid}."
    return "Break-even: unknown; there is no baseline of the verdict, or the subject pays nothing that is multiplied."


def delay_name(bars: Any) -> str:
    """`as configured`, `1 bar later`, `2 bars later`; a dash for what is no number."""
    number = number_of(bars)
    if number is None:
        return DASH
    return f"{number:g} bar{'s' * (number != 1)} later" if number else "as configured"


def delay_words(rows: Iterable[Any], labels: Labels) -> str:
    """What the excess is with each delay beside the one as configured; empty without both."""
    found = [row for row in rows if isinstance(row, dict)]
    told = [(row, excess) for row in found if (excess := number_of(row.get("excess_per_year"))) is not None]
    if len(told) < 2 or number_of(told[0][0].get("bars")) != 0:
        return ""
    base, later = told[0], told[1:]
    parts = "; ".join(f"{_excess_words(*one, labels)} with decisions {delay_name(one[0].get('bars'))}" for one in later)
    return f"Excess over the hardest baseline: {_excess_words(*base, labels)} as configured; {parts}."


def cut_words(rows: Iterable[Any], labels: Labels, name: Callable[[Mapping[str, Any]], str]) -> str:
    """Which strategies beside the subject got less than they ordered in a row, each in the worst of them, with the
    `name` of that row; empty where none did.
    """
    worst: dict[str, tuple[float, str]] = {}
    for row in rows:
        strategies = row.get("strategies") if isinstance(row, dict) else None
        for one in strategies[1:] if isinstance(strategies, list | tuple) else ():
            key, share = (
                (str(one.get("strategy")), number_of(one.get("filled"))) if isinstance(one, dict) else ("", None)
            )
            if key in labels and share is not None and share < min(WHOLE, worst.get(key, (WHOLE, ""))[0]):
                worst[key] = share, name(row)
    if not worst:
        return ""
    told = "; ".join(f"{labels[key]} {significant(share * 100)} % {when}" for key, (share, when) in worst.items())
    front = f"Of the value ordered found a fill, at the least: {told}."
    return f"{front} Who gets less than it wants is not what its name says."


def late_name(row: Mapping[str, Any]) -> str:
    """`with decisions 2 bars later`, `as configured`."""
    name = delay_name(row.get("bars"))
    return f"with decisions {name}" if number_of(row.get("bars")) else name


def cost_name(row: Mapping[str, Any]) -> str:
    """`at 2 × the costs`."""
    return f"at {number_of(row.get('multiplier')) or 0:g} × the costs"


def money_name(row: Mapping[str, Any]) -> str:
    """`at 20 × the money`."""
    return f"at {number_of(row.get('multiplier')) or 0:g} × the money"


def _excess_words(row: Mapping[str, Any], excess: float, labels: Labels) -> str:
    over = labels.get(str(row.get("baseline")))
    return f"{significant(excess * 100, signed=True)} % a year" + (f" (over {over})" if over else "")


def not_modelled(reason: Any) -> str:
    """Why there is no capacity, from the `reason` of its file."""
    return NOT_MODELLED.get(str(reason), NOT_MODELLED["no_volume"])


def luck_words(matched: Any) -> str:
    """Where the subject stands among draws of its own decisions of earlier dates; empty without them."""
    found = matched if isinstance(matched, dict) else {}
    percentile, draws = number_of(found.get("percentile")), number_of(found.get("draws"))
    if percentile is None or draws is None:
        return ""
    return f"{percentile * 100:.0f} % of {draws:,.0f} draws of its own earlier decisions did worse"


def named(rows: Iterable[Mapping[str, Any]], key: str) -> list[Row]:
    """Rows whose column `key` is a word of ours, such as a kind of cost or a side."""
    return [{**row, key: _named(row, key)} for row in rows]


def symbol_rows(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """`rows` of symbols.csv for people: the best symbol first, and what cash earned or paid last, where it did."""

    def net(row: Mapping[str, Any]) -> float:
        return number_of(row.get("pnl_net")) or 0.0

    known = list(rows)
    own = sorted((row for row in known if row.get("symbol") != "cash"), key=net, reverse=True)
    cash = [row for row in known if row.get("symbol") == "cash" and net(row) != 0]
    return [dict(row) for row in own] + [{**row, "symbol": NAMES["cash"], "mean_weight": None} for row in cash]


def _named(row: Mapping[str, Any], key: str) -> str:
    money = number_of(row.get("money"))
    if row.get(key) == "interest" and money is not None and money < 0:
        return "Interest earned"
    return NAMES.get(str(row.get(key)), "")


def interval_rows(rows: Iterable[Mapping[str, Any]], metrics: Mapping[str, float | None]) -> list[Row]:
    """`rows` of intervals.csv beside the metrics; limits are written as the metric is."""
    found = []
    for row in rows:
        spec = METRICS.get(str(row.get("metric")))
        if spec is None:
            continue
        unit = {"fraction": "%", "bps": "bps"}.get(spec.unit)
        limits = {key: metric(spec, number_of(row.get(key))) for key in ("low", "high")}
        found.append({
            "metric": f"{spec.label}, {unit}" if unit else spec.label, "value": metric(spec, metrics.get(spec.key)),
            "kind": KINDS.get(str(row.get("kind")), ""), **limits,
        })  # fmt: skip
    return found


def rerun_rows(rows: Iterable[Any], labels: Labels) -> list[Row]:
    """`rows` of sensitivity.json or capacity.json, or `delays`: the subject's figures beside the excess."""
    found = []
    for row in rows:
        own = _first(row)
        if own is not None:
            found.append({**own, **row, "baseline": labels.get(str(row.get("baseline")), "")})
    return found


def stress_rows(rows: Iterable[Any], labels: Labels) -> list[Row]:
    """`rows` of stress.json that were run: the subject's figures beside the hardest baseline's."""
    found = []
    for row in rows:
        own = _first(row)
        if own is None:
            continue
        beside = next((one.get("total_return") for one in row["strategies"] if _is(one, row.get("baseline"))), None)
        figures = {key: own.get(key) for key in ("total_return", "max_drawdown")}
        found.append({**row, **figures, "beside": beside, "baseline": labels.get(str(row.get("baseline")), "")})
    return found


def range_rows(split: Mapping[str, Any]) -> list[Row]:
    """`ranges` of a split, for people."""
    return [{**row, "role": ROLES.get(str(row.get("role")), "")} for row in _dicts(split.get("ranges"))]


def fold_rows(split: Mapping[str, Any], labels: Labels) -> list[Row]:
    """`folds` of a split, for people."""
    return [
        {**row, "fold": f"{number_of(row.get('fold')) or 0:.0f}", "baseline": labels.get(str(row.get("baseline")), "")}
        for row in _dicts(split.get("folds"))
    ]


def learned_rows(split: Mapping[str, Any]) -> list[Row]:
    """What the policies of the folds learned from, for people; none of folds in which no policy acts."""
    return [
        {"fold": row["fold"], "steps": ", ".join(f"{step:,.0f}" for step in _numbers(row.get("steps")))}
        | {f"{one['role']}_{end}": one.get(end) for one in _dicts(row["learned"]) if _is_range(one) for end in _ENDS}
        for row in fold_rows(split, {})
        if _dicts(row.get("learned"))
    ]


def _is_range(value: Row) -> bool:
    return isinstance(value.get("role"), str) and value["role"] in ROLES


def _numbers(values: Any) -> list[float]:
    found = [number_of(value) for value in values[:MOST_FOLDS]] if isinstance(values, list | tuple) else []
    return [value for value in found if value is not None]


def split_words(split: Mapping[str, Any]) -> str:
    """Scheme, purge and embargo in a sentence or three; empty where there is no split."""
    scheme = SCHEMES.get(str(split.get("scheme")))
    if scheme is None:
        return ""
    found = [f"{scheme}."]
    lookback, embargo = number_of(split.get("lookback")), number_of(split.get("embargo"))
    if lookback is not None and embargo is not None:
        found.append(
            f"Between ranges at least {lookback + embargo:,.0f} bars are left out: {lookback:,.0f} of lookback (the "
            f"purge) and {embargo:,.0f} of embargo."
        )
    trained = learned_rows(split) or any(row.get("role") == "train" for row in _dicts(split.get("ranges")))
    if split.get("scheme") != "file" and not trained:
        found.append("A subject without training has learned from nothing.")
    return " ".join(found)


def _dicts(rows: Any) -> list[Row]:
    return [row for row in rows if isinstance(row, dict)][:MOST_FOLDS] if isinstance(rows, list | tuple) else []


def left_out(rows: Iterable[Any]) -> list[str]:
    """Crises that could not be run, each with its reason."""
    return [
        f"{row['label']}: {row['note']}"
        for row in rows
        if isinstance(row, dict) and row.get("status") == "left_out" and {"label", "note"} <= row.keys()
    ]


def _first(row: Any) -> Row | None:
    """The subject's entry of a row; None where the row is no row."""
    strategies = row.get("strategies") if isinstance(row, dict) else None
    first = strategies[0] if isinstance(strategies, list | tuple) and strategies else None
    return first if isinstance(first, dict) else None


def _is(one: Any, key: Any) -> bool:
    return isinstance(one, dict) and one.get("strategy") == key


@dataclass(frozen=True)
class Year:
    """Twelve months and the year itself; None where the range has no bar."""

    name: str
    months: tuple[Cell | None, ...]
    whole: Cell


def _month(value: Any) -> Cell:
    """In percent with one decimal, so that a column of months is easy to run down."""
    found = cell(_RETURN, value)
    number = number_of(value)
    return found if number is None else dataclasses.replace(found, text=minus(f"{number * 100 + 0.0:+.1f}"))


_RETURN = Column("return", "Return", "percent", "Last equity over that before the first bar, less one", "%")
_STEPS = (0.01, 0.03, 0.06)


def shade(text: str) -> int:
    """0 to 3: how deep a month's colour is, from the exact digits of its cell."""
    try:
        size = abs(float(text))
    except ValueError:
        return 0
    return sum(size >= step for step in _STEPS)


def calendar(periods: Iterable[Mapping[str, Any]]) -> list[Year]:
    """The heat map of months from rows `period`, `return`, the newest year first; what is no period is passed over."""
    months: dict[str, dict[int, Cell]] = {}
    years: dict[str, Cell] = {}
    for row in periods:
        name = row.get("period")
        if not isinstance(name, str) or not name[:4].isdigit():
            continue
        shown = _month(row.get("return"))
        if len(name) == 7 and name[5:].isdigit() and 1 <= int(name[5:]) <= 12:
            months.setdefault(name[:4], {})[int(name[5:])] = shown
        elif len(name) == 4:
            years[name] = shown
    return [
        Year(name, tuple(months.get(name, {}).get(m) for m in range(1, 13)), years[name])
        for name in sorted(years, reverse=True)
    ]
