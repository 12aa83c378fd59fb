"""How functions of the kernel are compiled."""

from __future__ import annotations

from ssnib_model.solvers.compiling import compiled as compiled_by

compiled = compiled_by(error_model="numpy", nogil=True)
#: A call counts the references to every array of a `Cell`: longer than a small function takes.
inlined = compiled_by(error_model="numpy", inline="always")
#: Products and sums in one go, where the processor can.
contracted = compiled_by(error_model="numpy", nogil=True, fastmath={"contract"})


@compiled
def fill(target, source):
    """Copy an array of one dimension; a slice would take a second to compile at every place."""
    for n in range(target.size):
        target[n] = source[n]


#: Sums in the order that suits the processor.
reordered = compiled_by(error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})


@reordered
def dot(a, b):
    """Sum of products."""
    total = 0.0
    for m in range(a.size):
        total += a[m] * b[m]
    return total
