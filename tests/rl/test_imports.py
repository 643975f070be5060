"""The trainer is a child of the site and knows nothing of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_trainer_loads_no_django() -> None:
    probe = "import sys, rl.train_ppo; print([name for name in sys.modules if name.split('.')[0] == 'django'])"

    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )

    assert done.stdout.strip() == "[]"
