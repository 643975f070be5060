"""The state of one book at the close of a bar (the head of §1), its orders, and what a run hands back."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.simulator.oracle.data import Data
from tests.simulator.oracle.numbers import DUST_SHARES, ONE, ZERO, Near, sign
from tests.simulator.oracle.rules import OracleRules

FORCED = ("drawdown", "daily_loss", "margin")
FLATTEN = ("drawdown", "daily_loss")


@dataclass
class Order:
    """One order from its decision to its end. `kind`: market, limit, one of FORCED, or a closing (stop, ruin,
    liquidate, delisted). Shares signed, in shares of today: a split multiplies them and its ratio.
    """

    asset: int
    decided: int
    due: int
    asked: Decimal
    kind: str
    limit: Decimal | None = None
    mark: Decimal = ZERO
    equity: Decimal = ZERO
    left: Decimal = ZERO
    filled: Decimal = ZERO
    bar: int = -1
    value: Decimal = ZERO
    ref_value: Decimal = ZERO
    fee: Decimal = ZERO
    spread: Decimal = ZERO
    impact: Decimal = ZERO
    reason: str = "unfilled"
    ratio: Decimal = ONE
    fills: list["Fill"] = field(default_factory=list)
    funding_cut: Decimal = ZERO
    """What the factor of funding took at the last try, unsigned shares of today."""

    def __post_init__(self) -> None:
        self.left = self.asked

    @property
    def forced(self) -> bool:
        return self.kind in FORCED


@dataclass(frozen=True)
class Fill:
    bar: int
    qty: Decimal
    price: Decimal
    ref: Decimal
    fee: Decimal
    spread: Decimal
    impact: Decimal


@dataclass
class Row:
    """The book at one close; costs, financing and dividends are sums since t0, earned +, paid −."""

    equity: Decimal
    cash: Decimal
    shares: list[Decimal]
    gross: Decimal
    net: Decimal
    traded: Decimal
    fees: Decimal
    spread: Decimal
    impact: Decimal
    borrow: Decimal
    interest: Decimal
    dividends: Decimal


class Book:
    """One book. Nothing here decides anything: the steps A to E are functions on it."""

    def __init__(self, rules: OracleRules, data: Data, t0: int) -> None:
        n = data.n_assets
        self.rules, self.data, self.near = rules, data, Near()
        self.cash = self.equity = self.peak = self.session_equity = rules.start_cash
        self.shares = [ZERO] * n
        self.entry = [ZERO] * n
        self.opened = [-1] * n
        """1.2.4: fill bar in which a position left 0 or changed sign."""
        self.marks = [self._first_mark(t0, a) for a in range(n)]
        self.previous = [ZERO] * n
        self.decided_at = t0
        self.forced_since = False
        self.live: list[Order] = []
        self.orders: list[Order] = []
        self.ended = ""
        self.halted = False
        self.issued_at = -1
        self.flat_session: object = None
        self.bound = 0
        self.traded = self.fees = self.spread = self.impact = ZERO
        self.borrow = self.interest = self.dividends = ZERO
        self.realised = ZERO

    def _first_mark(self, t: int, a: int) -> Decimal | None:
        """1.1: the last close up to t, at the share count of t; None before the first."""
        ratio = ONE
        for k in range(t, -1, -1):
            close = self.data.close[k][a]
            if close is not None:
                return close / ratio
            ratio *= self.data.split[k][a]
        return None

    def assets(self) -> range:
        return range(self.data.n_assets)

    def mark(self, a: int) -> Decimal:
        mark = self.marks[a]
        assert mark is not None
        return mark

    def held(self, a: int) -> Decimal:
        """q·m, 0 without a position."""
        return self.shares[a] * self.mark(a) if self.shares[a] else ZERO

    def weight(self, a: int) -> Decimal:
        """w⁰ of 1.2."""
        return self.held(a) / self.equity if self.equity > 0 else ZERO

    def gross(self) -> Decimal:
        return sum((abs(self.held(a)) for a in self.assets()), ZERO)

    def under_way(self, a: int) -> Decimal:
        return sum((o.left for o in self.live if o.asset == a), ZERO)

    def awaits_forced(self, a: int) -> bool:
        return any(o.asset == a and o.forced for o in self.live)

    def add(self, order: Order) -> Order:
        self.orders.append(order)
        return order

    def end(self, order: Order, reason: str) -> None:
        """The order leaves the book, unfilled or not."""
        if order in self.live:
            self.live.remove(order)
        order.reason = reason

    def post(self, order: Order, fill: Fill) -> None:
        """1.4, end: K ← K − x·p − fee; entry price and 1.2.4's b; |q| < 1e-9 is 0."""
        a, x, p = order.asset, fill.qty, fill.price
        before = self.shares[a]
        after = before + x
        if abs(after) < DUST_SHARES:
            after = ZERO
        if sign(before) != sign(after):
            self.opened[a] = fill.bar
        self._enter(a, before, x, p)
        self.cash -= x * p + fill.fee
        self.shares[a] = after
        self.traded += abs(x) * p
        self.fees += fill.fee
        self.spread += fill.spread
        self.impact += fill.impact
        order.fills.append(fill)
        order.bar = fill.bar
        order.left -= x
        order.filled += x
        order.value += abs(x) * p
        order.ref_value += abs(x) * fill.ref
        order.fee += fill.fee
        order.spread += fill.spread
        order.impact += fill.impact

    def _enter(self, a: int, before: Decimal, x: Decimal, p: Decimal) -> None:
        """1.4: average entry price; what a reduction realises is kept for the identity of 1.8."""
        closed = min(abs(x), abs(before)) if sign(before) * sign(x) < 0 else ZERO
        self.realised += closed * (p - self.entry[a]) * sign(before)
        opened = abs(x) - closed
        if opened > 0:
            kept = abs(before) if closed == 0 else ZERO
            self.entry[a] = (self.entry[a] * kept + p * opened) / (kept + opened)

    def row(self) -> Row:
        values = [self.held(a) for a in self.assets()]
        gross, net = sum(map(abs, values), ZERO), sum(values, ZERO)
        return Row(
            self.equity, self.cash, list(self.shares), gross, net, self.traded, self.fees, self.spread, self.impact,
            self.borrow, self.interest, self.dividends,
        )  # fmt: skip
