"""How what a step imposes changes along directions: see `directions`."""

from __future__ import annotations

from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.control import residual
from ssnib_model.solvers.kernel.directions import moved_by, moved_task


@compiled
def residual_change(
    sides, task, task_change, p, i, i_change, place, place_change,
    J, J_change, sto, sto_change, delta, delta_change,
):  # fmt: skip
    """Change of `control.residual` along direction ``p``.

    ``sides`` is the cell moved along and against it; of ``J``, ``sto`` and ``delta`` the changes
    have the directions last.
    """
    total = 0.0
    for side in range(2):
        sign = 1.0 - 2 * side
        total += sign / 2 * residual(
            sides[side],
            moved_task(task, task_change, p, sign),
            i + sign * i_change,
            place + sign * place_change,
            moved_by(J, J_change, p, sign),
            moved_by(sto, sto_change, p, sign),
            moved_by(delta, delta_change, p, sign),
        )  # fmt: skip
    return total
