"""The plan of the chapter that looks at persistence again: distance, angle, paths, whole curves.

    trained ── ends ─┬─ compared            distance of the nearest adversary and of nine classes
                     ├─ crossed ─┬─ sloped  persistence on both sides of a crossing
                     │           └─ lined   along the path and along the probability
                     └─ counted ── fitted   stability curves and orthants

The network is that of Table 1. Each function takes the chapter's numbers and the plan of Table 1.
"""

import pandas as pd
from torch import Tensor

from neighborhoods.profiles import NetworksSpec, PersistenceRevisitedSpec
from neighborhoods.store import Item
from neighborhoods.studies.persistence import table, zoo
from neighborhoods.studies.persistence_revisited import curves, distances, ends, lines, ways
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec


def trained(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[dict[str, Tensor]]:
    """Parameters of the network."""
    return table.trained(networks, spec.network)


def ended(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[dict[str, Tensor]]:
    """Images, the ends of segments from each, and the distances of the nine other classes."""
    numbers = ends.EndsSpec(
        zoo.entry(spec.network).network, spec.images, spec.epsilon, spec.alpha, spec.steps, spec.seed
    )
    return Item(ends.find, numbers, (trained(spec, networks),))


def compared(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[pd.DataFrame]:
    """Persistence of the images beside their distances."""
    return Item(distances.compare, _measure(spec), (trained(spec, networks), ended(spec, networks)))


def crossed(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[dict[str, Tensor]]:
    """Where the segments leave the class of the image, and at which angle."""
    return Item(ways.cross, _measure(spec), (trained(spec, networks), ended(spec, networks)))


def sloped(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[pd.DataFrame]:
    """Persistence on both sides of the crossings, at equal distances."""
    numbers = ways.SlopesSpec(_measure(spec), spec.segments)
    return Item(ways.slopes, numbers, (trained(spec, networks), crossed(spec, networks)))


def lined(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[pd.DataFrame]:
    """Persistence along the segments, at even steps of path and of probability."""
    numbers = lines.LinesSpec(_measure(spec), spec.followed, spec.places)
    return Item(lines.interpolate, numbers, (trained(spec, networks), crossed(spec, networks)))


def counted(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[pd.DataFrame]:
    """Stability at several levels of noise, of images and adversaries."""
    return Item(curves.count, _curves(spec), (trained(spec, networks), ended(spec, networks)))


def fitted(spec: PersistenceRevisitedSpec, networks: NetworksSpec) -> Item[pd.DataFrame]:
    """Orthants that fit these curves."""
    return Item(curves.fitted, _curves(spec), (counted(spec, networks),))


def _measure(spec: PersistenceRevisitedSpec) -> MeasureSpec:
    return MeasureSpec(zoo.entry(spec.network).network, spec.gamma, spec.samples, spec.seed)


def _curves(spec: PersistenceRevisitedSpec) -> curves.CurvesSpec:
    return curves.CurvesSpec(_measure(spec), spec.curved, spec.levels, spec.draws)
