"""One way to compile, with a cache on disk that cannot go stale.

Numba's own cache looks at the file of the compiled function alone: an edit of a kernel that it inlines from another
file would go unseen. So the cache folder is named by the content of this package.

The kernels run without Numba's reference counts (`_nrt=False`): they allocate nothing, and each call would otherwise
touch a counter for every one of the fifty arrays of a book (nine tenths of the time of a quiet bar, measured).
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import binding  # type: ignore[import-untyped]
from numba import config, njit

_HERE = Path(__file__).parent


def cache_folder() -> Path:
    """Where compiled kernels lie: below NUMBA_CACHE_DIR where that is set, else in this package's __pycache__."""
    digest = hashlib.sha256()
    for source in sorted(_HERE.glob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    root = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(root) if root else _HERE / "__pycache__") / f"kernels-{digest.hexdigest()[:16]}"


config.CACHE_DIR = str(cache_folder())

# A book's loops are short, twenty assets or so: one strip at a time, the rest of a loop in strips of 4, and sums too,
# added strictly in index order. LLVM's own choice for long loops leaves half of a step unstripped. Results are the same
# to the bit: nothing here lets it reorder or contract.
for option in (
    "-force-ordered-reductions",
    "-force-target-max-vector-interleave=1",
    "-epilogue-vectorization-force-VF=4",
):
    binding.set_option("stockbot", option)

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """An ordinary compiled function: it may allocate."""
    return cast(Function, njit(cache=True)(function))


def kernel(function: Function) -> Function:
    """An entry of the step, called from Python: allocates nothing, counts no references."""
    return cast(Function, njit(cache=True, _nrt=False, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """A part of the step, written into its caller."""
    return cast(Function, njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)(function))
