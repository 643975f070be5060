"""Runs in .venv-bench as a fresh process: `python bt_process.py PANEL.npz`. Prints the last equity of one book of bt.

Equal weight monthly, decided a bar before it is filled at a close; fractional shares, a proportional fee.
"""

import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def main(path: str) -> None:
    import bt

    with np.load(path) as stored:
        index = pd.DatetimeIndex(stored["session"])
        close = pd.DataFrame(stored["close"], index=index)
        targets = pd.DataFrame(stored["targets"], index=index)[stored["fills"]]
        fee, cash = float(stored["fee"]), float(stored["cash"])
    book = bt.Backtest(
        bt.Strategy("equal", [bt.algos.WeighTarget(targets), bt.algos.Rebalance()]), close, initial_capital=cash,
        commissions=lambda quantity, price: abs(quantity) * price * fee, integer_positions=False, progress_bar=False,
    )  # fmt: skip
    book.run()
    print(repr(float(book.strategy.values.iloc[-1]) / cash))


if __name__ == "__main__":
    main(sys.argv[1])
