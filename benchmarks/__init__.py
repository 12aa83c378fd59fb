"""Times and errors of the package next to stock PyBaMM and PyBOP; see docs/performance.md."""
