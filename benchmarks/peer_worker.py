"""Runs in .venv-bench, knows nothing of ours: `python peer_worker.py ARRAYS.npz PACKAGE ...`.

Says {"ready": versions}, then for each line {"run": name, "arguments": {...}} one line {"seconds", "result"} or
{"error"}. Seconds are CPU time of the call alone; ends when its input ends. What the packages print goes to stderr.
"""

import importlib
import importlib.metadata
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Timed = tuple[float, Any]
Arrays = dict[str, np.ndarray]


def timed(work: Callable[[], Any], calls: int = 1) -> Timed:
    start = time.process_time()
    for _ in range(calls):
        result = work()
    return (time.process_time() - start) / calls, result


def vectorbt(arrays: Arrays, targets: str, fee: float, cash: float) -> Timed:
    """Target weights of a decision close filled at the next open: equity at each close, a list of floats.

    Valued at the decision close, so that sizes are those of an engine that decides there; sells first.
    """
    import vectorbt as vbt

    index = pd.DatetimeIndex(arrays["session"])
    close, opens = pd.DataFrame(arrays["close"], index=index), pd.DataFrame(arrays["open"], index=index)
    size = pd.DataFrame(next_bar(arrays[targets]), index=index)
    valued = pd.DataFrame(next_bar(arrays["close"], arrays["close"][:1]), index=index)

    def work() -> Any:
        book = vbt.Portfolio.from_orders(
            close, size=size, size_type="targetpercent", price=opens, val_price=valued, fees=fee, init_cash=cash,
            cash_sharing=True, group_by=True, call_seq="auto", freq="1D",
        )  # fmt: skip
        return book.value()

    seconds, equity = timed(work)
    return seconds, np.ravel(equity.to_numpy()).tolist()


def vectorbt_columns(arrays: Arrays, targets: str, fee: float, cash: float) -> Timed:
    """One asset, a book for each column of the targets, cash not shared: equity at each close, a list for each book."""
    import vectorbt as vbt

    index = pd.DatetimeIndex(arrays["session"])
    size = pd.DataFrame(next_bar(arrays[targets]), index=index)
    close, opens, valued = (
        pd.DataFrame(np.repeat(rows, size.shape[1], axis=1), index=index)
        for rows in (arrays["close"], arrays["open"], next_bar(arrays["close"], arrays["close"][:1]))
    )

    def work() -> Any:
        book = vbt.Portfolio.from_orders(
            close, size=size, size_type="targetpercent", price=opens, val_price=valued, fees=fee, init_cash=cash,
            freq="1D",
        )  # fmt: skip
        return book.value()

    seconds, equity = timed(work)
    return seconds, equity.to_numpy().T.tolist()


def next_bar(rows: np.ndarray, first: np.ndarray | float = np.nan) -> np.ndarray:
    """Row t of the result is row t-1: what was decided is done on the next bar."""
    return np.vstack([np.broadcast_to(first, rows[:1].shape), rows[:-1]])


def backtrader(arrays: Arrays, targets: str, fee: float, cash: float, floor: float) -> Timed:
    """The same by an event-driven engine, sizes by hand in fractions of a share; orders below `floor` of equity are
    not made, as in ours. Equity at each close, a list of floats.
    """
    import backtrader as bt

    wanted, fields = arrays[targets], ("open", "high", "low", "close")
    index = pd.DatetimeIndex(arrays["session"])
    equity: list[float] = []

    class Rebalance(bt.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            value, row = self.broker.getvalue(), wanted[len(equity)]
            equity.append(value)
            if np.isnan(row[0]):
                return
            sizes = [w * value / d.close[0] - self.getposition(d).size for w, d in zip(row, self.datas, strict=True)]
            orders = sorted(zip(sizes, self.datas, strict=True), key=lambda order: order[0] * order[1].close[0])
            for size, data in orders:
                if abs(size) * data.close[0] >= floor * value:
                    (self.buy if size > 0 else self.sell)(data, size=abs(size))

    def work() -> None:
        engine = bt.Cerebro(stdstats=False)
        for a in range(wanted.shape[1]):
            frame = pd.DataFrame({field: arrays[field][:, a] for field in fields}, index=index).assign(volume=0.0)
            engine.adddata(bt.feeds.PandasData(dataname=frame))
        engine.broker.setcash(cash)
        engine.broker.setcommission(commission=fee)
        engine.broker.set_checksubmit(False)
        engine.addstrategy(Rebalance)
        engine.run()

    seconds, _ = timed(work)
    return seconds, equity


def quantstats(arrays: Arrays) -> Timed:
    """15 metrics of one return series, by name."""
    import quantstats as qs

    returns = pd.Series(arrays["returns"], index=pd.DatetimeIndex(arrays["session"][: len(arrays["returns"])]))
    stats = qs.stats

    def work() -> dict[str, float]:
        return {
            "total_return": stats.comp(returns),
            "cagr": stats.cagr(returns),
            "volatility": stats.volatility(returns),
            "sharpe": stats.sharpe(returns),
            "sortino": stats.sortino(returns),
            "max_drawdown": stats.max_drawdown(returns),
            "calmar": stats.calmar(returns),
            "ulcer": stats.ulcer_index(returns),
            "var_95": stats.value_at_risk(returns),
            "cvar_95": stats.cvar(returns, method="historical"),
            "skew": stats.skew(returns),
            "kurtosis": stats.kurtosis(returns),
            "rho1": stats.autocorr_penalty(returns),
            "psr": stats.probabilistic_sharpe_ratio(returns),
            "psr_hac": stats.smart_sharpe(returns),
        }

    seconds, found = timed(work)
    return seconds, {name: float(value) for name, value in found.items()}


WORKS: dict[str, Callable[..., Timed]] = {
    "vectorbt": vectorbt,
    "vectorbt_columns": vectorbt_columns,
    "backtrader": backtrader,
    "quantstats": quantstats,
}


def serve(arrays: Arrays, packages: list[str]) -> None:
    """Answer until the input ends; a fault in a call is an answer too."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for package in packages:
        importlib.import_module(package)
    versions = {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"ready": versions}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            seconds, result = WORKS[request["run"]](arrays, **request["arguments"])
            answer: dict[str, Any] = {"seconds": seconds, "result": result}
        except Exception:  # whatever a peer raises belongs to its asker
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    with np.load(sys.argv[1]) as stored:
        loaded = {name: stored[name] for name in stored.files}
    serve(loaded, sys.argv[2:])
