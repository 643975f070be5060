"""Foreign code on altered bars, each run in a process that has seen no other bars.

What a strategy or an indicator keeps outside of itself (a dictionary of its class, a memo of its module) outlives a
run: filled on the true bars, it would answer from there on the altered ones, and nothing would change. So a fresh
process (`backtest.leaks.child`) imports the code, and splits off a copy of itself for each run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from backtest.leaks.compare import Difference
from backtest.leaks.exchange import load_outcome, save_bars
from backtest.leaks.feature_cuts import Searched
from backtest.leaks.probes import Recipe
from backtest.leaks.trace import Ask, Outcome
from marketdata.bars import Bars
from marketdata.expressions.expression import Feature
from marketdata.features import FeaturePlan
from marketdata.indicators.registry import Call
from simulator.config import SimulatorConfig

OURS = "marketdata."
"""Where indicators of ours lie: those keep nothing between two calls."""


class NotRemade(ValueError):
    """The other process could not do it; the message is a clause."""


def run_apart(recipe: Recipe, bars: Bars, config: SimulatorConfig, asks: Sequence[Ask]) -> Iterator[Outcome]:
    """What comes out of each, in their order. Raises NotRemade."""
    rules = {"model": dotted(config), "config": config.model_dump(mode="json")}
    asked = {"recipe": asdict(recipe), "rules": rules, "asks": [asdict(ask) for ask in asks]}
    with _child(asked, bars) as (folder, heard):
        for number in range(len(asks)):
            if not heard.readline():
                raise NotRemade(_why(folder))
            yield load_outcome(folder / f"{number}.npz")


def search_apart(bars: Bars, plan: FeaturePlan, seed: int) -> Searched:
    """`feature_cuts.search` with each building of features in a process of its own. Raises NotRemade."""
    features = [{"name": feature.name, "parts": [_code_of(call) for call in feature.calls]} for feature in plan.calls]
    with _child({"features": features, "seed": seed}, bars) as (folder, heard):
        if not heard.readline():
            raise NotRemade(_why(folder))
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


def dotted(value: object) -> str:
    """`module:Class` of a value."""
    return f"{type(value).__module__}:{type(value).__qualname__}"


@contextmanager
def _child(asked: dict[str, Any], bars: Bars) -> Iterator[tuple[Path, IO[str]]]:
    """The folder where it leaves what comes out, and what it tells: a line for each answer."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save_bars(folder, bars)
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        ours, theirs = os.pipe()
        command = [sys.executable, "-P", "-m", "backtest.leaks.child", made, str(theirs)]
        places = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        with os.fdopen(ours, encoding="utf-8") as heard:
            try:
                process = subprocess.Popen(command, pass_fds=(theirs,), env=os.environ | {"PYTHONPATH": places})
            finally:
                os.close(theirs)
            try:
                yield folder, heard
            finally:
                process.terminate()
                process.wait()


def _why(folder: Path) -> str:
    said = folder / "fault.txt"
    return said.read_text(encoding="utf-8") if said.is_file() else "it ended early; its log has the details"
