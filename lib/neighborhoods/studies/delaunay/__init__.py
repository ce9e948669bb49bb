"""The Delaunay chapter's plan: which item is computed from which, one function an item.

fitted, compared            a data set in the plane, its network, and four boundaries
converged                   distances from the true boundary against the longest edge
shared, concentrated        Gabriel pairs among Delaunay edges, and among all pairs
unlike ── crossed           training pairs of different class, and where networks cross between them
trained ─┘                  (the networks of Table 1)
"""

import pandas as pd
from torch import Tensor

from neighborhoods.profiles import DelaunaySpec, NetworksSpec
from neighborhoods.store import Item
from neighborhoods.studies.delaunay import convergence, crossings, plane, shares, unlike_pairs
from neighborhoods.studies.persistence import table, zoo

CONCENTRATED = (2, 5, 10, 20, 50, 100, 200)
"""Dimensions in which the share of Gabriel pairs among all pairs is measured."""


def fitted(spec: DelaunaySpec) -> Item[dict[str, Tensor]]:
    """A data set in the plane and the network trained on it."""
    return Item(plane.fit, _plane(spec))


def compared(spec: DelaunaySpec) -> Item[pd.DataFrame]:
    """How much of the square each rule gets wrong."""
    return Item(plane.compare, _plane(spec))


def converged(spec: DelaunaySpec) -> Item[pd.DataFrame]:
    """Distances between the boundary of the weights and the true one."""
    numbers = convergence.ConvergenceSpec(spec.samples, spec.replicates, spec.seed)
    return Item(convergence.converge, numbers)


def shared(spec: DelaunaySpec) -> Item[pd.DataFrame]:
    """Gabriel pairs among the Delaunay edges of Gaussian points and of MNIST."""
    return Item(shares.measure, _shares(spec, spec.dimensions))


def concentrated(spec: DelaunaySpec) -> Item[pd.DataFrame]:
    """Gabriel pairs among all pairs of Gaussian points, in more and more dimensions."""
    return Item(shares.concentrate, _shares(spec, CONCENTRATED))


def unlike(spec: DelaunaySpec) -> Item[dict[str, Tensor]]:
    """Training pairs of different class, nearest and random."""
    return Item(unlike_pairs.find, unlike_pairs.UnlikeSpec(spec.images, spec.pairs, spec.seed))


def crossed(spec: DelaunaySpec, networks: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Where a network of Table 1, trained as there, crosses between such pairs."""
    numbers = crossings.CrossingsSpec(zoo.entry(name).network, spec.images)
    return Item(crossings.cross, numbers, (table.trained(networks, name), unlike(spec)))


def _plane(spec: DelaunaySpec) -> plane.PlaneSpec:
    return plane.PlaneSpec(spec.sites, spec.hidden, spec.steps, spec.replicates, spec.seed)


def _shares(spec: DelaunaySpec, dimensions: tuple[int, ...]) -> shares.SharesSpec:
    return shares.SharesSpec(spec.cloud, dimensions, spec.programmes, spec.replicates, spec.images, spec.seed)
