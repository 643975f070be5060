"""Prices of a run with its fills and weights: on paper, joined, across a split, and of its owner alone."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runs_app import places, price_chart, symbol_files
from runs_app.models import Dataset, Run
from tests.runs_app.api.conftest import API, MakeRun, missing
from tests.runs_app.traded_run import CLOSES, ORDERS, WEIGHTS, traded_run, write


@pytest.fixture
def paper(alice: User, settings: Any) -> Run:
    return traded_run(alice, Path(settings.DATASETS_ROOT))


def get(client: Client, run: Any, query: str = "", **headers: str) -> Any:
    return client.get(f"{API}/runs/{getattr(run, 'id', run)}/prices{query}", headers=headers)


def test_bars_weights_and_fills_of_the_judged_range(as_alice: Client, paper: Run) -> None:
    found = get(as_alice, paper).json()
    assert (found["symbol"], found["interval"], found["adjustment"]) == ("A", "1d", "raw")
    assert (found["n_total"], found["bars_a_point"], found["n_fills"]) == (7, 1, 3)
    assert found["session"][0] == "2024-03-05" and found["time"][-1] == "2024-03-13T20:00:00Z"
    assert found["close"] == CLOSES[1:].tolist() and found["weight"] == WEIGHTS[1:]
    assert found["high"] == (CLOSES[1:] + 1).tolist() and found["split"] == [1, 1, 1, 2, 1, 1, 1]
    assert found["fills"] == {
        "point": [0, 2, 4], "side": ["buy", "buy", "sell"], "count": [1, 1, 1], "shares": [10, 5, 12],
        "price": [102, 106, 55], "money": [1020, 530, 660], "costs": [1.0, 0.5, 0.25],
    }  # fmt: skip
    assert found["profit"] == {
        "pnl_gross": 90,
        "fees": 1,
        "slippage": 0.75,
        "dividends": 9,
        "financing": 0,
        "pnl_net": 97.25,
    }


def test_joined_points_keep_every_fill_extreme_and_the_split(as_alice: Client, paper: Run) -> None:
    found = get(as_alice, paper, "?max_points=2").json()
    assert (found["bars_a_point"], found["n_fills"], found["session"]) == (4, 3, ["2024-03-08", "2024-03-13"])
    assert (found["close_low"], found["close_high"], found["split"]) == ([54, 55], [106, 57], [2, 1])
    assert (found["weight"], found["weight_low"], found["weight_high"]) == (
        [0.162, 0.1026],
        [0.102, 0.099],
        [0.162, 0.1026],
    )
    # 15 shares bought before the split are 30 of the point's last bar, paid for with 1,550
    assert found["fills"] == {
        "point": [0, 1], "side": ["buy", "sell"], "count": [2, 1], "shares": [30, 12],
        "price": [pytest.approx(1550 / 30), 55], "money": [1550, 660], "costs": [1.5, 0.25],
    }  # fmt: skip


def test_a_part_of_the_range_holds_its_own_fills_alone(as_alice: Client, paper: Run) -> None:
    found = get(as_alice, paper, "?start=2024-03-06&end=2024-03-08&max_points=2").json()
    assert (found["n_total"], found["n_fills"], found["fills"]["point"]) == (
        3,
        1,
        [0],
    )  # the sale is a bar after the end
    assert get(as_alice, paper, "?start=2024-03-12").json()["fills"]["count"] == []
    assert get(as_alice, paper, "?end=2024-03-04").json()["n_total"] == 0


def test_a_symbol_that_was_hardly_traded(as_alice: Client, paper: Run) -> None:
    found = get(as_alice, paper, "?symbol=B").json()
    assert (found["n_fills"], found["fills"]["shares"], set(found["weight"])) == (1, [3], {0.0})


@pytest.mark.parametrize(("adjustment", "first"), [("split", 51.0), ("total_return", 51.0 * (1 - 0.5 / 55))])
def test_prices_are_adjusted_as_the_run_traded(
    alice: User, as_alice: Client, settings: Any, adjustment: str, first: float
) -> None:
    run = traded_run(alice, Path(settings.DATASETS_ROOT), adjustment=adjustment)
    found = get(as_alice, run).json()
    assert (found["adjustment"], found["close"][0], "split" in found) == (adjustment, pytest.approx(first), False)


def test_an_action_after_the_days_that_the_run_was_fed_changes_nothing(
    alice: User, as_alice: Client, settings: Any
) -> None:
    run = traded_run(alice, Path(settings.DATASETS_ROOT), adjustment="split", end="2024-03-07")
    rows = [f"2024-03-0{day}T21:00:00Z,0.1,0.0" for day in (5, 6, 7)]
    write(run, "weights", ["time,A,B", *rows])
    write(run, "orders", [ORDERS])
    found = get(as_alice, run).json()
    assert (found["close"], found["n_fills"]) == ([102, 104, 106], 0)


def test_another_person_is_told_what_a_missing_run_would_tell(as_bob: Client, paper: Run) -> None:
    answers = [get(as_bob, one) for one in (paper, missing())]
    assert [answer.status_code for answer in answers] == [404, 404] and answers[0].content == answers[1].content


def test_nobody_is_asked_who_they_are(paper: Run) -> None:
    answer = get(Client(), paper)
    assert answer.status_code == 401 and b"close" not in answer.content


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("symbol=ZZ", "symbol", "This run has no such symbol; it holds A, B."),
        ("start=soon", "start", "Must be a date such as 2022-12-28."),
        ("end=2024-02-30", "end", "Must be a date such as 2022-12-28."),
        ("start=2024-03-08&end=2024-03-05", "start", "Must lie on or before end."),
        ("max_points=1", "max_points", "Must be a whole number from 2 to 20000."),
        ("strategy=cash", "strategy", "Unknown parameter; use symbol, start, end, max_points."),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(as_alice: Client, paper: Run, query: str, field: str, sentence: str) -> None:
    answer = get(as_alice, paper, f"?{query}")
    assert (answer.status_code, answer.json()["errors"]) == (400, {field: [sentence]})


def test_what_did_not_change_is_not_read_again(as_alice: Client, paper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get(as_alice, paper)
    with monkeypatch.context() as patched:
        patched.setattr(price_chart, "columns", lambda *_: pytest.fail("read"))
        again = get(as_alice, paper, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert get(as_alice, paper, "?symbol=B", **{"If-None-Match": first["ETag"]}).status_code == 200
    write(paper, "orders", [ORDERS])
    assert get(as_alice, paper, **{"If-None-Match": first["ETag"]}).json()["n_fills"] == 0


def told(client: Client, run: Any) -> str:
    answer = get(client, run)
    assert (answer.status_code, answer.json()["errors"]) == (404, {})
    detail: str = answer.json()["detail"]
    return detail


def test_a_run_that_trades_nothing_or_not_yet(as_alice: Client, make_run: MakeRun) -> None:
    assert told(as_alice, make_run(kind="data", state="SUCCEEDED")).startswith("A data fetch trades nothing")
    assert "has not ended yet" in told(as_alice, make_run(state="QUEUED"))
    assert told(as_alice, make_run(state="FAILED")).startswith("The prices that this run traded (none is named)")


@pytest.mark.parametrize("key", ["orders", "weights"])
def test_a_run_without_a_table(as_alice: Client, paper: Run, key: str) -> None:
    (places.run_folder(paper.id) / f"report/{key}.csv").unlink()
    assert told(as_alice, paper) == f"This run left no {key}.csv, which the chart is drawn from."


def test_a_dataset_that_is_gone(as_alice: Client, paper: Run) -> None:
    Dataset.objects.all().delete()
    sentence = told(as_alice, paper)
    assert sentence.startswith(
        f"The prices that this run traded (files/paper {paper.dataset_version[:12]}) are not stored"
    )


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "INTERRUPTED"])
def test_a_run_that_ended_badly_keeps_the_chart_of_what_it_left(as_alice: Client, paper: Run, state: str) -> None:
    other = Run.objects.create(
        owner=paper.owner, kind="train", state=state, ended=paper.ended, config=paper.config, config_hash="0" * 64,
        dataset_name=paper.dataset_name, dataset_version=paper.dataset_version,
    )  # fmt: skip
    shutil.copytree(places.run_folder(paper.id), places.run_folder(other.id))
    assert get(as_alice, other).json()["n_fills"] == 3


def test_a_dataset_that_is_another_persons_is_gone(as_alice: Client, bob: User, paper: Run) -> None:
    Dataset.objects.update(owner=bob)
    assert "are not stored any more" in told(as_alice, paper)


def test_a_symbol_that_reads_like_a_number_of_shares(alice: User, as_alice: Client, settings: Any) -> None:
    run = traded_run(alice, Path(settings.DATASETS_ROOT), names=("3", "B"))
    assert get(as_alice, run, "?symbol=3").json()["fills"]["shares"] == [10, 5, 12]


def test_one_of_a_thousand_symbols(alice: User, as_alice: Client, settings: Any) -> None:
    run = traded_run(alice, Path(settings.DATASETS_ROOT), names=tuple(f"S{number:03}" for number in range(1000)))
    found = get(as_alice, run, "?symbol=S998").json()
    assert (found["close"], found["n_fills"], found["weight"]) == (CLOSES[1:].tolist(), 3, WEIGHTS[1:])
    assert get(as_alice, run, "?symbol=S99").json()["errors"].keys() == {"symbol"}


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("weights", ["time,A,B"]), ("weights", []), ("weights", ["time,B", "2024-03-05T21:00:00Z,0.1"]),
        ("weights", ["time,A,B", "2024-03-05T21:00:00Z"]), ("weights", ["time,A,B", "soon,0.1,0.1"]),
        ("weights", ["time,A,B", "2024-03-05T21:00:00Z,much,0.1"]), ("weights", ["time,A,B", "\xff\xfe,0.1,0.1"]),
        ("weights", ["time,A,B", "2024-03-05T21:00:00Z,0.1,0", "2024-03-07T21:00:00Z,0.1,0"]),
        ("weights", ["x" * 1_100_000]), ("orders", [ORDERS, "x" * 5_000_000]), ("orders", [""]),
        ("orders", [ORDERS, "1,A,A,A"]),
        ("orders", [ORDERS, "1,,x,A,"]),
        ("orders", [ORDERS, "1,t,2023-03-05T21:00:00Z,A,buy,1,1,1,1,0,0,0,filled"]),
        ("orders", [ORDERS, "1,t,2024-03-05T21:00:00Z,A,buy,1,one,1,1,0,0,0,filled"]),
    ],
)  # fmt: skip
def test_a_table_of_another_shape_is_told_and_breaks_nothing(
    as_alice: Client, paper: Run, key: str, lines: list[str]
) -> None:
    write(paper, key, lines)
    assert f"{key}.csv of this run" in told(as_alice, paper)


def test_no_profit_where_the_table_is_torn(as_alice: Client, paper: Run) -> None:
    write(paper, "symbols", ["symbol,pnl_gross", "A,1.0"])
    assert get(as_alice, paper).json()["profit"] is None


def test_fills_are_found_wherever_a_block_ends(as_alice: Client, paper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = get(as_alice, paper).json()["fills"]
    for size in (1, 7, 64, 129):
        monkeypatch.setattr(symbol_files, "BLOCK", size)
        assert get(as_alice, paper).json()["fills"] == whole
