"""A walk-forward: `python -m rl.walk_forward RUN_DIR --datasets DIR`.

RUN_DIR holds `config.yaml`, a `CvConfig`. Each fold is trained with each seed and chosen on its own validation range;
then one book goes through all test folds, and at the start of each the policy of that fold takes charge of it
(backtest.relay). With several seeds each has a book of its own, and they are judged as one subject (rl.together).
"""

import sys

from backtest.feed import read_config
from rl import train_ppo
from rl.config import CvConfig
from rl.together import judge_together
from runfiles.job import Job, run_job


def run(job: Job) -> None:
    """The job. Raises JobRefused with one sentence for what is wrong with the input."""
    judge_together(job, read_config(job, CvConfig), train_ppo.run)


if __name__ == "__main__":
    raise SystemExit(run_job(run, sys.argv[1:]))
