"""The numerical kernel of the structured solver, compiled by numba.

`integrate.integrate` takes a cell through a step of a test, `look.look` tells voltage and current
of it at any time, and `replay.replay` all states. Particles of constant diffusivity share one
matrix, so that its modes replace the shells and each goes its own way; with single-ion
electrolytes the potentials need one tridiagonal solve over the composite.
"""
