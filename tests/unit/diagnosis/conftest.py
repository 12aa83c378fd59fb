"""One diagnosis, of a rate test that the reduced model made."""

import pytest

import ssnib_model as ss
from ssnib_model.fits.candidates import default_candidates
from tests.unit.measured.synthetic import measured

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
TRUTH = {J0: 0.02, ACCESSIBLE: 0.94}

STEPS = [
    "Charge at 0.2C until 4 V", "Discharge at 0.2C until 2.5 V",
    "Charge at 0.2C until 4 V", "Discharge at 2C until 2.5 V",
]  # fmt: skip


@pytest.fixture(scope="session")
def rates(hu2024, tmp_path_factory):
    """Its file."""
    model = ss.SolidStateSPM(hu2024.model_options)
    frame = measured(STEPS, hu2024.replace(TRUTH), rows=40, volts=0.005, model=model)
    path = tmp_path_factory.mktemp("files") / "rates <b>.csv"
    frame.drop(columns="Cycle").drop_duplicates("Time [s]").to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def report(rates, hu2024):
    missing = rates.parent / "missing.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssnib_model.diagnosis.diagnose.OF_LOSSES", 6)  # they take the time
        few = default_candidates(hu2024)[:2]
        patch.setattr("ssnib_model.diagnosis.ahead.default_candidates", lambda _: few)
        return ss.diagnose([rates, missing], hu2024, model="spm", draws=12, seed=3)
