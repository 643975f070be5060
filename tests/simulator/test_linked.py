"""What decides which linked entry is called, and what an entry gives back.

The code of a few small functions is linked into a folder of the test's own and called by a fresh process.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from simulator.linked.library import UNKNOWN, flat, packing

SMALL = """
import math
import numpy as np
from simulator.jit import compiled

@compiled
def doubled(x):
    return x * 2.0

@compiled
def table(n):
    out = np.zeros((n, 3))
    out[:, 1] = 0.1
    return out

@compiled
def several(x, k, yes):
    return math.fsum_like(x) if yes else x[0], k + 1

@compiled
def share(a, b):
    return a / b

@compiled
def fill(pair, where):
    pair.left[:] = 7.0
    where[0] = pair.right.shape[0] * 10 + pair.right.shape[1]
""".replace("math.fsum_like(x)", "x.sum()")
CALLS = """
import sys
from typing import NamedTuple
import numpy as np
import small

class Pair(NamedTuple):
    left: object
    right: object

def calls():
    x, where = np.arange(5.0), np.zeros(1, np.int64)
    pair = Pair(np.zeros(4), np.zeros((3, 2)))
    small.fill(pair, where)
    answers = [small.doubled(x).tolist(), small.doubled(x).flags.writeable, small.table(2).tolist(),
               small.several(x, 41, True), small.several(x, np.int64(1), np.bool_(False)), small.share(1.0, 3.0),
               pair.left.tolist(), int(where[0])]
    try:
        small.share(1.0, 0.0)
    except ZeroDivisionError:
        answers.append("refused")
    return answers
"""


class Pair(NamedTuple):
    left: object
    right: object


def ran(folder: Path, code: str) -> str:
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": f"{folder}:{root}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_entries_give_what_numba_gives(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(SMALL)
    (tmp_path / "told.py").write_text(CALLS)
    by_numba = ran(tmp_path, "import told; from simulator.linked import link; from simulator.jit import made;"
                             "print(told.calls()); link.link(made)")  # fmt: skip
    linked = ran(tmp_path, "from simulator.jit import start_quickly; start_quickly(); import sys, told;"
                           "print(told.calls()); assert 'numba' not in sys.modules")  # fmt: skip

    assert linked == by_numba and by_numba.endswith("'refused']")


def test_kinds_tell_arguments_apart_that_need_other_code() -> None:
    plain = np.zeros((2, 3))
    fixed = plain.copy()
    fixed.flags.writeable = False
    kinds = [flat((one,))[0] for one in (plain, plain[0], plain.astype(np.float32), 1, 1.0, True, None, Pair(1, 2))]
    assert len(set(kinds)) == len(kinds)
    for odd in (plain.T, plain[:, ::2], fixed, "text", 1j):
        assert UNKNOWN in flat((odd,))[0]


def test_a_word_an_argument() -> None:
    kinds, words = flat((Pair(np.zeros(2), None), 3, np.float64(0.5), np.bool_(True)))
    assert packing(kinds) == "Qqd?7x" and words[1:] == [3, 0.5, True]
