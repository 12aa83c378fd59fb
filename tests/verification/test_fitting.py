"""Proof that fitting works: Jacobians, recovery, coverage, degenerate pairs."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.fits.checkpoint import Log
from ssnib_model.fits.data import CAPACITY, CHARGE_CAPACITY, GAP
from ssnib_model.fits.problem import FitProblem
from ssnib_model.fits.search import Settings, descend
from ssnib_model.models.names import MODELS
from ssnib_model.solvers.structured import Structured

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
RADIUS = "Positive particle radius [m]"
ACCESSIBLE = "Positive electrode accessible fraction"
KAPPA = "Na3PS4 layer conductivity [S.m-1]"
CATHOLYTE = "Positive electrode electrolyte conductivity [S.m-1]"
PLATEAU = "Positive electrode plateau potential [V]"
ANODE = "Negative electrode exchange-current density [A.m-2]"
RATES = [0.2, 1, 2]


def synthetic(parameters, model, rates=RATES, noise=0.0, seed=0, sigma=None):
    """Rate-test data of the model itself, with Gaussian noise of ``noise`` sigmas."""
    sigma = sigma or {CAPACITY: 0.3, CHARGE_CAPACITY: 0.3, GAP: 0.002}
    table = ss.RateTest(rates).run(model(parameters.model_options), parameters).table
    rng = np.random.default_rng(seed)
    for column, s in sigma.items():
        table[column] += noise * rng.normal(0, s, len(table))
    return ss.RateTestData("test", table[["C-rate", *sigma]], sigma=sigma)


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_jacobian_across_cut_offs(model, hu2024):
    """Within 0.2 % of tight central differences, through a chain of half-cycles (trap T10)."""
    data = synthetic(hu2024, MODELS[model])
    free = [ss.Free(D), ss.Free(J0), ss.Free(ACCESSIBLE), ss.Free(KAPPA)]
    problem = FitProblem(hu2024, [data], free, model)
    at = np.array([0.55, 0.4, 0.5, 0.3])
    jacobian = problem.jacobian(at)
    exact = FitProblem(hu2024, [data], free, model, ss.StructuredSolver(1e-9, 1e-11))
    tight = np.empty_like(jacobian)
    for k in range(len(free)):
        sides = []
        for step in (4e-3, 2e-3):
            up, down = at.copy(), at.copy()
            up[k] += step
            down[k] -= step
            sides.append((exact.residuals(up) - exact.residuals(down)) / (2 * step))
        tight[:, k] = (4 * sides[1] - sides[0]) / 3  # Richardson: fourth order
    scale = np.abs(tight).max(axis=0)
    assert (np.abs(jacobian - tight) / scale).max() < 2e-3


def test_six_parameters_are_recovered(hu2024):
    """Data of the full model, two curves, gaps and capacities with noise: within 3 errors."""
    truth = {D: 4e-16, J0: 0.02, ACCESSIBLE: 0.93, KAPPA: 0.013, CATHOLYTE: 0.15, PLATEAU: 3.385}
    true_set = hu2024.replace(truth)
    sigma = {CAPACITY: 0.1, CHARGE_CAPACITY: 0.1, GAP: 0.001}
    data = [synthetic(true_set, ss.SolidStateDFN, [0.2, 1, 2], 1.0, 1, sigma)]
    result = ss.RateTest([0.5]).run(parameters=true_set)
    rng = np.random.default_rng(2)
    for direction in ("charge", "discharge"):
        curve = result.curves[result.curves["Direction"] == direction]
        voltage = curve["Voltage [V]"] + rng.normal(0, 1e-3, len(curve))
        data.append(
            ss.CurveData(
                direction, curve["Capacity [mA.h.g-1]"], voltage, 0.5, direction,
                sigma_voltage=1e-3, sigma_capacity=0.1,
            )
        )  # fmt: skip
    free = [
        ss.Free(D, 1e-17, 1e-14),
        ss.Free(J0, 1e-3, 1.0),
        ss.Free(ACCESSIBLE, 0.85, 1.0),
        ss.Free(KAPPA, 0.005, 0.05),
        ss.Free(CATHOLYTE, 0.02, 2.0),
        ss.Free(PLATEAU, 3.36, 3.40),
    ]
    fit = ss.fit(hu2024, data, free, model="spm+dfn")
    print(fit.report())
    for name, value in truth.items():
        assert abs(fit.values[name] - value) < 3 * fit.errors[name]
        assert fit.errors[name] < 0.3 * value
    assert fit.chi2 / fit.dof < 2
    assert not fit.at_bound


@pytest.mark.slow
def test_intervals_cover_the_truth(hu2024):
    """95 % intervals of 200 repetitions contain the truth 90 to 99 times of 100."""
    free = [ss.Free(D, 5e-17, 2e-15), ss.Free(J0, 3e-3, 0.05), ss.Free(ACCESSIBLE, 0.85, 0.97)]
    clean = synthetic(hu2024, ss.SolidStateSPM)
    rng = np.random.default_rng(5)
    problem_data = ss.RateTestData(
        "test",
        pd.DataFrame({"C-rate": RATES, CAPACITY: 1.0, CHARGE_CAPACITY: 1.0, GAP: 1.0}),
        sigma={CAPACITY: 0.3, CHARGE_CAPACITY: 0.3, GAP: 0.002},
    )
    solver = ss.StructuredSolver(1e-6, 1e-8)  # 200 fits take minutes by the other
    problem = FitProblem(hu2024, [problem_data], free, "spm", solver)
    settings = Settings(tolerance=1e-5, max_iterations=20)
    start = np.array([f.to_unit(hu2024[f.name]) for f in problem.free])
    inside = np.zeros(3)
    for _ in range(200):
        problem.data[0].measured = clean.measured + rng.normal(0, clean.sigma)
        outcome = descend(Log(problem), start, settings)
        jacobian = outcome.jacobian
        errors = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))
        inside += np.abs(outcome.unit - start) < 1.96 * errors
    coverage = inside / 200
    print(f"coverage of the 95 % intervals: {coverage}")
    assert (coverage >= 0.90).all()
    assert (coverage <= 0.99).all()


def test_curves_of_one_test_are_solved_once(hu2024, monkeypatch):
    test = ss.RateTest([0.5, 1])
    result = test.run(ss.SolidStateSPM(), hu2024)
    data = []
    for (rate, direction), curve in result.curves.groupby(["C-rate", "Direction"]):
        capacity, voltage = curve["Capacity [mA.h.g-1]"], curve["Voltage [V]"]
        data.append(
            # equal tests need not be one object
            ss.CurveData(
                f"{direction} {rate}",
                capacity,
                voltage,
                rate,
                direction,
                test=ss.RateTest([0.5, 1]),
            )
        )
    problem = FitProblem(hu2024, data, [ss.Free(D)], "spm")
    problem.prepare()
    solved, step = [], Structured.step
    monkeypatch.setattr(
        Structured, "step", lambda self, *given: solved.append(given) or step(self, *given)
    )
    assert np.abs(problem.residuals(problem.start())).max() < 0.1
    assert len(solved) == 4


def test_a_degenerate_pair_is_reported(hu2024):
    """Diffusivity and radius enter as D/R^2 once j0/R is free as well: said in words."""
    data = synthetic(hu2024, ss.SolidStateSPM)
    fit = ss.fit(
        hu2024, [data],
        [ss.Free(D, 1e-17, 1e-14), ss.Free(RADIUS, 1e-7, 1e-6), ss.Free(J0, 1e-3, 0.1)],
        model="spm",
    )  # fmt: skip
    (sentence,) = fit.undetermined()
    assert "together leave the data as they are" in sentence
    factors = {n: float(sentence.split(f'"{n}" times ')[1].split(",")[0].split(" ")[0])
               for n in (D, RADIUS)}  # fmt: skip
    # D / R^2 stays
    assert np.log(factors[D]) == pytest.approx(2 * np.log(factors[RADIUS]), rel=0.05)
    assert "Not determined by the data" in fit.report()


def test_a_prior_determines_what_the_data_leave_open(hu2024):
    data = synthetic(hu2024, ss.SolidStateSPM)
    prior = ss.Free(RADIUS, 1e-7, 1e-6, prior=(4e-7, 0.05))
    free = [ss.Free(D, 1e-17, 1e-14), prior, ss.Free(J0, 1e-3, 0.1)]
    fit = ss.fit(hu2024, [data], free, model="spm")
    assert fit.values[RADIUS] == pytest.approx(4e-7, rel=0.02)
    assert fit.errors[RADIUS] == pytest.approx(0.05 * 4e-7, rel=0.05)


def test_own_value_for_each_test(hu2024):
    """Two tests of different assemblies: each its own accessible fraction, one D."""
    sets = {name: hu2024.replace({ACCESSIBLE: a}) for name, a in (("one", 0.9), ("two", 0.95))}
    data = []
    for name, parameters in sets.items():
        data.append(synthetic(parameters, ss.SolidStateSPM))
        data[-1].name = name
    free = [ss.Free(D), *(ss.Free(ACCESSIBLE, 0.85, 1.0, data=name) for name in sets)]
    fit = ss.fit(hu2024, data, free, model="spm")
    assert fit.values[f"{ACCESSIBLE} (one)"] == pytest.approx(0.9, abs=1e-3)
    assert fit.values[f"{ACCESSIBLE} (two)"] == pytest.approx(0.95, abs=1e-3)
    assert fit.parameters[ACCESSIBLE] == hu2024[ACCESSIBLE]


def test_spectrum(hu2024):
    """A whole spectrum gives the exchange-current density and the layer's conductivity."""
    frequencies = np.geomspace(1e6, 1e-1, 12)
    truth = {J0: 0.02, KAPPA: 0.013}
    spectrum = ss.impedance(hu2024.replace(truth), frequencies)
    data = ss.SpectrumData("eis", frequencies, spectrum.z)
    fit = ss.fit(hu2024, [data], [ss.Free(J0, 1e-3, 0.1), ss.Free(KAPPA, 0.005, 0.05)])
    for name, value in truth.items():
        assert fit.values[name] == pytest.approx(value, rel=1e-3)


@pytest.mark.slow
def test_multi_start_finds_the_same_point_in_parallel(hu2024):
    data = synthetic(hu2024, ss.SolidStateSPM)
    free = [ss.Free(D), ss.Free(J0)]
    one, two = (
        ss.fit(hu2024, [data], free, model="spm", starts=3, workers=workers, seed=1)
        for workers in (1, 2)
    )
    assert one.values == pytest.approx(two.values, rel=1e-3)
    assert one.values[D] == pytest.approx(hu2024[D], rel=0.01)


def test_failed_trial_points_do_not_poison_the_search(hu2024, monkeypatch):
    data = synthetic(hu2024, ss.SolidStateSPM)
    read, failures = ss.RateTestData.read, []

    def sometimes_fails(self, outcome, parameters):
        if parameters[D] > 1e-15:
            failures.append(parameters[D])
            return np.full(len(self.measured), np.nan)
        return read(self, outcome, parameters)

    monkeypatch.setattr(ss.RateTestData, "read", sometimes_fails)
    fit = ss.fit(hu2024, [data], [ss.Free(D, 1e-17, 1e-14), ss.Free(J0)], model="spm",
                 start={D: 3e-17}, starts=3, seed=3)  # fmt: skip
    assert failures
    assert fit.values[D] == pytest.approx(hu2024[D], rel=0.01)


def test_robust_loss_resists_an_outlier(hu2024):
    data = synthetic(hu2024, ss.SolidStateSPM)
    data.measured = data.measured.copy()
    data.measured[0] += 5.0
    plain, robust = (
        ss.fit(hu2024, [data], [ss.Free(D), ss.Free(ACCESSIBLE)], model="spm", loss=loss)
        for loss in ("linear", "soft_l1")
    )
    truth = hu2024[ACCESSIBLE]
    assert abs(robust.values[ACCESSIBLE] - truth) < 0.3 * abs(plain.values[ACCESSIBLE] - truth)


def test_interrupt_returns_the_best_and_a_checkpoint_resumes(hu2024, tmp_path, monkeypatch):
    data = synthetic(hu2024, ss.SolidStateSPM)
    free, file = [ss.Free(D), ss.Free(J0)], tmp_path / "fit.state"
    start = {D: 2e-17, J0: 0.3}
    jacobian, calls = FitProblem.jacobian, []

    def interrupted(self, unit):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return jacobian(self, unit)

    monkeypatch.setattr(FitProblem, "jacobian", interrupted)
    part = ss.fit(hu2024, [data], free, model="spm", start=start, checkpoint=file)
    assert part.message.startswith("interrupted")
    assert part.chi2 > 1
    saved = json.loads(file.read_text())
    whole = ss.fit(hu2024, [data], free, model="spm", start=start, checkpoint=file)
    assert whole.chi2 < 1e-3 < saved["chi2"]
    assert whole.solves < 60
    with pytest.raises(ss.SSNIBError, match="belongs to another fit"):
        ss.fit(hu2024, [data], [ss.Free(D)], model="spm", checkpoint=file)


def test_profile_is_the_parabola_of_the_errors_near_the_minimum(hu2024):
    data = synthetic(hu2024, ss.SolidStateSPM)
    near = ss.Free(J0, 0.98 * hu2024[J0], 1.02 * hu2024[J0], log=False)
    fit = ss.fit(hu2024, [data], [near, ss.Free(D)], model="spm")
    profile = fit.profile(J0, points=5)
    expected = ((profile["Value"] - fit.values[J0]) / fit.errors[J0]) ** 2
    assert profile["chi2"].to_numpy() == pytest.approx(expected.to_numpy(), rel=0.05, abs=0.01)


def test_prediction_bands(hu2024):
    """Bands are tight where there are data and wider where there are none."""
    data = synthetic(hu2024, ss.SolidStateSPM, rates=[0.2, 0.5])
    fit = ss.fit(hu2024, [data], [ss.Free(D), ss.Free(ACCESSIBLE)], model="spm")
    bands = fit.predict([0.5, 2], n=20)
    capacity = bands[bands["Quantity"] == CAPACITY].set_index("C-rate")
    width = capacity["High"] - capacity["Low"]
    assert width[0.5] < 0.5 * width[2.0]
    assert (bands["Low"] <= bands["High"]).all()
    assert capacity["Low"][2.0] < capacity["Best"][2.0] < capacity["High"][2.0]


def test_save_is_a_parameter_set_of_kind_fitted(hu2024, tmp_path):
    data = synthetic(hu2024, ss.SolidStateSPM)
    fit = ss.fit(hu2024, [data], [ss.Free(D), ss.Free(J0)], model="spm")
    folder = fit.save(tmp_path / "fitted")
    again = ss.ParameterSet(folder)
    info = again.info(D)
    assert (info.kind, info.value) == ("fitted", pytest.approx(fit.values[D]))
    assert info.uncertainty["sd"] == pytest.approx(fit.errors[D])
    assert "fitted to test" in info.note
    assert again.info(KAPPA).kind == "measured"
    assert json.loads((folder / "fit.json").read_text())["parameters"][J0]["value"]
    assert "chi2" in (folder / "report.txt").read_text()
    assert (folder / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_a_parameter_set_can_be_pickled(hu2024):
    again = pickle.loads(pickle.dumps(hu2024))
    assert again.replace({"Na3PS4 layer mass [kg]": 8e-5})["Na3PS4 layer thickness [m]"] > 5e-4


TABLE = pd.DataFrame({"C-rate": [1.0], CAPACITY: [98.0]})


@pytest.mark.parametrize(
    ("free", "settings", "message"),
    [
        ([], {}, "at least one data set and one free parameter"),
        (["Nonsense [m]"], {}, "no parameter"),
        ([ss.Free(KAPPA, 1.0, 0.1)], {}, "the lower one first"),
        ([ss.Free(PLATEAU, -1, 1, log=True)], {}, "must be > 0"),
        ([ss.Free("Die diameter [m]")], {}, "gives no range"),
        ([ss.Free("Positive electrode OCP [V]", 0, 1)], {}, "only a number can be fitted"),
        ([ss.Free(D), ss.Free(D)], {}, "they must differ"),
        ([ss.Free(D, data="other")], {}, "no data set has this name"),
        ([ss.Free(D)], {"model": "p2d"}, "must be one of"),
        ([ss.Free(D)], {"starts": 0}, "1 to 100000 starts"),
        ([ss.Free(D)], {"start": {KAPPA: 1}}, "which is not free"),
        ([ss.Free(D)], {"checkpoint": "nowhere/at/all"}, "does not exist"),
    ],
)
def test_bad_input(free, settings, message, hu2024):
    data = ss.RateTestData("test", TABLE)
    with pytest.raises(ss.SSNIBError, match=message):
        ss.fit(hu2024, [data], free, **settings)


def test_data_and_bounds_in_plain_forms(hu2024, tmp_path):
    """A table, a file and a mapping of bounds do for a quick fit."""
    table = pd.DataFrame({"C-rate": [0.2, 1.0], CAPACITY: [103.8, 98.2]})
    file = tmp_path / "rates.csv"
    table.assign(**{"Ambient temperature [K]": 298.15}).to_csv(file, index=False)
    values = [
        ss.fit(hu2024, data, {D: (1e-17, 1e-14)}, model="spm").values[D]
        for data in (table, [table], file, [str(file)], ss.RateTestData("t", table))
    ]
    assert values == pytest.approx([values[0]] * 5, rel=1e-6)
    with pytest.raises(ss.OptionError, match="data has a int"):
        ss.fit(hu2024, [5], [D])


def test_bad_data():
    with pytest.raises(ss.MeasuredDataError, match="no column 'C-rate'"):
        ss.RateTestData("rates", pd.DataFrame({CAPACITY: [1.0]}))
    with pytest.raises(ss.MeasuredDataError, match="no value"):
        ss.RateTestData("empty", pd.DataFrame({"C-rate": [1.0]}))
    with pytest.raises(ss.MeasuredDataError, match="must rise"):
        ss.CurveData("curve", [0, 2, 1, 3, 4], [3, 3, 3, 3, 3], 1)
    with pytest.raises(ss.MeasuredDataError, match="sigma must be positive"):
        ss.RateTestData("test", TABLE, sigma={CAPACITY: 0})
