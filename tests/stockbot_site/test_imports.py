"""The web process stays small: what only a job needs is not loaded with the site."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numba", "pandas", "skfolio", "sklearn", "talib", "stable_baselines3", "gymnasium", "tensorboard")
PROGRAM = """
import sys
import stockbot_site.asgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*[name for name in sys.argv[1:] if name in sys.modules])
"""


@pytest.mark.slow
def test_the_site_loads_none_of_what_jobs_need() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == []
