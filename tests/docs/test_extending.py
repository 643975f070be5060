"""The examples of docs/extending.md work as they stand: each is run, registered by its one row, and used."""

import datetime as dt
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import columns, registry, strategy_tables
from backtest.config import BacktestConfig
from backtest.own import adopt
from marketdata.catalog import Catalog
from marketdata.config import FeaturesConfig
from marketdata.features import build_features, feature_plan
from marketdata.fetch_build import build
from marketdata.fetch_chain import Chain
from marketdata.fetch_config import DataConfig, resolved
from marketdata.indicators import registry as indicators
from marketdata.indicators import trend
from marketdata.sources import base as sources
from rl.policy_format import registry as policy_registry
from runfiles import layout, manifest
from runfiles.events import EventWriter
from runfiles.job import Job
from simulator.market import prepare_market
from tests.backtest.books import run_strategy
from tests.docs.pages import blocks, page, section
from tests.simulator.markets import make_bars, no_cost

PAGE = page("docs/extending.md")


def examples(heading: str) -> dict[str, str]:
    """Blocks of a section by their first line, the comment that says where they belong."""
    return {text.splitlines()[0]: text for text in blocks(section(PAGE, heading), "python")}


def evaluated(text: str, names: dict[str, Any]) -> Any:
    return eval(text, dict(names))


def as_module(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    module = types.ModuleType(name)
    exec(text, module.__dict__)
    monkeypatch.setitem(sys.modules, name, module)


def test_no_example_is_longer_than_twenty_lines() -> None:
    assert all(len(text.splitlines()) <= 20 for text in blocks(PAGE, "python"))


def test_a_network() -> None:
    row = evaluated(examples("A network")["# row in EXTRACTORS"], dict(vars(policy_registry)))
    given = policy_registry.read_arguments(row, {"channels": 8, "kernel": 3}, "kwargs")
    assert given == {"channels": 8, "kernel": 3} and row.policies == ("MultiInputPolicy",)


def test_an_indicator(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = examples("An indicator")
    names = dict(vars(trend))
    exec(parts["# marketdata/indicators/trend.py"], names)
    row = evaluated(parts["# row in TREND"], names)
    monkeypatch.setitem(indicators.INDICATORS, row.name, row)
    bars = make_bars([10.0, 11.0, 9.0, 12.0], open=[10.0, 12.0, 10.0, 11.0])
    features = build_features(
        bars, feature_plan(FeaturesConfig(feature_set=(), indicators=("high_gap(2)",)), bars.fields, "raw")
    )
    # highs are 10, 12, 10, 12
    np.testing.assert_allclose(features.values[:, 0, 0], [np.nan, 11 / 12 - 1, 9 / 12 - 1, 0.0])


def test_a_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = examples("A baseline")
    as_module(monkeypatch, "backtest.low_vol", parts["# backtest/low_vol.py"])
    spec = registry.StrategySpec(*evaluated(parts["# row in _ROWS"], {}))
    assert 1 <= spec.series <= 14 and spec.key not in registry.STRATEGIES
    monkeypatch.setitem(registry.STRATEGIES, spec.key, spec)
    monkeypatch.setattr(registry, "BASELINES", (*registry.BASELINES, spec.key))
    assert registry.evaluation_faults([spec.key], None, ()) == {}
    wild, calm = 10 * 1.1 ** (np.arange(80) % 2), np.full(80, 10.0)
    config = no_cost()
    market = prepare_market(make_bars(np.column_stack((wild, calm))), config)
    strategy = registry.load(spec.key)(BacktestConfig(policy=spec.key))
    ledger = run_strategy(strategy, market, config, 65, 79)
    assert strategy.key == spec.key
    np.testing.assert_allclose(ledger.weights[-1], [0.0, 1.0])


def test_a_strategy_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my_module.py").write_text(examples("A strategy of one's own")["# my_module.py"])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "STRATEGIES", dict(registry.STRATEGIES))
    monkeypatch.setattr(registry, "_MAKERS", {})
    config = adopt(["my_module:Rotate"], BacktestConfig(policy="equal"))
    assert config.evaluation.baselines[-1] == "rotate"
    rules = no_cost()
    market = prepare_market(make_bars(np.full((200, 2), 10.0)), rules)
    ledger = run_strategy(registry.load("rotate")(config), market, rules, 0, 199)
    np.testing.assert_allclose(
        ledger.weights[[1, 63, 64, 126, 127]], [[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]], atol=1e-9
    )


def test_a_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = examples("A source of prices")
    as_module(monkeypatch, "marketdata.sources.steps", parts["# marketdata/sources/steps.py"])
    for key, dotted in evaluated(parts["# entry in SOURCES"], {}).items():
        monkeypatch.setitem(sources.SOURCES, key, dotted)
    names: dict[str, Any] = {"root": tmp_path}
    exec(parts["# put it into the store"], names)
    entry = Catalog(tmp_path).find("steps/one")
    assert (entry.version, entry.symbols, entry.n_bars) == (names["version"], ("STEP",), 2)
    assert Catalog(tmp_path).store.load(entry.version).close.tolist() == [[1.0], [2.0]]


def test_a_history_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = examples("A source of prices")
    as_module(monkeypatch, "marketdata.sources.walks", parts["# marketdata/sources/walks.py"])
    for key, spec in evaluated(parts["# entry in HISTORIES"], vars(sources)).items():
        monkeypatch.setitem(sources.HISTORIES, key, spec)
    config = DataConfig.model_validate({
        "id": "yahoo/walk", "symbols": ["WALK1"], "start": "2020-01-02", "end": "2020-01-05", "calendar": "24/7",
        "sources": ["walks", "yahoo"],
    })  # fmt: skip
    now = dt.datetime(2020, 2, 1, tzinfo=dt.UTC)
    chain = Chain(resolved(config, now.date()), tmp_path, now, tell=print)
    served = chain.serve("WALK1")
    assert served is not None and served.key == "walks"
    bars, meta, _ = build(chain, [served])
    assert bars.close[:, 0].tolist() == [100, 101, 102, 103]
    assert bars.dividend is not None and bars.dividend[0, 0] == 0.5
    assert (meta.source, meta.license_note) == ("walks", "Made up.")


def test_a_cost_preset() -> None:
    entry = examples("A cost preset")["# entry in PRESETS"]
    program = (
        "from simulator.presets import PRESETS, CostPreset\n"
        f"PRESETS |= (\n{entry})\n"
        "from simulator.config import SimulatorConfig\n"
        "fees = SimulatorConfig.model_validate({'fees': {'preset': 'half_a_cent'}}).fees\n"
        "print(fees.commission_per_share, fees.taker_bps, fees.regulatory_sell_fees)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["0.005", "0.0", "True"]


def test_an_artifact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = examples("An artifact")
    for key, row in evaluated(parts["# entry in REPORT_FILES"], vars(layout)).items():
        monkeypatch.setitem(layout.REPORT_FILES, key, row)
    names = {"csv_bytes": columns.csv_bytes, "floats": columns.floats}
    for key, make in evaluated(parts["# entry in TABLES"], names).items():
        monkeypatch.setitem(strategy_tables.TABLES, key, make)
    assert set(strategy_tables.TABLES) == set(layout.REPORT_FILES)
    one = types.SimpleNamespace(returns=np.array([0.01, -0.03, 0.02]))
    assert strategy_tables.TABLES["days"](types.SimpleNamespace(one=one)) == b"best,worst\n0.02,-0.03\n"
    found = layout.spec_for("equal.days")
    assert found is not None and found.path == "report/baselines/equal/days.csv"
    spec = evaluated(parts["# row in _FIXED"], vars(layout))
    monkeypatch.setitem(layout.FILES, spec.key, spec)
    job = Job(tmp_path, tmp_path, EventWriter(tmp_path / layout.EVENTS), {})
    exec(parts["# in the job"], {"job": job})
    manifest.write(tmp_path)
    assert [entry["key"] for entry in manifest.verified(tmp_path)] == ["notes"]
