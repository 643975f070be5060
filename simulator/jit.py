"""One way to compile, with a cache on disk that cannot go stale.

Numba's own cache looks at the file of the compiled function alone: an edit of a kernel that it inlines from another
file would go unseen. So the cache folder is named by the content of every file that a kernel can be made from: all of
this package, and those files beside the kernel that hold kernels too. A kernel takes its functions and constants from
there and from nowhere else of ours.

Numba itself is imported when something must be compiled, or loaded from that cache: half a second of a process. A
process that calls `start_quickly` calls what set-up has linked into a shared library instead, the same machine code,
and needs no numba as long as each call is found there.

The step's kernels run without Numba's reference counts (`_nrt=False`): they allocate nothing, and each call would
otherwise touch a counter for each of the fifty arrays of a book (nine tenths of the time of a quiet bar, measured).
"""

import functools
import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from simulator.linked import library

_HERE = Path(__file__).parent
_MARK = b"simulator.jit import"
"""What a file that holds kernels says."""
_BLAS = "scipy.linalg"
_quick = False
made: "list[Compiled]" = []
"""Every compiled function of this process."""


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
_OPTIONS = (
    "-force-ordered-reductions",
    "-force-target-max-vector-interleave=1",
    "-epilogue-vectorization-force-VF=4",
)


def start_quickly() -> None:
    """Let this process call linked code where there is some, and start numba, where it must, without BLAS.

    Only for a process that compiles no `@`, `np.dot` or `np.linalg`. To learn whether BLAS is there numba imports
    `scipy.linalg`, a quarter of a second; that one import is hidden while numba starts, and works as ever afterwards.
    """
    global _quick
    _quick = True


@functools.cache
def _numba() -> Any:
    """Numba with our options, ready to compile."""
    hides = _quick and _BLAS not in sys.modules
    if hides:
        sys.modules[_BLAS] = None  # type: ignore[assignment]  # Python's own way to make an import fail
    try:
        numba = importlib.import_module("numba")
        importlib.import_module("numba.np.arraymath")
    finally:
        if hides:
            del sys.modules[_BLAS]
    binding = importlib.import_module("llvmlite.binding")
    for option in _OPTIONS:
        binding.set_option("stockbot", option)
    return numba


class Compiled:
    """A function that is compiled when it is first called, or first needed by a kernel that calls it.

    `called`: whether Python has called it by way of numba; then it is worth linking.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func, self._options = function, options
        self.name = f"{function.__module__}.{function.__name__}"
        self._linked: dict[tuple[Any, ...], library.Linked | None] = {}
        self.called = False
        made.append(self)

    @functools.cached_property
    def package(self) -> Path:
        return Path(self.py_func.__code__.co_filename).parent

    @functools.cached_property
    def dispatcher(self) -> Any:
        """Numba's. It reads its folder when a function is decorated; other people's functions keep theirs."""
        numba = _numba()
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder(self.package))
        try:
            return numba.njit(cache=True, **self._options)(self.py_func)
        finally:
            numba.config.CACHE_DIR = before

    @property
    def _numba_type_(self) -> Any:
        """What a kernel that names this function compiles: numba asks for this attribute."""
        return self.dispatcher._numba_type_

    def __call__(self, *args: Any) -> Any:
        if _quick:
            kinds, words = library.flat(args)
            if kinds not in self._linked:
                self._linked[kinds] = library.opened(cache_folder(self.package)).find(self.name, kinds)
            linked = self._linked[kinds]
            if linked is not None:
                return linked(words)
        self.called = True
        return self.dispatcher(*args)


Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function, **options: Any) -> Function:
    return cast(Function, Compiled(function, options))


def compiled(function: Function) -> Function:
    """An ordinary compiled function: it may allocate."""
    return _compiled(function)


def kernel(function: Function) -> Function:
    """An entry of the step, called from Python: allocates nothing, counts no references."""
    return _compiled(function, _nrt=False, error_model="numpy")


def inlined(function: Function) -> Function:
    """A part of the step, written into its caller."""
    return _compiled(function, _nrt=False, error_model="numpy", forceinline=True)


def outlined(function: Function) -> Function:
    """A part of the step that few bars need: called, not written into its caller, so that compiling stays short."""
    return _compiled(function, _nrt=False, error_model="numpy")


class Intrinsic:
    """An instruction written out for numba when a kernel first names it. `define` gives numba's own intrinsic."""

    def __init__(self, define: Callable[[], Any]) -> None:
        self._define = define

    @property
    def _numba_type_(self) -> Any:
        defined, known = self._defined, importlib.import_module("numba.core.registry").cpu_target.typing_context
        known.refresh()  # it was defined in the middle of a compilation
        return known.resolve_value_type(defined)

    @functools.cached_property
    def _defined(self) -> Any:
        return self._define()

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self._define.__name__} is for kernels")
