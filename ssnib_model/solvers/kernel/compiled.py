"""How functions of the kernel are compiled."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.compiling import compiled as compiled_by

_USUAL = {"error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True}

#: Of functions that make arrays, or return them.
compiled = compiled_by(_nrt=True, **_USUAL)
#: Of functions that do neither: references to the arrays of a `Cell`, 30 a call, are not counted,
#: which takes as long as the arithmetic. (What they call may make arrays of its own.)
plain = compiled_by(_nrt=False, **_USUAL)
#: As `plain`, of functions that compiled ones alone call. They lack what Python calls them by,
#: which takes long to compile: Python would end with a call.
inner = compiled_by(_nrt=False, no_cpython_wrapper=True, **_USUAL)
#: Put into the function that calls it.
inlined = compiled_by(error_model="numpy", inline="always")
#: As `plain`; products and sums in one go, where the processor can.
contracted = compiled_by(_nrt=False, fastmath={"contract"}, **_USUAL)
#: As `inner`, likewise.
inner_contracted = compiled_by(
    _nrt=False, no_cpython_wrapper=True, fastmath={"contract"}, **_USUAL
)
#: As `inner`; sums in the order that suits the processor, too.
reordered = compiled_by(
    _nrt=False, no_cpython_wrapper=True, fastmath={"reassoc", "contract"}, **_USUAL
)


@inner
def fill(target, source):
    """Copy an array of one dimension; a slice would take a second to compile at every place."""
    for n in range(target.size):
        target[n] = source[n]


@compiled
def multiply(a, b, product):
    """Product of two matrices, into a third."""
    np.dot(a, b, product)


@reordered
def dot(a, b):
    """Sum of products."""
    total = 0.0
    for m in range(a.size):
        total += a[m] * b[m]
    return total
