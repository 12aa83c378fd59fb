"""A fit as a PEtab problem, read back, and in pyPESTO."""

import json

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.fits.petab import read_petab

J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
NEEDS = "pip install ssnib-model[petab], to compare with what is not ours"


@pytest.fixture(scope="module")
def fit(hu2024):
    """A rate test and a curve, the values near those of the set."""
    table = pd.DataFrame(
        {
            "C-rate": [0.5, 1.0],
            "Discharge capacity [mA.h.g-1]": [99.5, 98.0],
            "Polarization [V]": [0.34, 0.62],
        }
    )
    run = ss.RateTest([1.0]).run(ss.SolidStateSPM(), hu2024).curves
    run = run[run.Direction == "discharge"]
    data = [
        ss.RateTestData("rates", table),
        ss.CurveData("curve", run["Capacity [mA.h.g-1]"], run["Voltage [V]"] + 0.003, 1.0),
    ]
    free = [ss.Free(J0, 3e-3, 0.1, prior=(0.02, 0.5)), ss.Free(ACCESSIBLE, 0.85, 1.0)]
    return ss.fit(hu2024, data, free, model="spm")


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    return fit.to_petab(tmp_path_factory.mktemp("petab") / "problem")


def test_the_tables_are_petab_and_make_the_same_problem(fit, folder):
    pytest.importorskip("petab", reason=NEEDS)
    again = read_petab(folder)
    assert again.sigma.tolist() == fit.problem.sigma.tolist()
    assert again.measured.tolist() == fit.problem.measured.tolist()
    assert [f.prior for f in again.free] == [
        f.prior and pytest.approx(f.prior, rel=1e-12) for f in fit.problem.free
    ]
    labels = [label for d in again.data for label in d.labels]
    assert labels == [label for d in fit.problem.data for label in d.labels]
    at = np.array([0.4, 0.6])
    assert again.residuals(at) == pytest.approx(fit.problem.residuals(at), rel=1e-9)


def test_what_was_edited_in_the_tables_counts(fit, folder, tmp_path):
    pytest.importorskip("petab", reason=NEEDS)
    from shutil import copytree

    edited = copytree(folder, tmp_path / "edited")
    table = pd.read_csv(edited / "parameters.tsv", sep="\t")
    table["upperBound"] = [0.2, 0.99]
    table.to_csv(edited / "parameters.tsv", sep="\t", index=False)
    assert [f.high for f in read_petab(edited).free] == [0.2, 0.99]
    table.assign(priorDistribution="laplace").to_csv(
        edited / "parameters.tsv", sep="\t", index=False
    )
    with pytest.raises(ss.MeasuredDataError, match="laplace"):
        read_petab(edited)
    with pytest.raises(ss.MeasuredDataError, match="no problem that was written here"):
        read_petab(tmp_path)


@pytest.mark.slow
def test_pypesto_finds_the_same_optimum_and_profile(fit, folder):
    pytest.importorskip("petab", reason=NEEDS)
    optimize = pytest.importorskip("pypesto.optimize", reason=NEEDS)
    profiles = pytest.importorskip("pypesto.profile", reason=NEEDS)
    problem = ss.pypesto_problem(folder)
    x = np.array([f.scaled(fit.values[f.label]) for f in fit.problem.free])
    assert 2 * problem.objective(x) == pytest.approx(fit.cost, rel=1e-6)
    problem.set_x_guesses([[np.log(0.015), 0.95]])
    result = optimize.minimize(
        problem,
        optimizer=optimize.ScipyOptimizer("L-BFGS-B"),
        n_starts=1,
        progress_bar=False,
    )
    found = result.optimize_result[0]
    assert 2 * found.fval == pytest.approx(fit.cost, rel=1e-4)
    errors = [fit.errors[J0] / fit.values[J0], fit.errors[ACCESSIBLE]]
    assert found.x == pytest.approx(x, abs=0.05 * max(errors))
    # chi2 along one parameter, the other fitted again, by both
    profile = profiles.parameter_profile(
        problem=problem,
        result=result,
        optimizer=optimize.ScipyOptimizer("L-BFGS-B"),
        profile_index=np.array([1]),
        progress_bar=False,
    )
    path = profile.profile_result.list[0][1]
    rise = 2 * (path.fval_path - found.fval)
    ours = fit.profile(ACCESSIBLE, points=31)
    near = np.abs(path.x_path[1] - found.x[1]) < 2 * errors[1]
    assert near.sum() >= 3
    expected = np.interp(path.x_path[1][near], ours["Value"], ours["chi2"] - fit.cost)
    assert rise[near] == pytest.approx(expected, abs=0.15)


def test_what_petab_cannot_say_is_refused(fit, hu2024, folder, tmp_path):
    table = fit.problem.data[0].table
    both = {"a": ss.RateTestData("a", table), "b": ss.RateTestData("b", table)}
    problem = ss.fit(
        hu2024, both, [ss.Free(ACCESSIBLE, 0.85, 1.0, each=True)], model="spm", max_iterations=1
    )
    with pytest.raises(ss.OptionError, match="has no prior with"):
        problem.to_petab(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(ss.SSNIBError, match="is there already"):
        fit.to_petab(folder)
    assert json.loads((folder / "model.json").read_text())["model"] == "spm"
