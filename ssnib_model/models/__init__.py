"""PyBaMM models of the cell."""
