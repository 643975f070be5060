"""Half of a small backtest's time was start-up; this takes the largest needless part out of it.

When numba compiles or loads its first function it imports `scipy.linalg` to learn whether BLAS is there, a quarter of a
second. No kernel on a baseline's road uses linear algebra, so that one import is hidden while numba starts up; after
that `scipy.linalg` can be imported as ever.
"""

import importlib
import sys

HIDDEN = "scipy.linalg"


def start_numba() -> None:
    """Start numba's typing without BLAS. Only for a process that compiles no `@`, `np.dot` or `np.linalg`."""
    if HIDDEN in sys.modules:
        return
    sys.modules[HIDDEN] = None  # type: ignore[assignment]  # Python's own way to make an import fail
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[HIDDEN]
