"""Strategies of one's own, named by dotted path on the command line: `--strategy my_module:MyStrategy`.

Never by the site: a dotted path is code, and a request must not choose what code runs. Each joins the registry of this
process, so that a configuration can name it by its key as the subject (`policy`) and the report shows it beside the
baselines; it never counts in the verdict of another. What it answers is checked before it reaches the simulator: its
faults end the run with one sentence that names strategy, symbol and day, its traceback goes to the log.
"""

import functools
import hashlib
import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backtest import registry
from backtest.config import JudgedConfig
from backtest.leaks.probes import Recipe
from backtest.runner import StrategyUnfit
from backtest.strategy import Learned, Strategy, Telling
from marketdata.config_base import KEY_PATTERN
from simulator.config import SimulatorConfig
from simulator.config_groups import CAP_SLACK
from simulator.engine import BookSession, Decisions
from simulator.market import Market

Floats = NDArray[np.float64]
C = TypeVar("C", bound=JudgedConfig)

HASH_SHOWN = 12


def adopt(dotted: Sequence[str], config: C) -> C:
    """Put these strategies into the registry; gives the configuration whose report shows them.

    Raises StrategyUnfit with one sentence for a path that leads to no strategy.
    """
    keys = [_register(path) for path in dotted]
    subject = getattr(config, "policy", None)
    shown = [key for key in keys if key != subject and key not in config.evaluation.baselines]
    evaluation = config.evaluation.model_copy(update={"baselines": (*config.evaluation.baselines, *shown)})
    return config.model_copy(update={"evaluation": evaluation})


def _register(path: str) -> str:
    kind = find(path)
    key, layers = getattr(kind, "key", None), getattr(kind, "layers", None)
    if not isinstance(key, str) or not re.fullmatch(KEY_PATTERN, key):
        raise StrategyUnfit(f"{path} needs a key of lower-case letters, digits and underscores, such as my_strategy.")
    if key in registry.STRATEGIES or key == registry.MATCHED_RANDOM:
        raise StrategyUnfit(f"{path} has the key {key}, which another strategy has; give it one of its own.")
    if layers not in ("mandate", "policy"):
        raise StrategyUnfit(f"{path} needs layers, mandate for target weights or policy for raw actions.")
    missing = [name for name in ("prepare", "decisions", "decide") if not callable(getattr(kind, name, None))]
    if missing:
        raise StrategyUnfit(f"{path} lacks {', '.join(missing)}; see backtest.strategy.Strategy.")
    text = (inspect.getdoc(kind) or "A strategy of one's own.").splitlines()[0]
    spec = registry.StrategySpec(key, str(getattr(kind, "label", key)), path, registry.OWN_SERIES, False, text)
    registry.add(spec, functools.partial(OwnStrategy, kind, path))
    return key


def find(path: str) -> Any:
    """The class behind a dotted path. Raises StrategyUnfit with one sentence."""
    module, _, name = path.partition(":")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module) or not name.isidentifier():
        raise StrategyUnfit(f"--strategy {path}: write it as my_module:MyStrategy.")
    with _guarded(f"--strategy {path}: the module could not be imported; it"):
        loaded = importlib.import_module(module)
    kind = getattr(loaded, name, None)
    if not inspect.isclass(kind):
        raise StrategyUnfit(f"--strategy {path}: {module} has no class {name}.")
    return kind


@contextmanager
def _guarded(who: str, where: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Whatever comes out of foreign code becomes one sentence; what it was lies in the log."""
    try:
        yield
    except StrategyUnfit:
        raise
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        said = str(error).strip().splitlines()
        detail = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
        raise StrategyUnfit(f"{who} raised {detail.rstrip('.')}{where()}.") from error


class OwnStrategy:
    """A person's strategy behind the protocol; every answer is checked."""

    def __init__(self, kind: Any, path: str, config: JudgedConfig) -> None:
        self.key: str = kind.key
        self.layers: str = kind.layers
        self._path, self._day = path, ""
        with _guarded(self.key):
            self._inner: Strategy = kind(config)
        self._config: SimulatorConfig = config
        self._made_for = config
        self._code = hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self._config = config
        with _guarded(self.key, self._where):
            self._inner.prepare(market, config)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """What it decides, finite, of the right shape, at bars of the range, and within the caps."""
        self._watch(market)
        with _guarded(self.key, self._where):
            found = self._inner.decisions(market, t0, t1)
        if found is None:
            return None
        if not isinstance(found, Decisions):
            raise StrategyUnfit(f"{self.key} gave {type(found).__name__} where Decisions or None is right.")
        bars, targets = np.asarray(found.bars), np.asarray(found.targets)
        if bars.ndim != 1 or bars.dtype.kind not in "iu" or (np.diff(bars) <= 0).any():
            raise StrategyUnfit(f"{self.key} gave bars that are no increasing whole numbers.")
        if len(bars) and not t0 <= bars[0] <= bars[-1] < t1:
            span = f"{market.bars.session[t0]} to {market.bars.session[t1 - 1]}"
            raise StrategyUnfit(f"{self.key} decides outside of {span}, bars {t0} to {t1 - 1}.")
        if targets.shape != (len(bars), market.n_assets):
            right = (len(bars), market.n_assets)
            raise StrategyUnfit(f"{self.key} gave targets of shape {targets.shape} where {right} is right.")
        for bar, row in zip(bars, targets, strict=True):
            self._check(row, market, int(bar))
        return found

    def decide(self, t: int, session: BookSession) -> Floats | None:
        """Its answer at the close of t, checked in the same way."""
        self._at(session.market, t)
        with _guarded(self.key, self._where):
            found = self._inner.decide(t, session)
        if found is None:
            return None
        row = self._shaped(found, session.width, session.market, t)
        self._check(row, session.market, t)
        return row

    def recipe(self) -> Recipe:
        """For the leak gate, which runs foreign code on altered bars in processes of its own."""
        made_for = self._made_for
        return Recipe(self._path, f"{type(made_for).__module__}:{type(made_for).__qualname__}",
                      made_for.model_dump(mode="json"))  # fmt: skip

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """What it says of itself; one that says nothing has seen none."""
        return self._inner.seen_bars(market, t0, t1) if isinstance(self._inner, Learned) else 0

    def notes(self) -> list[str]:
        """Its own notes, and which code this was."""
        own = self._inner.notes() if isinstance(self._inner, Telling) else []
        return [*own, f"code of one's own, {self._path}, sha256 {self._code[:HASH_SHOWN]}"]

    def _where(self) -> str:
        return f" at {self._day}" if self._day else ""

    def _at(self, market: Market, t: int) -> None:
        self._day = str(market.bars.session[t])

    def _watch(self, market: Market) -> None:
        """Of one that is made like a baseline, know the day of each answer, and check its shape."""
        inner: Any = self._inner
        asked = getattr(inner, "shares_of", None)
        if asked is None or getattr(asked, "watched", False):
            return

        def shares_of(market: Market, t: int) -> Floats:
            self._at(market, t)
            return self._shaped(asked(market, t), market.n_assets, market, t)

        shares_of.watched = True  # type: ignore[attr-defined]
        inner.shares_of = shares_of

    def _shaped(self, found: Any, width: int, market: Market, t: int) -> Floats:
        with _guarded(self.key, self._where):
            row = np.asarray(found, dtype=np.float64)
        if row.shape != (width,):
            day, order = market.bars.session[t], _names(market, width)
            more = f"{', '.join(order[:3])} …" if width > 3 else ", ".join(order)
            raise StrategyUnfit(
                f"{self.key} gave an array of shape {row.shape} at {day}; ({width},) is right, in the order {more}."
            )
        return row

    def _check(self, row: Floats, market: Market, t: int) -> None:
        """Finite; and for target weights, no more than the caps allow. Raises StrategyUnfit."""
        day, names = market.bars.session[t], _names(market, len(row))
        wrong = np.flatnonzero(~np.isfinite(row))
        if len(wrong):
            raise StrategyUnfit(f"{self.key} gave {row[wrong[0]]} for {names[wrong[0]]} at {day}; use a finite number.")
        if self.layers != "mandate":
            return
        margin, largest = self._config.margin, int(np.abs(row).argmax())
        if not margin.allow_short and row.min() < -CAP_SLACK:
            a = int(row.argmin())
            raise StrategyUnfit(
                f"{self.key} gave {row[a]:g} for {names[a]} at {day}; a weight below 0 needs margin.allow_short: true."
            )
        gross, net = float(np.abs(row).sum()), float(abs(row.sum()))
        for value, cap, what in (
            (float(abs(row[largest])), "max_position_weight", ""),
            (gross, "max_gross_leverage", f"weights of gross {gross:g}, the largest "),
            (net, "max_net_leverage", f"weights of net {net:g}, the largest "),
        ):
            most = getattr(margin, cap)
            if value > most + CAP_SLACK:
                told = f"{what}{row[largest]:g} for {names[largest]} at {day}"
                raise StrategyUnfit(f"{self.key} gave {told}; margin.{cap} allows {most:g}.")


def _names(market: Market, width: int) -> tuple[str, ...]:
    """What the columns of an answer stand for: an action may have one for cash before the symbols."""
    return ("cash",) * (width - market.n_assets) + market.symbols
