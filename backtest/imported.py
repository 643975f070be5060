"""What an imported result is to a report: the file it came from, and what of a judgement it leaves empty, and why."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backtest.registry import IMPORTED, IMPORTED_LABEL, OWN_SERIES, StrategySpec
from backtest.rules import Rule

SPEC: Final = StrategySpec(
    IMPORTED, IMPORTED_LABEL, "", OWN_SERIES, False, "A result that was made elsewhere, as its file tells it."
)
GROUP = "The imported file"
HOLDS = {"equity": "equity", "returns": "returns, as fractions", "returns_percent": "returns, in percent"}

_AGAIN = "An imported result is a curve without decisions and cannot be run again"
ABSENT: Final[Mapping[str, str]] = {
    "orders": "Not in the file: it holds a curve, no orders and no fills.",
    "trades": "Not in the file: without fills nobody can match them to round trips.",
    "weights": "Not in the file: what was held on a day is not known, so neither is exposure nor concentration.",
    "costs": "Not in the file: whether its curve is after costs, and after which, is not known.",
    "sides": "Not in the file: without positions, gains of longs and shorts cannot be told apart.",
    "symbols": "Not in the file: without positions, no gain can be put down to a symbol.",
    "before_costs": "Not in the file: its costs are not known, so none can be added back.",
    "sensitivity": f"{_AGAIN} at other costs.",
    "delays": f"{_AGAIN} with decisions that come later.",
    "capacity": f"{_AGAIN} with more money.",
    "stress": f"{_AGAIN} over a crisis from cash; what it made on the days of one that it holds is in its curve.",
    "matched_random": "Draws play the subject's decisions of earlier dates, and the file holds none.",
    "leaks": "The gate alters later bars and looks at earlier decisions; a file cannot decide anew.",
    "prices": "Not in the file: which symbol was bought or sold on a day is not known.",
}
"""Key of a table or section → one sentence. Names for people: `NAMES`."""
NAMES: Final[Mapping[str, str]] = {
    "orders": "Orders", "trades": "Trades", "weights": "Weights", "costs": "Costs", "sides": "Long and short",
    "symbols": "By symbol", "before_costs": "Equity before costs", "sensitivity": "At other costs",
    "delays": "With later decisions", "capacity": "With more money", "stress": "In crises",
    "matched_random": "Matched random", "leaks": "Leak gate", "prices": "Price and trades",
}  # fmt: skip
COSTS: Final = "the baselines after costs and its own costs unknown,"
"""In the sentence of the verdict."""
STAMPS: Final = (
    "Imported result: its costs, fills and prices, whether it looked ahead, and which symbols were left out of it were "
    "not verified; only the arithmetic of its curve is ours.",
    "The rules and costs below are those of the baselines; the imported result was made under others, which are not "
    "known, so an excess over them may be a difference in costs alone.",
    "How many results were tried before this file was chosen is as stated, and cannot be seen from it.",
)


@dataclass(frozen=True)
class Imported:
    """Where the subject's curve was read from. `date`, `value`: names of the columns; `n_rows` that were judged."""

    sha256: str
    date: str
    value: str
    holds: str
    first: dt.date
    last: dt.date
    n_rows: int

    def rules(self) -> list[Rule]:
        """What the report says of the file: no name of it, as the same bytes make the same report."""
        told = {
            "File": f"sha256 {self.sha256}",
            "Column of days": self.date,
            "Column of values": f"{self.value}: {HOLDS[self.holds]}",
            "Rows judged": f"{self.n_rows:,}, {self.first} to {self.last}",
        }
        return [Rule(name, text, "", GROUP) for name, text in told.items()]
