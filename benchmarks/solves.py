"""Half-cycles, sensitivities and spectra, next to stock PyBaMM."""

from __future__ import annotations

import itertools

import numpy as np
import pybamm

import ssnib_model as ss
from benchmarks.cases import (
    FINE,
    J0,
    KAPPA,
    LOOSE,
    MODELS,
    STOCK,
    TIGHT,
    VOLTAGE,
    Chain,
    D,
    Discharge,
    curve,
    deviation,
    for_default,
    hu2024,
    label,
    reference_chain,
    reference_discharge,
    solver_of,
    tolerances,
)
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, interleaved

HALF_CYCLE = {"full": Targets(0.06, 0.045, 0.03), "reduced": Targets(0.12, 0.07, 0.05)}

#: Parameters of the sensitivities, the first n of which are taken: ours, and PyBaMM's.
OURS = (
    KAPPA,
    D,
    J0,
    "Positive electrode effective electronic conductivity [S.m-1]",
    "Positive electrode active material volume fraction",
    "Negative electrode|Na3PS4 interface resistance [Ohm.m2]",
)
THEIRS = (
    "Positive electrode conductivity [S.m-1]",
    "Positive particle diffusivity [m2.s-1]",
    "Negative particle diffusivity [m2.s-1]",
    "Negative electrode conductivity [S.m-1]",
    "Positive electrode active material volume fraction",
    "Negative electrode active material volume fraction",
)


def _half_cycles(settings: Settings) -> list[tuple]:
    """Kind and tolerance."""
    return list(itertools.product(MODELS, (LOOSE,) if settings.quick else (LOOSE, TIGHT)))


def simulation(settings: Settings) -> list[Row]:
    """``pybamm.Simulation.solve`` of a discharge at 1 C: our model next to the stock one."""
    rows = []
    for kind, tolerance in _half_cycles(settings):
        ours, stock = (Discharge(kind, is_stock, tolerance) for is_stock in (False, True))
        times = interleaved(ours, stock, repeats=settings.repeats)
        errors = [
            deviation(curve(run()), reference_discharge(kind, is_stock, settings.refine))
            for run, is_stock in ((ours, False), (stock, True))
        ]
        rows.append(
            Row(
                f"Simulation.solve at 1 C, {kind}, {tolerances(tolerance)}",
                1e3 * times[0],
                "ms",
                1e3 * times[1],
                STOCK[kind],
                times[0] / times[1],
                error="; ".join(errors),
            )
        )
    return rows


def half_cycle(settings: Settings, solver: str) -> list[Row]:
    """A half-cycle of a prepared rate test at 1 C, the mean of charge and discharge."""
    rows = []
    for kind, tolerance in _half_cycles(settings):
        ours = Chain(kind, ss.RateTest([1]), solver_of(solver, tolerance))
        stock = Discharge(kind, True, tolerance)
        pair, one = interleaved(ours, stock, repeats=settings.repeats)
        errors = (
            deviation(ours.curves(), reference_chain(kind, (1,), settings.refine)),
            deviation(curve(stock()), reference_discharge(kind, True, settings.refine)),
        )
        rows.append(
            Row(
                label(f"half-cycle at 1 C, {kind}, {tolerances(tolerance)}", solver),
                1e3 * pair / 2,
                "ms",
                1e3 * one,
                STOCK[kind],
                pair / 2 / one,
                targets=for_default(solver, HALF_CYCLE[kind]),
                error="; ".join(errors),
            )
        )
    return rows


def _smooth_ocp(sto):
    """A plateau whose ends are ten times as wide as those of the shipped one."""
    return 3.4 - 1.5 * (2 + pybamm.tanh((sto - 1) / 0.05) - 1 + pybamm.tanh(sto / 0.05) - 1)


def ocp(settings: Settings, solver: str) -> list[Row]:
    """The shipped open-circuit potential next to a smooth one, full model."""
    smooth = hu2024().replace({"Positive electrode OCP [V]": _smooth_ocp})
    tolerance, test = (1e-6, 1e-8), ss.RateTest([1])
    runs = [
        Chain("full", test, solver_of(solver, tolerance), parameters=parameters)
        for parameters in (hu2024(), smooth)
    ]
    assert {h.status for run in runs for h in run()} == {"ok"}
    times = interleaved(*runs, repeats=settings.repeats)
    return [
        Row(
            label(f"shipped OCP, half-cycle at 1 C, full, {tolerances(tolerance)}", solver),
            1e3 * times[0] / 2,
            "ms",
            1e3 * times[1] / 2,
            "tanh OCP",
            times[0] / times[1],
            targets=Targets(1.5, 1.2, 1.1),
            error=deviation(runs[0].curves(), reference_chain("full", (1,), settings.refine)),
        )
    ]


def sensitivities(settings: Settings) -> list[Row]:
    """Forward sensitivities of V(t) by ``Simulation.solve``, full models, at 1 C."""
    rows = []
    for n in (3,) if settings.quick else (1, 3, 6):
        runs, errors = [], []
        for stock, names in ((False, OURS[:n]), (True, THEIRS[:n])):
            discharge = Discharge("full", stock, TIGHT, inputs=names, output_variables=[VOLTAGE])
            t_end = 0.9 * reference_discharge("full", stock, settings.refine)[-1]
            times = np.linspace(0, t_end, 50)
            asked = {"t_end": t_end, "t_interp": times, "calculate_sensitivities": list(names)}
            runs.append(lambda discharge=discharge, asked=asked: discharge(**asked))
            found = runs[-1]()[VOLTAGE].sensitivities
            errors.append(_sensitivity_error(stock, names, found, times))
        ours, theirs = interleaved(*runs, repeats=settings.repeats)
        rows.append(
            Row(
                f"sensitivities, {n} parameter{'s' if n > 1 else ''}, full, {tolerances(TIGHT)}",
                1e3 * ours,
                "ms",
                1e3 * theirs,
                STOCK["full"],
                ours / theirs,
                error="; ".join(f"{error:.1g} %" for error in errors),
            )
        )
    return rows


def _sensitivity_error(stock: bool, names, found: dict, times: np.ndarray) -> float:
    """Largest deviation [%] of p dV/dp from central differences, as a part of the largest."""
    fine, step = Discharge("full", stock, FINE, inputs=names), 1e-3
    references, differences = [], []
    for name in names:
        value = fine.inputs[name]
        sides = [
            fine({name: value * (1 + s)}, t_end=times[-1], t_interp=times)[VOLTAGE](t=times[1:])
            for s in (step, -step)
        ]
        references.append((sides[0] - sides[1]) / (2 * step))
        differences.append(value * np.asarray(found[name]).ravel()[1:] - references[-1])
    return 100 * np.abs(differences).max() / np.abs(references).max()


def spectrum(settings: Settings) -> list[Row]:
    """A spectrum of 60 points, with and without building the model."""
    frequencies = np.geomspace(7e6, 1e-2, 60)

    def stock():
        model = MODELS["full"][1]({"surface form": "differential"})
        return pybamm.EISSimulation(model, parameter_values=pybamm.ParameterValues("Chen2020"))

    built, prepared = stock(), ss.PreparedImpedance(hu2024(), frequencies)
    anew, stock_anew, before, stock_before = interleaved(
        lambda: ss.impedance(hu2024(), frequencies),
        lambda: stock().solve(frequencies),
        lambda: prepared.solve(hu2024()),
        lambda: built.solve(frequencies),
        repeats=settings.repeats,
    )
    points = {"x_p": 20 * settings.refine, "r_p": 100 * settings.refine}
    fine = ss.impedance(hu2024(), frequencies, var_pts=points).z
    error = np.abs(prepared.solve(hu2024()).z / fine - 1).max()
    return [
        Row(
            f"spectrum of 60 points, full, {name}",
            1e3 * ours,
            "ms",
            1e3 * time,
            STOCK["full"],
            ours / time,
            "ours",
            targets,
            f"{100 * error:.1g} % of Z",
        )
        for name, ours, time, targets in (
            ("built anew", anew, stock_anew, None),
            ("built before", before, stock_before, Targets(60, 25)),
        )
    ]
