"""Compile every kernel once, by judging a few strategies and stepping a book; called with the folder of the datasets.

The compiled code is cached on disk, so that a run started later loads it in a fraction of a second; and what was called
is linked into a shared library, so that a backtest needs no numba at all. The step's other
variant, of the extended rules, is compiled beside it in a process of its own: each takes a core for a minute or two.
"""

import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from backtest import run
from marketdata.bars import Bars
from rl import flight
from rl.acting import Net, answer
from rl.eyes import Eyes, follow, look
from simulator import engine
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.jit import made
from simulator.linked import link
from simulator.market import prepare_market

EXTENDED = SimulatorConfig.model_validate({"exec": {"latency_bars": 1}})
CONFIG = """\
policy: equal
dataset: {id: sample/us-indices}
evaluation: {bootstrap_paths: 1000, delays: []}
"""


def judge_a_baseline(datasets: Path) -> None:
    """A backtest touches the step for given targets, trades, metrics and bootstrap; late decisions, which are of the
    extended rules, are left to the process that compiles these.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        config = Path(folder) / "config.yaml"
        config.write_text(CONFIG)
        code = run.main(["--config", str(config), "--out", str(Path(folder) / "out"), "--datasets", str(datasets)])
    if code:
        sys.exit("A baseline could not be judged; what is wrong stands above.")


def step_a_book(config: SimulatorConfig) -> None:
    """What a policy trains in and is judged by."""
    days = np.arange("2020-01-01", "2020-01-04", dtype="datetime64[D]")
    bars = Bars(symbols=("A",), session=days, known_at=days.astype("datetime64[ns]"), close=np.full((3, 1), 10.0))
    market = prepare_market(bars, config)
    session = BookSession(market, config, 0, 2)
    while not session.done:
        session.step(np.zeros(2))
    nothing = Decisions(np.zeros(1, np.int64), np.zeros((1, 1)))
    run_decisions(market, config, nothing, 0, 2)
    fly_a_book(BookSession(market, config, 0, 2))


def fly_a_book(session: BookSession) -> None:
    """What a policy acts by: seen, answered and stepped in compiled code."""
    eyes = Eyes(np.zeros(1, np.int64), 10.0, 1.0, np.zeros(3), np.zeros((1, 1), np.float32))
    nothing, row = np.zeros(0, np.int64), np.zeros(2)
    net = Net(
        shared=False, activation=0, choices=0, deeper=0, low=row, high=row, weights=np.zeros(2),
        layers=np.array([[1, 2, 0, -1]]), own=nothing, book=nothing, codes=np.zeros((0, 0)), context=np.zeros(0),
        base=row, one=row.copy(), other=row.copy(), action=np.zeros((1, 2)),
    )  # fmt: skip
    seen = np.zeros((2, 2), np.float32)
    session.show(look, eyes)
    session.show(follow, eyes)
    answer(seen[0], eyes.row[0], net)
    session.fly(session.t1, flight.fly, eyes, net, seen, session.t0)


def main(datasets: Path) -> None:
    other = subprocess.Popen([sys.executable, __file__, "--extended"])
    link.forget([run, engine, flight])
    step_a_book(SimulatorConfig())
    judge_a_baseline(datasets)
    if other.wait():
        sys.exit("The extended rules could not be compiled; what is wrong stands above.")
    step_a_book(EXTENDED)  # from numba's cache now, so that it is linked too
    try:
        link.link(made)
    except link.NoLinker as fault:
        print(fault, file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1] == "--extended":
        step_a_book(EXTENDED)
    else:
        main(Path(sys.argv[1]))
