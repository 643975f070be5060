"""A slow oracle of the simulator, written from the rules alone: Decimal, one book, one asset at a time.

It takes weights after the action mapping (mapping has tests of its own) and shares no line with the compiled step.
Comparisons of the rules are steps: where one is nearer than 1e-7 relative, `near` is set and the case is discarded.
"""

from dataclasses import dataclass, field
from decimal import Decimal, getcontext

getcontext().prec = 50
ZERO, ONE = Decimal(0), Decimal(1)
NEAR, EXACT, SLACK = Decimal("1e-7"), Decimal("2e-10"), Decimal("1e-9")


@dataclass
class Rulebook:
    """Numbers of one simulation, in the units of the configuration."""

    allow_short: bool = False
    gross: Decimal = ONE
    net: Decimal = ONE
    position: Decimal = ONE
    step: Decimal | None = None
    band: Decimal = ZERO
    lot: Decimal = ZERO
    min_notional: Decimal = ZERO
    half_spread_bps: Decimal = ZERO
    impact_k: Decimal = ZERO
    participation: Decimal | None = None
    adv_window: int = 20
    per_share: Decimal = ZERO
    fee_bps: Decimal = ZERO
    cash_yield: Decimal = ZERO
    margin_rate: Decimal = ZERO
    short_rebate: Decimal = ZERO
    borrow_fee: Decimal = ZERO
    stop: Decimal = ZERO
    liquidate: bool = False
    policy: bool = False
    start_cash: Decimal = Decimal(100_000)


@dataclass
class Oracle:
    """Bars are lists over t of lists over assets, None where absent; `days[t]` lie between bars t and t+1."""

    rules: Rulebook
    close: list
    ref: list
    volume: list | None
    days: list
    cash: Decimal = ZERO
    shares: list = field(default_factory=list)
    equity: Decimal = ZERO
    near: bool = False
    ended: str = ""

    def __post_init__(self):
        self.n = len(self.close[0])
        self.cash = self.equity = self.rules.start_cash
        self.shares = [ZERO] * self.n
        self.previous = [ZERO] * self.n
        self.decided_at = None
        self.fees = self.slippage = self.financing = self.turnover = ZERO
        self.fills = []

    def less(self, a, b):
        """a < b, noting when the two are too near to tell in float64."""
        if a != b and abs(a - b) <= NEAR * max(abs(a), abs(b)):
            self.near = True
        return a < b

    def breaks(self, value, cap):
        """value > cap by more than the slack of 1e-9, noting when the slack itself is too near to tell."""
        if abs(value - cap - SLACK) < SLACK / 100:
            self.near = True
        return value - cap > SLACK

    def mark(self, t, a):
        for k in range(t, -1, -1):
            if self.close[k][a] is not None:
                return self.close[k][a]
        return None

    def usual_volume(self, f, a):
        listed = [k for k in range(f) if self.close[k][a] is not None]
        if not listed:
            return None
        bars = [k for k in range(max(f - self.rules.adv_window, listed[0]), f)]
        if len(bars) < 5:
            return None
        mean = sum((self.volume[k][a] or ZERO) for k in bars) / len(bars)
        return mean if mean > 0 else None

    def lots(self, x):
        if self.rules.lot == 0:
            return x
        quotient = abs(x) / self.rules.lot
        gap = abs(quotient - round(quotient))
        if EXACT < gap < NEAR:
            self.near = True
        whole = (quotient + Decimal("1e-9")).to_integral_value(rounding="ROUND_FLOOR")
        return whole * self.rules.lot * (1 if x > 0 else -1)

    # A ------------------------------------------------------------------------------------------------------------
    def orders(self, t, wanted):
        r = self.rules
        if self.equity <= 0:
            return {}
        held = [self.shares[a] * self.mark(t, a) / self.equity if self.shares[a] else ZERO for a in range(self.n)]
        free = [a for a in range(self.n) if self.close[t][a] is not None]
        w = [wanted[a] if a in free else held[a] for a in range(self.n)]
        if r.policy and r.step is not None:
            for a in free:
                since = -1 if self.decided_at is None else self.decided_at
                gap = any(self.close[k][a] is None for k in range(since + 1, t + 1))
                base = held[a] if gap else self.previous[a]
                w[a] = base + max(-r.step, min(r.step, w[a] - base))
        w = self.capped(w, free)
        self.previous, self.decided_at = list(w), t
        gross_now = sum((abs(h) for h in held), ZERO)
        orders = {}
        for a in free:
            if r.policy and w[a] != 0 and r.band > 0:
                breaks = self.breaks(abs(held[a]), r.position) or self.breaks(gross_now, r.gross)
                if not breaks and self.less(abs(w[a] - held[a]), r.band):
                    continue
            goal = self.lots(w[a] * self.equity / self.mark(t, a))
            order = goal - self.shares[a]
            floor = max(Decimal("1e-6") * self.equity, r.min_notional)
            if abs(order) < Decimal("1e-9") or (goal != 0 and self.less(abs(order) * self.mark(t, a), floor)):
                continue
            orders[a] = order
        return orders

    def capped(self, w, free):
        r = self.rules
        for a in free:
            if not r.allow_short:
                w[a] = max(w[a], ZERO)
            w[a] = max(-r.position, min(r.position, w[a]))
            if abs(w[a]) < Decimal("1e-12"):
                w[a] = ZERO
        locked = sum((abs(w[a]) for a in range(self.n) if a not in free), ZERO)
        loose = sum((abs(w[a]) for a in free), ZERO)
        if self.breaks(locked + loose, r.gross) and loose > 0:
            for a in free:
                w[a] *= max(ZERO, r.gross - locked) / loose
        net = sum(w, ZERO)
        side = 1 if net > 0 else -1
        if self.breaks(abs(net), r.net):
            longer = [a for a in free if w[a] * side > 0]
            total = sum((abs(w[a]) for a in longer), ZERO)
            for a in longer:
                w[a] *= max(ZERO, total - (abs(net) - r.net)) / total
        return w

    # B ------------------------------------------------------------------------------------------------------------
    def finance(self, t):
        r = self.rules
        short = sum((-q * self.mark(t, a) for a, q in enumerate(self.shares) if q < 0), ZERO)
        free = self.cash - short
        rate = r.cash_yield if free > 0 else r.margin_rate
        delta = Decimal(self.days[t]) / 365
        earned = free * delta * rate + short * delta * (r.short_rebate - r.borrow_fee)
        self.cash += earned
        self.financing += earned

    # D ------------------------------------------------------------------------------------------------------------
    def fill(self, f, orders):
        r = self.rules
        plan = {}
        for a, order in orders.items():
            p0 = self.ref[f][a]
            needs_volume = r.impact_k > 0 or r.participation is not None
            volume = self.usual_volume(f, a) if needs_volume else None
            if p0 is None or (needs_volume and volume is None):
                continue
            size, sign = abs(order), 1 if order > 0 else -1
            if r.participation is not None and self.less(r.participation * volume, size):
                size = abs(self.lots(r.participation * volume))
            toward = min(size, abs(self.shares[a])) if self.shares[a] * sign < 0 else ZERO
            beyond = size - toward
            if sign < 0 and not r.allow_short:
                beyond = ZERO
            slip = r.half_spread_bps
            if r.impact_k > 0:
                slip += r.impact_k * ((toward + beyond) / volume).sqrt()
            price = p0 * (1 + sign * min(Decimal("0.5"), slip / 10_000))
            plan[a] = (sign, toward, beyond, p0, price, r.per_share + price * r.fee_bps / 10_000)
        share = self.funding(f, plan)
        for a, (sign, toward, beyond, p0, price, fee) in plan.items():
            grow = beyond
            if share < 1:
                grow = abs(self.lots(share * beyond)) if beyond else ZERO
            x = sign * (toward + grow)
            if abs(x) < Decimal("1e-9"):
                continue
            self.post(f, a, x, p0, price, fee * abs(x))

    def funding(self, f, plan):
        r = self.rules
        e, gross, more, cost_more = self.cash, ZERO, ZERO, ZERO
        for a in range(self.n):
            value = self.ref[f][a] if self.ref[f][a] is not None else self.mark(f - 1, a)
            q = self.shares[a]
            if value is None:
                continue
            e += q * value
            if a not in plan:
                gross += abs(q) * value
                continue
            sign, toward, beyond, p0, price, fee = plan[a]
            cost = fee + abs(price - p0)
            e -= cost * toward
            gross += abs(q + sign * toward) * value
            more += beyond * value
            cost_more += cost * beyond
        if more == 0:
            return ONE
        return max(ZERO, min(ONE, (r.gross * e - gross) / (more + r.gross * cost_more)))

    def post(self, f, a, x, p0, price, fee):
        self.cash -= x * price + fee
        self.shares[a] += x
        if abs(self.shares[a]) < Decimal("1e-9"):
            self.shares[a] = ZERO
        self.fees += fee
        self.slippage += abs(x) * abs(price - p0)
        self.turnover += abs(x) * price
        self.fills.append((f, a, x, price))

    # E ------------------------------------------------------------------------------------------------------------
    def check(self, t):
        self.value(t)
        if self.equity <= 0:
            self.ended = "ruin"
            self.cash, self.shares = self.equity, [ZERO] * self.n
        elif self.rules.policy and self.less(self.equity, self.rules.stop * self.rules.start_cash):
            self.ended = "stop"
            self.sell_all(t, impact=False)

    def value(self, t):
        self.equity = self.cash + sum((q * self.mark(t, a) for a, q in enumerate(self.shares) if q), ZERO)

    def sell_all(self, t, *, impact):
        r = self.rules
        for a in range(self.n):
            q = self.shares[a]
            if not q or (impact and self.close[t][a] is None):
                continue
            m, sign = self.mark(t, a), -1 if q > 0 else 1
            slip = r.half_spread_bps
            if impact and r.impact_k > 0:
                volume = self.usual_volume(t, a)
                slip += r.impact_k * (abs(q) / volume if volume else ONE).sqrt()
            price = m * (1 + sign * min(Decimal("0.5"), slip / 10_000))
            self.post(t, a, -q, m, price, abs(q) * (r.per_share + price * r.fee_bps / 10_000))
        self.value(t)

    def run(self, t0, t1, decisions):
        """Equity at t0..t1; `decisions` maps a bar to weights."""
        path = [self.equity]
        for t in range(t0, t1):
            if not self.ended:
                orders = self.orders(t, decisions[t]) if t in decisions else {}
                self.finance(t)
                self.fill(t + 1, orders)
                self.check(t + 1)
            path.append(self.equity)
        if self.rules.liquidate and not self.ended:
            self.sell_all(t1, impact=True)
            path[-1] = self.equity
        return path
