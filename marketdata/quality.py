"""The quality report: what the bars look like before anything is learned from them.

Red blocks a run with a sentence that names symbol, date and field; amber is told in the report; nothing is repaired.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marketdata.bars import Bars
from marketdata.findings import Finding, Level, worst
from marketdata.quality_data import own
from marketdata.quality_rules import DATASET_RULES, SYMBOL_RULES

MOST_NAMED = 6
"""Symbols named after the first one; `dataset.json` holds them all."""


@dataclass(frozen=True)
class QualityReport:
    """`findings`: red ones first, then by date."""

    level: Level
    findings: tuple[Finding, ...]

    @property
    def refusal(self) -> str:
        """Why these bars are refused, one sentence; empty when they are not."""
        red = [finding for finding in self.findings if finding.level == "red"]
        if not red:
            return ""
        more = f" More such faults: {len(red) - 1}." if len(red) > 1 else ""
        return f"The data cannot be used: {red[0].sentence}{more}"

    @property
    def told(self) -> dict[str, str]:
        """What is amber, by code: the first such finding, and the other symbols of which the like is true."""
        sentences: dict[str, str] = {}
        for code in dict.fromkeys(finding.code for finding in self.findings if finding.level == "amber"):
            alike = [finding for finding in self.findings if (finding.level, finding.code) == ("amber", code)]
            others = [name for name in dict.fromkeys(each.symbol for each in alike) if name != alike[0].symbol]
            more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
            so_too = f" So too {', '.join(others[:MOST_NAMED])}{more}." if others else ""
            sentences[code] = alike[0].sentence + so_too
        return sentences

    def as_dict(self) -> dict[str, Any]:
        return {"level": self.level, "findings": [finding.as_dict() for finding in self.findings]}


def check(bars: Bars, source_findings: Iterable[Finding] = (), stored: Bars | None = None) -> QualityReport:
    """All rules on these bars, with what the source saw while it laid its rows on the calendar.

    `stored`: what the source laid, where the bars may be a part of that.
    A rule says at most one thing of a symbol and field: the first or worst case, and how many there are.
    """
    findings = [each for each in source_findings if _concerns(each, bars, stored or bars)]
    for dataset_rule in DATASET_RULES:
        findings += dataset_rule(bars)
    for asset in range(bars.n_assets):
        held = own(bars, asset)
        for symbol_rule in SYMBOL_RULES:
            findings += symbol_rule(held)
    findings.sort(key=lambda each: (each.level != "red", each.date, each.symbol, each.code))
    return QualityReport(worst(findings), tuple(findings))


def told_between(
    report: QualityReport, bars: Bars, first: int, stop: int, source: Collection[Finding]
) -> dict[str, str]:
    """`told` of the bars [first, stop) alone, where `report` is of all `bars` and holds what the `source` saw.

    A finding names the first or worst case: where that lies elsewhere, its rule looks at these bars again.
    """
    part, found = bars.rows(first, stop), list[Finding]()
    again: dict[str, list[Finding]] = {}
    for each in report.findings:
        if each.level != "amber":
            continue
        day = np.datetime64(each.date)
        if part.session[0] <= day <= part.session[-1] or (each in source and day < part.session[0]):
            found.append(each)  # what the source saw first before these bars holds on
        elif each not in source and each.code != "first_bar_action":  # it would see one at the first of any bars
            if each.symbol not in again:
                again[each.symbol] = _of_rules(part, each.symbol)
            found += [other for other in again[each.symbol] if other.code in (each.code, "no_bars")]
    seen = {(each.symbol, each.code): replace(each, level="amber") for each in reversed(found)}
    return QualityReport("amber", tuple(sorted(seen.values(), key=_place))).told


def _place(finding: Finding) -> tuple[dt.date, str, str]:
    return finding.date, finding.symbol, finding.code


def _of_rules(bars: Bars, symbol: str) -> list[Finding]:
    """What the rules say of one symbol, or where it is empty of all bars."""
    if not symbol:
        return [each for rule in DATASET_RULES for each in rule(bars)]
    held = own(bars, bars.symbols.index(symbol))
    return [each for rule in SYMBOL_RULES for each in rule(held)]


def _concerns(finding: Finding, bars: Bars, stored: Bars) -> bool:
    """What the source saw of other symbols says nothing about these bars, nor what it first saw after them. What began
    before them holds on, as a finding tells the first of several days; but it refuses no bar of another day. Of all
    that is stored every finding is told: a row left out for its day may lie before the first bar or after the last.
    """
    day = np.datetime64(finding.date)
    if finding.symbol and finding.symbol not in bars.symbols:
        return False
    if day > bars.session[-1]:
        return bool(bars.session[-1] == stored.session[-1])
    before = bool(day < bars.session[0] != stored.session[0])
    return not (before and finding.symbol and finding.level == "red")
