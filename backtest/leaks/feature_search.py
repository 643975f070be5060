"""Where the features of a plan are searched for later bars: in this process, and where code that is not ours computes
one of them, in a fresh one (`backtest.leaks.apart`).
"""

import json
from collections.abc import Callable

import numpy as np

from backtest.leaks.apart import NotRemade, child, why
from backtest.leaks.compare import Difference
from backtest.leaks.feature_cuts import Searched, search
from marketdata.bars import Bars
from marketdata.expressions.expression import Feature
from marketdata.features import FeaturePlan
from marketdata.indicators.registry import Call

OURS = "marketdata."
"""Where indicators of ours lie: those keep nothing between two calls."""


def search_features(bars: Bars, plan: FeaturePlan, seed: int, not_examined: Callable[[str], None]) -> Searched:
    """The features alone at many cuts. `not_examined` is told where a fresh process was due and could not make them;
    they are searched in this one then.
    """
    if any(is_foreign(feature) for feature in plan.calls):
        try:
            return search_apart(bars, plan, seed)
        except NotRemade as fault:
            not_examined(f"features: a fresh process could not make them: {fault}.")
    return search(bars, plan, np.random.default_rng(seed))


def search_apart(bars: Bars, plan: FeaturePlan, seed: int) -> Searched:
    """`feature_cuts.search` with each building of features in a process of its own. Raises NotRemade."""
    features = [{"name": feature.name, "parts": [_code_of(call) for call in feature.calls]} for feature in plan.calls]
    with child({"features": features, "seed": seed}, bars) as (folder, heard):
        if not heard.readline():
            raise NotRemade(why(folder))
        found = json.loads((folder / "searched.json").read_text(encoding="utf-8"))
    difference = None if found["difference"] is None else Difference(**found["difference"])
    return Searched(found["cut"], found["of"], found["cases"], difference)


def is_foreign(feature: Feature) -> bool:
    """Whether code that is not ours computes it, or a part of it."""
    parts = [part for call in feature.calls for part in (call.indicator.compute, call.indicator.across) if part]
    return any(not _module_of(part).startswith(OURS) for part in parts)


def _code_of(call: Call) -> dict[str, str]:
    compute = call.indicator.compute
    return {"name": call.name, "module": _module_of(compute), "code": compute.__qualname__}


def _module_of(code: object) -> str:
    return str(getattr(code, "__module__", ""))
