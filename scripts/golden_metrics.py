"""Figures of quantstats and empyrical on real series, frozen into tests/backtest/golden_metrics.json.

    .venv/bin/python scripts/golden_metrics.py media/datasets

Ours reads the samples and hands the returns over; the peers run in .venv-bench, where they are pinned.
"""

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-bench" / "bin" / "python"
GOLDEN = ROOT / "tests" / "backtest" / "golden_metrics.json"
SERIES = {"AAPL": ("sample/us20", "AAPL", "KO"), "SP500": ("sample/us-indices", "SP500", "NASDAQ")}
PERIODS, RATE = 252, 0.02  # bars a year; a riskless rate a year


def main(arguments: list[str]) -> None:
    """With a store of datasets: make the file. With `--peers FILE.npz`: the peers' half, in their environment."""
    if arguments[0] == "--peers":
        print(json.dumps(peers(Path(arguments[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "returns.npz"
        np.savez(path, **returns(Path(arguments[0])))
        command = [str(PEERS), __file__, "--peers", str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    GOLDEN.write_text(json.dumps(json.loads(answer.splitlines()[-1]), indent=1) + "\n", encoding="utf-8")


def returns(datasets: Path) -> dict[str, np.ndarray]:
    """Returns of a bar of each series and of its benchmark, and the days."""
    sys.path.insert(0, str(ROOT))
    from marketdata.catalog import Catalog

    found = {}
    for name, (dataset, symbol, benchmark) in SERIES.items():
        catalog = Catalog(datasets)
        bars = catalog.store.load(catalog.find(dataset).version)
        for kind, asset in (("returns", symbol), ("benchmark", benchmark)):
            close = bars.close[:, bars.symbols.index(asset)]
            found[f"{name}.{kind}"] = close[1:] / close[:-1] - 1.0
        found[f"{name}.days"] = bars.session[1:]
    return found


def peers(path: Path) -> dict[str, object]:
    """{series: {peer: {figure: value}}} and the peers' versions."""
    import pandas as pd

    arrays = np.load(path)
    found: dict[str, object] = {
        "versions": {name: importlib.metadata.version(name) for name in ("quantstats", "empyrical-reloaded", "pandas")}
    }
    for name in SERIES:
        days = pd.DatetimeIndex(arrays[f"{name}.days"])
        own, benchmark = (pd.Series(arrays[f"{name}.{kind}"], index=days) for kind in ("returns", "benchmark"))
        found[name] = {"quantstats": quantstats_of(own, benchmark), "empyrical": empyrical_of(own, benchmark)}
    return found


def quantstats_of(own, benchmark):  # type: ignore[no-untyped-def]
    import quantstats.stats as qs

    greeks = qs.greeks(own, benchmark, periods=PERIODS)
    found = {
        "total_return": qs.comp(own), "cagr": qs.cagr(own, periods=PERIODS),
        "volatility": qs.volatility(own, periods=PERIODS), "sharpe": qs.sharpe(own, periods=PERIODS),
        "sortino": qs.sortino(own, periods=PERIODS), "sharpe_above": qs.sharpe(own, rf=RATE, periods=PERIODS),
        "sortino_above": qs.sortino(own, rf=RATE, periods=PERIODS), "max_drawdown": qs.max_drawdown(own),
        "calmar": qs.calmar(own, periods=PERIODS), "ulcer": qs.ulcer_index(own), "skew": qs.skew(own),
        "kurtosis": qs.kurtosis(own), "beta": greeks["beta"], "alpha": greeks["alpha"],
        "information_ratio": qs.information_ratio(own, benchmark), "var_95": qs.value_at_risk(own),
    }  # fmt: skip
    return {key: float(value) for key, value in found.items()}


def empyrical_of(own, benchmark):  # type: ignore[no-untyped-def]
    import empyrical as ep

    a_bar = (1 + RATE) ** (1 / PERIODS) - 1
    found = {
        "total_return": ep.cum_returns_final(own), "cagr": ep.annual_return(own),
        "volatility": ep.annual_volatility(own), "sharpe": ep.sharpe_ratio(own), "sortino": ep.sortino_ratio(own),
        "sharpe_above": ep.sharpe_ratio(own, risk_free=a_bar), "sortino_above": ep.sortino_ratio(own, a_bar),
        "max_drawdown": ep.max_drawdown(own), "calmar": ep.calmar_ratio(own), "var_95": ep.value_at_risk(own, 0.05),
        "cvar_95": ep.conditional_value_at_risk(own, 0.05), "beta": ep.beta(own, benchmark),
        "alpha": ep.alpha(own, benchmark), "up_capture": ep.up_capture(own, benchmark),
        "down_capture": ep.down_capture(own, benchmark), "excess_sharpe": ep.excess_sharpe(own, benchmark),
    }  # fmt: skip
    return {key: float(value) for key, value in found.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
