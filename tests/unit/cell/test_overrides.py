"""What follows from a change: overrides carried through, and `dependents` against brute force."""

import itertools
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ssnib_model as ss
from ssnib_model.cell import declared, exchanges, relations

P = "Positive electrode"
SETS = ["Hu2024", "ThreeLayers", "SymmetricNaSn"]
MASS, LOADING, THICKNESS = relations.MASS, relations.LOADING, relations.THICKNESS
ROUND_OFF = 1e-9


@pytest.fixture(scope="module", params=SETS)
def parameters(request):
    return ss.ParameterSet(request.param)


def declared_numbers(parameters):
    """Every declared number of a set, given or not, with what is declared."""
    known = declared.known_names(parameters.model_options["electrolyte layers"])
    return {name: quantity for name, quantity in known.items() if quantity.shape == "number"}


def start(parameters, name):
    """A value to begin with: that of the set, or one in the middle of what is allowed."""
    if name in parameters:
        return parameters[name]
    quantity = declared_numbers(parameters)[name]
    low = max(quantity.low, quantity.high * 1e-6)
    return (low * quantity.high) ** 0.5


def perturbed(parameters, name):
    """Sets with one number changed, by several sizes and in both directions."""
    value = start(parameters, name)
    for changed in (0.5 * value, 0.9 * value, 0.99 * value, 1.01 * value, 1.1 * value, 2 * value,
                    value + 0.01):  # fmt: skip
        try:
            yield parameters.replace({name: changed})
        except ss.ParameterError:
            continue


def differing(before, after):
    """Names of numbers that differ by more than round-off."""
    names = set(before) | set(after)
    return {n for n in names if not _equal(before.get(n), after.get(n))}


def not_the_same(before, after):
    """Names of numbers that differ in any digit."""
    return {n for n in set(before) | set(after) if before.get(n) != after.get(n)}


def _equal(a, b):
    if not (isinstance(a, float) and isinstance(b, float)):
        return a == b
    return abs(a - b) <= ROUND_OFF * max(abs(a), abs(b))


def test_dependents_are_what_changes(parameters):
    """Brute force over every declared number: no name is missing, and none is too much."""
    tried = 0
    for name in declared_numbers(parameters):
        others = list(perturbed(parameters, name))
        changed = set().union(*(differing(parameters, other) for other in others))
        if changed:
            tried += 1
            dependents = parameters.dependents(name)
            assert (
                set().union(*(not_the_same(parameters, other) for other in others)) <= dependents
            )
            # a volume fraction switches to rules of volumes, also where the number is the same
            assert changed == dependents or name in relations.FRACTIONS, name
    # the others need a model option
    assert tried > 0.9 * len(declared_numbers(parameters))


def test_dependents_of_a_change_on_top_of_another(hu2024):
    """The closure holds for whatever was given before, also by volumes or by loading."""
    for name, value in [
        (f"{P} active material volume fraction", 0.3),
        (LOADING, 0.1),
        (THICKNESS, 70e-6),
        ("Nominal cell capacity [A.h]", 5e-4),
    ]:
        before = hu2024.replace({name: value})
        for other in exchanges.exchanges(("Na3PS4", "NaTaCl6")):
            for after in perturbed(before, other):
                assert not_the_same(before, after) <= before.dependents(other), (name, other)


@pytest.mark.slow
def test_dependents_of_pairs(parameters):
    interesting = [*exchanges.exchanges(parameters.model_options["electrolyte layers"])]
    interesting += [*relations.DENSITIES, "Reference temperature [K]"]
    for pair in itertools.combinations(interesting, 2):
        dependents = parameters.dependents(pair)
        assert dependents >= parameters.dependents(pair[0]) | parameters.dependents(pair[1])
        for factors in ((1.02, 0.97), (0.9, 1.1)):
            values = [f * start(parameters, n) for f, n in zip(factors, pair, strict=True)]
            try:
                after = parameters.replace(dict(zip(pair, values, strict=True)))
            except ss.ParameterError:
                continue
            assert not_the_same(parameters, after) <= dependents, pair
        for first in itertools.islice(perturbed(parameters, pair[0]), 1):  # one after the other
            for second in itertools.islice(perturbed(first, pair[1]), 1):
                assert not_the_same(parameters, second) <= dependents, pair


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("layer", ["Na3PS4", "NaTaCl6"])
def test_dependents_of_another_material(layer, hu2024):
    materials = list(ss.solid_electrolytes())[:4]
    changed = [not_the_same(hu2024, ss.swap_layer(hu2024, layer, m)) for m in materials]
    assert any(changed)
    assert set().union(*changed) <= hu2024.dependents([f"{layer} layer material"])


@pytest.mark.parametrize("name", ["Na3PS4 layer thicknes [m]", "LiCl layer material", "", "x"])
def test_dependents_of_unknown_names(name, hu2024):
    with pytest.raises(ss.UnknownParameterError, match="no parameter"):
        hu2024.dependents([name])


def test_dependents_of_names_that_are_not_given(hu2024):
    assert hu2024.dependents("Positive electrode tortuosity factor") == {
        "Positive electrode tortuosity factor"
    }
    assert {MASS, THICKNESS, "Nominal cell capacity [A.h]"} < hu2024.dependents([LOADING])
    assert hu2024.dependents([]) == set()


# -------------------------------------------------------------------- overrides
def residuals(parameters):
    """Relative errors of all identities, by target."""
    rules = relations.rules(parameters.model_options["electrolyte layers"], parameters.catholyte)
    found = {}
    for rule in rules:
        names = (rule.target, *rule.inputs)
        if rule.form != "fill" and all(isinstance(parameters.get(n), float) for n in names):
            value = rule.compute(*(parameters[n] for n in rule.inputs))
            # voids are a difference of ones
            scale = 1.0 if rule.target == relations.VOID else abs(value)
            found[rule] = abs(parameters[rule.target] - value) / scale
    return found


def check_whole(parameters, at_once=()):
    """All that must hold of any set; names given at once may differ by the tolerance."""
    for rule, error in residuals(parameters).items():
        assert error < ROUND_OFF or (error < 0.05 and len(at_once) > 1), (rule.target, rule)
    parts = [*relations.FRACTIONS, relations.VOID]
    total = sum(parameters[n] for n in parts)
    assert total == pytest.approx(1, abs=1e-9 if len(at_once) <= 1 else 0.02)
    frame = parameters.to_frame()
    for name, info in parameters.given.items():
        assert frame.loc[name, "value"] == info.value
    for name in set(parameters) - set(parameters.given):
        assert parameters.info(name).kind in ("derived", "assumed")


def test_nothing_changes_where_a_value_is_given_again(parameters):
    """Whatever a value was, giving it again is the same cell."""
    for name in declared_numbers(parameters):
        if name in parameters:
            again = parameters.replace({name: parameters[name]})
            assert not differing(parameters, again), name
            assert again.info(name).kind == "user"
            check_whole(again)
    everything = {n: v for n, v in parameters.items() if isinstance(v, float)}
    assert not differing(parameters, parameters.replace(everything))


NAMES = sorted(
    n
    for n, q in declared.known_names(("Na3PS4", "NaTaCl6")).items()
    if q.shape == "number" and q.off is None
)
FACTORS = st.sampled_from([0.5, 0.8, 0.95, 0.999, 1.0, 1.001, 1.05, 1.2, 1.7])
EXCHANGED = list(exchanges.exchanges(("Na3PS4", "NaTaCl6")))
CHANGES = st.dictionaries(
    st.sampled_from(EXCHANGED + list(relations.DENSITIES)) | st.sampled_from(NAMES),
    FACTORS,
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much,
                           HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(steps=st.lists(CHANGES, min_size=1, max_size=4))
def test_any_sequence_of_changes_leaves_one_whole_cell(steps, hu2024, tmp_path_factory):
    parameters, loose = hu2024, set()
    for factors in steps:
        changes = {n: f * start(parameters, n) for n, f in factors.items()}
        before = parameters
        try:
            parameters = parameters.replace(changes)
        except ss.ParameterError as error:
            for sentence in error.problems:
                assert '"' in sentence or "volume fractions" in sentence
            continue
        plan = before._stack.plan(before.given, {n: parameters.given[n] for n in changes})
        loose = set(plan.redundant)
        # the last change wins
        for name, value in changes.items():
            assert parameters[name] == value
            assert parameters.info(name).kind == "user"
        assert not_the_same(before, parameters) <= before.dependents(changes)
        for name, cause in plan.given_up.items():
            assert parameters.info(name).kind == "derived"
            assert f'given up for "{cause}"' in parameters.info(name).note
            assert f'"{name}"' in parameters.info(cause).note
        check_whole(parameters, loose)
    assume(parameters is not hu2024)
    again = ss.ParameterSet.from_files(parameters.files())
    assert not differing(parameters, again)
    assert not differing(parameters, pickle.loads(pickle.dumps(parameters)))


def test_a_composite_described_by_volumes_alone(tmp_path):
    """No masses, and no mass parts: the active mass follows, and with it loading and capacity."""
    area, L, phi = 1e-4, 80e-6, (0.35, 0.40, 0.10)
    base = (
        ss.ParameterSet("Hu2024")
        .replace({f"{P} {c} volume fraction": v for c, v in zip(relations.COMPONENTS, phi,
                                                                strict=True)})
        .replace({THICKNESS: L, "Electrode area [m2]": area})
    )  # fmt: skip
    assert not {MASS, relations.VOID, *relations.PARTS[1:]} & set(base.given)
    folder = base.save(tmp_path / "volumes")
    text = (folder / "parameters.toml").read_text()
    part = text.index(f'[parameters."{relations.PARTS[0]}"]')
    end = text.index("[parameters.", part + 1)
    (folder / "parameters.toml").write_text(text[:part] + text[end:])
    parameters = ss.ParameterSet(folder)
    active = phi[0] * 3160 * L * area
    assert parameters[relations.ACTIVE_MASS] == pytest.approx(active)
    assert parameters[LOADING] == pytest.approx(active / area)
    assert parameters["Nominal cell capacity [A.h]"] == pytest.approx(active * 118)
    assert parameters[relations.VOID] == pytest.approx(0.15)
    assert sum(parameters[n] for n in relations.PARTS) == pytest.approx(1)
    assert not differing(base, parameters) - set(relations.PARTS)
    check_whole(parameters)
    # and back to masses
    heavier = parameters.replace({relations.PARTS[0]: 1.1 * parameters[relations.PARTS[0]]})
    assert heavier[MASS] == pytest.approx(parameters[MASS])
    assert heavier[relations.VOID] == pytest.approx(0.15)
    check_whole(heavier)


@pytest.mark.parametrize(
    "changes",
    [
        {LOADING: 0.06, MASS: 10e-6},
        {relations.ACTIVE_MASS: 8e-6, LOADING: 0.06},
        {LOADING: 0.2, THICKNESS: 60e-6, relations.VOID: 0.15},
        {"Die diameter [m]": 0.012, "Electrode area [m2]": 1e-4},
        {"Nominal cell capacity [A.h]": 5e-4, "Specific current at 1 C [A.kg-1]": 118.0},
        {f"{P} carbon volume fraction": 0.1, relations.VOID: 0.2},
        {f"{c} layer {what}": 1.5e-4 for c in ["Na3PS4"] for what in ("mass [kg]",
                                                                    "thickness [m]")},
    ],
)  # fmt: skip
def test_changes_at_once_that_contradict(changes, hu2024):
    with pytest.raises(ss.ParameterError) as error:
        hu2024.replace(changes)
    assert any(f'"{name}" is given as' in str(error.value) for name in changes)


def test_a_file_wins_over_its_base(tmp_path):
    """A thickness given over a mass of the base set, a loading over its composite mass."""
    entry = '[parameters."{}"]\nvalue = {}\nunit = "{}"\nkind = "measured"\nsource = "Hu2024"\n'
    text = (
        'name = "mine"\nbase = "Hu2024"\n[stack]\n"electrolyte layers" = ["Na3PS4", "NaTaCl6"]\n'
    )
    text += entry.format("Na3PS4 layer thickness [m]", 500, "um")
    text += entry.format(LOADING, 12, "mg.cm-2")
    (tmp_path / "parameters.toml").write_text(text)
    parameters, base = ss.ParameterSet(tmp_path), ss.ParameterSet("Hu2024")
    assert parameters["Na3PS4 layer thickness [m]"] == pytest.approx(500e-6)
    assert parameters.info("Na3PS4 layer mass [kg]").kind == "derived"
    assert parameters[MASS] == pytest.approx(0.12 / base[LOADING] * base[MASS])
    assert parameters["Nominal cell capacity [A.h]"] == pytest.approx(
        0.12 / base[LOADING] * base["Nominal cell capacity [A.h]"]
    )
    check_whole(parameters)


def test_a_file_with_a_user_value_beside_what_it_contradicts(tmp_path, hu2024):
    """As older files have it: the value of the user is the last change."""
    folder = hu2024.save(tmp_path / "older")
    with (folder / "parameters.toml").open("a") as file:
        file.write(f'\n[parameters."{LOADING}"]\nvalue = 0.1\nunit = "kg.m-2"\nkind = "user"\n')
    older = ss.ParameterSet(folder)
    assert not differing(older, hu2024.replace({LOADING: 0.1}))
    check_whole(older)


def test_measured_values_within_the_tolerance_stand_until_one_is_changed(tmp_path, hu2024):
    folder = hu2024.save(tmp_path / "both")
    thickness, layer = 289e-6, "Na3PS4 layer"
    with (folder / "parameters.toml").open("a") as file:
        file.write(
            f'\n[parameters."{layer} thickness [m]"]\nvalue = {thickness}\nunit = "m"\n'
            'kind = "measured"\nsource = "Hu2024"\n'
        )
    both = ss.ParameterSet(folder)
    assert both[f"{layer} thickness [m]"] == thickness
    for name, gone in [
        (f"{layer} thickness [m]", f"{layer} mass [kg]"),
        (f"{layer} mass [kg]", f"{layer} thickness [m]"),
        (f"{layer} density [kg.m-3]", f"{layer} thickness [m]"),
        ("Die diameter [m]", f"{layer} thickness [m]"),
    ]:
        changed = both.replace({name: 1.3 * both[name]})
        assert changed.info(gone).kind == "derived"
        assert not_the_same(both, changed) <= both.dependents(name)
        check_whole(changed)
    # what has nothing to do with it leaves both
    other = both.replace({MASS: 12e-6})
    assert {f"{layer} thickness [m]", f"{layer} mass [kg]"} < set(other.given)


def test_what_follows_and_nothing_reads_has_no_limits(hu2024):
    """A value within its limits is not refused for a mass beyond those of a mass."""
    tin, alloy = "Negative electrode tin amount [mol]", "Negative electrode alloy mass [kg]"
    for amount in (1e-9, 50.0):
        mass = hu2024.replace({tin: amount})[alloy]
        quantity = declared_numbers(hu2024)[alloy]
        assert not quantity.low <= mass <= quantity.high
    # but there is no composite of voids
    with pytest.raises(ss.ParameterError, match=r"void fraction.* allowed is 0 to 0\.8"):
        hu2024.replace({THICKNESS: 400e-6})


def test_a_relation_that_only_fills_a_gap_is_broken_and_says_so(hu2024):
    name = f"{P} electrolyte conductivity [S.m-1]"
    other = hu2024.replace({name: 0.1})
    assert other["NaTaCl6 layer conductivity [S.m-1]"] == 0.4
    assert "that of the NaTaCl6 layer; does not follow any more" in other.info(name).note


def test_the_table_of_overrides_in_the_docs_is_current():
    text = (Path(__file__).parents[3] / "docs" / "parameters_overrides.md").read_text()
    assert exchanges.override_table() in text
    example = text.split("```python\n")[1].split("```")[0]
    exec(example, {})  # its own asserts hold
