"""What a run may not do in silence: another model's equations, another cell's answer."""

import pytest

import ssnib_model as ss

SIGMA = "Na3PS4 layer conductivity [S.m-1]"
RADIUS = "Positive particle radius [m]"
REACTION = "Positive electrode reaction current density [A.m-2]"


class SlowKinetics(ss.SolidStateDFN):
    """Another interface: 0.2 V more at any current."""

    def __init__(self, options=None):
        super().__init__(options)
        for variable in self.algebraic:
            if variable.name == REACTION:
                self.algebraic[variable] -= 0.2 * variable / (abs(variable) + 1e-3)


def test_finding_03_a_subclass_is_refused_by_the_structured_solver(hu2024):
    with pytest.raises(ss.OptionError, match="SlowKinetics"):
        ss.RateTest([0.2]).run(SlowKinetics(), hu2024, solver=ss.StructuredSolver())


def test_finding_03_changed_equations_are_refused_by_the_structured_solver(hu2024):
    model = ss.SolidStateSPM()
    (alloy,) = (v for v in model.rhs if v.name == "Negative electrode sodium content")
    model.rhs[alloy] = 2 * model.rhs[alloy]
    with pytest.raises(ss.OptionError, match="changed"):
        ss.RateTest([0.2]).run(model, hu2024, solver=ss.StructuredSolver())


@pytest.mark.parametrize("events", [0, 1])
def test_finding_03_changed_events_are_refused_by_the_structured_solver(hu2024, events):
    model = ss.SolidStateSPM()
    model.events = model.events[:events]
    with pytest.raises(ss.OptionError, match="changed"):
        ss.RateTest([0.2]).run(model, hu2024, solver=ss.StructuredSolver())


@pytest.mark.parametrize("solver", ["idaklu", "structured"])
def test_finding_04_an_undeclared_change_is_refused(hu2024, solver):
    prepared = ss.RateTest([1]).prepare(ss.SolidStateSPM(), hu2024, varying=[SIGMA], solver=solver)
    first = [h.capacity for h in prepared.half_cycles(hu2024)]
    for undeclared in (RADIUS, "Ambient temperature [K]", "As-made state of charge"):
        changed = hu2024.replace({undeclared: 1.02 * hu2024[undeclared]})
        with pytest.raises(ss.OptionError, match=undeclared.split(" [")[0]):
            prepared.half_cycles(changed)
    declared = prepared.half_cycles(hu2024.replace({SIGMA: 0.004}))
    assert declared[1].capacity < first[1] * (1 - 1e-4)
    # and nothing of one run is left for the next
    assert [h.capacity for h in prepared.half_cycles(hu2024)] == first


def test_finding_04_what_follows_from_a_declared_change_may_change(hu2024):
    """The catholyte is that of the layer, and the current of 1 C that of the mass."""
    name = "NaTaCl6 layer conductivity [S.m-1]"
    prepared = ss.RateTest([1]).prepare(ss.SolidStateSPM(), hu2024, varying=[name])
    changed = hu2024.replace({name: 0.02})
    alone = ss.RateTest([1]).run(ss.SolidStateSPM(), changed)
    capacities = [h.capacity for h in prepared.half_cycles(changed)]
    assert capacities == pytest.approx([h.capacity for h in alone.half_cycles], rel=1e-5)


@pytest.mark.parametrize("rates", [[0.2, 2, 0.2], [1, 1]])
def test_finding_11_rates_that_come_again_keep_their_curves_apart(hu2024, rates):
    result = ss.RateTest(rates).run(ss.SolidStateSPM(), hu2024)
    assert len(result.table) == len(rates)
    blocks = result.curves.groupby("Half-cycle")
    assert len(blocks) == 2 * len(rates)
    for number, (_, block) in enumerate(blocks):
        assert block["Time [s]"].is_monotonic_increasing
        assert block["C-rate"].unique() == [rates[number // 2]]
        half_cycle = result.half_cycles[number]
        assert block["Time [s]"].iloc[-1] == pytest.approx(half_cycle.duration)


def test_finding_11_a_plot_draws_one_line_a_half_cycle(hu2024):
    from matplotlib.figure import Figure

    from ssnib_model.results.plots import voltage_curves

    result = ss.RateTest([0.2, 2, 0.2]).run(ss.SolidStateSPM(), hu2024)
    ax = voltage_curves(result, Figure().subplots())
    lines = [line for line in ax.lines if len(line.get_xdata())]
    assert len(lines) == 6
    for line in lines:
        assert (line.get_xdata()[1:] > line.get_xdata()[:-1]).all()
    assert [text.get_text() for text in ax.get_legend().texts] == ["0.2 C", "2 C"]


@pytest.mark.parametrize(
    ("options", "named"), [({"size classes": 3}, "size classes"), ({"particle": "two-phase"}, "p")]
)
def test_a_model_without_what_the_set_asks_for_is_refused(hu2024, options, named):
    asks = hu2024.replace({}, options)
    with pytest.raises(ss.OptionError, match=named):
        ss.RateTest([0.2]).run(ss.SolidStateSPM(), asks)


def test_a_model_of_another_stack_is_refused():
    with pytest.raises(ss.OptionError, match="electrolyte layers"):
        ss.RateTest([0.2]).run(ss.SolidStateSPM(), ss.ParameterSet("ThreeLayers"))


@pytest.mark.parametrize("var_pts", [{"x": 20}, {"r_p": 2.5}, {"r_p": 10**9}, {"x_p": 0}])
def test_a_mesh_that_would_not_be_used_is_refused(hu2024, var_pts):
    with pytest.raises(ss.OptionError, match="var_pts"):
        ss.RateTest([0.2]).run(parameters=hu2024, var_pts=var_pts)


@pytest.mark.parametrize("solver", ["structred", 1e-6, ss.StructuredSolver])
def test_a_solver_that_is_none_is_refused(hu2024, solver):
    with pytest.raises(ss.OptionError, match="solver"):
        ss.RateTest([0.2]).run(parameters=hu2024, solver=solver)
