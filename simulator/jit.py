"""One way to compile, with a cache on disk that cannot go stale.

Numba's own cache looks at the file of the compiled function alone: an edit of a kernel that it inlines from another
file would go unseen. So the cache folder is named by the content of every file that a kernel can be made from: all of
this package, and those files beside the kernel that hold kernels too. A kernel takes its functions and constants from
there and from nowhere else of ours.

The step's kernels run without Numba's reference counts (`_nrt=False`): they allocate nothing, and each call would
otherwise touch a counter for each of the fifty arrays of a book (nine tenths of the time of a quiet bar, measured).
"""

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import binding  # type: ignore[import-untyped]
from numba import config, njit

_HERE = Path(__file__).parent
_MARK = b"simulator.jit import"
"""What a file that holds kernels says."""


@functools.cache
def cache_folder(package: Path) -> Path:
    """Where the kernels of a package lie: below NUMBA_CACHE_DIR where that is set, else in its __pycache__."""
    digest = hashlib.sha256()
    for source in sorted({*_HERE.glob("*.py"), *package.glob("*.py")}):
        content = source.read_bytes()
        if source.parent == _HERE or _MARK in content:
            digest.update(source.name.encode() + content)
    root = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(root) if root else package / "__pycache__") / f"kernels-{digest.hexdigest()[:16]}"


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


def _cached(function: Function, **options: Any) -> Function:
    """Numba reads its folder when a function is decorated; other people's functions keep theirs."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder(Path(function.__code__.co_filename).parent))
    try:
        return cast(Function, njit(cache=True, **options)(function))
    finally:
        config.CACHE_DIR = before


def compiled(function: Function) -> Function:
    """An ordinary compiled function: it may allocate."""
    return _cached(function)


def kernel(function: Function) -> Function:
    """An entry of the step, called from Python: allocates nothing, counts no references."""
    return _cached(function, _nrt=False, error_model="numpy")


def inlined(function: Function) -> Function:
    """A part of the step, written into its caller."""
    return _cached(function, _nrt=False, error_model="numpy", forceinline=True)


def outlined(function: Function) -> Function:
    """A part of the step that few bars need: called, not written into its caller, so that compiling stays short."""
    return _cached(function, _nrt=False, error_model="numpy")
