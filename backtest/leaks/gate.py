"""The leak gate: a strategy is run again on bars whose future was altered, and nothing of its past may change.

Any strategy is checked from outside: decisions, fills, shares and money up to the cut. One that is `Probed` is looked
into as well, so that a failure names the feature, the symbol and the first bar. The number of reruns is bounded and so
is the length of each, whatever the span: time grows with the bars that a strategy has to be prepared for. Code that is
not ours runs on altered bars in processes of its own (`backtest.leaks.apart`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from backtest.leaks import compare, fills
from backtest.leaks.alter import WORDS
from backtest.leaks.apart import NotRemade, run_apart
from backtest.leaks.compare import Difference
from backtest.leaks.cuts import Cut, choose_cuts, scattered
from backtest.leaks.probes import Featured, Probed, Remade, Statistic, Table
from backtest.leaks.report import Findings, LeakReport, Reach
from backtest.leaks.trace import Ask, MakeMarket, Outcome, Trace, Unmade, decision_bars, largest_changes, rerun, trace
from backtest.runner import prepare
from backtest.strategy import Strategy
from marketdata.bars import Bars
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market

if TYPE_CHECKING:
    from backtest.leaks.feature_cuts import Searched

STREAM = 0x1EA4
"""Beside the seed, so that no other draw of a run shares it."""
_PROBES = frozenset({"known_at", "features", "statistics", "observations"})

UNUSUAL = 6
"""Cuts at the decisions that changed the most."""
SCATTERED, SCATTERED_FOREIGN = 12, 60
"""Cuts at decisions drawn from all: a peek on rare bars may be anywhere, most likely in code that is not ours."""
_LATER, _AFTER_TRAINING = "it knows later bars", "it was fitted on bars after the training range"
_CONCLUSIONS = {
    "features": _LATER, "observations": _LATER, "decisions": _LATER, "book": "", "statistics": _AFTER_TRAINING
}  # fmt: skip
"""What follows from a difference, by check."""

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
        decided = decision_bars(whole)
        cuts = choose_cuts(self.bars, self.span, decided, self._chance, self._latency, self._more(whole, decided))
        self._look_inside()
        self._check_fills(whole, market)
        before = {cut.bar: trace(self.subject, market, self.config, cut.first, self._end(cut)) for cut in cuts
                  if cut.first is not None}  # fmt: skip
        reruns = [(cut, mode) for cut in cuts for mode in cut.modes]
        self._check_reruns(cuts, reruns, before)
        self.told(len(reruns), len(reruns) + 1)
        searched = self._search_features()
        self.told(len(reruns) + 1, len(reruns) + 1)
        return self._report(cuts, len(reruns), decided, searched)

    def _more(self, whole: Trace, decided: Sequence[int]) -> list[int]:
        """Decisions that are cut for rare peeks; a policy's are looked for in its features, at many more bars."""
        if isinstance(self.subject, Featured):
            return []
        count = SCATTERED_FOREIGN if isinstance(self.subject, Remade) else SCATTERED
        return [*largest_changes(whole, UNUSUAL), *scattered(decided, count, self._chance)]

    def _end(self, cut: Cut) -> int:
        """The last mark of a rerun: the first bar in which the cut's decision can fill."""
        return min(cut.bar + 1 + self._latency, self.span.t1)

    def _look_inside(self) -> None:
        if not isinstance(self.subject, Probed):
            return
        self._tables, self._statistics = self.subject.tables(), self.subject.statistics()
        for name, table in self._tables.items():
            late = compare.known_at(name, table, self.bars)
            self._found.case("known_at", None if late is None else late.sentence())
        for found in self._statistics:
            if found.refitted is None:
                self._found.not_examined("statistics", f"{found.name}: {found.why}")
            else:
                self._case("statistics", compare.refitted(found))

    def _check_fills(self, whole: Trace, market: Market) -> None:
        rule = market.fill if self.config.exec.order_type == "market" else "limit"
        orders = whole.book.orders
        first = next(fills.fill_faults(orders, self.bars, rule, self._latency), None)
        self._found.case("fill_times", first, int((orders.filled >= 0).sum()))

    def _check_reruns(
        self, cuts: Sequence[Cut], reruns: Sequence[tuple[Cut, str]], before: Mapping[int, Trace]
    ) -> None:
        """Once more on the true bars: what differs then by itself would otherwise look like a leak; then each rerun."""
        same = next((cut for cut in reversed(cuts) if cut.first is not None), None)
        asks = [self._ask(cut, mode) for cut, mode in reruns]
        outcomes = self._outcomes(([] if same is None else [self._ask(same, None)]) + asks)
        total = len(reruns) + 1
        try:
            if same is not None:
                self._check_repeat(same, next(outcomes), before[same.bar])
            for done, (cut, mode) in enumerate(reruns):
                self.told(done, total)
                self._compare(cut, mode, next(outcomes), before.get(cut.bar))
        except NotRemade as fault:
            self._found.not_examined(
                "decisions", f"decision: a fresh process could not run {self.subject.key}: {fault}."
            )

    def _ask(self, cut: Cut, mode: str | None) -> Ask:
        return Ask(cut.bar, mode, cut.first, self._end(cut), int(self._chance.integers(2**32)))

    def _outcomes(self, asks: Sequence[Ask]) -> Iterator[Outcome]:
        """One after the other; of a subject in this process, it is prepared for the bars of the last one."""
        if isinstance(self.subject, Remade):
            yield from run_apart(self.subject.recipe(), self.bars, self.config, asks)
            return
        for ask in asks:
            yield rerun(ask, self.subject, self.bars, self.config, self.make_market)

    def _check_repeat(self, cut: Cut, again: Outcome, before: Trace) -> None:
        how = "it is run a second time on the same bars"
        if not isinstance(again, Trace):
            why = again.why if isinstance(again, Unmade) else "nothing came out"
            self._found.case("repeatable", f"decision: it cannot be made when {how} ({why}).")
            return
        differences = self._differences(before, again, cut.bar, how).values()
        found = next((one for one in differences if one is not None), None)
        self._found.case("repeatable", None if found is None else found.sentence())

    def _compare(self, cut: Cut, mode: str, after: Outcome, before: Trace | None) -> None:
        how = WORDS[mode].format(day=compare.when(self.bars, cut.bar))
        if isinstance(after, Unmade):
            self._found.case("decisions", f"decision: it cannot be made when {how} ({after.why}); it needs later bars.")
            return
        self._compare_inside(cut, mode, how)
        if before is not None and after is not None:
            for key, difference in self._differences(before, after, cut.bar, how).items():
                self._case(key, difference, mode)

    def _differences(self, before: Trace, after: Trace, cut: int, how: str) -> dict[str, Difference | None]:
        found = {
            "decisions": compare.decisions(before, after, self.bars, cut, how),
            "book": compare.books(before.book, after.book, self.bars, cut, how),
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
                self._case("features", compare.tables(name, table, now[name], self.bars, cut.bar, how), mode)
        since = max((table.since for table in self._tables.values()), default=0)
        if cut.bar >= since and not all(found.frozen for found in self._statistics):
            for before, after in zip(self._statistics, self.subject.statistics(), strict=True):
                self._case("statistics", compare.statistics(before, after, how), mode)

    def _search_features(self) -> Searched | None:
        """The features alone at many cuts; None of a subject without any."""
        if not isinstance(self.subject, Featured):
            return None
        from backtest.leaks.feature_search import search_features  # indicators, which a baseline never loads

        seed = int(self._chance.integers(2**32))
        found = search_features(
            self.bars, self.subject.feature_plan(), seed, lambda said: self._found.not_examined("features", said)
        )
        sentence = None if found.difference is None else found.difference.sentence(_LATER)
        self._found.case("features", sentence, found.cases)
        return found

    def _case(self, key: str, difference: Difference | None, mode: str = "") -> None:
        """A case of its own check, and where the next bar alone was altered a case of the lag test too."""
        sentence = None if difference is None else difference.sentence(_CONCLUSIONS[key])
        self._found.case(key, sentence)
        if mode == "next_bar":
            self._found.case("lag", sentence)

    def _report(
        self, cuts: Sequence[Cut], reruns: int, decided: Sequence[int], searched: Searched | None
    ) -> LeakReport:
        day = self.bars.session
        hit = len({cut.bar for cut in cuts} & set(decided))
        cut, of = (hit, len(decided)) if searched is None else (searched.cut, searched.of)
        what = "decisions" if searched is None else "features"
        return LeakReport(
            subject=self.subject.key,
            start=str(day[self.span.t0]),
            end=str(day[self.span.t1]),
            cuts=tuple(compare.when(self.bars, cut.bar) for cut in cuts),
            reruns=reruns,
            checks=self._found.checks(frozenset() if isinstance(self.subject, Probed) else _PROBES),
            reach=Reach(what, cut, of) if of else None,
        )
