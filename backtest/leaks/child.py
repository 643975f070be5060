"""The other side of `backtest.leaks.apart`: `python -m backtest.leaks.child FOLDER DESCRIPTOR`.

It imports the foreign code and runs none of it. Each run happens in a copy that it splits off (a fork of a process that
has shown that code no bar), so that nothing of one run is there in the next.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backtest import own
from backtest.leaks.exchange import as_json, load_bars, save_outcome
from backtest.leaks.feature_cuts import built, search
from backtest.leaks.trace import Ask, rerun
from backtest.registry import imported
from backtest.runner import StrategyUnfit
from backtest.strategy import Floats
from marketdata.bars import Bars
from marketdata.expressions.expression import Feature, parse
from marketdata.features import FeaturePlan
from marketdata.indicators.registry import IndicatorError
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market, prepare_market


class Idle:
    """Does nothing, to have the kernels loaded before the first copy is split off."""

    key, layers = "idle", "mandate"

    def __init__(self, at_once: bool) -> None:
        self._at_once = at_once

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """There is nothing to prepare."""

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        return Decisions(np.array([t0]), np.zeros((1, market.n_assets))) if self._at_once else None

    def decide(self, t: int, session: BookSession) -> Floats | None:
        return None


class Copies:
    """Runs things in copies of this process, one at a time; a copy ends with it."""

    def __init__(self) -> None:
        self._running = 0
        signal.signal(signal.SIGTERM, self._end)

    def run(self, action: Callable[[], None]) -> bool:
        """Whether it came to its end."""
        self._running = os.fork()
        if self._running == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _and_leave(action)
        code = os.waitstatus_to_exitcode(os.waitpid(self._running, 0)[1])
        self._running = 0
        return code == 0

    def _end(self, number: int, frame: object) -> None:
        if self._running:
            os.kill(self._running, signal.SIGKILL)
        os._exit(1)


def _and_leave(action: Callable[[], None]) -> None:
    code = 1
    try:
        action()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    bars, copies = load_bars(folder), Copies()
    with os.fdopen(int(arguments[1]), "w", encoding="utf-8", buffering=1) as heard:
        try:
            if "features" in asked:
                _search(folder, asked, bars, copies)
                heard.write("done\n")
            else:
                _rerun_each(folder, asked, bars, copies, lambda: heard.write("done\n"))
        except (StrategyUnfit, IndicatorError, ImportError, AttributeError, RuntimeError) as fault:
            (folder / "fault.txt").write_text(str(fault).rstrip("."), encoding="utf-8")


def _rerun_each(folder: Path, asked: dict[str, Any], bars: Bars, copies: Copies, told: Callable[[], object]) -> None:
    config = imported(asked["rules"]["model"]).model_validate(asked["rules"]["config"])
    recipe = asked["recipe"]
    mine = imported(recipe["model"]).model_validate(recipe["config"])
    kind = own.find(recipe["path"])
    for at_once in (True, False):
        rerun(Ask(0, None, 0, min(2, bars.n_bars - 1), 0), Idle(at_once), bars, config, prepare_market)

    def run(number: int, ask: Ask) -> None:
        strategy = own.OwnStrategy(kind, recipe["path"], mine)
        save_outcome(folder / f"{number}.npz", rerun(ask, strategy, bars, config, prepare_market))

    for number, ask in enumerate(Ask(**each) for each in asked["asks"]):
        if not copies.run(lambda number=number, ask=ask: run(number, ask)):  # type: ignore[misc]
            raise RuntimeError("a run on altered bars broke off; its log has the details")
        told()


def _search(folder: Path, asked: dict[str, Any], bars: Bars, copies: Copies) -> None:
    plan = FeaturePlan(tuple(_feature(each, bars) for each in asked["features"]), ())
    result = folder / "values.npy"

    def build(panel: Bars, wanted: FeaturePlan) -> Floats:
        if not copies.run(lambda: np.save(result, built(panel, wanted))):
            raise ValueError("its log has the details")
        values: Floats = np.load(result, allow_pickle=False)
        return values

    found = search(bars, plan, np.random.default_rng(asked["seed"]), build)
    (folder / "searched.json").write_text(as_json(found), encoding="utf-8")


def _feature(each: dict[str, Any], bars: Bars) -> Feature:
    """The same feature here. Raises IndicatorError where importing a module does not bring its indicator along."""
    for part in each["parts"]:
        _check_is_here(part, bars)
    return parse(each["name"], bars.interval, bars.calendar)


def _check_is_here(part: dict[str, str], bars: Bars) -> None:
    if part["module"] != "__main__":
        importlib.import_module(part["module"])
    where = f"importing {part['module']} does not put {part['name']} among the indicators"
    try:
        (call,) = parse(part["name"], bars.interval, bars.calendar).calls
    except IndicatorError as error:
        raise IndicatorError(where) from error
    here = call.indicator.compute
    if (here.__module__, here.__qualname__) != (part["module"], part["code"]):
        raise IndicatorError(where)


if __name__ == "__main__":
    main(sys.argv[1:])
