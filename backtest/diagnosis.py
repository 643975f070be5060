"""What is odd about a result, and what to do: one rule a row, each a pure function of the facts of a judgement.

The thresholds are named in docs/judging.md. A rule gives a sentence with its number, or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.degenerate import CONSTANT
from backtest.diagnosis_facts import BEST_BARS, Facts, facts_of
from backtest.stamps import DEPENDENT
from runfiles.figures import minus, significant

if TYPE_CHECKING:
    from backtest.case import Case

OVERFIT = 2.0
"""Standard errors of the difference of two Sharpes, each about one over the root of its years."""
FLAT = 1e-4
FEW_TRADES = 30
THIN_BREAK_EVEN, SAFE_BREAK_EVEN = 1.0, 2.0
MOST_OF_ONE = 0.5
LITTLE_EXPOSURE, LITTLE_GROSS = 0.1, 0.05
MANY_CUT, MANY_UNFILLABLE, MANY_STALE = 0.1, 0.05, 0.01
OFTEN_AT_CAP = 0.5
SHORT_YEARS = 0.95
"""A calendar year may have a few bars less than P."""
MANY_TRIALS = 10
DEEP = -0.5
OF_CURVE = frozenset({"one_month", "few_days", "dependent", "short_range", "many_trials", "weak_test"})
"""Rules that need no orders, weights or costs, and whose advice does not speak of our settings."""


@dataclass(frozen=True)
class Finding:
    """`issue` says what is odd, with its number; `advice` what to do."""

    key: str
    issue: str
    advice: str


@dataclass(frozen=True)
class Rule:
    """`issue` gives the sentence, or an empty text where all is well; `advice` where it hangs on the facts is made of
    them.
    """

    key: str
    issue: Callable[[Facts], str]
    advice: str | Callable[[Facts], str]


def diagnose(case: Case) -> list[Finding]:
    """What every rule says of the subject; of an imported curve, those that look at nothing but the curve."""
    found = findings(facts_of(case))
    return found if case.imported is None else [one for one in found if one.key in OF_CURVE]


def findings(facts: Facts) -> list[Finding]:
    """What the rules say, in the order of `RULES`."""
    said = [(rule, rule.issue(facts)) for rule in RULES]
    return [Finding(rule.key, issue, _advice(rule, facts)) for rule, issue in said if issue]


def _advice(rule: Rule, facts: Facts) -> str:
    return rule.advice if isinstance(rule.advice, str) else rule.advice(facts)


def _percent(share: float) -> str:
    return minus(f"{significant(share * 100)} %")


def _one(what: str, share: float | None, threshold: float = MOST_OF_ONE) -> str:
    return "" if share is None or share <= threshold else f"{what} made {_percent(share)} of the whole gain."


def _seen(f: Facts) -> str:
    return f"{f.seen} of {f.n_bars} bars of the range were seen in training or selection." if f.seen else ""


def _overfit(f: Facts) -> str:
    if f.sharpe is None or f.trained_sharpe is None:
        return ""
    error = math.sqrt(1.0 / f.trained_years + f.bars_a_year / f.n_bars)
    told = f"The Sharpe was {significant(f.trained_sharpe)} on the training bars, and is {significant(f.sharpe)} here."
    return told * (f.trained_sharpe - f.sharpe > OVERFIT * error)


def _flat(f: Facts) -> str:
    return f"Equity never moved more than {_percent(f.equity_moves)} from its start." if f.equity_moves < FLAT else ""


def _few_trades(f: Facts) -> str:
    return f"Only {f.n_trades:g} closed trades." if f.n_trades < FEW_TRADES and f.equity_moves >= FLAT else ""


def _eaten(f: Facts) -> str:
    if f.costs <= 0 or not 0 < f.gain_before_costs <= f.costs:
        return ""
    return f"Costs of {significant(f.costs)} ate the whole gain of {significant(f.gain_before_costs)} before costs."


def _break_even(f: Facts) -> str:
    if f.break_even is None or f.break_even >= SAFE_BREAK_EVEN:
        return ""
    if f.break_even == 0:
        return "There is no excess over the hardest baseline even at 0 × the costs."
    kind = "the configured ones" if f.break_even < THIN_BREAK_EVEN else "twice the configured ones"
    return f"The excess is gone at {significant(f.break_even)} × the costs, less than {kind}."


def _of_break_even(f: Facts) -> str:
    if f.break_even == 0:
        return "Costs are not why: what it holds earns no more than a baseline does, and cheaper trading mends nothing."
    return "Check fees and spread against your broker's, and trade less."


def _late(f: Facts) -> str:
    if f.excess_now is None or f.excess_late is None or not f.excess_late <= 0 < f.excess_now:
        return ""
    bars = f"{f.delay} bar{'s' * (f.delay != 1)}"
    now, late = _percent(f.excess_now), _percent(f.excess_late)
    return f"With decisions {bars} later the excess over the hardest baseline is {late} a year, in place of {now}."


def _of_delay(f: Facts) -> str:
    if f.delay == 1:
        return "The edge needs the very bar in which it trades: be sure that your orders come in time for it."
    return (
        f"The edge does not live for {f.delay} bars, the shortest delay that was run: add shorter ones to "
        "evaluation.delays to see how soon your orders must come."
    )


def _idle(f: Facts) -> str:
    if f.exposure >= LITTLE_EXPOSURE and f.mean_gross >= LITTLE_GROSS:
        return ""
    return f"It held something on {_percent(f.exposure)} of bars, {_percent(f.mean_gross)} of equity on average."


def _guards(f: Facts) -> str:
    return f"Guards sold out on {f.guards} bar{'s' * (f.guards != 1)}." if f.guards else ""


def _calls(f: Facts) -> str:
    return f"Margin calls came on {f.calls} bar{'s' * (f.calls != 1)}." if f.calls else ""


def _cut(f: Facts) -> str:
    return f"{_percent(f.cut)} of orders were cut notably, by the participation cap or for want of money." * (
        f.cut > MANY_CUT
    )


def _unfillable(f: Facts) -> str:
    told = f"{_percent(f.unfillable)} of orders met a bar without a price or without volume."
    return told * (f.unfillable > MANY_UNFILLABLE)


def _stale(f: Facts) -> str:
    return f"{_percent(f.stale)} of marks of what was held are older than their bar." * (f.stale > MANY_STALE)


def _at_cap(f: Facts) -> str:
    return f"On {_percent(f.at_cap)} of bars a position lies at the limit of one position." * (f.at_cap > OFTEN_AT_CAP)


def _of_limit(f: Facts) -> str:
    either = " or lower episode.logit_scale, which spreads its weights" if f.spreads else ""
    return f"margin.max_position_weight decides, not the strategy: widen it{either}."


def _constant(f: Facts) -> str:
    idle = f.equity_moves < FLAT or f.mean_gross < LITTLE_GROSS
    return "" if idle or f.moves >= CONSTANT else f"No weight varies by more than {_percent(f.moves)} over the range."


def _dependent(f: Facts) -> str:
    told = "" if f.rho is None else f"A bar's return hangs on the one before: autocorrelation {significant(f.rho)}."
    return told * (f.rho_score > DEPENDENT)


def _short(f: Facts) -> str:
    years = f.n_bars / f.bars_a_year
    return f"The range is {f.n_bars} bars, {significant(years)} of a year." * (years < SHORT_YEARS)


def _trials(f: Facts) -> str:
    return f"{f.trials} configurations were tried on these bars." * (f.trials >= MANY_TRIALS)


def _weak(f: Facts) -> str:
    if f.excess is None or f.power is None or not 0 < f.excess < f.power:
        return ""
    return f"An excess of {_percent(f.excess)} a year is less than the {_percent(f.power)} that this test could show."


def _deep(f: Facts) -> str:
    return f"Equity fell by {_percent(-f.max_drawdown)} from its peak." * (f.max_drawdown < DEEP)


RULES: tuple[Rule, ...] = (
    Rule("seen", _seen, "Judge it on bars that lie after those it learned from."),
    Rule("overfit", _overfit, "It knows its training bars, not the market: fewer steps or parameters, or more data."),
    Rule("flat", _flat, "Look at orders.csv: caps, a no-trade band or a least order may hold everything back."),
    Rule("few_trades", _few_trades, "Judge a longer range, or do not read hit rate and expectancy."),
    Rule("costs_eat_gain", _eaten, "Trade less: a no-trade band, a step limit, a turnover term in the reward."),
    Rule("break_even", _break_even, _of_break_even),
    Rule("delay", _late, _of_delay),
    Rule("one_symbol", lambda f: _one(f.top_symbol, f.top_symbol_share),
         "Judge it without that symbol, or with a position limit."),
    Rule("one_month", lambda f: _one(f.top_month, f.top_month_share), "Judge it over folds that leave the month out."),
    Rule("one_trade", lambda f: _one("One trade", f.top_trade_share),
         "Look at it in trades.csv: a data fault, or luck; set a position limit."),
    Rule("few_days", lambda f: _one(f"The best {BEST_BARS} bars", f.best_bars_share, 1.0),
         "Look at those bars for data faults, and at the rolling figures for the rest."),
    Rule("idle", _idle, "Train longer or with less penalty, or compare it with cash; figures a year say little."),
    Rule("guards", _guards, "Loosen the guard or lower the risk: what follows a guard is its result."),
    Rule("margin_calls", _calls, "Lower the gross limit, or keep more above the maintenance margin."),
    Rule("orders_cut", _cut, "Start with less money, trade slower, or keep cash for costs."),
    Rule("unfillable", _unfillable, "Leave out symbols with halts, or look at the quality report."),
    Rule("stale_marks", _stale, "Look at the gaps in the quality report: equity there is a guess."),
    Rule("at_cap", _at_cap, _of_limit),
    Rule("constant", _constant, "It is a fixed mix: compare it with fixed_weights; train longer, with more entropy."),
    Rule("dependent", _dependent, "Volatility and Sharpe scaled to a year mislead: read PSR (HAC) and the intervals."),
    Rule("short_range", _short, "Judge at least a year, better walk_forward over several."),
    Rule("many_trials", _trials, "Read the deflated Sharpe, and keep a range that nothing was chosen on."),
    Rule("weak_test", _weak, "Judge a longer range or more seeds: the verdict says how much would be needed."),
    Rule("deep_fall", _deep, "Lower the gross limit, or aim at a volatility (sizing.vol_target)."),
)  # fmt: skip
