"""What hides from a rerun in one process or from few cuts: memory that outlives a run, and peeks on rare bars."""

import dataclasses
import functools
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.leaks import by_hand, feature_search
from backtest.leaks.exchange import load_bars, load_outcome, save_bars, save_outcome
from backtest.leaks.feature_cuts import search, unusual
from backtest.leaks.report import LeakReport, Reach
from backtest.leaks.run import run as leaks_of_a_run
from backtest.leaks.trace import Trace, Unmade, trace
from backtest.own import OwnStrategy, find
from marketdata.bars import Bars, Floats
from marketdata.config import FeaturesConfig
from marketdata.features import FeaturePlan, plan_of
from marketdata.indicators.registry import INDICATORS
from runfiles import yamlio
from runfiles.job import run_job
from simulator.config import SimulatorConfig
from simulator.market import prepare_market
from tests.backtest.conftest import MakeJob
from tests.backtest.leaks.conftest import Check, failed
from tests.backtest.leaks.subjects import SPAN, Honest, blind
from tests.marketdata.build import random_ohlcv, with_actions

PLACE = "tests.backtest.leaks.smuggled"


def of_ones_own(name: str, key: str) -> OwnStrategy:
    path = f"{PLACE}:{name}"
    return OwnStrategy(find(path), path, BacktestConfig(policy=key))


@pytest.fixture(autouse=True)
def indicators_as_they_were() -> Iterator[None]:
    """The first import of the planted module registers indicators, in whichever test that is."""
    before = dict(INDICATORS)
    yield
    INDICATORS.clear()
    INDICATORS.update(before)


@pytest.fixture
def smuggled() -> ModuleType:
    """The planted indicators, for as long as a test runs."""
    return importlib.reload(importlib.import_module(PLACE))


def test_memory_of_a_class_is_found(check: Check) -> None:
    report = check(of_ones_own("Remembering", "remembering"))
    assert report.state == "failed" and report.sentence.startswith("decision: ")
    assert report.sentence.endswith("; it knows later bars.")


def test_the_same_memory_hides_in_one_process(check: Check) -> None:
    """Why it takes other processes: without them the same strategy passes."""

    class Hidden(type(of_ones_own("Remembering", "remembering")._inner)):  # type: ignore[misc]
        noted: dict[str, int] = {}

    assert check(Hidden(BacktestConfig(policy="remembering"))).state == "passed"


@pytest.mark.parametrize(("name", "key"), [("Caching", "caching"), ("ByDate", "by_date"), ("RareTurn", "rare_turn")])
def test_honest_memory_of_the_past_passes(check: Check, name: str, key: str) -> None:
    for config in (SimulatorConfig(), SimulatorConfig.model_validate({"exec": {"latency_bars": 2}})):
        report = check(of_ones_own(name, key), config=config)
        assert failed(report) == {} and report.state == "passed"


def test_a_peek_on_one_decision_in_forty_is_found(check: Check) -> None:
    assert "decisions" in failed(check(of_ones_own("RarePeek", "rare_peek")))


def of_features(bars: Bars, *indicators: str) -> Any:
    """A subject that sees these features and does the same whatever they say."""
    plan = plan_of(FeaturesConfig(feature_set=(), indicators=indicators), bars)

    class Seeing(Honest):
        def feature_plan(self) -> FeaturePlan:
            return plan

    return Seeing()


@pytest.mark.parametrize("name", ["x_rare", "x_after_falls", "x_remembered", "rank(x_rare)", "rsi(14)*x_remembered"])
def test_a_smuggled_feature_is_found(check: Check, smuggled: ModuleType, name: str) -> None:
    bars = random_ohlcv(1200, 3)
    report = check(of_features(bars, name), bars)
    assert report.sentence.startswith(f"features: {name} of ") and report.sentence.endswith("; it knows later bars.")


@pytest.mark.parametrize("name", ["x_rare_past", "x_cached", "rsi(14)", "mean(x_cached,5)*gap"])
def test_its_clean_twin_passes(check: Check, smuggled: ModuleType, name: str) -> None:
    bars = random_ohlcv(1200, 3)
    report = check(of_features(bars, name), bars)
    assert report.state == "passed", report.sentence
    reach, warmup = report.reach, plan_of(FeaturesConfig(feature_set=(), indicators=(name,)), bars).warmup
    assert reach is not None and (reach.what, reach.of) == ("features", 1199 - warmup) and reach.cut > 200
    assert report.sentence.endswith(reach.sentence)


def test_an_indicator_that_cannot_be_imported_is_not_examined(
    check: Check, smuggled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = random_ohlcv(600, 3)
    foreign = dataclasses.replace(INDICATORS["x_cached"], name="x_here", compute=lambda columns: columns["close"] * 0)
    monkeypatch.setitem(INDICATORS, "x_here", foreign)
    report = check(of_features(bars, "x_here"), bars)
    assert report.state == "incomplete"
    assert report.sentence == (
        f"features: a fresh process could not make them: importing {__name__} does not put x_here among the indicators."
    )


def test_one_that_cannot_be_imported_and_peeks_fails_all_the_same(
    check: Check, smuggled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars, peek = random_ohlcv(600, 3), INDICATORS["x_rare"].compute
    foreign = dataclasses.replace(INDICATORS["x_rare"], name="x_here", compute=lambda columns: peek(columns))
    monkeypatch.setitem(INDICATORS, "x_here", foreign)
    assert check(of_features(bars, "x_here"), bars).sentence.startswith("features: x_here of ")


def test_our_own_features_pass_at_every_cut() -> None:
    bars = random_ohlcv(900, 3)
    plan = plan_of(FeaturesConfig(feature_set=("ohlcv_ta_rich",), indicators=("rsi(5)@1w",)), bars)
    found = search(bars, plan, np.random.default_rng(3))
    assert found.difference is None and found.cases > 200


def test_features_of_ours_need_no_other_process(monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    monkeypatch.setattr(feature_search, "child", None)
    bars = random_ohlcv(600, 3)
    assert check(of_features(bars, "rsi(14)"), bars).state == "passed"


def test_unusual_rows() -> None:
    rare = np.zeros((50, 2))
    rare[[7, 20], 1] = 1.0
    assert unusual(rare, 3, np.random.default_rng(0)) == [7, 20]
    steps: Floats = np.arange(50.0)[:, None] + np.where(np.arange(50) >= 30, 9.0, 0.0)[:, None]
    assert 30 in unusual(steps, 1, np.random.default_rng(0))
    assert unusual(np.full((5, 1), np.nan), 3, np.random.default_rng(0)) == []


def test_the_power_is_that_of_drawing_without_putting_back() -> None:
    assert Reach("decisions", 60, 60).power == 1.0 and Reach("decisions", 0, 60).power == 0.0
    assert Reach("decisions", 30, 200).power == pytest.approx(1 - (170 / 200) * (169 / 199))  # two peeks
    drawn = np.random.default_rng(0)
    hit = [(drawn.choice(800, 100, replace=False) < 8).any() for _ in range(4000)]
    assert Reach("features", 100, 800).power == pytest.approx(np.mean(hit), abs=0.02)


def test_bars_and_runs_come_through_to_the_bit(tmp_path: Path) -> None:
    bars = dataclasses.replace(with_actions(random_ohlcv(60, 3)), rates={"bill": np.linspace(0, 0.1, 60)})
    save_bars(tmp_path, bars)
    again = load_bars(tmp_path)
    assert again.content_hash() == bars.content_hash() and again.delistings == bars.delistings
    subject, market = blind(Honest), prepare_market(random_ohlcv(420, 3), SimulatorConfig())
    subject.prepare(market, SimulatorConfig())
    found = trace(subject, market, SimulatorConfig(), SPAN.t0, SPAN.t0 + 9)
    for number, outcome in enumerate((found, None, Unmade("it says no"))):
        save_outcome(tmp_path / f"{number}.npz", outcome)
    back = load_outcome(tmp_path / "0.npz")
    assert isinstance(back, Trace) and back.decided.keys() == found.decided.keys()
    assert all(np.array_equal(value, back.book.columns[name]) for name, value in found.book.columns.items())
    assert load_outcome(tmp_path / "1.npz") is None and load_outcome(tmp_path / "2.npz") == Unmade("it says no")


def test_from_the_command_line(tmp_path: Path, datasets: Path) -> None:
    """The same rules as `backtest.run`: the key is the subject, what leads to no strategy is one sentence."""
    small = {"dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]}, "start": "2020-01-02", "end": "2020-12-31"}
    (tmp_path / "mine.yaml").write_text(yamlio.dump({"policy": "remembering", **small}), encoding="utf-8")
    command = [sys.executable, "-m", "backtest.leaks", str(tmp_path / "mine.yaml"), "--datasets", str(datasets)]
    run = functools.partial(subprocess.run, capture_output=True, text=True, timeout=120, check=False)
    done = run([*command, "--strategy", f"{PLACE}:Remembering"])
    assert done.returncode == 1 and "LEAKS: failed. decision: " in done.stdout, done.stderr
    wrong = run([*command, "--strategy", f"{PLACE}:Nobody"])
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "has no class Nobody" in wrong.stderr


def test_strategies_come_from_the_command_line_alone(
    make_job: MakeJob, tmp_path: Path, datasets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["--strategy", f"{PLACE}:Remembering"]
    job = make_job(policy="remembering", dataset={"id": "sample/us20"})
    with pytest.raises(SystemExit):  # a run directory is what the site starts
        run_job(leaks_of_a_run, [str(job.folder), "--datasets", str(datasets), *own])
    assert "unrecognized arguments: --strategy" in capsys.readouterr().err
    (tmp_path / "training.yaml").write_text(yamlio.dump({"dataset": {"id": "sample/us20"}}), encoding="utf-8")
    assert by_hand.main([str(tmp_path / "training.yaml"), "--datasets", str(datasets), *own]) == 2
    assert capsys.readouterr().err.startswith("--strategy needs a backtest's configuration")


def test_the_same_report_twice(check: Check) -> None:
    def told() -> str:
        report: LeakReport = check(of_ones_own("Caching", "caching"))
        return json.dumps(report.as_dict())

    assert told() == told()


def test_one_that_a_fresh_process_cannot_make_is_not_examined(check: Check) -> None:
    """And so never taken for one that passed."""
    broken = of_ones_own("Caching", "caching")
    broken._path = f"{PLACE}:Nobody"
    report = check(broken)
    assert report.state == "incomplete" and "has no class Nobody" in report.sentence


def test_the_sentence_says_whether_the_search_is_enough() -> None:
    """Ten cuts of stretches find a rare peek; thirty of 251 decisions, each of which is a run, do not."""
    assert Reach("features", 300, 7949).sentence.endswith("would be found with probability 95 %.")
    few = Reach("decisions", 30, 251)
    assert 0.3 < few.power < 0.4 and "30 of 251 decisions" in few.sentence
    assert "probability 31 %: it may well go unseen." in few.sentence
