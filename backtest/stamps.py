"""What a report says under its verdict and no setting can switch off."""

import math
from collections.abc import Sequence

from backtest.config import JudgedConfig
from backtest.feed import Feed, left_out_of_features, plan_for
from backtest.realism import left_out
from backtest.runner import Judged
from backtest.strategy import Relayed, Seeded, Strategy
from backtest.verdict import seen_of
from marketdata.bars import Days
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from runfiles.figures import significant
from simulator.market import Market
from simulator.regulatory import SECTION_31, TRADING_ACTIVITY, Table, unverified_rates

_SURVIVORSHIP = {
    "biased": "Survivors only: the dataset holds names still there today, so whatever buys looks better than it was.",
    "unknown": "Survivorship unknown: names that died may be missing from the dataset.",
    "point_in_time": "Point-in-time membership: a symbol is bought only while it belongs to the universe.",
}
_MARKET = {
    "closes_only": "Closes only: orders fill at the next close, and nothing within a bar is known.",
    "no_volume": "No volume: market impact and capacity are not modelled.",
    "impact_or_capacity_off": "Market impact or the participation cap is switched off.",
    "preset_without_share_fees": "Adjusted prices: the fee preset's part that is charged by the share is left out.",
}
_ADJUSTED = {
    "split": "Split-adjusted prices: the level of a past price contains later splits.",
    "total_return": "Adjusted prices: the level of a past price contains later dividends and splits.",
}
_PAID_NOBODY = "holders receive none and shorts pay none, so that what holds shares looks worse than it was."
_NO_DIVIDENDS = {
    "raw": f"No dividends are recorded: {_PAID_NOBODY}",
    "split": f"Dividends are left out of split-adjusted prices: {_PAID_NOBODY}",
}

_OPENS = "open_is_last_close"
DEPENDENT = 3.0
"""|autocorrelation| times the root of the bars above which returns hang together: three standard errors."""
MOST_NAMED = 12
"""Symbols that one stamp names."""
LEAST_VALIDATED = 63
"""Bars of validation, a quarter of daily ones, below which no step of a training is told from another."""
FEW = 0.25
"""Of a year: a range shorter than this scales to one badly."""


def seen_stamp(seen: int, n_bars: int) -> list[str]:
    """What stands before every other stamp where the subject was made from `seen` of the range's bars."""
    return [f"{seen_of(seen, n_bars)}: this is no out-of-sample result."] if seen else []


def seeds_stamp(subject: Judged) -> list[str]:
    """What the figures of several seeds are of."""
    if not subject.by_seed:
        return []
    return [
        f"{len(subject.by_seed)} seeds: an excess is the mean over them, a metric their median, run again too; curves, "
        "months, drawdowns, trades and money are of all their books added up, each with the whole start. Intervals of "
        "metrics hold the seeds fixed, the verdict's does not."
    ]


def relay_stamp(subject: Strategy, session: Days, span: Range) -> list[str]:
    """Where the book is handed on from one policy to another."""
    one = subject.members[0] if isinstance(subject, Seeded) else subject
    count = len(one.turns(session, span.t0, span.t1)) if isinstance(one, Relayed) else 1
    if count == 1:
        return []
    each = " of each seed" if isinstance(subject, Seeded) else ""
    return [
        f"Walk-forward: one book{each} goes through {count} folds; at the start of each the policy trained for it "
        "takes over what is held, and pays for what it changes."
    ]


def validation_stamp(n_bars: int, start: str, end: str) -> list[str]:
    """Where so few bars were left to validate on that what is best there is so by luck."""
    if n_bars >= LEAST_VALIDATED:
        return []
    return [
        f"Only {n_bars} bars were left to validate on, {start} to {end}: which step of the training is best there "
        "is luck. A shorter features.lookback, a smaller embargo or another split leaves more."
    ]


def siblings_stamp(family: Sequence[int], judged: int) -> list[str]:
    """Where other seeds of the same training are not `judged` here; `family` begins with those that are."""
    others = family[judged:]
    if not others:
        return []
    own = f"Seed {family[0]} is one" if judged == 1 else f"{judged} are judged here"
    return [
        f"{own} of {len(family)} seeds of one training (the others: {_named(others)}), and each counts as a trial: "
        "how much is the luck of the seed, only a report of all of them together can tell."
    ]


def _named(seeds: Sequence[int]) -> str:
    more = f" and {len(seeds) - MOST_NAMED} more" if len(seeds) > MOST_NAMED else ""
    return ", ".join(map(str, seeds[:MOST_NAMED])) + more


def symbols_stamp(trained: Sequence[str], here: Sequence[str]) -> list[str]:
    """Where the subject was trained on other symbols than the `here` that it is judged on."""
    if new := [symbol for symbol in here if symbol not in set(trained)]:
        more = f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else ""
        named = ", ".join(new[:MOST_NAMED])
        return [f"{len(new)} of {len(here)} symbols were not in its training: {named}{more}."]
    if len(here) < len(trained):
        return [f"Judged on {len(here)} of the {len(trained)} symbols that it was trained on."]
    return []


def left_out_stamp(labels: Sequence[str]) -> list[str]:
    """Baselines of the verdict that the configuration leaves out, by their labels."""
    return [f"Left out of the verdict: {', '.join(labels)}."] if labels else []


def stamps(
    config: JudgedConfig, feed: Feed, market: Market, judged: Sequence[Judged], features: FeaturesConfig | None
) -> list[str]:
    """Sentences in a fixed order; `judged` begins with the subject, and `features` are a policy's."""
    kind = feed.entry.survivorship
    found = [_SURVIVORSHIP[kind]] if kind in _SURVIVORSHIP else []
    if kind != "point_in_time" and market.bars.member is not None:
        found.append(_SURVIVORSHIP["point_in_time"])  # members that have no prices are missing all the same
    if feed.entry.member and market.bars.member is None:
        found.append("The dataset's membership is set aside: symbols are bought before they joined the universe.")
    found += _of_indices(feed, market)
    found += [_MARKET[code] for code in market.stamps]
    found += _of_data(feed, market, features)
    found += _of_prices(feed, market)
    found += _of_ends(market, config)
    found += _of_fees(market, config, judged[0].ledger.t0, judged[0].ledger.t1)
    if config.margin.cash_yield_apr == 0 and config.margin.cash_yield_column is None:
        found.append("Cash earns nothing.")
    found += left_out(config)
    found.append(_looks(config.evaluation.trials))
    if config.evaluation.benchmark is None:
        found.append("No benchmark is named: buy and hold stands for it.")
    return found + _of_range(judged, market.periods_per_year)


def _of_data(feed: Feed, market: Market, features: FeaturesConfig | None) -> list[str]:
    """What is amber in the bars, but for opens that nothing is filled at; then what the policy could not be shown."""
    told = [text for code, text in feed.report.told.items() if market.fill == "next_open" or code != _OPENS]
    if features is None:
        return told
    return told + left_out_of_features(plan_for(features, feed.bars))


def _of_indices(feed: Feed, market: Market) -> list[str]:
    """What a result on index levels leaves out."""
    if not feed.indices:
        return []
    are, one = ("are indices", "them") if len(feed.indices) > 1 else ("is an index", "it")
    found = f"{', '.join(feed.indices)} {are}: nobody can buy {one} at these levels, and dividends are left out."
    if market.needs_volume:
        found += " Market impact and the participation cap rest on the volume of the members' shares and say nothing."
    return [found]


def _of_prices(feed: Feed, market: Market) -> list[str]:
    """What the level of a past price contains, and whether anybody is paid a dividend."""
    bars = market.bars
    found = [_ADJUSTED[bars.adjustment]] if bars.adjustment in _ADJUSTED else []
    paid = bars.adjustment == "total_return" or bars.column("dividend") is not None
    if not paid and len(feed.indices) < len(bars.symbols):  # indices are told as such
        found.append(_NO_DIVIDENDS["split" if bars.adjustment == "split" else "raw"])
    return found


def _of_ends(market: Market, config: JudgedConfig) -> list[str]:
    """Which recorded ends lie in the data, and what was assumed of them."""
    bars = market.bars
    ended = [symbol for symbol, last in zip(bars.symbols, bars.last_bar, strict=True) if last >= 0]
    if not ended:
        return ["No delisting is recorded: a symbol that ends keeps its last price."]
    assumed = [symbol for symbol in ended if bars.delistings[symbol].final_return is None]
    found = [f"Delisted within the data: {', '.join(ended)}."]
    if assumed:
        loss = f"{config.exec.delist_loss:.0%}"
        found.append(f"Assumed at their delisting, a loss of {loss} of a long position: {', '.join(assumed)}.")
    return found


def _of_fees(market: Market, config: JudgedConfig, t0: int, t1: int) -> list[str]:
    """The regulators' rates that the range is charged and that no published paper vouches for."""
    if not config.fees.regulatory_sell_fees:
        return []
    charged: list[tuple[str, Table]] = [("section 31", SECTION_31)]
    if market.bars.adjustment == "raw":
        charged.append(("the Trading Activity Fee", TRADING_ACTIVITY))
    days = market.bars.session[t0 + 1 : t1 + 1]
    found = [f"{name} from {step.day}" for name, table in charged for step in unverified_rates(table, days)]
    return [f"Regulatory sell fees not verified: the rate of {' and of '.join(found)}."] if found else []


def _looks(trials: int) -> str:
    if trials == 1:
        return "Taken as the first look at this test range, as evaluation.trials is 1: nobody counts earlier ones yet."
    return (
        f"Taken as one of {trials} trials on this test range (evaluation.trials, and the other seeds of its training): "
        "nobody counts earlier ones yet."
    )


def _of_range(judged: Sequence[Judged], periods: float) -> list[str]:
    subject = judged[0]
    found = []
    if subject.ledger.n_bars < FEW * periods:
        found.append(f"Only {subject.ledger.n_bars} bars: figures scaled to a year mean little.")
    rho = subject.metrics["rho1"]
    if rho is not None and abs(rho) * math.sqrt(subject.ledger.n_bars) > DEPENDENT:
        found.append(
            f"Returns hang together from bar to bar (autocorrelation {rho:+.2f}): volatility and Sharpe mislead."
        )
    for one in judged:
        if one.ledger.ended:
            how = "was ruined" if one.ledger.ended == "ruin" else "was stopped at its loss limit"
            found.append(f"{one.spec.label} {how} within the range.")
    found += [f"{one.spec.label}: {note}." for one in judged for note in one.notes]
    if subject.ledger.bound:
        found.append(f"The mandate's caps cut {subject.ledger.bound} decisions of {subject.spec.label}.")
    bound = [_bound(one) for one in judged[1:] if one.ledger.bound]
    if bound:
        found.append(f"The mandate's caps cut decisions of baselines: {'; '.join(bound)}.")
    return found


def _bound(one: Judged) -> str:
    """How often caps cut its decisions and what that left it; a fund of books decides once for each of them."""
    books = f" (in all of its {one.spread.books} books)" if one.spread else ""
    invested = f"invested to {significant(100 * float(one.ledger.gross[1:].mean()))} % on average"
    return f"{one.spec.label} {one.ledger.bound}×{books}, {invested}"
