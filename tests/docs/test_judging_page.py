"""docs/judging.md lists every baseline, crisis and rule of the diagnosis, with the thresholds that the code has."""

import pytest

from backtest import degenerate, diagnosis, diagnosis_facts, stamps, verdict
from backtest.config import LEAST_BARS
from backtest.crises import CRISES
from backtest.registry import CHOICES, IN_VERDICT
from tests.docs.pages import codes, page, section, table

PAGE = page("docs/judging.md")


def test_every_baseline() -> None:
    rows = {codes(row[0])[0]: row[1] == "yes" for row in table(section(PAGE, "Baselines"))}
    assert rows == {key: key in IN_VERDICT for key in CHOICES}


def test_every_crisis_with_its_days_and_source() -> None:
    rows = [(codes(row[0])[0], row[1], row[2]) for row in table(section(PAGE, "Run again"))]
    assert rows == [(one.key, f"{one.start} to {one.end}", one.source) for one in CRISES.values()]


def test_every_rule_of_the_diagnosis() -> None:
    told = [code for row in table(section(PAGE, "Diagnosis")) for code in codes(row[0])]
    assert told == [rule.key for rule in diagnosis.RULES]


def share(value: float) -> str:
    return f"{value * 100:g} %"


THRESHOLDS: dict[str, tuple[str, ...]] = {
    "overfit": (f"{diagnosis.OVERFIT:g} standard errors",),
    "flat": (share(diagnosis.FLAT),),
    "few_trades": (f"fewer than {diagnosis.FEW_TRADES} trades",),
    "break_even": (f"{diagnosis.SAFE_BREAK_EVEN:g} × the costs",),
    "one_symbol": (f"more than {share(diagnosis.MOST_OF_ONE)}",),
    "few_days": (f"the best {diagnosis_facts.BEST_BARS} bars",),
    "idle": (f"fewer than {share(diagnosis.LITTLE_EXPOSURE)} of bars", f"below {share(diagnosis.LITTLE_GROSS)}"),
    "orders_cut": (f"more than {share(diagnosis.MANY_CUT)}", f"{share(diagnosis_facts.NOTABLE_CUT)} or more"),
    "unfillable": (f"more than {share(diagnosis.MANY_UNFILLABLE)}",),
    "stale_marks": (f"more than {share(diagnosis.MANY_STALE)}",),
    "at_cap": (f"more than {share(diagnosis.OFTEN_AT_CAP)} of bars", f"within {share(diagnosis_facts.NEAR)}"),
    "constant": (f"deviation of {share(degenerate.CONSTANT)}", f"{share(diagnosis.LITTLE_GROSS)} or more"),
    "dependent": (f"> {stamps.DEPENDENT:g}",),
    "short_range": (f"fewer than {diagnosis.SHORT_YEARS:g} · P bars",),
    "many_trials": (f"{diagnosis.MANY_TRIALS} or more",),
    "deep_fall": (f"more than {share(-diagnosis.DEEP)}",),
}
PLAIN = {"seen", "costs_eat_gain", "delay", "guards", "margin_calls", "one_month", "one_trade", "weak_test"}
"""Rules without a number of their own, and those that stand in another's row."""


def test_each_rule_has_a_threshold_or_needs_none() -> None:
    assert THRESHOLDS.keys() | PLAIN == {rule.key for rule in diagnosis.RULES} and not THRESHOLDS.keys() & PLAIN


@pytest.mark.parametrize("key", THRESHOLDS)
def test_the_threshold_of_each_rule(key: str) -> None:
    row = next(row for row in table(section(PAGE, "Diagnosis")) if key in codes(row[0]))
    assert all(text in row[1] for text in THRESHOLDS[key]), row[1]


def test_the_thresholds_of_the_verdict() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(section(PAGE, "Verdict"))}
    assert f"N < {LEAST_BARS}" in rows["too_short"] and f"< {verdict.LEAST_BLOCKS}" in rows["too_short"]
    assert f"`dsr_excess` ≥ {verdict.SURE:g}" in rows["shown"]


def test_the_thresholds_of_degenerate_subjects_and_stamps() -> None:
    text = section(PAGE, "Verdict")
    for told in (
        f"mean gross < {share(degenerate.CASH)}", f"standard deviation reaches {degenerate.CONSTANT:g}",
        f"> {degenerate.ONE_ASSET:g}", f"correlation > {degenerate.SAME_CORRELATION:g}",
        f"tracking error < {share(degenerate.SAME_TRACKING)}",
    ):  # fmt: skip
        assert told in text, told
    under = section(PAGE, "Stamps")
    assert f"fewer than P/{1 / stamps.FEW:g} bars" in under and f"|ρ₁|·√N > {stamps.DEPENDENT:g}" in under
