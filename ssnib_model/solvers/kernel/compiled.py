"""How functions of the kernel are compiled."""

from __future__ import annotations

from numba import njit

compiled = njit(cache=True, error_model="numpy", nogil=True)
#: A call counts the references to every array of a `Cell`: longer than a small function takes.
inlined = njit(cache=True, error_model="numpy", inline="always")
#: Products and sums in one go, where the processor can.
contracted = njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
#: Sums in the order that suits the processor.
reordered = njit(cache=True, error_model="numpy", fastmath={"reassoc"})


@reordered
def dot(a, b):
    """Sum of products."""
    total = 0.0
    for m in range(a.size):
        total += a[m] * b[m]
    return total
