"""A second look at what a column of returns holds, once the curve and the benchmark have a volatility.

The first look (`align`) refuses what no reading makes usual. Between the two lie quiet funds in percent, which as
fractions are wild, and lively ones in fractions, which as percents hardly move: both are possible as they are read, so
that they are judged as the person said, and the report says first what the other reading would give. A refusal would
need a second field in which to insist, as `result.holds` has been given already.
"""

from typing import Final

from backtest.metrics import Metrics
from backtest.series import Floats

WILD, QUIET = 0.60, 0.01
"""Volatility a year from which fractions may be percents, and below which percents may be fractions."""
LEAST_MOVED, SMOOTH = 63, 0.1
"""Bars that moved before a share of them says something, and the share of losses below which a curve is too smooth: a
Sharpe of 20 a year loses on one day in ten."""
APART: Final = 3.0
"""How many times the benchmark's volatility what is read must be, or its part, to be doubted."""


def reading_stamp(holds: str, subject: Metrics, benchmark: Metrics) -> list[str]:
    """A sentence where returns were perhaps written the other way; none for equity, or without a volatility."""
    own, other = subject["volatility"], benchmark["volatility"]
    if own is None or other is None:
        return []
    if holds == "returns" and own > WILD and own > APART * other:
        return [_told("fractions, as was said", own, other, "percents", own / 100.0, "returns_percent")]
    if holds == "returns_percent" and 0 < own < QUIET and own * APART < other and own * 100.0 < APART * WILD:
        return [_told("percents, as was said", own, other, "fractions", own * 100.0, "returns")]
    return []


def smooth_stamp(returns: Floats) -> list[str]:
    """A sentence on a curve that gains and hardly ever loses, which no market lets a holder of shares do."""
    moved, lost = int((returns != 0).sum()), int((returns < 0).sum())
    if moved < LEAST_MOVED or lost > SMOOTH * moved:
        return []
    return [
        f"{'None' if lost == 0 else f'Only {lost}'} of its {moved:,} bars with a return lost: positions that are "
        "marked at market prices do lose, so that these values are perhaps not marked, or were smoothed; ask how they "
        "were made before anything here is believed."
    ]


def _told(read: str, own: float, benchmark: float, otherwise: str, would: float, holds: str) -> str:
    return (
        f"The returns of the file were read as {read}: a volatility of {own:.2%} a year, and the benchmark's is "
        f"{benchmark:.2%}. If the column holds {otherwise}, it is {would:.2%}, and every figure here is of another "
        f"curve; import it again with result.holds: {holds}."
    )
