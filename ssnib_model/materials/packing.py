"""Transport through a random packing of spheres, as a network of resistors.

A composite is pressed from spheres of electrolyte and of active material; what overlaps in the
packing is a contact, whose conductance is proportional to the radius of its neck (Holm: a
constriction of radius a conducts 2 sigma a). Only contacts between two spheres of electrolyte
conduct, and of these a share is blocked, as carbon does. Studies use it; the models do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Smallest radius of a neck over the radius of the smaller sphere: no contact is a point.
LEAST_NECK = 0.02


@dataclass(frozen=True)
class Packing:
    """Spheres in a periodic cube of side 1 and the contacts between them.

    Attributes
    ----------
    radii : numpy.ndarray
        Shape (n,).
    electrolyte : numpy.ndarray of bool
        Which of them are electrolyte, shape (n,).
    pairs : numpy.ndarray of int
        The two spheres of every contact, shape (m, 2).
    vectors : numpy.ndarray
        From the second to the first of them, shape (m, 3).
    necks : numpy.ndarray
        Radii of the contacts, shape (m,).
    """

    radii: Floats
    electrolyte: Mask
    pairs: npt.NDArray[np.intp]
    vectors: Floats
    necks: Floats

    @property
    def coordination(self) -> float:
        """Mean number of contacts of a sphere."""
        return 2 * len(self.pairs) / len(self.radii)

    def conductance(
        self, seed: int, electrolyte: Mask | None = None, blocked: float = 0.0
    ) -> float:
        """Conductance of the cube along an axis, mean of three, where a neck of radius a has a.

        Parameters
        ----------
        seed : int
            Of the contacts that are blocked.
        electrolyte : numpy.ndarray of bool, optional
            Which spheres conduct, instead of those of the packing.
        blocked : float, optional
            Share of the contacts that do not conduct, 0 to 1.

        Returns
        -------
        float
            0 where no path of contacts leads through the cube.
        """
        from scipy.sparse import coo_matrix, csr_matrix
        from scipy.sparse.csgraph import connected_components
        from scipy.sparse.linalg import splu

        conducts = self.electrolyte if electrolyte is None else electrolyte
        open_ = np.random.default_rng(seed).random(len(self.pairs)) >= blocked
        kept = open_ & conducts[self.pairs].all(axis=1)
        (i, j), g, d = self.pairs[kept].T, self.necks[kept], self.vectors[kept]
        if not len(g):
            return 0.0
        n = len(self.radii)
        # potentials: a uniform field and a periodic part, of any level in each cluster
        rows, columns = np.r_[i, j, i, j], np.r_[j, i, i, j]
        laplacian = csr_matrix(coo_matrix((np.r_[-g, -g, g, g], (rows, columns)), (n, n)))
        _, labels = connected_components(laplacian, directed=False)
        _, held = np.unique(labels, return_index=True)
        free = np.setdiff1d(np.arange(n), held)
        flux = g[:, None] * d
        source = np.stack([np.bincount(j, f, n) - np.bincount(i, f, n) for f in flux.T], axis=1)
        periodic = np.zeros((n, 3))
        factor = splu(laplacian[free][:, free].tocsc(), permc_spec="MMD_AT_PLUS_A")
        periodic[free] = factor.solve(source[free])
        found = float((flux * (d + periodic[i] - periodic[j])).sum() / 3)
        # where nothing leads through, what is left is round-off
        return found if found > 1e-9 * g.sum() * (d**2).mean() else 0.0


def pack(
    count: int,
    seed: int,
    solid_fraction: float = 0.85,
    electrolyte_fraction: float = 1.0,
    size_ratio: float = 1.0,
    sweeps: int = 200,
) -> Packing:
    """Spheres thrown at random into a periodic cube and pushed apart.

    Parameters
    ----------
    count : int
        Number of spheres.
    seed : int
        The same seed gives the same packing.
    solid_fraction : float, optional
        Volume of the spheres over that of the cube; above 0.64 they overlap, as pressed ones.
    electrolyte_fraction : float, optional
        Volume of electrolyte over that of all spheres.
    size_ratio : float, optional
        Diameter of the active material over that of the electrolyte.
    sweeps : int, optional
        How often all overlaps are reduced.

    Returns
    -------
    Packing
    """
    rng = np.random.default_rng(seed)
    numbers = np.array([electrolyte_fraction, (1 - electrolyte_fraction) / size_ratio**3])
    electrolyte = np.arange(count) < round(count * numbers[0] / numbers.sum())
    rng.shuffle(electrolyte)
    radii = np.where(electrolyte, 1.0, size_ratio)
    radii *= (solid_fraction / (4 / 3 * np.pi * (radii**3).sum())) ** (1 / 3)
    x = rng.random((count, 3))
    for _ in range(sweeps):
        pairs, vectors, distances = _contacts(x, radii)
        i, j = pairs.T
        overlap = radii[i] + radii[j] - distances
        push = (0.3 * overlap / np.maximum(distances, 1e-12))[:, None] * vectors
        # the smaller one gives way
        share = radii[j] ** 3 / (radii[i] ** 3 + radii[j] ** 3)
        for axis in range(3):
            x[:, axis] += np.bincount(i, share * push[:, axis], count)
            x[:, axis] -= np.bincount(j, (1 - share) * push[:, axis], count)
        x %= 1.0
    pairs, vectors, distances = _contacts(x, radii)
    r = radii[pairs]
    plane = (distances**2 + r[:, 0] ** 2 - r[:, 1] ** 2) / (2 * distances)
    necks = np.sqrt(np.maximum(r[:, 0] ** 2 - plane**2, (LEAST_NECK * r.min(axis=1)) ** 2))
    return Packing(radii, electrolyte, pairs, vectors, necks)


def _contacts(x: Floats, radii: Floats) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Pairs that overlap, the vectors between them and their distances."""
    from scipy.spatial import cKDTree

    # a position that rounds to the far face belongs to the near one
    tree = cKDTree(np.where(x < 1, x, 0.0), boxsize=1.0)
    pairs = tree.query_pairs(min(2 * radii.max(), 0.5), output_type="ndarray")
    vectors = x[pairs[:, 0]] - x[pairs[:, 1]]
    vectors -= np.round(vectors)
    distances = np.sqrt((vectors**2).sum(axis=1))
    kept = distances < radii[pairs].sum(axis=1)
    return pairs[kept], vectors[kept], distances[kept]
