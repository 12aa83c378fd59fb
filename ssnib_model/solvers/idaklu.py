"""IDAKLU for half-cycles, and what is tried where it gives up."""

from __future__ import annotations

import re

import pybamm

from ssnib_model.models.base import SOLVER_OPTIONS

GAVE_UP = "failed: the solver gave up"
#: What the failures of IDAKLU mean, by their names in SUNDIALS.
MEANINGS = {
    "IDA_ERR_FAIL": "steps too many or too short",
    "IDA_CONV_FAIL": "no convergence of Newton's method",
    "IDA_LINESEARCH_FAIL": "no potentials that go with the state at the start",
    "IDA_NO_RECOVERY": "no potentials that go with the state at the start",
    "IDA_LSETUP_FAIL": "a linear system without a solution",
    "IDA_LSOLVE_FAIL": "a linear system without a solution",
    "IDA_FIRST_RES_FAIL": "equations without a value",
    "IDA_REP_RES_ERR": "equations without a value",
    "IDA_RES_FAIL": "equations without a value",
}
#: Of one half-cycle, which takes some hundred: round-off may make the steps as short as it likes.
MAX_STEPS = 10_000
#: What is tried on the same mesh where the solver gives up: name and options of the next one.
RECOVERIES = {
    "a first step of 1 ns": {"dt_init": 1e-9},
    # each step takes long
    "the dense linear solver": {
        "linear_solver": "SUNLinSol_Dense", "jacobian": "dense",
        "num_steps_no_progress": MAX_STEPS // 5,
    },
}  # fmt: skip
#: What is tried after that, with all half-cycles.
FINER = "the whole test on a mesh twice as fine"


def half_cycle_solver(rtol: float, atol: float, options: dict | None = None):
    """IDAKLU for a half-cycle, in which it gives up after `MAX_STEPS`."""
    # "no progress" by a time that no half-cycle takes; its own "max_num_steps" counts no steps
    limit = {"num_steps_no_progress": MAX_STEPS, "t_no_progress": 1e15}
    return pybamm.IDAKLUSolver(rtol, atol, options=SOLVER_OPTIONS | limit | (options or {}))


def in_words(error: pybamm.SolverError) -> str:
    """Why a solver failed."""
    sentence = str(error).splitlines()[0]
    code = re.search(r"IDA_\w+", sentence)
    return MEANINGS.get(code[0], "a fault of the integrator") if code else sentence
