"""1.2, layers 2 to 6: from the weights of the mapping to the weights that become orders, asset by asset."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.simulator.oracle.book import Book
from tests.simulator.oracle.numbers import DUST_WEIGHT, ZERO, sign


@dataclass
class Targets:
    """Weights after each layer by its name, in order; `silent` are assets that layer 4 or 6 lets make no order."""

    free: list[int]
    now: list[Decimal]
    after: dict[str, list[Decimal]] = field(default_factory=dict)
    silent: dict[int, str] = field(default_factory=dict)


def free_assets(book: Book, t: int) -> list[int]:
    """M of 1.2: assets with a bar at t and no forced order waiting (1.9 Forced trades)."""
    return [a for a in book.assets() if book.data.has_bar(t, a) and not book.awaits_forced(a)]


def layered(book: Book, t: int, wanted: list[Decimal]) -> Targets:
    """Layers 2–6 of a decision at the close of t; a mandate enters at 5 (1.2 Baselines)."""
    free = free_assets(book, t)
    targets = Targets(free, [book.weight(a) for a in book.assets()])
    w = [wanted[a] if a in free else targets.now[a] for a in book.assets()]
    targets.after["mapping"] = list(w)
    for name, layer in (("sizing", sized), ("step", stepped), ("hold", kept)):
        if book.rules.policy:
            layer(book, t, targets, w)
        targets.after[name] = list(w)
    capped(book, t, targets, w)
    targets.after["caps"] = list(w)
    if book.rules.policy:
        banded(book, targets, w)
    return targets


def no_dust(w: list[Decimal]) -> None:
    """1.9 Fields: |w| < 1e-12 is 0."""
    for a, value in enumerate(w):
        if abs(value) < DUST_WEIGHT:
            w[a] = ZERO


def sized(book: Book, t: int, targets: Targets, w: list[Decimal]) -> None:
    """1.2.2 Sizing."""
    rules = book.rules
    if rules.vol_target is None and rules.kelly_fraction is None:
        return
    portfolio = weighted_returns(book, t, w)
    if portfolio is None:
        return
    mean = sum(portfolio, ZERO) / len(portfolio)
    variance = sum(((r - mean) ** 2 for r in portfolio), ZERO) / (len(portfolio) - 1)
    if variance == 0:
        return
    if rules.vol_target is not None:
        factor = min(rules.sizing_max, rules.vol_target / (book.data.periods_per_year * variance).sqrt())
    else:
        assert rules.kelly_fraction is not None
        factor = max(ZERO, min(rules.sizing_max, rules.kelly_fraction * mean / variance))
    for a in targets.free:
        w[a] *= factor


def weighted_returns(book: Book, t: int, w: list[Decimal]) -> list[Decimal] | None:
    """Σ wᵢ·rᵢ of each bar of the window (its variance is wᵀSw); None until full or where a close is missing.

    1.9 Layers: total returns, the holder's (C + dividend)·split/C₋₁ − 1 of docs/decisions/simulator-readings.md; the
    weights of locked assets count.
    """
    data, first = book.data, t - book.rules.sizing_window + 1
    weighted = [a for a in book.assets() if abs(w[a]) >= DUST_WEIGHT]
    if first < 1:
        return None
    rows = []
    for k in range(first, t + 1):
        total = ZERO
        for a in weighted:
            now, before = data.close[k][a], data.close[k - 1][a]
            if now is None or before is None:
                return None
            total += w[a] * ((now + data.dividend[k][a]) * data.split[k][a] / before - 1)
        rows.append(total)
    return rows


def stepped(book: Book, t: int, targets: Targets, w: list[Decimal]) -> None:
    """1.2.3 Step cap."""
    most = book.rules.max_step_change
    if most is None:
        return
    for a in targets.free:
        missing = any(book.data.close[k][a] is None for k in range(book.decided_at + 1, t + 1))
        previous = targets.now[a] if missing or book.forced_since else book.previous[a]
        w[a] = previous + max(-most, min(most, w[a] - previous))


def kept(book: Book, t: int, targets: Targets, w: list[Decimal]) -> None:
    """1.2.4 Min hold: a target may grow, but not shrink or flip, while f − b < min_hold_bars."""
    f = t + 1 + book.rules.latency
    for a in targets.free:
        now = targets.now[a]
        if now == 0 or f - book.opened[a] >= book.rules.min_hold_bars:
            continue
        if sign(w[a]) != sign(now) or book.near.less(abs(w[a]), abs(now), "hold"):
            w[a] = now
            targets.silent[a] = "hold"


def capped(book: Book, t: int, targets: Targets, w: list[Decimal]) -> None:
    """1.2.5 Caps, once, in this order; who is no member of the universe gets 0 first."""
    rules, free, before = book.rules, targets.free, list(w)
    no_dust(w)
    for a in free:
        if not book.data.may_hold(t, a):
            w[a] = ZERO
        if not rules.allow_short:
            w[a] = max(w[a], ZERO)
        w[a] = max(-rules.max_position_weight, min(rules.max_position_weight, w[a]))
    locked = sum((abs(w[a]) for a in book.assets() if a not in free), ZERO)
    loose = sum((abs(w[a]) for a in free), ZERO)
    if loose > 0 and book.near.breaks(locked + loose, rules.max_gross_leverage, "gross"):
        factor = max(ZERO, rules.max_gross_leverage - locked) / loose
        for a in free:
            w[a] *= factor
    net = sum(w, ZERO)
    longer = [a for a in free if sign(w[a]) == sign(net)]
    total = sum((abs(w[a]) for a in longer), ZERO)
    if total > 0 and book.near.breaks(abs(net), rules.max_net_leverage, "net"):
        factor = max(ZERO, total - (abs(net) - rules.max_net_leverage)) / total
        for a in longer:
            w[a] *= factor
    no_dust(w)
    changed = [a for a in free if abs(w[a] - before[a]) > DUST_WEIGHT]
    book.bound += bool(changed)
    for a in changed:
        targets.silent.pop(a, None)


def banded(book: Book, targets: Targets, w: list[Decimal]) -> None:
    """1.2.6 Band, last; w⁰ counts shares plus orders under way (1.9 Layers)."""
    rules, near = book.rules, book.near
    if rules.rebalance_eps == 0 or near.breaks(book.gross() / book.equity, rules.max_gross_leverage, "band gross"):
        return
    for a in targets.free:
        now = targets.now[a] + book.under_way(a) * book.mark(a) / book.equity
        if w[a] == 0 or near.breaks(abs(now), rules.max_position_weight, "band position"):
            continue
        if a not in targets.silent and near.less(abs(w[a] - now), rules.rebalance_eps, "band"):
            targets.silent[a] = "band"
