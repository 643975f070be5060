"""docs/run-directory.md lists exactly the files, keys, columns and metrics that the code writes."""

import ast
import dataclasses
import inspect
import textwrap
from typing import Any, get_args

import numpy as np
import pytest

from backtest import breakdown, feed, part_tables, report_files, tables
from backtest.intervals import Interval
from backtest.matched_random import MatchedRandom
from backtest.metrics import compute
from backtest.rerun import BreakEven, Capacity, DelayRow, Rerun, Row, Sweep
from backtest.stress import Stressed, StressRow
from backtest.trades import fifo
from backtest.verdict import Code, Verdict
from marketdata import fetch_build, fetch_note
from runfiles import events, layout, manifest, outcome, versions
from runfiles.metric_keys import METRICS
from simulator.config import SimulatorConfig
from simulator.engine import Decisions, run_decisions
from simulator.market import prepare_market
from simulator.state import REASONS
from tests.docs.pages import codes, named, page, section, table
from tests.docs.test_conventions import finding_codes
from tests.simulator.markets import make_bars

PAGE = page("docs/run-directory.md")


def literal_keys(function: Any) -> set[str]:
    """Keys of the first dict that the function writes out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    first = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict) and node.keys)
    return {key.value for key in first.keys if isinstance(key, ast.Constant)}


def test_every_file_with_key_path_kind_and_type() -> None:
    listed = {codes(row[0])[0]: (codes(row[1])[0], row[2], row[3]) for row in table(section(PAGE, "Files"))}
    assert listed == {spec.key: (spec.path, spec.kind, spec.media_type) for spec in layout.FILES.values()}


def test_the_control_folder() -> None:
    assert named(section(PAGE, "Control folder")) == {
        layout.LOCK, layout.START, layout.CANCEL, layout.EXIT_ROOM, layout.EXIT, "shim.log",
    }  # fmt: skip


@pytest.fixture(scope="module")
def headers() -> dict[str, str]:
    """First line of each table of a small book."""
    bars = make_bars([[10.0], [11.0], [12.0]])
    market = prepare_market(bars, SimulatorConfig())
    ledger = run_decisions(market, SimulatorConfig(), Decisions(np.array([0]), np.array([[1.0]])), 0, 2)
    trades, times = fifo(ledger), tables.bar_times(market)
    flat = np.zeros(2)
    found = {
        "metrics.csv": tables.metrics_table(compute(ledger, trades, market, flat, flat)),
        "equity.csv": tables.equity_table(ledger, times),
        "orders.csv": tables.orders_table(ledger, times, market.symbols),
        "trades.csv": tables.trades_table(trades, times, market.symbols),
        "weights.csv": tables.weights_table(ledger, times, market.symbols),
        "symbols.csv": part_tables.symbols_table(breakdown.symbols_of(ledger, trades, market, 0.0)),
        "sides.csv": part_tables.sides_table(breakdown.sides_of(ledger, trades, market)),
        "costs.csv": part_tables.costs_table(breakdown.costs_of(ledger, 252.0)),
        "periods.csv": part_tables.periods_table(breakdown.periods_of(ledger, market)),
        "drawdowns.csv": part_tables.drawdowns_table(breakdown.drawdowns_of(ledger), times),
        "rolling.csv": part_tables.rolling_table(np.zeros((0, 3)), ledger, 2, times),
        "intervals.csv": part_tables.intervals_table((Interval("cagr", "interval", None, None, None),)),
    }
    return {name: content.decode().splitlines()[0] for name, content in found.items()}


def test_every_column_of_every_table(headers: dict[str, str]) -> None:
    listed = {codes(row[0])[0]: codes(row[1])[0] for row in table(section(PAGE, "Columns"))}
    assert headers.pop("weights.csv") == f"{listed.pop('weights.csv')},S0"
    assert listed == headers


def test_every_csv_of_the_report_has_its_columns_listed() -> None:
    written = {name for name, _, _ in layout.REPORT_FILES.values() if name.endswith(".csv")}
    assert named(section(PAGE, "Columns")) >= written


def test_every_reason_of_an_order() -> None:
    text = PAGE[PAGE.index("`reason` of an order:") :]
    told = {code for row in table(text) for code in codes(row[0])}
    assert told == set(REASONS)


def test_every_metric_with_unit_and_definition() -> None:
    rows = [(codes(row[0])[0], *row[1:]) for row in table(section(PAGE, "Metrics"))]
    specs = METRICS.values()
    assert rows == [(spec.key, spec.label, spec.unit, spec.better or "–", spec.definition) for spec in specs]


def test_every_metric_has_its_formula() -> None:
    told: set[str] = set()
    for row in table(section(page("docs/judging.md"), "Metrics")):
        told |= set(codes(row[0]))
    told |= {key for key in METRICS if key.startswith("cost_")} if "cost_…_bps" in told else set()
    counts = {"n_bars", "n_orders", "n_trades"}
    assert told - {"cost_…_bps"} == set(METRICS) - counts


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("events.jsonl", set(events.Event.__annotations__)),
        ("versions.json", literal_keys(versions.versions)),
        ("dataset.json", literal_keys(feed.write_note)),
        ("summary.json", literal_keys(report_files.summary_of) | {"spread", "matched_random", "seeds", "absent"}),
    ],
)
def test_every_key_of_the_json_files(heading: str, keys: set[str]) -> None:
    assert named(section(PAGE, heading)) == keys


def test_every_key_of_the_dataset_of_a_fetch() -> None:
    text = section(PAGE, "Of a fetch")
    told = set(codes(text.split("| key |")[0])) | named(text)
    assert told >= literal_keys(fetch_note.write_note)
    assert finding_codes(fetch_build) <= set(codes(text))


def test_every_kind_and_phase_of_an_event() -> None:
    rows = {codes(row[0])[0]: codes(row[1]) for row in table(section(PAGE, "events.jsonl"))}
    assert rows["kind"] == list(events.KINDS) and rows["phase"] == list(events.PHASES)


def sentence_after(text: str, start: str) -> list[str]:
    """Codes of the sentence that begins with `start`, its own first one left out."""
    return codes(text[text.index(start) :].split(". ")[0].split(".\n")[0])[1:]


def test_the_verdict_and_the_excesses() -> None:
    told = sentence_after(section(PAGE, "summary.json"), "Keys of `verdict`")
    codes_of_verdict = list(get_args(Code))
    assert set(told) - set(codes_of_verdict) == {field.name for field in dataclasses.fields(Verdict)}
    assert set(codes_of_verdict) <= set(told)
    listed = sentence_after(section(PAGE, "summary.json"), "Keys of an entry of `excesses`")
    tree = ast.parse(inspect.getsource(report_files.excesses))
    written = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    assert listed == [key.value for key in written.keys if isinstance(key, ast.Constant)]


def names(model: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(model)]


def test_what_is_run_again() -> None:
    text = section(PAGE, "sensitivity.json")
    assert named(text) == set(names(Row))
    assert sentence_after(text, "Keys of an entry of `delays`") == names(DelayRow)
    assert [key for key in sentence_after(text, "Keys of an entry of `strategies`") if key != "strategies"] == names(
        Rerun
    )
    assert sentence_after(text, "Keys of `break_even`") == names(BreakEven)
    assert set(codes(text.split("`status` is")[1])) == {"found", "none", "beyond", "unknown"}
    assert set(names(Sweep)) <= set(codes(text)) and set(names(Capacity)) <= set(codes(section(PAGE, "capacity.json")))


def test_crises() -> None:
    text = section(PAGE, "stress.json")
    assert named(text) == set(names(StressRow))
    assert sentence_after(text, "Keys of an entry of `strategies`") == names(Stressed)


def test_the_percentile_of_luck() -> None:
    told = sentence_after(section(PAGE, "summary.json"), "Keys of `matched_random`")
    assert told == [field.name for field in dataclasses.fields(MatchedRandom)]


def test_the_outcome_and_the_manifest() -> None:
    told = set(sentence_after(section(PAGE, "Control folder"), "Keys of `exit.json`"))
    assert told == set(outcome.Outcome.__annotations__) | outcome.ENDS
    entry = set(codes(section(PAGE, "manifest.json"))) - {"v", "files"}
    assert entry == set(manifest.Entry.__annotations__)
