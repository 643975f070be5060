"""The leak gate: a strategy is run again on bars whose future was altered, and nothing of its past may change.

Any strategy is checked from outside: decisions, fills, shares and money up to the cut. One that is `Probed` is looked
into as well, so that a failure names the feature, the symbol and the first bar. The number of reruns is bounded and so
is the length of each, whatever the span: time grows with the bars that a strategy has to be prepared for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from backtest.leaks import compare, fills
from backtest.leaks.alter import WORDS, alter
from backtest.leaks.cuts import Cut, choose_cuts
from backtest.leaks.probes import Probed, Statistic, Table
from backtest.leaks.report import Findings, LeakReport
from backtest.leaks.trace import Trace, decision_bars, trace
from backtest.runner import StrategyUnfit, prepare
from backtest.strategy import Strategy
from marketdata.bars import Bars
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import ActionError
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market

STREAM = 0x1EA4
"""Beside the seed, so that no other draw of a run shares it."""
_PROBES = frozenset({"known_at", "features", "statistics", "observations"})

MakeMarket = Callable[[Bars, SimulatorConfig], Market]
Told = Callable[[int, int], None]


@dataclass
class Gate:
    """What is checked: `subject` on `bars` under `config`, deciding from span.t0 to the bar before span.t1.

    `make_market` is what stands between bars and fills. `told` hears (done, total).
    """

    subject: Strategy
    bars: Bars
    config: SimulatorConfig
    span: Range
    seed: int = 0
    make_market: MakeMarket = prepare_market
    told: Told = lambda done, total: None
    _found: Findings = field(default_factory=Findings)
    _chance: np.random.Generator = field(init=False)
    _tables: Mapping[str, Table] = field(default_factory=dict)
    _statistics: tuple[Statistic, ...] = ()

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng([STREAM, self.seed])

    @property
    def _latency(self) -> int:
        return self.config.exec.latency_bars

    def check(self) -> LeakReport:
        """Run every check. Raises what the subject raises on the true bars."""
        market = self.make_market(self.bars, self.config)
        prepare(self.subject, market, self.config)
        whole = trace(self.subject, market, self.config, self.span.t0, self.span.t1)
        cuts = choose_cuts(self.bars, self.span, decision_bars(whole), self._chance, self._latency)
        self._look_inside()
        self._check_fills(whole.ledger, market)
        before = {cut.bar: trace(self.subject, market, self.config, cut.first, self._end(cut)) for cut in cuts
                  if cut.first is not None}  # fmt: skip
        self._check_repeat(cuts, before)
        reruns = [(cut, mode) for cut in cuts for mode in cut.modes]
        for done, (cut, mode) in enumerate(reruns):
            self.told(done, len(reruns))
            self._rerun(cut, mode, before.get(cut.bar))
        self.told(len(reruns), len(reruns))
        return self._report(cuts, len(reruns))

    def _end(self, cut: Cut) -> int:
        """The last mark of a rerun: the first bar in which the cut's decision can fill."""
        return min(cut.bar + 1 + self._latency, self.span.t1)

    def _look_inside(self) -> None:
        if not isinstance(self.subject, Probed):
            return
        self._tables, self._statistics = self.subject.tables(), self.subject.statistics()
        for name, table in self._tables.items():
            self._found.case("known_at", compare.known_at(name, table, self.bars))
        for found in self._statistics:
            if found.refitted is None:
                self._found.not_examined("statistics", f"{found.name}: {found.why}")
            else:
                self._found.case("statistics", compare.refitted(found))

    def _check_fills(self, ledger: Ledger, market: Market) -> None:
        rule = market.fill if self.config.exec.order_type == "market" else "limit"
        faults = fills.fill_faults(ledger, self.bars, rule, self._latency)
        for _ in range(int((ledger.orders.filled >= 0).sum())):
            self._found.case("fill_times", next(faults, None))

    def _check_repeat(self, cuts: list[Cut], before: Mapping[int, Trace]) -> None:
        """Once more on the true bars: what differs then by itself would otherwise look like a leak."""
        cut = next((cut for cut in reversed(cuts) if cut.first is not None), None)
        if cut is None or cut.first is None:
            return
        market = self.make_market(self.bars, self.config)
        prepare(self.subject, market, self.config)
        again = trace(self.subject, market, self.config, cut.first, self._end(cut))
        said = self._differences(before[cut.bar], again, cut.bar, "it is run a second time on the same bars")
        found = next((text for text in said.values() if text is not None), None)
        self._found.case("repeatable", None if found is None else found.replace("; it knows later bars", ""))

    def _rerun(self, cut: Cut, mode: str, before: Trace | None) -> None:
        how = WORDS[mode].format(day=compare.when(self.bars, cut.bar))
        bars = alter(self.bars, cut.bar, mode, self._chance, self._latency)
        try:
            market = self.make_market(bars, self.config)
            prepare(self.subject, market, self.config)
            after = None if cut.first is None else trace(self.subject, market, self.config, cut.first, self._end(cut))
        except (ConfigFault, StrategyUnfit, ActionError, ValueError, IndexError) as fault:
            self._found.case("decisions", f"decision: it cannot be made when {how} ({fault}); it needs later bars.")
            return
        self._compare_inside(cut, mode, how)
        if before is not None and after is not None:
            for key, sentence in self._differences(before, after, cut.bar, how).items():
                self._tell(key, mode, sentence)

    def _differences(self, before: Trace, after: Trace, cut: int, how: str) -> dict[str, str | None]:
        found = {
            "decisions": compare.decisions(before, after, self.bars, cut, how),
            "book": compare.books(before.ledger, after.ledger, self.bars, cut, how),
        }
        if self._tables:
            found = {"observations": compare.observations(before, after, self.bars, cut, how)} | found
        return found

    def _compare_inside(self, cut: Cut, mode: str, how: str) -> None:
        if not isinstance(self.subject, Probed):
            return
        now = self.subject.tables()
        for name, table in self._tables.items():
            if cut.bar >= table.since:
                self._tell("features", mode, compare.tables(name, table, now[name], self.bars, cut.bar, how))
        since = max((table.since for table in self._tables.values()), default=0)
        if cut.bar >= since and not all(found.frozen for found in self._statistics):
            for before, after in zip(self._statistics, self.subject.statistics(), strict=True):
                self._tell("statistics", mode, compare.statistics(before, after, how))

    def _tell(self, key: str, mode: str, sentence: str | None) -> None:
        """A case of its own check, and where the next bar alone was altered a case of the lag test too."""
        self._found.case(key, sentence)
        if mode == "next_bar":
            self._found.case("lag", sentence)

    def _report(self, cuts: list[Cut], reruns: int) -> LeakReport:
        day = self.bars.session
        return LeakReport(
            subject=self.subject.key,
            start=str(day[self.span.t0]),
            end=str(day[self.span.t1]),
            cuts=tuple(compare.when(self.bars, cut.bar) for cut in cuts),
            reruns=reruns,
            checks=self._found.checks(frozenset() if isinstance(self.subject, Probed) else _PROBES),
        )
