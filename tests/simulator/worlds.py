"""Random worlds for the oracle and the engine: bars with everything that happens to them, rules, decisions."""

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from hypothesis import strategies as st

from marketdata.bars import Bars, Delisting
from tests.simulator.markets import sessions


@dataclass
class World:
    """One random case: bars, groups of the configuration, raw decisions by bar, and how the book is run."""

    bars: Bars
    groups: dict[str, dict[str, Any]]
    decisions: dict[int, np.ndarray]
    t0: int
    t1: int
    layers: str
    cost_multiplier: float = 1.0
    seed: int = 0
    tags: list[str] = field(default_factory=list)


class Choices(Protocol):
    """What decides the structure of a world; its numbers are `noise`."""

    noise: np.random.Generator

    def pick(self, *values: Any) -> Any:
        """One of the values, the plainest of which stands first."""

    def chance(self, share: float) -> bool:
        """True in about this share of worlds."""

    def whole(self, low: int, high: int) -> int:
        """low..high-1."""


class Seeded:
    """All from one generator: thousands of worlds in little time, each told by its seed."""

    def __init__(self, seed: int) -> None:
        self.noise = np.random.default_rng(seed)

    def pick(self, *values: Any) -> Any:
        return values[int(self.noise.integers(len(values)))]

    def chance(self, share: float) -> bool:
        return bool(self.noise.random() < share)

    def whole(self, low: int, high: int) -> int:
        return int(self.noise.integers(low, high))


class Drawn:
    """From hypothesis: a world that fails shrinks to fewer bars, fewer rules and plainer ones."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.noise = np.random.default_rng(draw(st.integers(0, 2**16)))

    def pick(self, *values: Any) -> Any:
        return self._draw(st.sampled_from(values))

    def chance(self, share: float) -> bool:
        return self._draw(st.booleans())

    def whole(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high - 1))


def world(seed: int) -> World:
    """The case of a seed."""
    return world_of(Seeded(seed), seed)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Cases for hypothesis."""
    return world_of(Drawn(draw))


def world_of(choices: Choices, seed: int = 0) -> World:
    layers = "policy" if choices.chance(0.6) else "mandate"
    groups = random_groups(choices, layers)
    n_bars, n_assets = choices.whole(12, 45), choices.pick(1, 2, 3, 4)
    bars = random_world_bars(choices, n_bars, n_assets)
    if bars.rates and choices.chance(0.5):
        groups["margin"]["cash_yield_column"] = "tbill"
    t0 = choices.whole(0, max(1, n_bars - 10))
    t1 = n_bars - 1
    decisions = random_decisions(choices, groups, layers, n_assets, t0, t1)
    multiplier = choices.pick(1.0, 1.0, 1.0, 0.0, 2.0, 5.0)
    return World(bars, groups, decisions, t0, t1, layers, multiplier, seed)


LEAN: dict[str, dict[str, Any]] = {
    "fees": {"regulatory_sell_fees": False},
    "margin": {"maintenance_margin": 0.0},
    "exec": {"order_type": "market", "limit_offset_bps": 0.0, "spread_source": "fixed", "tick_size": 0.0,
             "latency_bars": 0, "remainder": "drop"},
    "episode": {"min_hold_bars": 0},
    "guards": {"daily_loss_limit": None, "max_drawdown": None},
    "sizing": {"kelly": None, "vol_target": None},
}  # fmt: skip
"""What the lean step leaves out, switched off."""


def lean_world(seed: int) -> World:
    """The case of a seed without any rule or action that needs the extended step; prices of some are below 1."""
    case = world(seed)
    case.groups = {name: {**fields, **LEAN.get(name, {})} for name, fields in case.groups.items()}
    scale = (1.0, 1.0, 0.004)[seed % 3]
    bars = dataclasses.replace(case.bars, split=None, dividend=None, delistings={})
    prices = {name: getattr(bars, name) * scale for name in ("open", "high", "low", "close", "vwap")
              if getattr(bars, name) is not None}  # fmt: skip
    case.bars = dataclasses.replace(bars, **prices, volume=bars.volume / scale)
    return case


def random_groups(choices: Choices, layers: str) -> dict[str, dict[str, Any]]:
    pick = choices.pick
    short = pick(True, False)
    gross = pick(0.5, 1.0, 1.0, 1.7, 4.0)
    mapping = pick("simplex_cash", "discrete", *(["tanh_leverage"] if short else []))
    limit = choices.chance(0.25)
    kelly, vol_target = pick((None, None), (None, None), ({"fraction": 0.5}, None), (None, {"annual_vol": 0.2}))
    return {
        "fees": {
            "commission_per_share": pick(0.0, 0.0, 0.013), "commission_pct_notional": pick(0.0, 0.0011),
            "taker_bps": pick(0.0, 3.0, 26.0), "maker_rebate_bps": pick(0.0, 1.7),
            "borrow_fee_apr": pick(0.0, 0.31), "regulatory_sell_fees": pick(False, False, True),
        },
        "margin": {
            "allow_short": short, "max_gross_leverage": gross, "max_net_leverage": pick(0.43, 1.0, 4.0, 4.0),
            "max_position_weight": pick(0.31, 1.0, 4.0, 4.0),
            "maintenance_margin": pick(0.0, 0.0, 0.97 / max(gross, 1.0)), "cash_yield_apr": pick(0.0, 0.053),
            "cash_borrow_apr": pick(0.0, 0.11), "short_rebate_apr": pick(0.0, 0.021),
        },
        "exec": {
            "fill": pick("next_open", "next_close", "vwap_window"), "order_type": "limit" if limit else "market",
            "limit_offset_bps": pick(0.0, 53.0, 170.0) if limit else 0.0, "half_spread_bps": pick(0.0, 4.0, 61.0),
            "spread_source": pick("fixed", "fixed", "high_low"), "impact_k": pick(0.0, 101.0, 903.0),
            "impact_exponent": pick(0.5, 0.5, 0.6, 1.0),
            "participation_cap": pick("auto", 0.021, 1.0), "adv_window": pick(5, 20),
            "lot_size": pick(0.0, 0.0, 1.0, 10.0), "tick_size": pick(0.0, 0.0, 0.01, 0.25),
            "min_order_notional": pick(0.0, 0.0, 507.0), "latency_bars": pick(0, 0, 0, 1, 2),
            "remainder": pick("drop", "carry"), "delist_loss": pick(0.3, 0.55), "liquidate_at_end": pick(False, True),
        },
        "episode": {
            "start_cash": pick(1e4, 1e6), "logit_scale": pick(5.0, 2.0), "mapping_mode": mapping,
            "invest_max": pick(1.0, 0.83, 1.6, 3.4), "max_step_change": pick(None, None, 0.107),
            "min_hold_bars": pick(0, 0, 3, 6), "rebalance_eps": pick(0.0, 0.0, 0.053),
        },
        "guards": {
            "stop_eq_frac": pick(0.0, 0.0, 0.81), "daily_loss_limit": pick(None, None, 0.023),
            "max_drawdown": pick(None, None, 0.13),
        },
        "sizing": {
            "kelly": kelly, "vol_target": vol_target, "sizing_window": pick(5, 8), "sizing_max": pick(1.0, 1.9),
        },
    }  # fmt: skip


def random_world_bars(choices: Choices, n_bars: int, n_assets: int) -> Bars:
    shape, rng = (n_bars, n_assets), choices.noise
    intraday = choices.chance(0.3)
    vol = choices.pick(0.01, 0.03, 0.08, 0.25)
    close = rng.uniform(8, 120, n_assets) * np.exp(np.cumsum(vol * rng.standard_normal(shape), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(0.4 * vol * rng.standard_normal(shape))
    high = np.fmax(opened, close) * np.exp(0.3 * vol * np.abs(rng.standard_normal(shape)))
    low = np.fmin(opened, close) * np.exp(-0.3 * vol * np.abs(rng.standard_normal(shape)))
    columns = {
        "open": opened, "high": high, "low": low, "close": close,
        "volume": rng.uniform(1e3, 1e5, shape), "vwap": low + (high - low) * rng.random(shape),
    }  # fmt: skip
    split = dividend = member = None
    delistings: dict[str, Delisting] = {}
    start = choices.pick("2020-01-02", "2022-04-20", "2023-02-01")
    days = intraday_sessions(n_bars, choices.pick(3, 7), start) if intraday else sessions(n_bars, start)
    if choices.chance(0.6):
        make_ragged(choices, columns)
    if choices.chance(0.6):
        split, dividend = random_actions(rng, columns)
    if choices.chance(0.4):
        delistings = random_delistings(choices, columns, days)
    if choices.chance(0.25):
        member = rng.random(shape) < 0.85
    if choices.chance(0.5):
        columns.pop("vwap")
    rates = {"tbill": rng.uniform(-0.01, 0.08, n_bars)} if choices.chance(0.3) else {}
    return Bars(
        symbols=tuple(f"S{a}" for a in range(n_assets)), session=days, known_at=closes_of(days, intraday),
        interval="1h" if intraday else "1d", split=split, dividend=dividend, delistings=delistings, member=member,
        rates=rates, **columns,
    )  # fmt: skip


def intraday_sessions(n_bars: int, per_day: int, start: str) -> np.ndarray:
    return sessions(n_bars // per_day + 1, start).repeat(per_day)[:n_bars]


def closes_of(days: np.ndarray, intraday: bool) -> np.ndarray:
    if not intraday:
        return days.astype("datetime64[ns]")
    hour = np.arange(len(days)) - np.searchsorted(days, days)
    return days.astype("datetime64[ns]") + (15 + hour) * np.timedelta64(3_600_000_000_000, "ns")


def make_ragged(choices: Choices, columns: dict[str, np.ndarray]) -> None:
    """Late listings, halts (all fields), and single fields that are missing."""
    (n_bars, n_assets), rng = columns["close"].shape, choices.noise
    gone = rng.random((n_bars, n_assets)) < 0.04
    for a in range(n_assets):
        if choices.chance(0.4):
            gone[: choices.whole(0, n_bars // 2), a] = True
        if choices.chance(0.3):
            start = choices.whole(0, n_bars)
            gone[start : start + choices.whole(1, 5), a] = True
    for column in columns.values():
        column[gone | (rng.random(gone.shape) < 0.02)] = np.nan
    columns["volume"][rng.random(gone.shape) < 0.05] = 0.0


def random_actions(rng: np.random.Generator, columns: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Splits with the price and volume level that follow them, and dividends."""
    shape = columns["close"].shape
    split = np.where(rng.random(shape) < 0.06, rng.choice([2.0, 3.0, 0.5, 1.5, 0.1], shape), 1.0)
    dividend = np.where(rng.random(shape) < 0.08, rng.uniform(0.05, 0.9, shape), 0.0)
    level = np.cumprod(split, axis=0)
    for name, column in columns.items():
        column[:] = column * level if name == "volume" else column / level
    return split, dividend


def random_delistings(choices: Choices, columns: dict[str, np.ndarray], days: np.ndarray) -> dict[str, Delisting]:
    found = {}
    n_bars, n_assets = columns["close"].shape
    for a in range(n_assets):
        if choices.chance(0.5):
            last: dt.date = days[choices.whole(n_bars // 3, n_bars)].astype(object)
            after = days > np.datetime64(last)
            for column in columns.values():
                column[after, a] = np.nan
            found[f"S{a}"] = Delisting(last, choices.pick(None, -1.0, -0.37, 0.2))
    return found


def random_decisions(
    choices: Choices, groups: dict[str, Any], layers: str, n: int, t0: int, t1: int
) -> dict[int, np.ndarray]:
    """Raw actions (policy) or targets (mandate); dense, sparse or irregular; now and then the same one again."""
    rng, every, keep = choices.noise, choices.pick(1, 1, 2, 5), choices.pick(1.0, 1.0, 0.6)
    short, mode = groups["margin"]["allow_short"], groups["episode"]["mapping_mode"]
    size = choices.pick(0.7, 1.0, 1.8, 4.0)
    found: dict[int, np.ndarray] = {}
    last: np.ndarray | None = None
    for t in range(t0, t1):
        if (t - t0) % every or rng.random() >= keep:
            continue
        if layers == "mandate":
            row = rng.uniform(-1 if short else -0.1, 1, n) * size / n
            row[rng.random(n) < 0.2] = 0.0
        elif mode == "discrete":
            row = rng.integers(0, 3 if short else 2, n).astype(float)
        else:
            row = rng.uniform(-1.2, 1.2, n + 1 if mode == "simplex_cash" else n)
        last = row if last is None or rng.random() < 0.7 else last
        found[t] = last
    return found
