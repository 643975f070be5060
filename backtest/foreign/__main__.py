"""`python -m backtest.foreign`: a run directory is a job, a file is judged by hand."""

import sys
from pathlib import Path

from backtest.foreign import by_hand, run
from runfiles.job import run_job

if __name__ == "__main__":
    arguments = sys.argv[1:]
    is_run = bool(arguments) and Path(arguments[0]).is_dir()
    raise SystemExit(run_job(run.run, arguments if is_run else by_hand.prepare(arguments)))
