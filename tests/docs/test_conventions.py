"""docs/conventions.md lists every indicator, set, quality code, baseline, reward term and mapping that the code has."""

import ast
import inspect
from typing import get_args

from backtest.crises import CRISES
from backtest.registry import CHOICES, IN_VERDICT
from marketdata import quality_rules
from marketdata.config import SplitConfig
from marketdata.expressions.functions import FIELDS, FUNCTIONS, LONGEST_WINDOW, OVER_TIME
from marketdata.expressions.grammar import DEEPEST, LONGEST, MOST_NODES
from marketdata.features import PRESETS
from marketdata.indicators.registry import INDICATORS, parse
from marketdata.sources import alignment
from rl.config import RewardConfig
from simulator.config_groups import EpisodeConfig
from tests.docs.pages import codes, named, page, section, table

PAGE = page("docs/conventions.md")


def choices(model: type, field: str) -> set[str]:
    return set(get_args(model.model_fields[field].annotation))


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


def finding_codes(module: object) -> set[str]:
    """Second argument of each Finding(...) and .finding(...)."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and len(node.args) > 1 and ast.unparse(node.func).lower().endswith("finding"):
            code = node.args[1]
            found |= {code.value} if isinstance(code, ast.Constant) else set()
    return found


def test_every_code_of_the_quality_report() -> None:
    assert named(section(PAGE, "Quality report")) == finding_codes(quality_rules) | finding_codes(alignment)


def test_every_baseline() -> None:
    rows = {codes(row[0])[0]: row[1] == "yes" for row in table(section(PAGE, "Baselines"))}
    assert rows == {key: key in IN_VERDICT for key in CHOICES}


def test_every_crisis_with_its_days_and_source() -> None:
    rows = [(codes(row[0])[0], row[1], row[2]) for row in table(section(PAGE, "Run again"))]
    assert rows == [(one.key, f"{one.start} to {one.end}", one.source) for one in CRISES.values()]


def test_every_reward() -> None:
    weights = {name for name in RewardConfig.model_fields if name.startswith("w_")}
    assert named(section(PAGE, "Reward")) == choices(RewardConfig, "mode") | weights


def test_every_mapping_and_split() -> None:
    assert named(section(PAGE, "Mapping")) == choices(EpisodeConfig, "mapping_mode")
    assert named(section(PAGE, "Ranges")) == choices(SplitConfig, "scheme")


def test_every_rule_of_the_diagnosis() -> None:
    from backtest.diagnosis import RULES

    told = [code for row in table(section(page("docs/conventions.md"), "Diagnosis")) for code in codes(row[0])]
    assert told == [rule.key for rule in RULES]
