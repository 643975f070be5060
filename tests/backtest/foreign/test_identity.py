"""The equity that StockBot wrote of a strategy, imported, has the figures of that strategy to the last bit."""

import csv
from pathlib import Path

import pytest

from runfiles.metric_keys import METRICS, OF_ACCOUNT
from tests.backtest.foreign.conftest import Pair


def test_every_metric_that_a_curve_has(pair: Pair) -> None:
    own, imported = pair.read("metrics.json")
    known = [key for key in METRICS if key not in OF_ACCOUNT]
    assert len(known) == 23 and None not in [own[key] for key in known]
    assert {key: imported[key] for key in known} == {key: own[key] for key in known}
    assert [imported[key] for key in METRICS if key in OF_ACCOUNT] == [None] * len(OF_ACCOUNT)


def rows(folder: Path, name: str) -> dict[str, dict[str, str]]:
    with (folder / "report" / name).open() as stream:
        return {next(iter(row.values())): row for row in csv.DictReader(stream)}


def test_the_intervals(pair: Pair) -> None:
    own, imported = (rows(folder, "intervals.csv") for folder in (pair.own, pair.imported))
    assert own.keys() - imported.keys() == {"turnover", "cost_drag_bps"}
    assert imported == {key: own[key] for key in imported} and len(imported) == 8


@pytest.mark.parametrize("name", ["periods.csv", "drawdowns.csv", "rolling.csv"])
def test_months_falls_and_rolling_figures(pair: Pair, name: str) -> None:
    assert (pair.own / "report" / name).read_bytes() == (pair.imported / "report" / name).read_bytes()


def test_the_verdict_and_every_excess(pair: Pair) -> None:
    own, imported = pair.read("summary.json")
    assert imported["excesses"] == own["excesses"] and len(own["excesses"]) == 8
    assert [key for key in own["verdict"] if own["verdict"][key] != imported["verdict"][key]] == [
        "leak_gate",
        "sentence",
    ]
    assert own["verdict"]["leak_gate"] == "passed" and imported["verdict"]["leak_gate"] == "incomplete"


def test_the_baselines_are_the_same_files(pair: Pair) -> None:
    names = sorted(path.relative_to(pair.own) for path in (pair.own / "report/baselines").rglob("*.csv"))
    assert len(names) == 9 * 12  # nine baselines, each with every CSV
    for name in names:
        assert (pair.own / name).read_bytes() == (pair.imported / name).read_bytes(), name
