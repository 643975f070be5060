"""docs/features.md lists every indicator, function and set that the code has."""

from marketdata.expressions.functions import FIELDS, FUNCTIONS, LONGEST_WINDOW, OVER_TIME
from marketdata.expressions.grammar import DEEPEST, LONGEST, MOST_NODES
from marketdata.features import PRESETS
from marketdata.indicators.registry import INDICATORS, parse
from tests.docs.pages import codes, page, section, table

PAGE = page("docs/features.md")


def test_every_indicator_with_its_warmup() -> None:
    rows = {codes(row[0])[0]: (set(row[1].split()), int(row[2]), row[3]) for row in table(section(PAGE, "Indicators"))}
    calls = [parse(name) for name in INDICATORS]
    assert rows == {call.name: (set(call.columns), call.warmup, call.indicator.text) for call in calls}


def test_every_function_of_expressions_with_its_bounds() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(section(PAGE, "Expressions"))}
    bounds = {name: f"{each.least} to {LONGEST_WINDOW}" for name, each in OVER_TIME.items()}
    assert rows == {f"{name}({', '.join(args)})": bounds.get(name, "") for name, args in FUNCTIONS.items()}
    text = section(PAGE, "Expressions")
    assert set(FIELDS) <= set(codes(text))
    assert f"{LONGEST} characters, {MOST_NODES} parts and {DEEPEST} levels" in text


def test_every_set_of_features() -> None:
    told = codes(section(PAGE, "Indicators").split("\nSets: ")[1])
    starts = [told.index(name) for name in PRESETS]
    assert starts == sorted(starts)
    sets: list[str] = []
    for name, first, end in zip(PRESETS, starts, [*starts[1:], len(told)], strict=True):
        sets += told[first + 1 : end]
        assert tuple(sets) == PRESETS[name]
