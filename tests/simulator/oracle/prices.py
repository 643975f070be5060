"""1.3: what a share costs in the fill bar: spread, impact, tick, and the fee per share."""

from dataclasses import dataclass
from decimal import Decimal

from tests.simulator.oracle.book import Book
from tests.simulator.oracle.numbers import BPS, ONE, ZERO

HALF = Decimal("0.5")


@dataclass(frozen=True)
class Quote:
    """Price of a share, its reference, the part of the reference that is spread, and the fee a share."""

    price: Decimal
    ref: Decimal
    spread: Decimal
    fee: Decimal


def half_spread(book: Book, f: int, a: int) -> Decimal:
    """h in bps: fixed, or the high–low estimate with `half_spread_bps` as its floor; times the cost multiplier."""
    rules = book.rules
    h = rules.half_spread_bps
    if rules.spread_source == "high_low":
        estimate = book.data.high_low_spread(f, a)
        if estimate is not None:
            h = max(h, estimate * BPS)
    return h * rules.cost_multiplier


def impact(book: Book, f: int, a: int, size: Decimal) -> Decimal:
    """k(|x|/A_f)^b in bps, b being ½ unless asked; x/A_f = 1 where A_f is unknown or 0, which only a forced order meets
    (1.9 Volume).
    """
    if book.rules.impact_k == 0:
        return ZERO
    usual = book.data.usual_volume(f, a, book.rules.adv_window)
    share = size / usual if usual else ONE
    return book.rules.impact_k * book.rules.cost_multiplier * share**book.rules.impact_exponent


def to_tick(book: Book, p: Decimal, s: int) -> Decimal:
    """1.3: against us: buy tick·⌈p/tick − 1e-9⌉, sell max(tick, tick·⌊p/tick + 1e-9⌋)."""
    tick = book.rules.tick_size
    if tick == 0:
        return p
    if s > 0:
        return tick * book.near.ceiling(p / tick, "tick")
    return max(tick, tick * book.near.floor(p / tick, "tick"))


def taker_quote(book: Book, f: int, a: int, ref: Decimal, s: int, size: Decimal) -> Quote:
    """1.3 Market order of `size` shares."""
    h = half_spread(book, f, a)
    p = to_tick(book, ref * (1 + s * min(HALF, (h + impact(book, f, a, size)) / BPS)), s)
    return Quote(p, ref, ref * h / BPS, taker_fee(book, f, p, s))


def resting_quote(book: Book, f: int, limit: Decimal, s: int) -> Quote:
    """1.3: at the limit, maker, p° = p. The multiplier of 3.4 stands before costs; a rebate is income."""
    rules = book.rules
    fee = rules.commission_per_share + limit * rules.commission_bps / BPS + sell_fee(book, f, limit, s)
    return Quote(limit, limit, ZERO, rules.cost_multiplier * fee - limit * rules.maker_rebate_bps / BPS)


def better_open_quote(book: Book, f: int, a: int, s: int, size: Decimal, limit: Decimal) -> Quote:
    """1.3: the open is already better than the limit: spread and impact on it, never worse than the limit, taker."""
    ref = book.data.open[f][a]
    assert ref is not None
    quote = taker_quote(book, f, a, ref, s, size)
    p = min(quote.price, limit) if s > 0 else max(quote.price, limit)
    return Quote(p, ref, quote.spread, taker_fee(book, f, p, s))


def closing_quote(book: Book, t: int, a: int, mark: Decimal, s: int) -> Quote:
    """1.9 Forced trades: stop closes at half spread and taker fee, no tick."""
    h = half_spread(book, t, a)
    p = mark * (1 + s * min(HALF, h / BPS))
    return Quote(p, mark, mark * h / BPS, taker_fee(book, t, p, s))


def taker_fee(book: Book, f: int, p: Decimal, s: int) -> Decimal:
    rules = book.rules
    fee = rules.commission_per_share + p * (rules.commission_bps + rules.taker_bps) / BPS
    return rules.cost_multiplier * (fee + sell_fee(book, f, p, s))


def sell_fee(book: Book, f: int, p: Decimal, s: int) -> Decimal:
    """1.3 Fee: sells add the regulatory rates as of the fill."""
    if s > 0:
        return ZERO
    due = [r for r in book.rules.sell_rates if r.since <= book.data.session[f]]
    if not due:
        return ZERO
    rate = max(due, key=lambda r: r.since)
    return p * rate.of_value + rate.per_share
