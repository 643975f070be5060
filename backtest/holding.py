"""One symbol bought and held: the first of the run, or the benchmark, which need not belong to the universe."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np

from backtest.baselines import Baseline, BuyHold, Floats, Ints
from backtest.config import JudgedConfig
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from simulator.engine import Decisions
from simulator.market import Market


class Holding(Baseline):
    """One symbol bought at the first bar of the range on which it is offered and can be ordered, and held.

    With impact or a participation cap an order needs a usual volume, which is known at the close before its bar: one
    placed earlier would be dropped, and nothing ever bought.
    """

    @abstractmethod
    def asset(self, market: Market) -> int:
        """Index of the symbol. Raises ValueError where the market has none such."""

    def bars(self, market: Market, t0: int, t1: int) -> Ints:
        return first_order_bar(market, self.asset(market), t0, t1)

    def shares_of(self, market: Market, t: int) -> Floats:
        weights = np.zeros(market.n_assets)
        weights[self.asset(market)] = 1.0
        return weights


def first_order_bar(market: Market, asset: int, t0: int, t1: int) -> Ints:
    """(1,) the first bar of t0..t1-1 at whose close a buy of the asset can be ordered; (0,) where there is none."""
    can = market.offered[t0:t1, asset]
    if market.needs_volume:
        can = can & (market.arrays.usual_volume[t0 + 1 : t1 + 1, asset] > 0)
    return t0 + np.flatnonzero(can)[:1]


def with_offered(market: Market, asset: int) -> Market:
    """The market in which membership of the universe does not bind `asset`."""
    if market.bars.member is None:
        return market
    offered = market.offered.copy()
    offered[:, asset] = market.has_bar[:, asset]
    return replace(market, arrays=market.arrays._replace(offered=offered))


class FirstLong(Holding):
    """`invest_max` in the first symbol."""

    key = "first_long"

    def asset(self, market: Market) -> int:
        return 0


class Benchmark(Holding):
    """`evaluation.benchmark` bought and held; where none is named, `buy_hold` stands for it.

    A benchmark is a yardstick beside the universe and need not belong to it: membership does not bind it.
    """

    key = "benchmark"

    def __init__(self, config: JudgedConfig) -> None:
        super().__init__(config)
        self.symbol = config.evaluation.benchmark
        self._stand_in = BuyHold(config)

    def asset(self, market: Market) -> int:
        if self.symbol not in market.symbols:
            raise ValueError(f"evaluation.benchmark {self.symbol} is not among the run's symbols")
        return market.symbols.index(self.symbol)

    def market_for(self, market: Market) -> Market:
        """Membership set aside for the benchmark alone."""
        return market if self.symbol is None else with_offered(market, self.asset(market))

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        if self.symbol is None:
            return self._stand_in.decisions(market, t0, t1)
        return super().decisions(market, t0, t1)


def require_benchmark(symbol: str | None, market: Market, span: Range) -> None:
    """Raises ConfigFault where the benchmark, a symbol of the market, can be bought on no bar of the range."""
    if symbol is None:
        return
    asset = market.symbols.index(symbol)
    if len(first_order_bar(with_offered(market, asset), asset, span.t0, span.t1)):
        return
    first, last = market.bars.session[span.t0], market.bars.session[span.t1]
    lacks = "usual volume" if market.has_bar[span.t0 : span.t1, asset].any() else "close"
    sentence = f"{symbol} cannot be bought between {first} and {last}: it has no {lacks} there; name another symbol."
    raise ConfigFault({"evaluation.benchmark": [sentence]})
