"""`python -m rl.calibrate RUN_DIR --datasets DIR`: the job of a calibration."""

import sys

from rl.calibrate.run import run
from runfiles.job import run_job

if __name__ == "__main__":
    raise SystemExit(run_job(run, sys.argv[1:]))
