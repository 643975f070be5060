"""Cases on paper: a few bars each, numbers that a pencil gives, the sentence of numbers.md §1 that they are about.

The oracle and the compiled step both have to give them (test_golden.py). All start with 1,000 in cash, cost nothing and
fill at the next close, unless they say otherwise. Bars begin on Thursday 2 January 2020: bar 2 is a Monday.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marketdata.bars import Bars, Delisting
from tests.simulator.markets import sessions

NAN = float("nan")
Fills = list[tuple[int, int, float, float]]


@dataclass(frozen=True)
class Golden:
    """`decisions` are targets of a mandate, or raw actions with `layers` "policy"; `expect` has columns by name over
    t0..t1; `fills` are (bar, asset, shares, price) of every fill in the order of the orders.
    """

    name: str
    rule: str
    bars: Bars
    decisions: dict[int, list[float]]
    expect: dict[str, list[Any]]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    fills: Fills | None = None
    layers: str = "mandate"
    cost_multiplier: float = 1.0
    t0: int = 0


def paper(close: Any, *, hours: int = 0, ends: dict[str, Delisting] | None = None, **columns: Any) -> Bars:
    """Bars of closes (T,) or (T, A) and whatever else is given; `hours` bars a session makes them intraday."""
    close = _wide(close)
    days = sessions(len(close))
    known = days.astype("datetime64[ns]")
    if hours:
        days = sessions(-(-len(close) // hours)).repeat(hours)[: len(close)]
        hour = np.tile(np.arange(hours), len(close))[: len(close)]
        known = days.astype("datetime64[ns]") + (15 + hour) * np.timedelta64(3_600_000_000_000, "ns")
    rates = columns.pop("rates", {})
    wide = {name: None if value is None else _wide(value) for name, value in columns.items()}
    if "member" in wide:
        wide["member"] = wide["member"].astype(bool)
    return Bars(
        symbols=tuple(f"S{a}" for a in range(close.shape[1])), session=days, known_at=known, close=close,
        interval="1h" if hours else "1d", rates=rates, delistings=ends or {}, **wide,
    )  # fmt: skip


def _wide(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def limits(*, close: list[float], open: list[float], high: list[float], low: list[float]) -> Bars:
    return paper(close, open=open, high=high, low=low)


SHORTS = {"allow_short": True, "max_gross_leverage": 2.0}
LEVER3 = {"max_gross_leverage": 3.0, "max_net_leverage": 3.0, "max_position_weight": 3.0}
FLAT8 = [10.0] * 8
VOLUME8 = [5000.0] * 8

FILLS = [
    Golden(
        "next close", "`next_close` C_f", paper([10, 12, 15, 15]), {0: [0.5]},
        {"equity": [1000, 1000, 1150, 1150], "cash": [1000, 400, 400, 400]}, fills=[(1, 0, 50, 12)],
    ),
    Golden(
        "next open", "`next_open` O_f", paper([10, 12, 15], open=[10, 11, 13]), {0: [0.5]},
        {"equity": [1000, 1050, 1200], "cash": [1000, 450, 450]}, {"exec": {"fill": "next_open"}},
        fills=[(1, 0, 50, 11)],
    ),
    Golden(
        "given vwap", "`vwap_window` the given VWAP",
        paper([10, 12, 15], open=[10, 11, 13], high=[10, 14, 15], low=[10, 10, 13], vwap=[10, 11.5, 14]), {0: [0.5]},
        {"cash": [1000, 425, 425]}, {"exec": {"fill": "vwap_window"}}, fills=[(1, 0, 50, 11.5)],
    ),
    Golden(
        "vwap of four prices", "else (O+H+L+C)/4: (11 + 14 + 10 + 12)/4 = 11.75",
        paper([10, 12, 15], open=[10, 11, 13], high=[10, 14, 15], low=[10, 10, 13]), {0: [0.5]},
        {"cash": [1000, 412.5, 412.5]}, {"exec": {"fill": "vwap_window"}}, fills=[(1, 0, 50, 11.75)],
    ),
    Golden(
        "spread and every fee", "p = 12·1.01; fee = 50·0.01 + 606·(10 + 10)/1e4 = 1.712",
        paper([10, 12, 15]), {0: [0.5]}, {"cash": [1000, 392.288, 392.288], "fees": [0, 1.712, 1.712],
                                         "spread": [0, 6, 6], "impact": [0, 0, 0]},
        {"fees": {"commission_per_share": 0.01, "commission_pct_notional": 0.001, "taker_bps": 10.0},
         "exec": {"half_spread_bps": 100.0}}, fills=[(1, 0, 50, 12.12)],
    ),
    Golden(
        "cost multiplier", "Sweep over fees, spread and impact together: twice everything",
        paper([10, 12, 15]), {0: [0.5]},
        {"cash": [1000, 1000 - 612 - 2.448, 1000 - 612 - 2.448], "spread": [0, 12, 12]},
        {"fees": {"taker_bps": 20.0}, "exec": {"half_spread_bps": 100.0}}, cost_multiplier=2.0,
        fills=[(1, 0, 50, 12.24)],
    ),
    Golden(
        "impact", "k√(|x|/A_f): 100·√(50/5000) = 10 bps",
        paper(FLAT8, volume=VOLUME8), {5: [0.5]}, {"impact": [0] * 6 + [0.5] * 2, "cash": [1000] * 6 + [499.5] * 2},
        {"exec": {"impact_k": 100.0, "participation_cap": 1.0}}, fills=[(6, 0, 50, 10.01)],
    ),
    Golden(
        "linear impact", "k(|x|/A_f)^b, b = 1: 1000·50/5000 = 10 bps",
        paper(FLAT8, volume=VOLUME8), {5: [0.5]}, {"impact": [0] * 6 + [0.5] * 2, "cash": [1000] * 6 + [499.5] * 2},
        {"exec": {"impact_k": 1000.0, "impact_exponent": 1.0, "participation_cap": 1.0}}, fills=[(6, 0, 50, 10.01)],
    ),
    Golden(
        "constant slippage", "k(|x|/A_f)^b, b = 0: 10 bps whatever the size",
        paper(FLAT8, volume=VOLUME8), {5: [0.5]}, {"impact": [0] * 6 + [0.5] * 2, "cash": [1000] * 6 + [499.5] * 2},
        {"exec": {"impact_k": 10.0, "impact_exponent": 0.0, "participation_cap": 1.0}}, fills=[(6, 0, 50, 10.01)],
    ),
    Golden(
        "usual volume is unknown", "unknown with fewer than 5 bars: the order drops",
        paper(FLAT8, volume=VOLUME8), {3: [0.5]}, {"cash": [1000] * 8},
        {"exec": {"impact_k": 100.0, "participation_cap": 1.0}}, fills=[],
    ),
    Golden(
        "slippage is at most half", "min(0.5, (h + k√(|x|/A_f))/1e4)",
        paper(FLAT8, volume=[1.0] * 8), {5: [0.5]}, {"cash": [1000] * 6 + [985] * 2},
        {"exec": {"impact_k": 10000.0, "participation_cap": 1.0}}, fills=[(6, 0, 1, 15)],
    ),
    Golden(
        "participation", "all fills of one asset in one bar ≤ `participation_cap`·A_f; the remainder drops",
        paper(FLAT8, volume=VOLUME8), {5: [0.5]}, {"shares": [[0]] * 6 + [[5]] * 2},
        {"exec": {"participation_cap": 0.001}}, fills=[(6, 0, 5, 10)],
    ),
    Golden(
        "participation to lots", "Cut orders go toward zero to the lot: 5 to 4",
        paper(FLAT8, volume=VOLUME8), {5: [0.5]}, {"shares": [[0]] * 6 + [[4]] * 2},
        {"exec": {"participation_cap": 0.001, "lot_size": 2.0}}, fills=[(6, 0, 4, 10)],
    ),
    Golden(
        "carry", "`carry` keeps what the cap or λ cut, until the next decision",
        paper([10.0] * 10, volume=[5000.0] * 10), {5: [0.5], 8: [0.01]},
        {"shares": [[0]] * 6 + [[5], [10], [15], [10]]}, {"exec": {"participation_cap": 0.001, "remainder": "carry"}},
    ),
    Golden(
        "volume of a split", "volumes before it ·s in A_f: 10 % of 100, of the 200 shares asked",
        paper([10.0] * 6 + [5.0] * 2, volume=[50.0] * 6 + [100.0] * 2, split=[1, 1, 1, 1, 1, 1, 2, 1]), {6: [1.0]},
        {"shares": [[0]] * 7 + [[10]]}, {"exec": {"participation_cap": 0.1}}, fills=[(7, 0, 10, 5)],
    ),
    Golden(
        "tick against us", "buy tick·⌈p/tick − 1e-9⌉: 10.01 to 10.05; sell tick·⌊p/tick + 1e-9⌋: 9.99 to 9.95",
        paper([10.0] * 5), {0: [0.5], 2: [0.0]}, {"cash": [1000, 497.5, 497.5, 995, 995]},
        {"exec": {"half_spread_bps": 10.0, "tick_size": 0.05}}, fills=[(1, 0, 50, 10.05), (3, 0, -50, 9.95)],
    ),
    Golden(
        "a sale is never below a tick", "sell max(tick, …)",
        paper([10.0, 10.0, 0.3, 0.3]), {0: [0.5], 1: [0.0]}, {"cash": [1000, 500, 525, 525]},
        {"exec": {"tick_size": 0.5}}, fills=[(1, 0, 50, 10), (2, 0, -50, 0.5)],
    ),
    Golden(
        "latency", "the fill bar is f = t+1+`latency`; decided 0.5 twice, bought once: orders under way count",
        paper([10, 10, 12, 12, 12]), {0: [0.5], 1: [0.5]}, {"shares": [[0], [0], [50], [50], [50]]},
        {"exec": {"latency_bars": 1}}, fills=[(2, 0, 50, 12)],
    ),
    Golden(
        "lots", "n = sign·lot·⌊|n|/lot + 1e-9⌋; an uncut order is never re-rounded",
        paper([10.0] * 4), {0: [0.95], 2: [0.0]}, {"shares": [[0], [90], [90], [0]]}, {"exec": {"lot_size": 10.0}},
    ),
    Golden(
        "least order", "Dropped if |order|·m < `min_order_notional`, unless n = 0",
        paper([10.0] * 5), {0: [0.5], 1: [0.55], 2: [0.0], 3: [0.05]}, {"shares": [[0], [50], [50], [0], [0]]},
        {"exec": {"min_order_notional": 100.0}},
    ),
    Golden(
        "a missing close", "Tradable in f = has the bar's needed fields. Otherwise the order drops; the mark stays",
        paper([10, NAN, 12, 14, 14]), {0: [0.5], 2: [0.6]}, {"equity": [1000, 1000, 1000, 1000, 1000],
                                                           "shares": [[0], [0], [0], [50], [50]]},
    ),
    Golden(
        "a missing close with carry", "or waits with `remainder: carry` (the quantity, until the next decision)",
        paper([10, NAN, 12, 14]), {0: [0.5]}, {"equity": [1000, 1000, 1000, 1100]},
        {"exec": {"remainder": "carry"}}, fills=[(2, 0, 50, 12)],
    ),
    Golden(
        "an open without a close", "a fill needs its rule's fields: the mark stays at 10 while 50 are bought at 11",
        paper([10, NAN, 12], open=[10, 11, 12]), {0: [0.5]}, {"equity": [1000, 950, 1050]},
        {"exec": {"fill": "next_open"}}, fills=[(1, 0, 50, 11)],
    ),
    Golden(
        "the high–low spread", "Corwin–Schultz, halved: H/L = 1.1 in both bars of every pair on one level: β = 2γ, "
        "α = ln 1.1, S = 2·0.1/2.1, half of it 0.047619…",
        paper([10.5] * 4, open=[10.5] * 4, high=[11.0] * 4, low=[10.0] * 4), {2: [0.42]},
        {"spread": [0, 0, 0, 40 * 10.5 / 21]}, {"exec": {"spread_source": "high_low"}},
        fills=[(3, 0, 40, 10.5 * (1 + 1 / 21))],
    ),
    Golden(
        "the floor of the high–low spread", "`half_spread_bps` is its floor",
        paper([10.5] * 4, open=[10.5] * 4, high=[11.0] * 4, low=[10.0] * 4), {2: [0.42]}, {},
        {"exec": {"spread_source": "high_low", "half_spread_bps": 1000.0}}, fills=[(3, 0, 40, 11.55)],
    ),
]  # fmt: skip

LIMITS = [
    Golden(
        "a limit that the bar trades through", "buy L_f < limit: at the limit, maker: 9.9, rebate 49.5·10/1e4",
        limits(close=[10, 10, 10], open=[10, 10, 10], high=[10, 10, 10], low=[10, 9.8, 10]), {0: [0.5]},
        {"fees": [0, -0.495, -0.495], "spread": [0, 0, 0], "cash": [1000, 505.495, 505.495]},
        {"fees": {"maker_rebate_bps": 10.0, "taker_bps": 99.0},
         "exec": {"order_type": "limit", "limit_offset_bps": 100.0, "half_spread_bps": 50.0}},
        fills=[(1, 0, 50, 9.9)],
    ),
    Golden(
        "a limit that the bar only touches", "Fills only if the bar trades *through*",
        limits(close=[10, 10, 10], open=[10, 10, 10], high=[10, 10, 10], low=[10, 9.5, 9.0]), {0: [0.5]},
        {"cash": [1000, 1000, 1000]}, {"exec": {"order_type": "limit", "limit_offset_bps": 500.0}}, fills=[],
    ),
    Golden(
        "a limit waits with carry", "one bar unless carried; the price is fixed at the decision",
        limits(close=[10, 10, 11], open=[10, 10, 10], high=[10, 10, 11], low=[10, 9.5, 9.0]), {0: [0.5]},
        {"cash": [1000, 1000, 525]},
        {"exec": {"order_type": "limit", "limit_offset_bps": 500.0, "remainder": "carry"}}, fills=[(2, 0, 50, 9.5)],
    ),
    Golden(
        "an open that is already better", "at p = O_f with spread and impact, taker: 9.5·1.01, fee 10 bps",
        limits(close=[10, 10, 10], open=[10, 9.5, 10], high=[10, 10, 10], low=[10, 9.4, 10]), {0: [0.5]},
        {"spread": [0, 4.75, 4.75], "fees": [0, 0.47975, 0.47975]},
        {"fees": {"taker_bps": 10.0}, "exec": {"order_type": "limit", "limit_offset_bps": 100.0,
                                              "half_spread_bps": 100.0}}, fills=[(1, 0, 50, 9.595)],
    ),
    Golden(
        "never worse than the limit", "9.85·1.01 = 9.9485 is worse than 9.9",
        limits(close=[10, 10, 10], open=[10, 9.85, 10], high=[10, 10, 10], low=[10, 9.4, 10]), {0: [0.5]}, {},
        {"exec": {"order_type": "limit", "limit_offset_bps": 100.0, "half_spread_bps": 100.0}},
        fills=[(1, 0, 50, 9.9)],
    ),
    Golden(
        "a limit to sell, tick away from the market", "10·1.012 = 10.12 to 10.25; H = 10.3 trades through",
        limits(close=[10, 10, 10, 10], open=[10] * 4, high=[10, 10.1, 10.3, 10], low=[10, 9.0, 10, 10]),
        {0: [0.5], 1: [0.0]}, {"shares": [[0], [50], [0], [0]]},
        {"exec": {"order_type": "limit", "limit_offset_bps": 120.0, "tick_size": 0.25}},
        fills=[(1, 0, 50, 9.75), (2, 0, -50, 10.25)],
    ),
]  # fmt: skip

FUNDING = [
    Golden(
        "cash is never below zero", "λ = (G·e − Γ)/(ΔΓ + G·C) = 1000/1200",
        paper([10, 12, 12]), {0: [1.0]}, {"cash": [1000, 0, 0]}, fills=[(1, 0, 1000 / 12, 12)],
    ),
    Golden(
        "lots when λ cuts", "Fill x⁻ + λx⁺, to lots toward zero if λ < 1: 83.33 to 83",
        paper([10, 12, 12]), {0: [1.0]}, {"cash": [1000, 4, 4]}, {"exec": {"lot_size": 1.0}}, fills=[(1, 0, 83, 12)],
    ),
    Golden(
        "costs are paid for too", "c = fee + |p − p°| = 0.12 + 0.1212; λ·100 = 1000/(12 + 0.2412) shares",
        paper([10, 12, 12]), {0: [1.0]}, {"cash": [1000, 0, 0]},
        {"fees": {"taker_bps": 100.0}, "exec": {"half_spread_bps": 100.0}}, fills=[(1, 0, 1000 / 12.2412, 12.12)],
    ),
    Golden(
        "reductions pay for increases", "All increases share one factor λ; reductions always fill",
        paper([[10, 10, 10], [10, 10, 10], [10, 20, 20]]), {0: [1.0, 0, 0], 1: [0, 0.5, 0.5]},
        {"cash": [1000, 0, 0], "shares": [[0, 0, 0], [100, 0, 0], [0, 25, 25]]},
    ),
    Golden(
        "short proceeds buy nothing", "e = 1000, Γ = 0, G = 1: 0.6 short and 0.4 long fill at 10; at 20 half of each",
        paper([[10, 10], [20, 20]]), {0: [-0.6, 0.4]}, {"shares": [[0, 0], [-30, 20]], "cash": [1000, 1200]},
        {"margin": {"allow_short": True}},
    ),
    Golden(
        "a flip", "(a flip has both) x⁻ and x⁺: −50 always, −100·λ at 12, λ = (2·1100)/1200 > 1",
        paper([10, 10, 12, 12]), {0: [0.5], 1: [-1.0]}, {"shares": [[0], [50], [-100], [-100]],
                                                       "cash": [1000, 500, 2300, 2300]}, {"margin": SHORTS},
    ),
    Golden(
        "no shorts without permission", "Without `allow_short` the x⁺ of a sell is 0",
        paper([10.0] * 4), {0: [0.5], 1: [-0.5]}, {"shares": [[0], [50], [0], [0]]},
    ),
]  # fmt: skip

FINANCING = [
    Golden(
        "idle cash over a weekend", "δ = whole calendar days / 365: 1, 3, 1",
        paper([10.0] * 4), {}, {"equity": [1000, 1000.1, 1000.1 * 1.0003, 1000.1 * 1.0003 * 1.0001]},
        {"margin": {"cash_yield_apr": 0.0365}},
    ),
    Golden(
        "a rate column", "Row t of a rate column pays for (t, t+1)",
        paper([10.0] * 4, rates={"tbill": np.array([0.365, 0.0, 0.0365, 9.0])}), {},
        {"equity": [1000, 1001, 1001, 1001.1001]}, {"margin": {"cash_yield_column": "tbill", "cash_yield_apr": 0.5}},
    ),
    Golden(
        "intraday interest", "seconds / (365·86,400): 0.1 % an hour, then 22 hours of it",
        paper([10.0] * 4, hours=3), {}, {"equity": [1000, 1001, 1002.001, 1002.001 * 1.022]},
        {"margin": {"cash_yield_apr": 8.76}},
    ),
    Golden(
        "borrowed cash", "F·δ·`margin_rate` if F ≤ 0; 1000 borrowed on Friday: three days, then one",
        paper([10.0] * 4), {0: [2.0]}, {"cash": [1000, -1000, -1000.3, -1000.3 * 1.0001]},
        {"margin": {"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "max_position_weight": 2.0,
                    "cash_borrow_apr": 0.0365}},
    ),
    Golden(
        "a short position", "F = K − S earns, S·δ·(rebate − borrow): F = 1000, S = 500; a weekend of 3 days",
        paper([10.0] * 3), {0: [-0.5]}, {"cash": [1000, 1500.1, 1500.1 + 1000.1 * 0.0003 + 500 * 3e-4 - 500 * 3e-3],
                                        "borrow": [0, 0, -1.5]},
        {"margin": {**SHORTS, "cash_yield_apr": 0.0365, "short_rebate_apr": 0.0365}, "fees": {"borrow_fee_apr": 0.365}},
    ),
]  # fmt: skip

ACTIONS = [
    Golden(
        "a split", "q·s, mark /s; fractions stay as odd shares",
        paper([10, 10, 4, 4], split=[1, 1, 2.5, 1]), {0: [0.5]}, {"shares": [[0], [50], [125], [125]],
                                                                "equity": [1000] * 4},
    ),
    Golden(
        "a split in a halt", "mark /s: no close on the day of the split",
        paper([10, 10, NAN, 5], split=[1, 1, 2, 1]), {0: [0.5]}, {"shares": [[0], [50], [100], [100]],
                                                                "equity": [1000] * 4},
    ),
    Golden(
        "a split and an order", "orders' shares ·s: 50 ordered, 100 bought at 5",
        paper([10, 5, 5], split=[1, 2, 1]), {0: [0.5]}, {"cash": [1000, 500, 500]}, fills=[(1, 0, 100, 5)],
    ),
    Golden(
        "a dividend", "K += q·d, for shares held at the close of t; longs receive, shorts pay",
        paper([[10, 10], [10, 10], [9, 9], [9, 9]], dividend=[[0, 0], [9, 9], [1, 1], [0, 0]]), {0: [0.5, -0.2]},
        {"cash": [1000, 700, 730, 730], "dividends": [0, 0, 30, 30], "equity": [1000, 1000, 1000, 1000]},
        {"margin": SHORTS},
    ),
    Golden(
        "a dividend after a split", "**Then** a cash dividend d per new share: 100·1",
        paper([10, 10, 4], split=[1, 1, 2], dividend=[0, 0, 1]), {0: [0.5]}, {"cash": [1000, 500, 600],
                                                                            "equity": [1000, 1000, 1000]},
    ),
    Golden(
        "a delisting with a return", "closed at t+1 at m·(1 + delisting return): 50·12·0.6",
        paper([10, 10, 12, NAN, NAN], ends={"S0": Delisting(dt.date(2020, 1, 6), -0.4)}), {0: [0.5]},
        {"cash": [1000, 500, 500, 860, 860], "equity": [1000, 1000, 1100, 860, 860],
         "shares": [[0], [50], [50], [0], [0]]},
    ),
    Golden(
        "delistings without a return", "longs at m·(1 − `delist_loss`), shorts at m",
        paper([[10, 10], [10, 10], [12, 12], [NAN, NAN], [NAN, NAN]],
              ends={name: Delisting(dt.date(2020, 1, 6)) for name in ("S0", "S1")}), {0: [0.5, -0.2]},
        {"cash": [1000, 700, 700, 700 + 600 * 0.5 - 240, 760]},
        {"margin": SHORTS, "exec": {"delist_loss": 0.5}},
    ),
    Golden(
        "a gap is a halt", "A gap with later bars is a halt: stale mark, borrow goes on, no fills",
        paper([10, 10, NAN, NAN, 12]), {0: [-0.5], 2: [0.0]}, {"equity": [1000, 1000, 998.5, 998, 897.5],
                                                              "shares": [[0], [-50], [-50], [-50], [-50]]},
        {"margin": SHORTS, "fees": {"borrow_fee_apr": 0.365}},
    ),
    Golden(
        "a late listing", "An asset is offered from its first bar",
        paper([[10, NAN], [10, NAN], [10, 8], [10, 8], [10, 8]]), {0: [0.5, 0.5], 2: [0.5, 0.4]},
        {"shares": [[0, 0], [50, 0], [50, 0], [50, 50], [50, 50]]},
    ),
    Golden(
        "membership", "who is no member of the universe has the target 0",
        paper(np.full((5, 2), 10.0), member=[[1, 0], [1, 1], [0, 1], [1, 1], [1, 1]]),
        {0: [0.5, 0.5], 1: [0.5, 0.5], 2: [0.5, 0.5]}, {"shares": [[0, 0], [50, 0], [50, 50], [0, 50], [0, 50]]},
    ),
]  # fmt: skip

CHECKS = [
    Golden(
        "ruin", "E ≤ 0: closed at the marks; equity stays where it is: 300·6 − 2000",
        paper([10, 10, 6, 50, 50]), {0: [3.0], 3: [1.0]}, {"equity": [1000, 1000, -200, -200, -200],
                                                         "shares": [[0], [300], [0], [0], [0]]}, {"margin": LEVER3},
    ),
    Golden(
        "stop", "closed at the marks less half spread and fees: n = 1000/10.201, then n·6·0.99·0.99",
        paper([10, 10, 6, 6]), {0: [1.0]}, {"equity": [1000, 10000 / 10.201, *[1000 / 10.201 * 5.94 * 0.99] * 2]},
        {"guards": {"stop_eq_frac": 0.7}, "exec": {"half_spread_bps": 100.0, "tick_size": 0.0},
         "fees": {"taker_bps": 100.0}}, layers="policy",
    ),
    Golden(
        "stop does not bind a mandate", "Stop and the guards bind only the policy",
        paper([10, 10, 6, 7]), {0: [1.0]}, {"equity": [1000, 1000, 600, 700]},
        {"guards": {"stop_eq_frac": 0.7, "max_drawdown": 0.2, "daily_loss_limit": 0.1}},
    ),
    Golden(
        "drawdown guard", "E ≤ (1 − limit)·peak: 800 ≤ 0.7·1200: flatten at the next close, halted for good",
        paper([10, 10, 12, 8, 9, 20]), {t: [1.0] for t in range(5)}, {"equity": [1000, 1000, 1200, 800, 900, 900]},
        {"guards": {"max_drawdown": 0.3}}, layers="policy",
    ),
    Golden(
        "a flattening waits for a bar", "assets without a bar are retried",
        paper([[10, 10], [10, 10], [5, 5], [6, NAN], [7, 7]]), {0: [1.0, 1.0]},
        {"equity": [1000, 1000, 500, 550, 650], "shares": [[0, 0], [50, 50], [50, 50], [0, 50], [0, 0]]},
        {"guards": {"max_drawdown": 0.3}}, layers="policy",
    ),
    Golden(
        "a flattening pays for its full size", "Forced orders ignore the participation cap and pay impact: 0.01·5000 = "
        "50 bought at 100 bps, all 50 sold at 1000·√(50/1250) = 200 bps", paper(
            [10.0] * 6 + [5.0] * 2, volume=[12500, 12500, 0, 0, 0, 6250, 0, 0]), {4: [1.0]},
        {"cash": [1000] * 5 + [495, 495, 740], "equity": [1000] * 5 + [995, 745, 740]},
        {"guards": {"max_drawdown": 0.2}, "episode": {"invest_max": 0.5},
         "exec": {"impact_k": 1000.0, "participation_cap": 0.01, "adv_window": 5}}, layers="policy",
        fills=[(5, 0, 50, 10.1), (7, 0, -50, 4.9)],
    ),
    Golden(
        "daily loss", "E ≤ (1 − limit)·(E at the last close of the previous session): flatten; no other fill in the "
        "session in which it fills; the decision of bar 5 buys again in the next session",
        paper([10, 10, 10, 9.4, 9.6, 9.8, 10, 11], hours=3), {t: [1.0] for t in range(7)},
        {"equity": [1000, 1000, 1000, 940, 960, 960, 960, 1056]},
        {"guards": {"daily_loss_limit": 0.05}}, layers="policy",
        fills=[(1, 0, 100, 10), (4, 0, -100, 9.6), (6, 0, 96, 10)],
    ),
    Golden(
        "margin call", "E < `maintenance_margin`·Γ: 200 < 0.3·1200; shrinks by 1 − G·E/Γ = 2/3",
        paper([10, 10, 6, 6]), {0: [2.0]}, {"equity": [1000, 1000, 200, 200], "cash": [1000, -1000, -1000, -200],
                                           "shares": [[0], [200], [200], [200 / 3]]},
        {"margin": {"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "max_position_weight": 2.0,
                    "maintenance_margin": 0.3}},
    ),
    Golden(
        "a margin call loses the decision", "Issuing one … loses the decision of the issuing close",
        paper([10, 10, 6, 6, 6]), {0: [2.0], 2: [0.0]}, {"shares": [[0], [200], [200], [200 / 3], [200 / 3]]},
        {"margin": {"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "max_position_weight": 2.0,
                    "maintenance_margin": 0.3}},
    ),
    Golden(
        "liquidation at the end", "sold at the close of t1 with half spread, impact and fees",
        paper([10.0] * 3), {0: [0.5]}, {"equity": [1000, 995, 990], "shares": [[0], [50], [0]]},
        {"exec": {"liquidate_at_end": True, "half_spread_bps": 100.0}},
    ),
    Golden(
        "liquidation without a close", "without a close the position stays open",
        paper([10, 10, NAN]), {0: [0.5]}, {"shares": [[0], [50], [50]]}, {"exec": {"liquidate_at_end": True}},
    ),
]  # fmt: skip

RETURNS = [10, 11, 9.9, 10.89, 9.801, 10.7811, 10.7811]

LAYERS = [
    Golden(
        "step cap", "w = prev + clip(w − prev, ±`max_step_change`)",
        paper([10.0] * 5), {t: [1.0] for t in range(4)}, {"shares": [[0], [10], [20], [30], [40]]},
        {"episode": {"max_step_change": 0.1}}, layers="policy",
    ),
    Golden(
        "step cap after a missing close", "prev is the actual weight per asset where any close is missing since the "
        "last decision: 0.1·1000/20 more than the 10 shares, which weigh 200/1100 at 20",
        paper([10, 10, NAN, 20, 20]), {0: [1.0], 3: [1.0]}, {"shares": [[0], [10], [10], [10], [15.5]]},
        {"episode": {"max_step_change": 0.1}}, layers="policy",
    ),
    Golden(
        "min hold", "while f − b < `min_hold_bars` a target may not shrink: b = 1, so f = 4 may",
        paper([10.0] * 6), {0: [1], 1: [0], 2: [0], 3: [0], 4: [0]}, {"shares": [[0], [100], [100], [100], [0], [0]]},
        {"episode": {"min_hold_bars": 3}}, layers="policy",
    ),
    Golden(
        "caps override min hold", "Caps override 3 and 4: 2/3 to 0.5: 0.5·1500/20",
        paper([[10, 10], [10, 10], [20, 10], [20, 10], [20, 10]]), {0: [1, 0], 2: [0, 0]},
        {"shares": [[0, 0], [50, 0], [50, 0], [37.5, 0], [37.5, 0]]},
        {"episode": {"min_hold_bars": 9}, "margin": {"max_position_weight": 0.5}}, layers="policy",
    ),
    Golden(
        "caps in their order", "position 0.5, then gross 1: 0.9, 0.4, 0.3 to 0.5, 0.4, 0.3, each / 1.2",
        paper(np.full((3, 3), 10.0)), {0: [0.9, 0.4, 0.3]},
        {"shares": [[0, 0, 0]] + [[50 / 1.2, 40 / 1.2, 30 / 1.2]] * 2},
        {"margin": {"max_position_weight": 0.5}},
    ),
    Golden(
        "net cap", "the free weights of the longer side shrink until it holds: 0.9 to 0.5",
        paper(np.full((3, 3), 10.0)), {0: [0.6, 0.3, -0.3]},
        {"shares": [[0, 0, 0]] + [[60 * 5 / 9, 30 * 5 / 9, -30]] * 2}, {"margin": {**SHORTS, "max_net_leverage": 0.2}},
    ),
    Golden(
        "locked assets count in the caps", "counted in the caps' sums but not scaled: 0.9 × (1 − 0.6)/0.9",
        paper([[10, 10], [10, 10], [NAN, 10], [10, 10], [10, 10]]), {0: [0.6, 0.2], 2: [0.1, 0.9]},
        {"shares": [[0, 0], [60, 20], [60, 20], [60, 40], [60, 40]]},
    ),
    Golden(
        "band", "|w − w⁰| < `rebalance_eps`: no order; not applied when the target is exactly 0",
        paper([[10, 10], [10, 10], [12, 10], [12, 10], [12, 10]]), {0: [1, 1], 2: [1, 1], 3: [0, 1]},
        {"shares": [[0, 0], [50, 50], [50, 50], [50, 50], [0, 50]]}, {"episode": {"rebalance_eps": 0.2}},
        layers="policy",
    ),
    Golden(
        "the band spares no breach", "nor to an asset whose w⁰ breaks the position cap: 1200/2000 to 0.5",
        paper([[10, 10], [10, 10], [30, 10], [30, 10]]), {0: [1, 0], 2: [1, 0]},
        {"shares": [[0, 0], [50, 0], [50, 0], [1000 / 30, 0]]},
        {"episode": {"rebalance_eps": 0.4}, "margin": {"max_position_weight": 0.5}}, layers="policy",
    ),
    Golden(
        "volatility target", "σ*/√(P·wᵀSw): five returns ±10 %, mean 0.02, variance 0.012, P = 252",
        paper(RETURNS), {5: [1.0]}, {"shares": [[0]] * 6 + [[0.4 / 3.024**0.5 * 1000 / 10.7811]]},
        {"sizing": {"vol_target": {"annual_vol": 0.4}, "sizing_window": 5}}, layers="policy",
    ),
    Golden(
        "Kelly", "`kelly_fraction`·wᵀμ̂/wᵀSw = 0.1·0.02/0.012",
        paper(RETURNS), {5: [1.0]}, {"shares": [[0]] * 6 + [[1000 / 6 / 10.7811]]},
        {"sizing": {"kelly": {"fraction": 0.1}, "sizing_window": 5}}, layers="policy",
    ),
    Golden(
        "sizing before its window is full", "factor 1 until full",
        paper(RETURNS), {4: [0.0], 3: [1.0]}, {"shares": [[0]] * 4 + [[1000 / 10.89], [0], [0]]},
        {"sizing": {"kelly": {"fraction": 0.1}, "sizing_window": 5}}, layers="policy",
    ),
]  # fmt: skip

GOLDEN = [*FILLS, *LIMITS, *FUNDING, *FINANCING, *ACTIONS, *CHECKS, *LAYERS]
