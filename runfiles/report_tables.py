"""The tables behind a verdict: what each is called, its columns with unit and meaning, and how a value is written.

`report.html` and the site's report page are made from the same rows by the same words. Rows are dicts of plain
values by column key; what is missing or no number is a dash.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from runfiles.figures import DASH, minus, significant, whole

Kind = Literal["text", "day", "figure", "count", "times", "percent", "share", "number", "gain", "bps"]


@dataclass(frozen=True)
class Column:
    """`kind` says how a value is written: `percent` a fraction with its sign, `share` without, `gain` money with one,
    `figure` what is written already.
    """

    key: str
    heading: str
    kind: Kind
    definition: str
    unit: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "day")

    @property
    def is_written(self) -> bool:
        """Whether a value comes as text."""
        return self.kind in ("text", "day", "figure")


@dataclass(frozen=True)
class TableSpec:
    """`note` stands under the title."""

    key: str
    title: str
    note: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Cell:
    """`exact` are all digits, for the title of a cell; `sign` gain, loss or empty."""

    text: str
    exact: str
    sign: str
    kind: Kind

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "day")

    @property
    def css(self) -> str:
        """Classes of its cell in a table: `n` for a number, `day`, and the sign."""
        return f"n {self.sign}".rstrip() if self.is_number else self.kind


_YEAR = "% a year"
_EXCESS = Column("excess_per_year", "Excess", "percent", "Growth above that of the baseline beside it", _YEAR)
_OVER = Column("baseline", "Over", "text", "The baseline that is hardest to beat there")
_COST = Column(
    "cost_bps",
    "Cost of trading",
    "bps",
    "Fees less rebates, spread and impact, ticks included, over the value traded",
    "bps",
)
_SHARPE = Column("sharpe", "Sharpe", "number", "Mean return above cash over its standard deviation, scaled to a year")
_GROWTH = Column("cagr", "Return", "percent", "The constant yearly return that gives the same total return", _YEAR)
_TURNOVER = Column("turnover", "Turnover", "number", "Value bought and sold in a year over mean equity", "a year")

COSTS = TableSpec(
    "costs", "What was paid", "Over the whole range; what was earned counts negative.",
    (
        Column("cost", "Cost", "text", "Kind of cost"),
        Column("money", "Paid", "number", "Money over the range", "money"),
        Column("bps_per_year", "Of mean equity", "bps", "A year, over mean equity", "bps a year"),
    ),
)  # fmt: skip
SIDES = TableSpec(
    "sides", "Long and short", "Closed trades and open lots; the rows add up to the change of equity.",
    (
        Column("side", "Side", "text", "Long, short, or interest on cash"),
        Column("trades", "Trades", "count", "Round trips and open lots"),
        Column("pnl_gross", "Gross", "gain", "Profit at reference prices, before costs", "money"),
        Column("fees", "Fees", "number", "Fees of entry and exit", "money"),
        Column("slippage", "Slippage", "number", "Spread and impact", "money"),
        Column("dividends", "Dividends", "gain", "Dividends received less paid", "money"),
        Column("financing", "Financing", "gain", "Borrow of shorts; interest on cash", "money"),
        Column("pnl_net", "Net", "gain", "What is left", "money"),
    ),
)  # fmt: skip
SYMBOLS = TableSpec(
    "symbols", "By symbol", "Closed trades, open lots and dividends; the rows add up to the change of equity.",
    (
        Column("symbol", "Symbol", "text", "The symbol, or interest on cash"),
        *SIDES.columns[2:6],
        Column("financing", "Financing", "gain", "Borrow of its short positions; interest on cash", "money"),
        Column("pnl_net", "Net", "gain", "Gross less fees and slippage, with dividends and financing", "money"),
    ),
)  # fmt: skip
SYMBOLS_HELD = replace(
    SYMBOLS,
    columns=(
        *SYMBOLS.columns,
        Column("mean_weight", "Mean weight", "percent", "Mean over the bars of position over equity at the close", "%"),
    ),
)
"""With the weight, which symbols.csv does not hold."""
DRAWDOWNS = TableSpec(
    "drawdowns", "Deepest drawdowns", "From a peak of equity to its recovery.",
    (
        Column("depth", "Depth", "percent", "Fall below the peak at the trough", "%"),
        Column("start", "Peak", "day", "Day of the peak"),
        Column("trough", "Trough", "day", "Day of the deepest point"),
        Column("recovery", "Recovery", "day", "Day on which the peak was reached again; a dash while it is not"),
        Column("bars", "Bars", "count", "From the peak to the recovery, or to the end"),
    ),
)  # fmt: skip
INTERVALS = TableSpec(
    "intervals", "How far by luck", "From resampled blocks of bars, 95 %. Drawdown, Calmar and Ulcer hang on the order "
    "of bars: theirs is a range of what other orders would have shown, and no confidence interval.",
    (
        Column("metric", "Metric", "text", "The figure"),
        Column("value", "Value", "figure", "As it was"),
        Column("low", "Low", "figure", "One path in forty lies below"),
        Column("high", "High", "figure", "One path in forty lies above"),
        Column("kind", "Kind", "text", "A confidence interval, or a resampled range"),
    ),
)  # fmt: skip
SWEEP = TableSpec(
    "sensitivity", "At other costs", "Fees, spread and impact times the factor; subject and baselines run again. A "
    "maker rebate is income and stays as it is, and so does the grid of ticks, at every factor.",
    (
        Column("multiplier", "Costs", "times", "Times what is configured", "×"),
        _COST, _EXCESS, _OVER, _GROWTH, _SHARPE, _TURNOVER,
    ),
)  # fmt: skip
DELAYS = TableSpec(
    "delays", "With later decisions", "Orders of every decision reach the market so many bars later than configured; "
    "subject and baselines run again. Orders that are still under way when the range ends do not fill.",
    (
        Column("bars", "Later by", "count", "Bars above the configured latency; 0 is the run of the verdict", "bars"),
        _EXCESS, _OVER, _GROWTH, _SHARPE, _TURNOVER, _COST,
    ),
)  # fmt: skip
CAPACITY = TableSpec(
    "capacity", "With more money", "Start cash times the factor in the same market; subject and baselines run again.",
    (
        Column("multiplier", "Money", "times", "Times the start cash that is configured", "×"), _COST,
        Column("filled", "Filled", "share", "Share of the value ordered that found a fill", "%"),
        _EXCESS, _OVER, _GROWTH, _SHARPE,
    ),
)  # fmt: skip
STRESS = TableSpec(
    "stress", "In crises", "Each window is a book of its own from cash, run again for subject and baselines; no rate "
    "of a year but what it made from its first day to its last.",
    (
        Column("label", "Window", "text", "A named crisis, or days of your own"),
        Column("start", "From", "day", "First decision"),
        Column("end", "To", "day", "Last mark"),
        Column("n_bars", "Bars", "count", "Returns in the window"),
        Column("total_return", "Return", "percent", "Last equity over the first, less one", "%"),
        Column("max_drawdown", "Max drawdown", "percent", "Deepest fall within the window", "%"),
        Column("excess", "Excess", "percent", "Growth above that of the baseline beside it, over the window", "%"),
        _OVER,
        Column("beside", "Its return", "percent", "What that baseline made", "%"),
        Column("note", "Note", "text", "Bars of training here; baselines with too little past or cut orders"),
    ),
)  # fmt: skip
RANGES = TableSpec(
    "ranges", "How it was split", "What the subject learned from and what it is judged on.",
    (
        Column("role", "Range", "text", "What the bars were for"),
        Column("start", "From", "day", "First decision"),
        Column("end", "To", "day", "Last mark"),
        Column("n_bars", "Bars", "count", "Returns in the range"),
        Column("gap", "Gap before", "count", "Bars since the last mark of the range before it", "bars"),
    ),
)  # fmt: skip
FOLDS = TableSpec(
    "folds", "Fold by fold", "One book goes through all test folds. What a fold made from first to last day, no rate "
    "of a year.",
    (
        Column("fold", "Fold", "text", "In order of time"),
        Column("start", "From", "day", "First decision"),
        Column("end", "To", "day", "Last mark"),
        Column("n_bars", "Bars", "count", "Returns in the fold"),
        Column("learned_until", "May learn until", "day", "Last day that may be learned from before this fold"),
        Column("total_return", "Return", "percent", "Last equity over the first, less one", "%"),
        Column("excess", "Excess", "percent", "Growth above that of the baseline beside it, over the fold", "%"),
        _OVER,
    ),
)  # fmt: skip
LEARNED = TableSpec(
    "learned", "What each fold learned from", "Of the policy that takes charge of the book when the fold begins.",
    (
        Column("fold", "Fold", "text", "In order of time"),
        Column("train_start", "Trained from", "day", "First decision of its training range"),
        Column("train_end", "To", "day", "Last mark of its training range"),
        Column("validation_start", "Chosen from", "day", "First decision of the range that it was chosen on"),
        Column("validation_end", "To", "day", "Last mark of the range that it was chosen on"),
        Column("steps", "Step", "text", "Step of its training at which it was kept, of each seed"),
    ),
)  # fmt: skip
TABLES: tuple[TableSpec, ...] = (
    RANGES,
    FOLDS,
    LEARNED,
    COSTS,
    SIDES,
    SYMBOLS_HELD,
    DRAWDOWNS,
    INTERVALS,
    SWEEP,
    DELAYS,
    CAPACITY,
    STRESS,
)


ALL_BOOKS = ", all seeds' books added up"
"""Behind the title of whatever needs one account of several seeds."""
_MEDIANS = "Of several seeds each figure is their median, as among the figures; an excess is that of their mean."
_FOR_SEEDS: Mapping[str, tuple[str, str]] = {
    "folds": ("", _MEDIANS),
    "costs": (ALL_BOOKS, "What it is of mean equity is the seeds' median."),
    "sides": (ALL_BOOKS, ""),
    "symbols": (ALL_BOOKS, ""),
    "drawdowns": (ALL_BOOKS, "The max drawdown among the figures is the median of the seeds' own."),
    "intervals": (
        " of the bars, the seeds held fixed",
        "The medians of these seeds on other bars: what other seeds would have shown lies further apart. The verdict's "
        "interval holds both.",
    ),
    "sensitivity": ("", _MEDIANS),
    "delays": ("", _MEDIANS),
    "capacity": ("", _MEDIANS),
    "stress": ("", _MEDIANS),
}


def for_seeds(spec: TableSpec) -> TableSpec:
    """The table of a subject that was trained with several seeds: title and note say what its figures are of."""
    more, note = _FOR_SEEDS.get(spec.key, ("", ""))
    return replace(spec, title=spec.title + more, note=f"{spec.note} {note}".rstrip())


def cells(spec: TableSpec, rows: Iterable[Mapping[str, Any]]) -> list[list[Cell]]:
    """A list of cells for each row, in the order of the columns."""
    return [[cell(column, row.get(column.key)) for column in spec.columns] for row in rows]


def cell(column: Column, value: Any) -> Cell:
    """One value as it is shown."""
    if column.is_written:
        text = value if isinstance(value, str) and value else ""
        shown = text[:10] if column.kind == "day" else text
        return Cell(shown or (DASH if column.kind == "day" else ""), text, "", column.kind)
    number = number_of(value)
    if number is None:
        return Cell(DASH, "undefined", "", column.kind)
    signed = column.kind in ("percent", "gain")
    sign = "" if not signed or number == 0 else ("gain" if number > 0 else "loss")
    return Cell(_text(column.kind, number), repr(number), sign, column.kind)


def _text(kind: Kind, number: float) -> str:
    if kind in ("percent", "share"):
        return significant(number * 100, signed=kind == "percent")
    if kind == "times":
        return minus(f"{number:g}")
    return whole(number) if kind == "count" else significant(number, signed=kind == "gain")


def number_of(value: Any) -> float | None:
    """A finite number, or None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
