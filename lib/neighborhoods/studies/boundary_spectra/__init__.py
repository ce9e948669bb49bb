"""The plan of the chapter on spectra: boundary points of two networks, and what is measured around them.

    trained ─┬─ attacked ── found ─┬─ swept ── began     local samples at growing radii
             │                     └─ counted            class changes on random lines
             └─ (both)

Networks and attacks are those of Table 1. Each function takes the chapter's numbers and the plan of Table 1.
"""

import pandas as pd
from torch import Tensor

from neighborhoods.profiles import BoundarySpectraSpec, NetworksSpec
from neighborhoods.store import Item
from neighborhoods.studies.boundary_spectra import balls, sites, sweep
from neighborhoods.studies.persistence import table, zoo


def found(spec: BoundarySpectraSpec, networks: NetworksSpec, name: str) -> Item[dict[str, Tensor]]:
    """Boundary points of a network, with their normals and angles."""
    convolutional = zoo.entry(name).convolutional
    count = spec.convolutional_sites if convolutional else spec.full_sites
    numbers = sites.SitesSpec(zoo.entry(name).network, count, spec.seed)
    return Item(sites.find, numbers, (table.trained(networks, name), table.attacked(networks, name)))


def swept(spec: BoundarySpectraSpec, networks: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Flatness, normals and neighbours at growing radii."""
    parents = (table.trained(networks, name), found(spec, networks, name))
    return Item(sweep.sweep, _sweep(spec, name), parents)


def began(spec: BoundarySpectraSpec, networks: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Where flatness ends at each point, and its radius of curvature."""
    return Item(sweep.begin, _sweep(spec, name), (swept(spec, networks, name),))


def counted(spec: BoundarySpectraSpec, networks: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Class changes on random lines through the points."""
    numbers = balls.BallsSpec(zoo.entry(name).network, spec.lines, spec.reach, spec.steps, spec.seed)
    parents = (table.trained(networks, name), found(spec, networks, name))
    return Item(balls.count, numbers, parents)


def _sweep(spec: BoundarySpectraSpec, name: str) -> sweep.SweepSpec:
    entry = zoo.entry(name)
    levels = spec.convolutional_levels if entry.convolutional else spec.levels
    oversampling = spec.convolutional_oversampling if entry.convolutional else spec.oversampling
    return sweep.SweepSpec(entry.network, levels, spec.least, spec.most, oversampling, spec.seed)
