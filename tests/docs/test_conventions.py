"""Pages of conventions list every quality code, split, mapping and reward term that the code has."""

import ast
import inspect
from typing import get_args

from marketdata import quality_rules
from marketdata.config import SplitConfig
from marketdata.sources import alignment
from rl.config import RewardConfig
from simulator.config_groups import EpisodeConfig
from tests.docs.pages import named, page, section

PAGE = page("docs/conventions.md")


def choices(model: type, field: str) -> set[str]:
    return set(get_args(model.model_fields[field].annotation))


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


def test_every_split() -> None:
    assert named(section(PAGE, "Ranges")) == choices(SplitConfig, "scheme")


def test_every_mapping() -> None:
    assert named(section(page("docs/simulator.md"), "Mapping")) == choices(EpisodeConfig, "mapping_mode")


def test_every_reward() -> None:
    weights = {name for name in RewardConfig.model_fields if name.startswith("w_")}
    assert named(section(page("docs/learning.md"), "Reward")) == choices(RewardConfig, "mode") | weights
