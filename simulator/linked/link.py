"""Links what a process has called into a shared library for processes that come later: see `simulator.linked.library`.

The machine code is made from the very intermediate code that numba optimised and cached, for the same processor and by
the same back end; it differs from numba's in where it finds its constants, and in nothing that it computes.
"""

import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.np import arrayobj
from numba.np.numpy_support import as_dtype

from simulator.jit import Compiled, cache_folder
from simulator.linked import library

WORD, BYTE, INT = ir.IntType(64), ir.IntType(8), ir.IntType(32)
POINTER = BYTE.as_pointer()
DATA, SHAPE, STRIDES = 16, 32, 40
"""Where a PyArrayObject has them: part of numpy's C interface, on machines of 64 bits."""
RESULTS = {types.float64: "d", types.int64: "q"}
MEMORY = f"""
; Memory of a kernel's arrays, laid out as numba's own runtime lays it out: count, destructor, its argument, data, size,
; allocator. The data begin at the next multiple of the alignment.
declare i8* @malloc(i64)
declare void @free(i8*)
define i8* @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {{
  %wide = zext i32 %align to i64
  %more = add i64 %wide, 48
  %whole = add i64 %size, %more
  %block = call i8* @malloc(i64 %whole)
  %none = icmp eq i8* %block, null
  br i1 %none, label %end, label %fill
fill:
  %words = bitcast i8* %block to i64*
  store i64 1, i64* %words
  %at = ptrtoint i8* %block to i64
  %past = add i64 %at, 47
  %above = add i64 %past, %wide
  %mask = sub i64 0, %wide
  %data = and i64 %above, %mask
  %place = getelementptr i64, i64* %words, i64 3
  store i64 %data, i64* %place
  %size_place = getelementptr i64, i64* %words, i64 4
  store i64 %size, i64* %size_place
  br label %end
end:
  ret i8* %block
}}
define void @NRT_MemInfo_call_dtor(i8* %block) {{
  call void @free(i8* %block)
  ret void
}}
define void @NRT_Free(i8* %block) {{
  call void @free(i8* %block)
  ret void
}}
define void @{library.RELEASE}(i8* %block) {{
  call void @free(i8* %block)
  ret void
}}
"""


class NoLinker(RuntimeError):
    """No C compiler that could link; the message is one sentence."""


def link(functions: Iterable[Compiled]) -> list[Path]:
    """Write the library of each package from those of these functions that Python has called; returns the files.

    Raises NoLinker. A signature that a library cannot hold is left out: its calls go through numba.
    """
    linker = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if linker is None:
        raise NoLinker("There is no C compiler (cc) to link with; runs will start half a second slower.")
    by_folder: dict[Path, list[Compiled]] = {}
    for function in functions:
        if function.called:
            by_folder.setdefault(cache_folder(function.package), []).append(function)
    return [_link(linker, folder, sorted(some, key=lambda one: one.name)) for folder, some in by_folder.items()]


def forget(modules: Iterable[ModuleType]) -> None:
    """Remove the libraries of the packages in which these modules lie, so that all goes through numba again."""
    for module in modules:
        for path in cache_folder(Path(str(module.__file__)).parent).glob("linked-*.so"):
            path.unlink()


def _link(linker: str, folder: Path, functions: list[Compiled]) -> Path:
    path = folder / library.file_name()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        source, made = Path(work) / "linked.o", Path(work) / "linked.so"
        source.write_bytes(_object_code(functions))
        flags = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-Wl,-z,now"]
        subprocess.run([linker, "-shared", *flags, "-o", str(made), str(source), "-lm"], check=True)
        ctypes.PyDLL(str(made))  # an OSError here, before anybody calls it, where something is missing in it
        made.replace(path)
    return path


def _object_code(functions: list[Compiled]) -> bytes:
    """One module of all: its entries and index are seen from outside, nothing else."""
    whole = binding.parse_assembly(MEMORY)
    index: dict[str, dict[str, tuple[str, str]]] = {}
    for function in functions:
        for kinds, overload in _overloads(function):
            symbol = f"stockbot_{len(index)}_{len(index.get(function.name, {}))}"
            gives = _gives(overload.fndesc.restype)
            whole.link_in(binding.parse_assembly(str(_entry(symbol, overload.fndesc))))
            whole.link_in(binding.parse_bitcode(overload.library._get_module_for_linking().as_bitcode()))
            index.setdefault(function.name, {})[library.index_key(kinds)] = (symbol, gives)
    whole.link_in(binding.parse_assembly(_text(library.INDEX, json.dumps(index))))
    shown = {library.INDEX, library.RELEASE, *(symbol for some in index.values() for symbol, _ in some.values())}
    _hide(whole, shown)
    return _target().emit_object(whole)  # type: ignore[no-any-return]


def _overloads(function: Compiled) -> Iterator[tuple[library.Kinds, Any]]:
    for signature, overload in function.dispatcher.overloads.items():
        kinds = tuple(_kinds(signature))
        if library.UNKNOWN not in kinds and _gives(overload.fndesc.restype) != library.UNKNOWN:
            yield kinds, overload


def _kinds(signature: Iterable[Any]) -> Iterator[str | int]:
    """As `library.flat` gives them for arguments of these numba types."""
    for kind in signature:
        if isinstance(kind, types.Array):
            plain = kind.layout == "C" and kind.mutable and kind.aligned
            yield as_dtype(kind.dtype).str if plain else library.UNKNOWN
            yield kind.ndim
        elif isinstance(kind, types.NamedTuple | types.NamedUniTuple):
            yield kind.instance_class.__name__
            yield from _kinds(kind.types)
        elif kind is types.none:
            yield library.NOTHING
        else:
            yield {types.float64: "float", types.int64: "int", types.boolean: "bool"}.get(kind, library.UNKNOWN)


def _gives(result: Any) -> str:
    """What comes back, as `library.Linked` reads it."""
    if result is types.none:
        return ""
    if isinstance(result, types.Array) and result.dtype is types.float64 and result.layout == "C":
        return f"[{result.ndim}"
    parts = tuple(result) if isinstance(result, types.BaseTuple) else (result,)
    known = len(parts) <= library.MOST_RESULTS and all(part in RESULTS for part in parts)
    return "".join(RESULTS[part] for part in parts) if known else library.UNKNOWN


def _entry(symbol: str, described: Any) -> ir.Module:
    """`int symbol(int64 *words, int64 *out)`: unpack the words, call the function, lay down what it gives."""
    context, module = cpu_target.target_context, ir.Module()
    entry = ir.Function(module, ir.FunctionType(INT, [WORD.as_pointer(), WORD.as_pointer()]), symbol)
    builder = ir.IRBuilder(entry.append_basic_block())
    convention, argument_types = context.call_conv, described.argtypes
    callee_type = convention.get_function_type(described.restype, argument_types)
    callee = ir.Function(module, callee_type, described.llvm_func_name)
    words = _Words(context, builder, entry.args[0])
    given = [words.value(kind) for kind in argument_types]
    status, result = convention.call_function(builder, callee, described.restype, argument_types, given)
    with builder.if_then(status.is_error, likely=False):
        builder.ret(INT(1))
    for place, word in enumerate(_result_words(context, builder, described.restype, result)):
        target = builder.gep(entry.args[1], [WORD(place)])
        builder.store(word, builder.bitcast(target, word.type.as_pointer()))
    builder.ret(INT(0))
    return module


class _Words:
    """The words of a call, one after the other, as values of numba types."""

    def __init__(self, context: Any, builder: Any, words: Any) -> None:
        self._context, self._builder, self._words, self._next = context, builder, words, 0

    def value(self, kind: Any) -> Any:
        if kind is types.none:
            return self._context.get_dummy_value()
        if isinstance(kind, types.BaseTuple):
            return self._context.make_tuple(self._builder, kind, [self.value(part) for part in kind.types])
        word = self._builder.load(self._builder.gep(self._words, [WORD(self._next)]))
        self._next += 1
        if isinstance(kind, types.Array):
            return self._array(kind, self._builder.inttoptr(word, POINTER))
        if kind is types.boolean:
            return self._builder.trunc(word, ir.IntType(1))
        return self._builder.bitcast(word, self._context.get_value_type(kind))

    def _array(self, kind: Any, holder: Any) -> Any:
        builder, array = self._builder, arrayobj.make_array(kind)(self._context, self._builder)
        shape, strides = (self._row(holder, place, kind.ndim) for place in (SHAPE, STRIDES))
        data = builder.inttoptr(self._field(holder, DATA), array.data.type)
        size = self._context.get_constant(types.intp, as_dtype(kind.dtype).itemsize)
        arrayobj.populate_array(array, data, shape, strides, size, None)
        return array._getvalue()

    def _field(self, holder: Any, place: int) -> Any:
        address = self._builder.gep(holder, [WORD(place)])
        return self._builder.load(self._builder.bitcast(address, WORD.as_pointer()))

    def _row(self, holder: Any, place: int, size: int) -> list[Any]:
        row = self._builder.inttoptr(self._field(holder, place), WORD.as_pointer())
        return [self._builder.load(self._builder.gep(row, [WORD(k)])) for k in range(size)]


def _result_words(context: Any, builder: Any, kind: Any, result: Any) -> list[Any]:
    if kind is types.none:
        return []
    if isinstance(kind, types.Array):
        array = arrayobj.make_array(kind)(context, builder, result)
        shape = cgutils.unpack_tuple(builder, array.shape)
        return [builder.ptrtoint(array.meminfo, WORD), builder.ptrtoint(array.data, WORD), *shape]
    return cgutils.unpack_tuple(builder, result) if isinstance(kind, types.BaseTuple) else [result]


def _text(symbol: str, text: str) -> str:
    """A module with this text, ended by a zero."""
    content = bytearray(text.encode() + b"\0")
    module = ir.Module()
    held = ir.GlobalVariable(module, ir.ArrayType(BYTE, len(content)), symbol)
    held.initializer, held.global_constant = ir.Constant(held.value_type, content), True
    return str(module)


def _hide(module: Any, shown: set[str]) -> None:
    """Only `shown` is seen from outside, and what these do not reach goes: above all numba's ways in from Python."""
    for one in (*module.functions, *module.global_variables):
        if not one.is_declaration and one.name not in shown:
            one.linkage = "internal"
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    tuning = binding.create_pipeline_tuning_options(speed_level=0)
    passes.run(module, binding.create_pass_builder(_target(), tuning))


def _target() -> Any:
    """This processor, as numba compiles for it, and code that may lie anywhere."""
    codegen = cpu_target.target_context.codegen()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=codegen._get_host_cpu_name(), features=codegen._get_host_cpu_features(), opt=3, reloc="pic",
        codemodel="default",
    )  # fmt: skip
