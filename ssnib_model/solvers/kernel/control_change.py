"""How what a step imposes changes along directions: see `directions`."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.control import residual, slopes
from ssnib_model.solvers.kernel.directions import moved_by, moved_task


@compiled
def residual_change(
    sides, task, task_change, p, i, i_change, place, place_change,
    J, J_change, sto, sto_change, delta, delta_change,
):  # fmt: skip
    """Change of `control.residual` along direction ``p``.

    ``sides`` are the cells moved along and against all directions; of ``J``, ``sto`` and
    ``delta`` the changes have the directions last.
    """
    total = 0.0
    for side in range(2):
        sign = 1.0 - 2 * side
        total += sign / 2 * residual(
            sides[p][side],
            moved_task(task, task_change, p, sign),
            i + sign * i_change,
            place + sign * place_change,
            moved_by(J, J_change, p, sign),
            moved_by(sto, sto_change, p, sign),
            moved_by(delta, delta_change, p, sign),
        )  # fmt: skip
    return total


@compiled
def slopes_of_imposed_change(
    sides, task, task_change, i, i_change, place, place_change,
    J, J_change, sto, sto_change, delta, delta_change, result, cost_J, cost_sto,
):  # fmt: skip
    """Changes of `control.slopes` along all directions.

    Of its five numbers into ``result``, shape (5, directions); of its slopes with the reaction
    and the stoichiometry of a class into the two last, shape (classes, directions).
    """
    classes, directions = cost_J.shape
    of_J, of_sto = np.empty(classes), np.empty(classes)
    for p in range(directions):
        for n in range(5):
            result[n, p] = 0.0
        for c in range(classes):
            cost_J[c, p], cost_sto[c, p] = 0.0, 0.0
        for side in range(2):
            sign = 1.0 - 2 * side
            found = slopes(
                sides[p][side],
                moved_task(task, task_change, p, sign),
                i + sign * i_change[p],
                place + sign * place_change[p],
                moved_by(J, J_change, p, sign),
                moved_by(sto, sto_change, p, sign),
                moved_by(delta, delta_change, p, sign),
                of_J,
                of_sto,
            )
            for n in range(5):
                result[n, p] += sign / 2 * found[n]
            for c in range(classes):
                cost_J[c, p] += sign / 2 * of_J[c]
                cost_sto[c, p] += sign / 2 * of_sto[c]
