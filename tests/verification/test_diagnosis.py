"""Proof that the draws of a diagnosis are those of the posterior, and that they find the truth."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.diagnosis.choice import Problems, candidates, choose
from ssnib_model.diagnosis.draws import Joint
from tests.unit.measured.synthetic import measured

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
LAYER = "Na3PS4 layer conductivity [S.m-1]"

STEPS = [
    step
    for rate in ("0.2C", "1C", "2C")
    for step in ("Charge at 0.2C until 4 V", f"Discharge at {rate} until 2.5 V")
]


def test_two_ways_to_a_posterior(hu2024):
    """Randomised maximum likelihood and importance sampling, which is exact, of a problem with a
    parameter that is told well, one that is told a little, and two that trade places."""
    model = ss.SolidStateSPM(hu2024.model_options)
    truth = hu2024.replace({ACCESSIBLE: 0.93, J0: 0.02, LAYER: 0.014})
    frame = measured(STEPS, truth, rows=40, volts=0.005, model=model)
    data = [ss.ProtocolData(frame, hu2024)]
    free = [ss.Free(ACCESSIBLE), ss.Free(J0, 5e-3, 0.1), D, LAYER]
    chosen = choose(hu2024, data, free, "spm", "auto", hold=True)
    problems = Problems.of(hu2024, data, chosen.all, "spm", "auto")
    joint = Joint(problems, chosen.jacobian)
    best = joint.best()
    draws = np.array([joint.draw([1, number], best).unit for number in range(80)])
    exact = ss.fit(hu2024, data, chosen.all, model="spm").posterior(500, misfit=False, seed=1)
    assert exact.k < 0.7
    for i, f in enumerate(problems.exact.free):
        units = np.array([f.to_unit(value) for value in exact.samples[f.label]])
        # the error of a mean and of a deviation of so many draws
        assert draws[:, i].mean() == pytest.approx(units.mean(), abs=0.4 * units.std())
        assert draws[:, i].std() == pytest.approx(units.std(), rel=0.35)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ssnib_model.errors.ValidityWarning")
def test_coverage(hu2024, tmp_path):
    """Of cells with every uncertain value drawn from its range, as far as they can be tested at
    all: 90 % of the truths should be in their intervals. Where no search finds a point that
    describes the data, which happens far from the set, the report says that and not more."""
    model, hits, said = ss.SolidStateSPM(hu2024.model_options), [], 0
    example = measured(STEPS[:2], hu2024, rows=40, model=model)
    free, _ = candidates(hu2024, [ss.ProtocolData(example, hu2024)])
    bounded = [f.completed(hu2024) for f in free if f.prior is None]
    rng, cells = np.random.default_rng(0), 0
    while cells < 4:
        truth = {f.name: f.from_unit(rng.uniform()) for f in bounded}
        cell = hu2024.replace(truth)
        capacities = ss.Protocol(STEPS).run(model, cell).table["Capacity [mA.h.g-1]"]
        if not (len(capacities) == len(STEPS) and capacities.min() > 60):
            continue
        cells += 1
        frame = measured(STEPS, cell, rows=40, volts=0.005, model=model)
        file = tmp_path / f"{cells}.csv"
        frame.drop_duplicates("Time [s]").to_csv(file, index=False)
        report = ss.diagnose(file, hu2024, model="spm", answer="none")
        if report.fit.does_not_fit:
            said += 1
            continue
        table = report.table[report.table.index.isin(list(truth))]
        values = pd.Series(truth)[table.index]
        hits += list((table["5 %"] <= values) & (values <= table["95 %"]))
    print(f"{np.mean(hits):.0%} of {len(hits)} truths are in their intervals; {said} did not fit")
    assert said <= 1
    assert np.mean(hits) > 0.75
