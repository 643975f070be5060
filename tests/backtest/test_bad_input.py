"""Each bad input of a backtest, from stored bars to the end of its job: it succeeds and says what it saw, or ends with
one sentence that names what is wrong; and what the run leaves can be read either way.
"""

import dataclasses
import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import registry, run
from marketdata.bars import Bars
from marketdata.findings import Finding
from marketdata.store import EntryMeta, Store
from runfiles import layout, outcome, yamlio
from runfiles.job import run_job
from tests.marketdata.build import bars_of
from tests.marketdata.files.build import FULL, built
from tests.runs_app.datasets.made import SESSIONS, prices

ID = "test/bad"
DAYS = np.array(SESSIONS, dtype="datetime64[D]")
SPAN = [str(day) for day in SESSIONS]
T = 30
"""The bar at which something is wrong."""
RUN: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": ID},
    "start": SPAN[20],
    "end": SPAN[-1],
    "evaluation": {"baselines": ["buy_hold"], "bootstrap_paths": 1000, "stress_windows": [],
                   "cost_multipliers": [1.0], "capacity_multipliers": [1.0]},
}  # fmt: skip


def good(assets: int = 2, seed: int = 3) -> Bars:
    """A calm walk with every field."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (len(DAYS), assets)), axis=0))
    opened = close * np.exp(rng.normal(0, 0.002, close.shape))
    top, floor = np.maximum(opened, close) * 1.002, np.minimum(opened, close) / 1.002
    names = [f"S{number:03d}" for number in range(assets)] if assets > 2 else list("AB")[:assets]
    return bars_of(
        close, symbols=names, session=DAYS, open=opened, high=top, low=floor, volume=np.full(close.shape, 1e6)
    )


def with_cell(name: str, value: float, t: int = T) -> Bars:
    """Good bars of which one value of B is another."""
    bars = good()
    column = np.array(bars.column(name))
    column[t, 1] = value
    return dataclasses.replace(bars, **{name: column})


def without(rows: slice, *names: str) -> Bars:
    """Good bars without these rows of B, in these fields or all."""
    bars = good()
    columns = {name: np.array(bars.column(name)) for name in names or bars.fields}
    for column in columns.values():
        column[rows, 1] = np.nan
    return dataclasses.replace(bars, **columns)


def split_at(t: int) -> Bars:
    """B is split 2:1 in bar t, its prices halved from there on."""
    bars = good()
    ratio = np.ones(bars.close.shape)
    ratio[t, 1] = 2.0
    grown = np.cumprod(ratio, axis=0)
    columns = {name: np.asarray(bars.column(name)) / grown for name in ("open", "high", "low", "close")}
    return dataclasses.replace(bars, split=ratio, dividend=np.zeros(ratio.shape), **columns)


@dataclass(frozen=True)
class Case:
    """`data`: bars, or the text of a file of prices. `ends`: what the one sentence of a refusal holds, nothing where
    the run succeeds; `tells`: what its warnings then hold.
    """

    name: str
    data: Any
    change: dict[str, Any] = dataclasses.field(default_factory=dict)
    ends: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    own: str = ""


ROWS = prices().splitlines()
BACKWARDS = "\n".join([ROWS[0], *ROWS[:0:-1]])
NO_VOLUME = dataclasses.replace(good(), volume=None)
CLOSES = dataclasses.replace(NO_VOLUME, open=None, high=None, low=None)
CASES = (
    Case("unsorted", BACKWARDS, tells=("A", "order", SPAN[-2])),
    Case("duplicated, the same", prices() + ROWS[5], tells=("A", "repeated row", SPAN[2])),
    Case("duplicated, other values", prices() + f"{SPAN[2]},A,1,2,0.5,1,1",
         ends=("A", "repeated row", SPAN[2], "other values")),
    Case("gapped", without(slice(T, T + 3)), tells=("B has no close on 3 sessions", SPAN[T])),
    Case("more gap than data", without(slice(T, 100)), ends=("B has no close on 70 sessions", SPAN[T])),
    Case("NaN close", with_cell("close", np.nan), tells=("B has no close on 1 session", SPAN[T])),
    Case("NaN volume, impact", with_cell("volume", np.nan), {"exec": {"impact_k": 100, "participation_cap": 0.1}},
         tells=("B has a close but no volume", SPAN[T])),
    Case("no volume of one symbol, impact", without(slice(0, None), "volume"), {"exec": {"impact_k": 100}},
         tells=("B has a close but no volume", SPAN[0])),
    Case("NaN open", with_cell("open", np.nan), tells=("B has a close but no open", SPAN[T])),
    Case("infinite", with_cell("high", np.inf), ends=("B has an infinite high", SPAN[T])),
    Case("zero price", with_cell("close", 0.0), ends=("B has a close of 0", SPAN[T], "above 0")),
    Case("negative price", with_cell("low", -5.0), ends=("B has a low of -5", SPAN[T], "above 0")),
    Case("negative volume", with_cell("volume", -5.0), ends=("B has a volume of -5", SPAN[T], "negative")),
    Case("high below low", with_cell("high", 10.0), ends=("B has a high of 10", SPAN[T], "below")),
    Case("no volume, none needed", NO_VOLUME),
    Case("no volume, impact", NO_VOLUME, {"exec": {"impact_k": 100}}, ("exec.impact_k", "needs volume", "auto")),
    Case("no volume, participation", NO_VOLUME, {"exec": {"participation_cap": 0.1}},
         ("exec.participation_cap", "needs volume", "auto")),
    Case("no open", CLOSES, {"exec": {"fill": "next_open"}}, ("exec.fill", "opening prices", "next_close")),
    Case("no high and low", CLOSES, {"exec": {"order_type": "limit"}}, ("exec.order_type", "open, high, low")),
    Case("judged before the data", good(), {"start": "2019-01-02"}, ("start", SPAN[0], SPAN[-1])),
    Case("judged after the data", good(), {"end": "2031-01-02"}, ("end", SPAN[0], SPAN[-1])),
    Case("data from before the data", good(), {"dataset": {"id": ID, "start": "2019-01-02"}},
         ("dataset.start", ID, SPAN[0], SPAN[-1])),
    Case("no split fits", good(), {"start": None, "end": None}, ("split.scheme", "last_year", SPAN[0], SPAN[-1])),
    Case("one bar", good().between(SESSIONS[0], SESSIONS[0]), {"start": None, "end": None},
         ("dataset.end", ID, f"from {SPAN[0]} to {SPAN[0]}", "two sessions")),
    Case("one bar chosen", good(), {"dataset": {"id": ID, "start": SPAN[5], "end": SPAN[5]}},
         ("dataset", f"Start {SPAN[5]} must lie before end {SPAN[5]}")),
    Case("one bar judged", good(), {"start": SPAN[40], "end": SPAN[41]}, ("end", SPAN[40], SPAN[41])),
    Case("one asset", good(1)),
    Case("1,000 assets", good(1000)),
    Case("starts late", without(slice(0, 60)), tells=("B has no close before", SPAN[60])),
    Case("ends early", without(slice(60, None)), tells=("B has no close after", SPAN[59])),
    Case("never there", without(slice(0, None)), ends=("B has no close", SPAN[0], SPAN[-1])),
    Case("benchmark starts late", without(slice(0, 60)), {"evaluation": RUN["evaluation"] | {
         "baselines": ["benchmark"], "benchmark": "B"}}, tells=("B has no close before", SPAN[60])),
    Case("split on the first bar", split_at(0), tells=("B has a split of 2", SPAN[0], "changes nothing")),
    Case("split on the first bar judged", split_at(20)),
    Case("split on the bar after", split_at(21)),
    Case("strategy NaN", good(), own="Nan", ends=("nan gave nan for B", SPAN[T])),
    Case("strategy of the wrong shape", good(), own="Wide", ends=("wide gave", "(3,)", SPAN[T], "A, B")),
    Case("strategy over the caps", good(), own="Heavy",
         ends=("heavy gave 1.4 for B", SPAN[T], "max_position_weight")),
    Case("strategy over the gross cap", good(), own="Levered",
         ends=("levered gave", "1.5", SPAN[T], "max_gross_leverage")),
    Case("strategy raises", good(), own="Raises", ends=("raises raised KeyError", SPAN[T])),
    Case("weights over the caps", good(), {"policy": "fixed_weights", "evaluation": RUN["evaluation"] | {
         "fixed_weights": {"A": 0.2, "B": 1.4}}}, ends=("evaluation.fixed_weights", "B is 1.4", "max_position_weight")),
    Case("weights of no symbol", good(), {"policy": "fixed_weights", "evaluation": RUN["evaluation"] | {
         "fixed_weights": {"C": 0.2}}}, ends=("evaluation.fixed_weights", "C")),
)  # fmt: skip

CODE = f"""
import numpy as np

from tests.backtest.stepping import Stepping


class Answering(Stepping):
    def decide(self, t, session):
        return np.array([0.5, 0.5]) if t < {T} else self.answer()


def stepping(name, answer):
    globals()[name] = type(name, (Answering,), {{"key": name.lower(), "answer": staticmethod(answer)}})


stepping("Nan", lambda: [0.1, np.nan])
stepping("Wide", lambda: [0.1, 0.1, 0.1])
stepping("Heavy", lambda: [0.1, 1.4])
stepping("Levered", lambda: [0.7, 0.8])
stepping("Raises", lambda: {{}}["KO"])
"""


@pytest.fixture
def strategies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`bad_strategies` on the path, and a registry that forgets what was added."""
    (tmp_path / "bad_strategies.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(registry.STRATEGIES)
    yield
    for key in set(registry.STRATEGIES) - before:
        del registry.STRATEGIES[key], registry._MAKERS[key]
    sys.modules.pop("bad_strategies", None)


def stored(folder: Path, data: Bars | str) -> Path:
    """A store that holds the bars, or those of the file with what was seen while it was read."""
    findings: list[Finding] = []
    if isinstance(data, str):
        read = built(folder, data, FULL)
        data, findings = read.bars, list(read.source_findings)
    seen = tuple(finding.as_dict() for finding in findings)
    Store(folder / "store").put(data, EntryMeta(ID, "Bad", "unknown", SPAN[-1], "hand", "none", findings=seen))
    return folder / "store"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_run_on_it(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str], strategies: None) -> None:
    store, folder = stored(tmp_path, case.data), tmp_path / "run"
    folder.mkdir()
    config = {name: value for name, value in (RUN | case.change).items() if value is not None}
    (folder / layout.CONFIG).write_text(yamlio.dump(config))
    job = functools.partial(run.run, own=(f"bad_strategies:{case.own}",) if case.own else ())
    code = run_job(job, [str(folder), "--datasets", str(store)])
    said = capfd.readouterr()
    assert json.loads((folder / layout.VERSIONS).read_text())
    assert yamlio.load((folder / layout.CONFIG).read_text()) == config
    path = folder / layout.EVENTS  # a configuration that is wrong by itself ends before the first event
    events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if case.ends and (folder / layout.DATASET).exists():
        assert json.loads((folder / layout.DATASET).read_text())["id"] == ID
    if case.ends:
        assert code == outcome.CODE_REFUSED
        sentence = said.err.strip().splitlines()[-1]
        assert all(word in sentence for word in case.ends), sentence
        assert sentence.endswith(".") and "None" not in sentence
        assert case.own or "Traceback" not in said.err
        assert not (folder / layout.REPORT).exists() and not (folder / layout.MANIFEST).exists()
    else:
        assert code == outcome.CODE_OK, said.err
        told = " ".join(json.dumps(event) for event in events)
        assert all(word in told for word in case.tells), told
        assert np.isfinite(json.loads((folder / layout.REPORT / "metrics.json").read_text())["total_return"])
