"""A packing of spheres as a network: closed forms, thresholds, reproducible, of any size."""

import numpy as np
import pytest

from ssnib_model.materials.packing import Packing, pack


@pytest.fixture(scope="module")
def pressed():
    return pack(600, seed=1, sweeps=120)


def cubic(n, conducts=None):
    """A simple cubic lattice of equal contacts, n spheres a side."""
    place = np.arange(n**3).reshape(n, n, n)
    pairs = [np.stack([np.roll(place, -1, axis).ravel(), place.ravel()], 1) for axis in range(3)]
    vectors = np.repeat(np.eye(3) / n, n**3, axis=0)
    return Packing(np.full(n**3, 0.5 / n), np.ones(n**3, bool) if conducts is None else conducts,
                   np.concatenate(pairs), vectors, np.ones(3 * n**3))  # fmt: skip


def random_sites(packing, share, seed):
    count = len(packing.radii)
    return np.random.default_rng(seed).permutation(count) < share * count


def test_a_full_lattice_has_the_conductance_of_its_rows():
    n = 6
    assert cubic(n).conductance(0) == pytest.approx(n**2 / n, rel=1e-12)


@pytest.mark.parametrize("blocked", [0.02, 0.2])
def test_blocked_contacts_of_a_lattice_follow_effective_medium(blocked):
    """Kirkpatrick 1973: 1 - b / (1 - 2/Z), exact where few are blocked."""
    lattice = cubic(12)
    found = np.mean([lattice.conductance(seed, blocked=blocked) for seed in range(3)]) / 12
    assert found == pytest.approx(1 - 1.5 * blocked, abs=0.05 * blocked + 0.005)


@pytest.mark.parametrize(("share", "conducts"), [(0.22, False), (0.42, True)])
def test_the_lattice_percolates_between(share, conducts):
    """At 0.3116 of the sites of a simple cubic lattice."""
    lattice = cubic(10)
    found = [lattice.conductance(0, random_sites(lattice, share, seed)) for seed in range(4)]
    assert all(f > 0 for f in found) is conducts
    assert any(f > 0 for f in found) is conducts


@pytest.fixture(scope="module")
def touching():
    return pack(600, seed=3, solid_fraction=0.65, sweeps=120)


@pytest.mark.parametrize(("share", "conducts"), [(0.2, False), (0.44, True)])
def test_touching_spheres_percolate_near_031(share, conducts, touching):
    """Just above random close packing, at six to seven contacts: 0.31 of the spheres (Powell
    1979, doi 10.1103/PhysRevB.20.4194)."""
    assert 5.5 < touching.coordination < 7.5
    found = [touching.conductance(0, random_sites(touching, share, seed)) for seed in range(4)]
    assert all(f > 0 for f in found) is conducts
    assert any(f > 0 for f in found) is conducts


def test_few_spheres_of_another_kind_cost_what_effective_medium_says(pressed):
    """The first spheres taken out of a packing cost two to three times their share."""
    full = pressed.conductance(0)
    lost = [1 - pressed.conductance(0, random_sites(pressed, 0.97, s)) / full for s in range(3)]
    assert 1.5 * 0.03 < np.mean(lost) < 3 * 0.03


def test_the_same_seed_gives_the_same(pressed):
    again = pack(600, seed=1, sweeps=120)
    assert again.conductance(5, blocked=0.2) == pressed.conductance(5, blocked=0.2)
    assert pack(100, 2, sweeps=5).coordination != pack(100, 3, sweeps=5).coordination


def test_the_ratio_does_not_depend_on_the_number_of_spheres(pressed):
    ratios = []
    for packing in (pack(200, seed=1, sweeps=120), pressed):
        full = packing.conductance(0)
        parts = [packing.conductance(0, random_sites(packing, 0.6, seed)) for seed in range(6)]
        ratios.append(np.mean(parts) / full)
    assert ratios[0] == pytest.approx(ratios[1], rel=0.12)


def test_sizes_and_fractions_are_those_asked_for():
    mixed = pack(400, 4, solid_fraction=0.8, electrolyte_fraction=0.4, size_ratio=2.5, sweeps=5)
    volumes = 4 / 3 * np.pi * mixed.radii**3
    assert volumes.sum() == pytest.approx(0.8)
    assert volumes[mixed.electrolyte].sum() == pytest.approx(0.32, rel=0.03)
    assert mixed.radii.max() / mixed.radii.min() == pytest.approx(2.5)


def test_nothing_conducts_without_electrolyte(pressed):
    assert pressed.conductance(0, np.zeros(600, bool)) == 0
    assert pressed.conductance(0, blocked=1.0) == 0
