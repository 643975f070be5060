"""Returns that were perhaps written the other way are judged as was said, and the report says so first."""

import json

import numpy as np
import pytest

from backtest.foreign import run
from backtest.foreign.second_look import reading_stamp, smooth_stamp
from backtest.metrics import Metrics
from tests.backtest.foreign.conftest import Import

LIGHT = {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "baselines": ["cash"]}


def stamps(importing: Import, days: list[str], holds: str, deviation: float) -> list[str]:
    """Of a run on returns that are written with this standard deviation a day."""
    values = np.random.default_rng(7).normal(deviation / 20, deviation, len(days))
    content = "date,it\n" + "".join(f"{day},{value!r}\n" for day, value in zip(days, values.tolist(), strict=True))
    job = importing(content, result={"holds": holds, "value": "it"}, evaluation=LIGHT)
    run.run(job)
    found: list[str] = json.loads((job.folder / "report/summary.json").read_text())["stamps"]
    return found


def test_percents_of_a_quiet_fund_that_were_called_fractions(importing: Import, days: list[str]) -> None:
    """0.055 % a day is 0.87 % a year; read as fractions it is a hundred times that."""
    first = stamps(importing, days, "returns", 0.055)[0]
    assert first.startswith("The returns of the file were read as fractions, as was said: a volatility of 8")
    assert "If the column holds percents, it is 0.8" in first and first.endswith("result.holds: returns_percent.")


def test_fractions_that_were_called_percents(importing: Import, days: list[str]) -> None:
    first = stamps(importing, days, "returns_percent", 0.045)[0]
    assert "read as percents, as was said: a volatility of 0." in first and "If the column holds fractions" in first
    assert first.endswith("result.holds: returns.")


@pytest.mark.parametrize(("holds", "deviation"), [("returns", 0.011), ("returns_percent", 1.1)])
def test_what_is_usual_is_not_doubted(importing: Import, days: list[str], holds: str, deviation: float) -> None:
    assert stamps(importing, days, holds, deviation)[0].startswith("Imported result: its costs")


def of(volatility: float | None) -> Metrics:
    return {"volatility": volatility}


@pytest.mark.parametrize(
    ("holds", "own", "benchmark", "doubted"),
    [
        ("returns", 0.61, 0.20, True),
        ("returns", 0.59, 0.10, False),
        ("returns", 0.87, 0.30, False),  # where the benchmark itself is as lively
        ("returns_percent", 0.0099, 0.16, True),
        ("returns_percent", 0.011, 0.16, False),
        ("returns_percent", 0.005, 0.01, False),  # as quiet as the benchmark
        ("returns_percent", 0.0, 0.16, False),
        ("returns", None, 0.16, False),
        ("returns", 0.9, None, False),
        ("equity", 0.9, 0.16, False),
    ],
)
def test_where_the_doubt_begins(holds: str, own: float | None, benchmark: float | None, doubted: bool) -> None:
    assert bool(reading_stamp(holds, of(own), of(benchmark))) is doubted


def test_a_curve_that_never_loses_is_told_first(importing: Import, days: list[str]) -> None:
    content = "date,it\n" + "".join(f"{day},0.004\n" for day in days)
    job = importing(content, result={"holds": "returns", "value": "it"}, evaluation=LIGHT)
    run.run(job)
    told = json.loads((job.folder / "report/summary.json").read_text())["stamps"][0]
    assert told.startswith(f"None of its {len(days)} bars with a return lost") or told.startswith(
        f"None of its {len(days) - 1} bars with a return lost"
    )


@pytest.mark.parametrize(
    ("gains", "losses", "flat", "told"), [(57, 6, 0, True), (56, 7, 500, False), (62, 0, 900, False), (63, 0, 0, True)]
)
def test_where_a_curve_is_too_smooth(gains: int, losses: int, flat: int, told: bool) -> None:
    returns = np.array([0.01] * gains + [-0.01] * losses + [0.0] * flat)
    assert bool(smooth_stamp(returns)) is told
