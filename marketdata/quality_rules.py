"""The rules of the quality report, each a function of the data to findings."""

from collections.abc import Callable, Iterator

import numpy as np

from marketdata.bars import ALWAYS_OPEN, NO_ACTION, PRICES, Bars, Floats
from marketdata.findings import Finding, Level, counted
from marketdata.quality_data import Own, when

ORDER_SLACK, ORDER_RED = 1e-6, 0.01
"""Relative excess of another price over high, or under low: rounding below the first, refused above the second."""
PRICE_SCALE, VOLUME_MOST = (1e-12, 1e12), 1e18
STALE_AMBER, STALE_RED = 10, 252
"""Equal closes in a row."""
JUMP_AMBER, JUMP_RED = 0.4, np.log(5.0)
"""|ln(C[t] / C[t−1])|: about half or 1.5 times; a fifth or five times."""
GAP_RED = 0.2
"""Share of a symbol's sessions without a bar."""
DIVIDEND_AMBER = 0.2
"""Share of the close before it."""
SAME_OPEN = 0.2
"""Share of opens that repeat the close before."""
COARSE = 1e-3
"""Half a rounding step over the price."""


def weekend(bars: Bars) -> Iterator[Finding]:
    """1970-01-01 was a Thursday."""
    if bars.calendar == ALWAYS_OPEN:
        return
    days = np.flatnonzero((bars.session.astype("int64") + 3) % 7 >= 5)
    if len(days):
        day = bars.session[days[0]]
        yield Finding(
            "red", "no_session", "", day.item(), f"{day} is a weekend, on which {bars.calendar} has no session."
        )


def session_gap(bars: Bars) -> Iterator[Finding]:
    rows = np.flatnonzero(~bars.present.any(axis=1))
    if len(rows):
        day = bars.session[rows[0]]
        unit = "bars" if bars.intraday else "sessions"
        text = f"No symbol has a close on {len(rows)} of {bars.n_bars} {unit}, {when(bars, rows[0])} first."
        yield Finding("red" if len(rows) > GAP_RED * bars.n_bars else "amber", "session_gap", "", day.item(), text)


def not_finite(data: Own) -> Iterator[Finding]:
    for name, column in data.columns.items():
        rows = np.flatnonzero(np.isinf(column))
        if len(rows):
            text = f"{data.symbol} has an infinite {name} on {data.when(rows[0])}."
            yield data.finding("red", "not_finite", int(rows[0]), text)


def not_positive(data: Own) -> Iterator[Finding]:
    for name, column in data.columns.items():
        price = name in PRICES
        rows = np.flatnonzero(column <= 0 if price else column < 0)
        if len(rows):
            rule = "prices must be above 0" if price else "volume must not be negative"
            article = "an" if name == "open" else "a"
            text = f"{data.symbol} has {article} {name} of {column[rows[0]]:g} on {data.when(rows[0])}; {rule}."
            yield data.finding("red", "not_positive", int(rows[0]), text)


def out_of_scale(data: Own) -> Iterator[Finding]:
    """Positive and finite, but a number with which no account can be kept in float64."""
    for name, column in data.columns.items():
        least, most = PRICE_SCALE if name in PRICES else (0.0, VOLUME_MOST)
        rows = np.flatnonzero(np.isfinite(column) & (column > 0) & ((column < least) | (column > most)))
        if len(rows):
            article = "an" if name == "open" else "a"
            right = f"{least:g} to {most:g}" if least else f"up to {most:g}"
            text = (
                f"{data.symbol} has {article} {name} of {column[rows[0]]:g} on {data.when(rows[0])}; {right} is right."
            )
            yield data.finding("red", "out_of_scale", int(rows[0]), text)


def no_bars(data: Own) -> Iterator[Finding]:
    if not len(data.rows):
        span = f"from {data.when(0)} to {data.when(-1)}"
        yield data.finding("red", "no_bars", 0, f"{data.symbol} has no close {span}.")


def symbol_gap(data: Own) -> Iterator[Finding]:
    if not len(data.rows):
        return
    first, last = int(data.rows[0]), int(data.rows[-1])
    held = np.zeros(last - first + 1, dtype=np.bool_)
    held[data.rows - first] = True
    missing = first + np.flatnonzero(~held)
    if len(missing):
        level: Level = "red" if len(missing) > GAP_RED * (last - first + 1) else "amber"
        many = counted(len(missing), data.unit)
        text = f"{data.symbol} has no close on {many} of its span, {data.when(missing[0])} first."
        yield data.finding(level, "gap", int(missing[0]), text)
    if first > 0:
        yield data.finding("amber", "starts_late", first, f"{data.symbol} has no close before {data.when(first)}.")
    if last < len(data.session) - 1:
        yield data.finding("amber", "ends_early", last, f"{data.symbol} has no close after {data.when(last)}.")


def incomplete(data: Own) -> Iterator[Finding]:
    for name, column in data.columns.items():
        rows = data.rows[np.isnan(column[data.rows])]
        if len(rows):
            many = counted(len(rows), data.unit)
            text = f"{data.symbol} has a close but no {name} on {many}, {data.when(rows[0])} first."
            yield data.finding("amber", "incomplete", int(rows[0]), text)


def order(data: Own) -> Iterator[Finding]:
    """High must be the most and low the least of a bar."""
    if not {"high", "low"} <= data.columns.keys():
        return
    high, low = data.columns["high"], data.columns["low"]
    prices = [data.columns[name] for name in PRICES if name in data.columns]
    with np.errstate(all="ignore"):
        beyond = {"high": np.fmax.reduce(prices) / high - 1, "low": 1 - np.fmin.reduce(prices) / low}
    for name, side in (("high", "below"), ("low", "above")):
        excess = np.where(np.isfinite(beyond[name]), beyond[name], 0.0)
        row = int(np.argmax(excess))
        if excess[row] > ORDER_SLACK:
            said = f"{data.columns[name][row]:g} on {data.when(row)}"
            text = f"{data.symbol} has a {name} of {said}, {excess[row]:.2%} {side} another price of the bar."
            yield data.finding("red" if excess[row] > ORDER_RED else "amber", "order", row, text)


def stale(data: Own) -> Iterator[Finding]:
    close = data.columns["close"][data.rows]
    starts = np.flatnonzero(np.r_[True, close[1:] != close[:-1]]) if len(close) else np.empty(0, dtype=np.intp)
    lengths = np.diff(np.r_[starts, len(close)])
    if len(lengths) and lengths.max() >= STALE_AMBER:
        longest = int(np.argmax(lengths))
        row = int(data.rows[starts[longest]])
        runs = int((lengths >= STALE_AMBER).sum())
        text = f"{data.symbol} has the same close on {lengths[longest]} bars in a row from {data.when(row)}"
        text += f"; {runs} such runs of {STALE_AMBER} or more." if runs > 1 else "."
        yield data.finding("red" if lengths.max() > STALE_RED else "amber", "stale", row, text)


def jump(data: Own) -> Iterator[Finding]:
    """Moves of the holder's worth: a recorded split or dividend explains its part, also in bars without a close."""
    close, held = data.columns["close"][data.rows], np.cumprod(data.split)[data.rows]
    paid = np.diff(np.cumsum(data.dividend)[data.rows])
    moves = np.log((close[1:] + paid) * held[1:] / (close[:-1] * held[:-1])) if len(close) else close
    if len(moves) and np.abs(moves).max() > JUMP_AMBER:
        most, count = int(np.argmax(np.abs(moves))), int((np.abs(moves) > JUMP_AMBER).sum())
        row = int(data.rows[most + 1])
        move = f"{close[most + 1] / close[most]:.3g} times the last one on {data.when(row)}"
        text = f"{data.symbol}'s close is {move}, {_action_of(data, int(data.rows[most]), row)}"
        text += f"; {count} such moves." if count > 1 else "."
        yield data.finding("red" if abs(moves[most]) > JUMP_RED else "amber", "jump", row, text)


def _action_of(data: Own, before: int, row: int) -> str:
    """What is recorded after the bar `before` up to `row`."""
    ratio = float(np.prod(data.split[before + 1 : row + 1]))
    if ratio != 1:
        return f"which the recorded split of {ratio:g} does not explain"
    paid = float(data.dividend[before + 1 : row + 1].sum())
    return f"which the recorded dividend of {paid:g} does not explain" if paid else "without a recorded action"


def first_bar_action(data: Own) -> Iterator[Finding]:
    """There is no bar before it that it could concern."""
    for name, value in (("split", data.split), ("dividend", data.dividend)):
        row = int(data.rows[0]) if len(data.rows) else 0
        known = np.flatnonzero(value[: row + 1] != NO_ACTION[name])
        if len(known):
            text = f"{data.symbol} has a {name} of {value[known[0]]:g} on {data.when(known[0])}, at or before its first"
            yield data.finding("amber", "first_bar_action", int(known[0]), f"{text} close: it changes nothing here.")


def dividend_size(data: Own) -> Iterator[Finding]:
    """A dividend as large as the price is a mistake of a unit, or a liquidation that nobody recorded as one."""
    close, held = data.columns["close"], np.cumprod(data.split)
    for row in np.flatnonzero(data.dividend):
        before = data.rows[data.rows < row]
        if not len(before):
            continue
        last = close[before[-1]] * held[before[-1]] / held[row]
        share = data.dividend[row] / last
        if share > DIVIDEND_AMBER:
            text = (
                f"{data.symbol} has a dividend of {data.dividend[row]:g} on {data.when(row)}, {share:.0%} of the close"
            )
            yield data.finding("red" if share >= 1 else "amber", "dividend", int(row), f"{text} before it.")
            return


def zero_volume(data: Own) -> Iterator[Finding]:
    rows = data.rows[data.columns["volume"][data.rows] == 0] if "volume" in data.columns else data.rows[:0]
    if len(rows):
        text = f"{data.symbol} has a volume of 0 on {counted(len(rows), 'bars')}, {data.when(rows[0])} first."
        yield data.finding("amber", "zero_volume", int(rows[0]), text)


def open_is_last_close(data: Own) -> Iterator[Finding]:
    """Such an open was filled in by the source: a fill there is a fill at the price that the decision saw."""
    if "open" not in data.columns or len(data.rows) < STALE_AMBER:
        return
    open_, close = data.columns["open"][data.rows[1:]], data.columns["close"][data.rows]
    same = (open_ == close[:-1]) & (np.diff(close) != 0)
    if same.mean() > SAME_OPEN:
        row = int(data.rows[1 + np.argmax(same)])
        share = f"{same.mean():.0%} of bars, {data.when(row)} first"
        text = f"{data.symbol}'s open repeats the close before it on {share}: fills at the open are too kind there."
        yield data.finding("amber", "open_is_last_close", row, text)


def coarse(data: Own) -> Iterator[Finding]:
    """Adjusted prices rounded to a fixed step: early ones, made small by later actions, keep few digits."""
    close = data.columns["close"][data.rows]
    if data.adjustment == "raw" or not len(close):
        return
    for digits in range(5):
        if np.allclose(close * 10**digits, np.rint(close * 10**digits), rtol=0, atol=1e-6 * 10**digits):
            yield from _coarse(data, 10.0**-digits, 0.5 * 10.0**-digits / close)
            return


def _coarse(data: Own, step: float, error: Floats) -> Iterator[Finding]:
    rows = data.rows[error > COARSE]
    if len(rows):
        row, until = int(data.rows[np.argmax(error)]), data.session[rows[-1]]
        most = f"up to {error.max():.1%} of the price on {data.session[row]}"
        text = f"{data.symbol}'s close is rounded to {step:g}: {most}, coarse until {until}."
        yield data.finding("amber", "coarse", row, text)


DATASET_RULES: tuple[Callable[[Bars], Iterator[Finding]], ...] = (weekend, session_gap)
SYMBOL_RULES: tuple[Callable[[Own], Iterator[Finding]], ...] = (
    not_finite, not_positive, out_of_scale, no_bars, symbol_gap, incomplete, order, stale, jump, first_bar_action,
    dividend_size, zero_volume, open_is_last_close, coarse,
)  # fmt: skip
