"""Asking memory for what comes next: the one thing that the step needs and Numba does not offer."""

from typing import Any

from simulator.jit import Intrinsic


def _prefetch() -> Any:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    def prefetch(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = signature.args[0]
            place = context.make_array(kind)(context, builder, values[0])
            shape, strides = (cgutils.unpack_tuple(builder, part) for part in (place.shape, place.strides))
            address = cgutils.get_item_pointer2(
                context, builder, place.data, shape, strides, kind.layout, list(values[1:]), wraparound=False
            )
            address, number = builder.bitcast(address, cgutils.voidptr_t), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
            ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(ask, [address, number(0), number(3), number(1)])  # to read, keep close, data
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp), write

    return intrinsic(prefetch)


prefetch = Intrinsic(_prefetch)
"""prefetch(array, row, column): ask for the cache line of an element of a matrix before it is needed."""
