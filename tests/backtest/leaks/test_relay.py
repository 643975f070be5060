"""The leak gate looks at each policy of a relay over its own fold, and names the fold that leaks."""

from typing import Any

import numpy as np

from backtest.leaks.by_policy import check_leaks
from backtest.leaks.report import LeakReport
from backtest.seeds import SeveralSeeds
from marketdata.splits import Range
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.backtest.relays import Holds, relay
from tests.simulator.markets import no_cost, random_bars

BARS, CONFIG = random_bars(3, 120, 2), no_cost()
MARKET = prepare_market(BARS, CONFIG)
BEGINS = (20, 50, 80)


class Peeks(Holds):
    """Holds what rises on the next bar."""

    def decide(self, t: int, session: BookSession) -> Any:
        close = self.market.bars.close
        return np.eye(2)[int(np.argmax(close[t + 1] / close[t]))]


def checked(subject: Any) -> LeakReport:
    return check_leaks(subject, BARS, CONFIG, Range(20, 110), 0, lambda done, total: None)


def test_honest_policies_pass_over_the_whole_range() -> None:
    found = checked(relay(MARKET, BEGINS, (Holds(0), Holds(1), Holds(0))))
    assert found.state == "passed"
    assert (found.start, found.end) == (str(BARS.session[20]), str(BARS.session[110]))
    parts = [check_leaks(Holds(0), BARS, CONFIG, Range(*ends), 0, lambda done, total: None)
             for ends in ((20, 50), (50, 80), (80, 110))]  # fmt: skip
    assert found.reruns == sum(part.reruns for part in parts)


def test_the_fold_that_leaks_is_named() -> None:
    found = checked(relay(MARKET, BEGINS, (Holds(0), Peeks(1), Holds(0))))
    assert found.state == "failed" and found.sentence.startswith("Fold 2: ")


def test_the_seed_and_its_fold_are_named() -> None:
    honest = relay(MARKET, BEGINS, (Holds(0), Holds(1), Holds(0)))
    found = checked(SeveralSeeds({4: honest, 9: relay(MARKET, BEGINS, (Holds(0), Holds(1), Peeks(0)))}))
    assert found.state == "failed" and found.sentence.startswith("Seed 9: Fold 3: ")


def test_one_fold_is_checked_as_its_policy_alone() -> None:
    alone = check_leaks(Holds(0), BARS, CONFIG, Range(20, 110), 0, lambda done, total: None)
    assert checked(relay(MARKET, (20,), [Holds(0)])) == alone
