"""Bars with gaps and a late starter, and the gate on them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backtest.leaks.gate import Gate
from backtest.leaks.report import LeakReport
from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from tests.backtest.leaks.subjects import SPAN
from tests.marketdata.build import random_ohlcv

Check = Callable[..., LeakReport]


@pytest.fixture(scope="session")
def ragged() -> Bars:
    """420 bars of four assets: the last one starts at bar 100, the second misses bars 250 to 252 and 300."""
    bars = random_ohlcv(420, 4)
    columns = {name: bars.column(name).copy() for name in ("open", "high", "low", "close", "volume")}  # type: ignore[union-attr]
    for column in columns.values():
        column[:100, 3] = np.nan
        column[250:253, 1] = np.nan
        column[300, 1] = np.nan
    return dataclasses.replace(bars, **columns)


@pytest.fixture
def check(ragged: Bars) -> Check:
    """The gate on a subject over the test span."""

    def run(subject: Any, bars: Bars = ragged, **more: Any) -> LeakReport:
        return Gate(subject, bars, more.pop("config", SimulatorConfig()), more.pop("span", SPAN), **more).check()

    return run


def failed(report: LeakReport) -> dict[str, str]:
    """Sentences of the checks that failed, by key."""
    return {check.key: check.sentence for check in report.checks if check.state == "failed"}
