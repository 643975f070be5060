"""R5's reference: N long-only books stepped by numpy, every rule written over whole (N, A) arrays.

Written from docs/simulator.md beside the compiled step, not out of it; the market's arrays and the numbers of the
rules are shared. It knows what R5 turns on: simplex_cash, step cap, caps, band, lots, fees, spread, impact,
participation, funding, interest on cash, stop and ruin. No shorts.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.market import Market
from simulator.rules import Rules

Floats = NDArray[np.float64]

SLACK = 1e-9
LEAST_SHARES = 1e-9
LEAST_ORDER = 1e-6
MOST_SLIPPAGE = 0.5


class NumpyBooks:
    """N books of one market. Arrays (N,) or (N, A) as in `simulator.books.Books`."""

    def __init__(self, market: Market, rules: Rules, cash: float, t: NDArray[np.int64]) -> None:
        shape = (len(t), market.n_assets)
        self.market, self.rules, self.t = market.arrays, rules, t.copy()
        self.cash, self.start = np.full(len(t), cash), cash
        self.equity, self.live = self.cash.copy(), np.ones(len(t), bool)
        self.shares, self.target = np.zeros(shape), np.zeros(shape)
        self.last_decision = np.full(len(t), -1)

    def step(self, actions: Floats) -> None:
        """Every book from t to t+1 on its row of `actions` (N, A+1)."""
        orders = self.decide(actions)
        self.earn_interest()
        self.t += 1
        self.fill(orders)
        self.value()
        self.end()

    def decide(self, actions: Floats) -> Floats:
        """(N, A) shares to trade: mapping, step cap, caps, band, lots, smallest order."""
        rules, mark, has_bar = self.rules, self.market.mark[self.t], self.market.has_bar[self.t]
        held = np.where(self.shares != 0.0, self.shares * mark, 0.0) / self.equity[:, None]
        want = np.where(has_bar, self.mapped(actions, has_bar), held)
        gap = self.market.last_gap[self.t] > self.last_decision[:, None]
        before = np.where(gap, held, self.target)
        stepped = before + np.clip(want - before, -rules.step_cap, rules.step_cap)
        want = self.capped(np.where(has_bar, stepped, want), has_bar)
        self.target = np.where(self.live[:, None], want, self.target)
        self.last_decision = np.where(self.live, self.t, self.last_decision)
        return np.where(has_bar & self.live[:, None], self.to_shares(want, held, mark), 0.0)

    def mapped(self, actions: Floats, has_bar: NDArray[np.bool_]) -> Floats:
        """invest_max x sigmoid(cash logit) x softmax over the assets with a bar."""
        logits = self.rules.logit_scale * np.clip(actions, -1.0, 1.0)
        parts = np.where(has_bar, np.exp(logits[:, 1:]), 0.0)
        total = parts.sum(axis=1, keepdims=True)
        invested = self.rules.invest_max / (1.0 + np.exp(-logits[:, :1]))
        return invested * parts / np.where(total > 0.0, total, 1.0)

    def capped(self, want: Floats, has_bar: NDArray[np.bool_]) -> Floats:
        """Position cap, then gross cap on what is free; the locked weights stay."""
        rules = self.rules
        capped = np.where(has_bar, np.clip(want, 0.0, rules.position_cap), want)
        capped = np.where(has_bar & (capped < 1e-12), 0.0, capped)
        locked, free = np.where(has_bar, 0.0, capped).sum(axis=1), np.where(has_bar, capped, 0.0).sum(axis=1)
        for cap in (rules.gross_cap, rules.net_cap):  # of long-only weights they are the same sum
            over = (locked + free > cap + SLACK) & (free > 0.0)
            scale = np.where(over, np.maximum(0.0, cap - locked) / np.where(free > 0.0, free, 1.0), 1.0)
            capped, free = np.where(has_bar, capped * scale[:, None], capped), free * scale
        return capped

    def to_shares(self, want: Floats, held: Floats, mark: Floats) -> Floats:
        rules, equity = self.rules, self.equity[:, None]
        gross = held.sum(axis=1, keepdims=True)
        banded = (want != 0.0) & (rules.band > 0.0) & (gross <= rules.gross_cap + SLACK)
        banded &= (np.abs(want - held) < rules.band) & (held <= rules.position_cap + SLACK)
        goal = self.lots(want * equity / mark)
        order = goal - self.shares
        least = np.maximum(LEAST_ORDER * equity, rules.min_notional)
        small = (np.abs(order) < LEAST_SHARES) | ((np.abs(order) * mark < least) & (goal != 0.0))
        return np.where(banded | small, 0.0, order)

    def lots(self, shares: Floats) -> Floats:
        lot = self.rules.lot
        return shares if lot <= 0.0 else np.sign(shares) * lot * np.floor(np.abs(shares) / lot + SLACK)

    def earn_interest(self) -> None:
        """On the cash at the close of t; cash of a long-only book without margin is never below 0."""
        given = self.market.cash_rate[self.t]
        earned = np.where(np.isnan(given), self.rules.cash_yield, given)
        rate = np.where(self.cash > 0.0, earned, self.rules.margin_rate)
        self.cash += np.where(self.live, self.cash * rate * self.market.year_fraction[self.t], 0.0)

    def fill(self, orders: Floats) -> None:
        """Participation, price, funding, settlement at bar t (already the fill's)."""
        rules, ref, volume = self.rules, self.market.ref[self.t], self.market.usual_volume[self.t]
        tradable = (ref > 0.0) & ((volume > 0.0) | (not rules.needs_volume))
        size = np.where(tradable, np.abs(orders), 0.0)
        most = rules.participation * volume
        size = np.where(size > most, self.lots(most), size)
        side = np.sign(orders)
        ratio = np.where(volume > 0.0, size / np.where(volume > 0.0, volume, 1.0), 1.0)
        slip = rules.half_spread + rules.impact * np.sqrt(ratio)
        price = ref * (1.0 + side * np.minimum(MOST_SLIPPAGE, slip))
        fee = rules.fee_per_share + price * rules.fee_rate
        sold, bought = np.where(side < 0.0, size, 0.0), np.where(side > 0.0, size, 0.0)
        share = self.funded(sold, bought, fee + np.abs(price - ref), ref)[:, None]
        bought = np.where(share < 1.0, self.lots(share * bought), bought)
        filled = bought - sold
        filled = np.where(np.abs(filled) < LEAST_SHARES, 0.0, filled)
        paid = np.where(filled != 0.0, filled * price + np.abs(filled) * fee, 0.0)
        self.cash -= paid.sum(axis=1)
        left = self.shares + filled
        self.shares = np.where(np.abs(left) < LEAST_SHARES, 0.0, left)

    def funded(self, sold: Floats, bought: Floats, cost: Floats, ref: Floats) -> Floats:
        """(N,) lambda: the share of the purchases that equity carries, valued at the fill's reference prices."""
        price = np.where(ref > 0.0, ref, self.market.mark[self.t - 1])
        worth = np.where(self.shares != 0.0, self.shares * price, 0.0)
        paid = np.where(sold > 0.0, cost * sold, 0.0).sum(axis=1)
        equity = self.cash + worth.sum(axis=1) - paid
        gross = worth.sum(axis=1) - np.where(sold > 0.0, sold * price, 0.0).sum(axis=1)
        more = np.where(bought > 0.0, bought * price, 0.0).sum(axis=1)
        toll = np.where(bought > 0.0, cost * bought, 0.0).sum(axis=1)
        room = (self.rules.gross_cap * equity - gross) / np.where(more > 0.0, more + self.rules.gross_cap * toll, 1.0)
        return np.where(more > 0.0, np.clip(room, 0.0, 1.0), 1.0)

    def value(self) -> None:
        mark = self.market.mark[self.t]
        self.equity = self.cash + np.where(self.shares != 0.0, self.shares * mark, 0.0).sum(axis=1)

    def end(self) -> None:
        """Ruin at the marks; stop at the marks less half spread and fee."""
        ruined = self.live & (self.equity <= 0.0)
        stopped = self.live & ~ruined & (self.equity < self.rules.stop_fraction * self.start)
        for which, toll, fee in ((ruined, 0.0, 0.0), (stopped, self.rules.half_spread, 1.0)):
            price = np.where(self.shares != 0.0, self.market.mark[self.t], 0.0) * (1.0 - toll)
            charged = fee * (self.rules.fee_per_share + price * self.rules.fee_rate)
            got = np.where(self.shares != 0.0, self.shares * (price - charged), 0.0).sum(axis=1)
            self.cash = np.where(which, self.cash + got, self.cash)
            self.shares = np.where(which[:, None], 0.0, self.shares)
            self.equity = np.where(which, self.cash, self.equity)
        self.live &= ~(ruined | stopped)
