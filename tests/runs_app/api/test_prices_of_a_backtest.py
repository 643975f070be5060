"""The chart of real backtests: every fill lies on the bar and at the price that the chart shows, splits included."""

import csv
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runs_app import places
from tests.runs_app.api.conftest import API
from tests.runs_app.judged_run import SYMBOLS, drawn_bars, judged_run

SHORT = dt.date(2021, 2, 26)


def rows(run: Any, name: str) -> list[dict[str, str]]:
    with (places.run_folder(run.id) / f"report/{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("case", ["raw", "split", "total_return", "hourly"])
def test_fills_lie_on_the_prices_of_the_chart(alice: User, as_alice: Client, settings: Any, case: str) -> None:
    bars = drawn_bars("1h", SHORT) if case == "hourly" else drawn_bars()
    adjustment = "raw" if case == "hourly" else case
    days = (
        {"start": "2021-02-01", "end": str(SHORT)} if case == "hourly" else {"start": "2022-01-03", "end": "2023-12-29"}
    )
    policy = {"policy": "equal"} if case == "hourly" else {}
    run = judged_run(alice, Path(settings.DATASETS_ROOT), bars, dataset={"adjustment": adjustment}, **days, **policy)
    orders = [row for row in rows(run, "orders") if row["filled"]]
    assert len(orders) >= len(SYMBOLS) and {row["symbol"] for row in orders} == set(SYMBOLS)
    assert case != "raw" or bought_on_both_sides_of_the_split(orders)
    for symbol in SYMBOLS:
        found = as_alice.get(f"{API}/runs/{run.id}/prices?symbol={symbol}&max_points=20000").json()
        at = {time: place for place, time in enumerate(found["time"])}
        mine = [row for row in orders if row["symbol"] == symbol]
        assert found["time"] == [row["time"] for row in rows(run, "weights")]
        assert [float(row["price_ref"]) for row in mine] == pytest.approx(
            [found["open"][at[row["filled"]]] for row in mine]
        )
        marks = zip(found["fills"]["point"], found["fills"]["side"], strict=True)
        counted = Counter((at[row["filled"]], row["side"]) for row in mine)
        assert counted == dict(zip(marks, found["fills"]["count"], strict=True))
        assert found["weight"] == pytest.approx([float(row[symbol]) for row in rows(run, "weights")])
        few = as_alice.get(f"{API}/runs/{run.id}/prices?symbol={symbol}&max_points=7").json()
        assert few["n_fills"] == sum(few["fills"]["count"]) == found["n_fills"] == len(mine)
        assert sum(few["fills"]["money"]) == pytest.approx(sum(found["fills"]["money"]))
        assert found["profit"]["pnl_net"] == float(
            next(row for row in rows(run, "symbols") if row["symbol"] == symbol)["pnl_net"]
        )


def bought_on_both_sides_of_the_split(orders: list[dict[str, str]]) -> bool:
    bars = drawn_bars()
    day = str(bars.session[bars.split[:, 0] > 1][0]) if bars.split is not None else ""
    times = [row["filled"] for row in orders if row["symbol"] == "FIG"]
    return min(times) < day < max(times)
