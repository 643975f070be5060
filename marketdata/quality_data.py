"""One symbol as the rules of the quality report see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import ACTIONS, FIELDS, NO_ACTION, Adjustment, Bars, Days, Floats
from marketdata.findings import Finding, Level


@dataclass(frozen=True)
class Own:
    """One symbol: `session`, `known_at` (T,), `columns` (T,) each as stored, `rows` of its bars (close finite and > 0);
    `split` and `dividend` (T,), 1 and 0 where none is recorded.
    """

    symbol: str
    session: Days
    known_at: Days
    intraday: bool
    columns: dict[str, Floats]
    rows: NDArray[np.intp]
    adjustment: Adjustment
    split: Floats
    dividend: Floats

    @property
    def unit(self) -> str:
        """What a bar is called."""
        return "bars" if self.intraday else "sessions"

    def when(self, row: int | np.intp) -> str:
        """The day of a daily bar; the close of a shorter one, `2020-01-02 15:30 UTC`."""
        return when(self, row)

    def finding(self, level: Level, code: str, row: int, text: str) -> Finding:
        return Finding(level, code, self.symbol, self.session[row].item(), text)


def own(bars: Bars, asset: int) -> Own:
    columns = {name: value[:, asset] for name in FIELDS if (value := bars.column(name)) is not None}
    rows = np.flatnonzero(bars.present[:, asset])
    split, dividend = (
        np.full(bars.n_bars, NO_ACTION[name]) if (value := bars.column(name)) is None else value[:, asset]
        for name in ACTIONS
    )
    return Own(bars.symbols[asset], bars.session, bars.known_at, bars.intraday, columns, rows, bars.adjustment, split,
               dividend)  # fmt: skip


def when(data: Bars | Own, row: int | np.intp) -> str:
    if not data.intraday:
        return str(data.session[row])
    return f"{np.datetime_as_string(data.known_at[row], unit='m').replace('T', ' ')} UTC"
