"""What templates ask of us: numbers as text, times, links of the top bar, the figure of a verdict."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backtest import registry
from runfiles import excess_words, report_rows
from runfiles.metric_keys import METRICS
from runs_app import numbers_text, report_reader
from runs_app.models import Run
from runs_app.titles import queue_mark, run_title

register = template.Library()

VERDICT_WORDS = {"shown": "shown", "not_shown": "not shown", "worse": "worse", "too_short": "too short"}


@register.simple_tag
def metric(key: str, values: dict[str, Any] | None) -> SafeString:
    """A metric out of a dict, signed and coloured where it is a return, all its digits on hover."""
    shown = numbers_text.metric_text(METRICS[key], _object(values).get(key))
    return format_html('<span{} title="{}">{}</span>', _sign_class(shown.sign), shown.full, shown.text)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sign_class(sign: str) -> SafeString | str:
    return format_html(' class="sb-{}"', sign) if sign else ""


@register.filter
def unit_of(key: str) -> str:
    return numbers_text.UNIT_WORDS[METRICS[key].unit]


@register.filter
def label_of(key: Any, labels: Mapping[str, str] | None = None) -> str:
    """A strategy's label: its report's where that tells one, else the registry's, else the key itself.

    What is no key is a dash.
    """
    if not isinstance(key, str):
        return numbers_text.DASH
    return (labels or {}).get(key) or registry.label_of(key)


@register.filter
def verdict_tag(verdict: dict[str, Any] | None) -> str:
    return excess_words.TAGS.get((verdict or {}).get("code", ""), excess_words.TAGS["not_shown"])


@register.filter
def verdict_word(verdict: dict[str, Any] | None) -> str:
    return VERDICT_WORDS.get(str(_object(verdict).get("code")), numbers_text.DASH)


@register.simple_tag
def leak_answer(run: Run) -> SafeString:
    """What a leak check found, with the way to it; a dash where its file tells nothing."""
    found = report_reader.read_leaks(run)
    if not found:
        return format_html('<span class="sb-muted">{}</span>', numbers_text.DASH)
    address = reverse("runs:detail", args=[run.id])
    mark = SafeString(' class="sb-loss"') if found["state"] == "failed" else ""
    return format_html('<a href="{}" title="{}"{}>{}</a>', address, found["sentence"], mark, found["word"])


@register.filter
def state_word(state: str) -> str:
    """`Succeeded` for SUCCEEDED; a claimed run still waits for a person."""
    return "Queued" if state == Run.State.STARTING else str(state).capitalize()


register.filter("shade", report_rows.shade)
register.simple_tag(lambda: excess_words.INTERVAL, name="interval_means")
register.filter("signed_percent", numbers_text.percent)
register.filter("title_of", run_title)
register.filter("span", numbers_text.span)
register.filter("digits", numbers_text.digits)
register.filter("whole", numbers_text.whole)
register.filter("size", numbers_text.size)


@register.filter
def ago(moment: dt.datetime | None) -> SafeString | str:
    """`4 min ago`, the absolute time in the title; base.js keeps it true while the page is open."""
    if moment is None:
        return numbers_text.DASH
    iso = moment.astimezone(dt.UTC).isoformat(timespec="seconds")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>', iso, iso[:19].replace("T", " ") + " UTC", _ago(moment)
    )


def _ago(moment: dt.datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for unit, length, limit in (("min", 60, 3600), ("h", 3600, 86_400), ("d", 86_400, 30 * 86_400)):
        if seconds < limit:
            return f"{max(1, round(seconds / length))} {unit} ago"
    return moment.date().isoformat()


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, name: str, title: str) -> SafeString:
    """A link of the top bar, marked while the page below it is open."""
    href, request = reverse(name), context.get("request")
    here = isinstance(request, HttpRequest) and _room(request.path) == _room(href)
    return format_html('<a href="{}"{}>{}</a>', href, SafeString(' aria-current="page"') if here else "", title)


def _room(path: str) -> str:
    head = path.strip("/").split("/", 1)[0]
    return {"runs": "", "train": "", "backtest": "", "leaks": "", "calibrate": "", "data": "datasets"}.get(head, head)


@register.simple_tag(takes_context=True)
def active_runs(context: template.Context) -> dict[str, str]:
    return queue_mark(context["user"])


@register.simple_tag
def verdict_figure(verdict: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where the interval, its point and zero lie on a line of 0..100; None without an interval."""
    found = _object(verdict)
    low, high, point = (numbers_text.finite(found.get(name)) for name in ("low", "high", "excess_per_year"))
    if low is None or high is None or point is None:
        return None
    left, right = min(low, 0.0), max(high, 0.0)
    width = (right - left) or 1.0
    at = {name: round(6 + 88 * (value - left) / width, 2) for name, value in
          (("low", low), ("high", high), ("point", point), ("zero", 0.0))}  # fmt: skip
    apart = min(abs(at["zero"] - at["low"]), abs(at["zero"] - at["high"])) > 8  # else its label would lie on another
    return {**at, "width": max(0.5, round(at["high"] - at["low"], 2)), "zero_apart": apart}


_TEXT_COLUMNS = frozenset({"id", "decided", "filled", "symbol", "side", "reason", "entry_time", "exit_time", "open"})
_LEAST = 1e-9  # money or shares below this are the rounding of a difference, not an amount


@register.filter
def numeric_column(name: str) -> bool:
    return name not in _TEXT_COLUMNS


@register.filter
def column_words(name: str) -> str:
    return name.replace("_", " ").replace("pnl", "P&L").replace("qty", "quantity").capitalize().replace("p&l", "P&L")


@register.filter
def pairs(names: list[str], row: list[str]) -> list[tuple[str, str]]:
    return list(zip(names, row, strict=False))


@register.simple_tag
def cell(name: str, text: str) -> SafeString:
    """A cell of a CSV table: times as days, numbers short with all digits on hover, a dash for nothing."""
    if not text:
        return format_html("<td{}>{}</td>", _number_class(name), numbers_text.DASH)
    if name == "open":
        return format_html("<td>{}</td>", "" if text == "0" else "open")
    if name in _TEXT_COLUMNS:
        moment = name in ("decided", "filled") or name.endswith("_time")
        return format_html('<td title="{}">{}</td>', text, text[:10]) if moment else format_html("<td>{}</td>", text)
    number = _number(text)
    if number is None:
        return format_html('<td class="n">{}</td>', text)
    signed = name in numbers_text.SIGNED_MONEY and abs(number) >= numbers_text.HALF_CENT
    sign = "" if not signed else " sb-gain" if number > 0 else " sb-loss"
    return format_html('<td class="n{}" title="{}">{}</td>', sign, text, numbers_text.table_number(name, number))


def _number(text: str) -> float | None:
    """What a cell holds, the rounding of a difference as 0; None for what is no number."""
    try:
        number = numbers_text.finite(float(text))
    except ValueError:
        return None
    return 0.0 if number is not None and abs(number) < _LEAST else number


def _number_class(name: str) -> SafeString | str:
    return "" if name in _TEXT_COLUMNS else SafeString(' class="n"')


_SURVIVORSHIP = {
    "biased": "survivors only: biased upwards",
    "unknown": "survivorship unknown",
    "point_in_time": "point in time",
}
_ADJUSTMENTS = {"raw": "not adjusted", "split": "for splits", "total_return": "for splits and dividends"}
_FIELD_ORDER = ("open", "high", "low", "close", "volume")


@register.filter
def survivorship_words(value: str) -> str:
    return _SURVIVORSHIP.get(value, value)


@register.filter
def adjustment_words(value: str) -> str:
    return _ADJUSTMENTS.get(value, value)


@register.filter
def ordered_fields(fields: frozenset[str]) -> str:
    return ", ".join(sorted(fields, key=lambda name: _FIELD_ORDER.index(name) if name in _FIELD_ORDER else 9))
