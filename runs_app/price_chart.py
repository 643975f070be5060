"""The price chart of a run: bars of one symbol as the run traded them, its fills on them, the weight held below.

Prices are those of the frozen version that the run used, adjusted as the run adjusted them, from the same days: the
arithmetic looks at no action after the last of them. What was traded comes from the run's own tables, and bars and
tables must name the same closes, or nothing is drawn.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from marketdata.adjust import adjusted
from marketdata.bars import ACTIONS, FIELDS, Adjustment, Bars, BarsError
from marketdata.catalog import DatasetEntry, DatasetMissing, sessions
from marketdata.config import DatasetConfig
from marketdata.store import StoreError
from runs_app import bars_view, datasets, symbol_files
from runs_app.bars_view import Asked, Points, plain
from runs_app.models import Run
from runs_app.symbol_files import Fills, TableUnfit

PARAMETERS = bars_view.PARAMETERS
TABLES = ("weights", "orders", "symbols")
SIDES = ("buy", "sell")


class NotDrawn(ValueError):
    """There is nothing to draw; the message is one sentence that says why."""


@dataclass(frozen=True)
class Traded:
    """What a run traded: `symbols` in its order, the days `start` to `end` of the bars that it was fed."""

    entry: DatasetEntry
    symbols: tuple[str, ...]
    start: dt.date
    end: dt.date
    adjustment: Adjustment


def traded(run: Run) -> Traded:
    """Raises NotDrawn for a run that trades nothing, is not judged yet, left no tables or whose prices are gone."""
    if run.kind not in (Run.Kind.TRAIN, Run.Kind.CV, Run.Kind.BACKTEST):
        what = run.get_kind_display().lower()
        article = "An" if what[:1] in "aeiou" else "A"
        raise NotDrawn(f"{article} {what} trades nothing; the chart is of trainings and backtests.")
    if run.is_active:
        raise NotDrawn("The chart is drawn when the run has judged its strategy, and it has not ended yet.")
    try:
        entry = datasets.of_run(run)
        config = DatasetConfig.model_validate(run.config.get("dataset", {}))
    except (DatasetMissing, StoreError) as error:
        named = f"{run.dataset_name} {run.dataset_version[:12]}".strip() or "none is named"
        gone = f"The prices that this run traded ({named}) are not stored any more"
        raise NotDrawn(f"{gone}; its orders and trades are in its tables.") from error
    except ValidationError as error:
        raise NotDrawn("The configuration of this run names no dataset that could be drawn.") from error
    return Traded(
        entry, config.symbols or entry.symbols, config.start or entry.start, config.end or entry.end,
        config.adjustment or entry.adjustment,
    )  # fmt: skip


def offer(run: Run) -> dict[str, Any]:
    """For the page: `symbols`, the one to begin with as `first`, and whether there are `candles`; or `why` no chart."""
    try:
        found = traded(run)
        symbol_files.require(run, ("weights", "orders"))
    except (NotDrawn, TableUnfit) as fault:
        return {"why": str(fault)}
    first = symbol_files.weightiest(run)
    return {
        "symbols": found.symbols, "first": first if first in found.symbols else found.symbols[0],
        "candles": found.entry.fields >= {"open", "high", "low"},
    }  # fmt: skip


def asked(found: Traded, query: Mapping[str, str]) -> Asked:
    """Raises ConfigFault naming each parameter that is wrong."""
    return bars_view.read(query, PARAMETERS, "This run", found.symbols, (found.start, found.end))


def columns(run: Run, found: Traded, wish: Asked) -> dict[str, Any]:
    """Price, weight and fills by column, a value a point; more bars than points are joined evenly, and fills with them.

    Of joined bars: first open, highest high, lowest low, last close, the lowest and highest close and weight, the
    product of the splits. `fills` has a row for each point and side with at least one: their `count`, which sum to
    `n_fills`, their `shares` in those of the point's last bar, the `price` of one on average, `money` and `costs`.
    Raises NotDrawn.
    """
    try:
        times, weight = symbol_files.weights(run, wish.symbol)
        fills = symbol_files.fills(run, wish.symbol)
        bars = _judged(_bars(found, wish.symbol), times)
    except (TableUnfit, StoreError, BarsError) as fault:
        text = str(fault)
        raise NotDrawn(text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}.") from fault
    points = Points(bars.session, bars.known_at, wish)
    told = {"symbol": wish.symbol, "interval": bars.interval, "adjustment": bars.adjustment} | points.told()
    told |= {"close_low": points.joined("low", bars.close[:, 0]), "close_high": points.joined("high", bars.close[:, 0])}
    for name in ("open", "high", "low", "close", "split"):
        if (column := bars.column(name)) is not None:
            told[name] = points.joined(name, column[:, 0])
    told |= {"weight": points.at_end(weight), "weight_low": points.joined("low", weight),
             "weight_high": points.joined("high", weight)}  # fmt: skip
    return told | _joined_fills(fills, bars, points) | {"profit": symbol_files.profit(run, wish.symbol)}


def _bars(found: Traded, symbol: str) -> Bars:
    """(T, 1) of the symbol over the days that the run was fed, adjusted as the run traded."""
    entry = found.entry
    held: dict[str, Any] = {**datasets.catalog().store.columns(entry.version, symbol)}
    known = held.pop("known_at")
    columns: dict[str, Any] = {name: held[name].reshape(-1, 1) for name in (*FIELDS, *ACTIONS) if name in held}
    whole = Bars((symbol,), sessions(entry), known, calendar=entry.calendar, interval=entry.interval,
                      adjustment=entry.adjustment, **columns)  # fmt: skip
    return adjusted(whole.between(found.start, found.end), found.adjustment)


def _judged(bars: Bars, times: NDArray[np.datetime64]) -> Bars:
    """The bars that close at these times. Raises TableUnfit where some of them do not."""
    seconds = bars.known_at.astype("datetime64[s]")
    first = int(np.searchsorted(seconds, times[0])) if len(times) else 0
    rows = slice(first, first + len(times))
    if not len(times) or not np.array_equal(seconds[rows], times):
        raise TableUnfit("weights.csv of this run names other closes than the prices that are stored for it.")
    columns: dict[str, Any] = {
        name: value[rows] for name in (*FIELDS, *ACTIONS) if (value := bars.column(name)) is not None
    }
    return Bars(bars.symbols, bars.session[rows], bars.known_at[rows], calendar=bars.calendar, interval=bars.interval,
                adjustment=bars.adjustment, **columns)  # fmt: skip


def _joined_fills(fills: Fills, bars: Bars, points: Points) -> dict[str, Any]:
    seconds = bars.known_at.astype("datetime64[s]")
    at = np.minimum(np.searchsorted(seconds, fills.time), bars.n_bars - 1)
    if not np.array_equal(seconds[at], fills.time):
        raise NotDrawn("orders.csv of this run names other closes than its weights.csv.")
    point = points.of_bars(at)
    kept = point >= 0
    key, row = np.unique(2 * point[kept] + ~fills.buys[kept], return_inverse=True)
    where = key // 2
    split = np.ones(bars.n_bars) if bars.split is None else bars.split[:, 0]
    so_far = np.cumprod(split)  # a split of a bar comes before its fills
    shares = fills.shares[kept] * so_far[points.last[point[kept]]] / so_far[at[kept]]

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.bincount(row, values, len(key)).astype(np.float64)  # of none it is of integers
        return found

    money = fills.shares * fills.price
    return {
        "n_fills": int(kept.sum()),
        "fills": {
            "point": where.tolist(), "side": [SIDES[one] for one in (key % 2).tolist()],
            "count": np.bincount(row, minlength=len(key)).tolist(), "shares": plain(summed(shares)),
            "price": plain(summed(money[kept]) / summed(shares)), "money": plain(summed(money[kept])),
            "costs": plain(summed(fills.costs[kept])),
        },
    }  # fmt: skip
