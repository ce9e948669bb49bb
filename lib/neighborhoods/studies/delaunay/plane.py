"""Labelled points in the plane, a network trained on them, and how much each rule gets wrong."""

from dataclasses import dataclass, replace

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.kernels.delaunay import triangulate
from neighborhoods.kernels.delaunay_weights import delaunay_weights
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.kernels.voronoi import voronoi_logits
from neighborhoods.progress import bar
from neighborhoods.studies.delaunay.regions import labels_in, sample

REGION = "flower"
GRID = 200


@dataclass(frozen=True)
class PlaneSpec:
    """Numbers of a data set in the plane and of its network; see `DelaunaySpec`."""

    sites: int
    hidden: int
    steps: int
    replicates: int
    seed: int


def fit(spec: PlaneSpec) -> dict[str, Tensor]:
    """Return ``sites``, ``labels`` and the parameters of a network trained on them by Adam on all of them."""
    generator = Generator().manual_seed(spec.seed)
    sites = sample(spec.sites, generator)
    labels = labels_in(REGION, sites)
    network = build(spec.hidden)
    _initialise(network, generator)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(spec.steps):
        optimiser.zero_grad()
        cross_entropy(network(sites), labels).backward()
        optimiser.step()
    return {"sites": sites, "labels": labels} | {k: v.detach() for k, v in network.state_dict().items()}


def build(hidden: int) -> nn.Sequential:
    """Return a network of two hidden layers of rectified units from the plane to two logits, in float64."""
    layers = [nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)]
    return nn.Sequential(*layers).double()


def network_of(fitted: dict[str, Tensor]) -> nn.Sequential:
    """Return the trained network of a fitted data set."""
    network = build(len(fitted["0.bias"]))
    network.load_state_dict({name: fitted[name] for name in network.state_dict()})
    return network.requires_grad_(False)


def square(side: int) -> Float[Tensor, "points 2"]:
    """Return the middles of side × side cells of the square, row by row from below."""
    middle = (2 * torch.arange(side, dtype=torch.float64) + 1) / side - 1
    return torch.cartesian_prod(middle, middle).flip(1)


def answers(
    fitted: dict[str, Tensor], points: Float[Tensor, "points 2"]
) -> dict[str, Int[Tensor, " points"]]:
    """Return the class of each point: the truth, and by Voronoi cells, Delaunay weights and network."""
    sites, labels = fitted["sites"], fitted["labels"]
    return {
        "truth": labels_in(REGION, points),
        "Voronoi": voronoi_logits(points, sites, labels, 2).argmax(1),
        "Delaunay": delaunay_weights(points, triangulate(sites), labels, 2).weights.argmax(1),
        "network": labels_of(network_of(fitted), points),
    }


def compare(spec: PlaneSpec) -> pd.DataFrame:
    """Return rows ``replicate``, ``rule``, ``wrong``: the share of the square that a rule gets wrong."""
    rows = []
    for replicate in bar(range(spec.replicates), description="rules in the plane"):
        found = answers(fit(replace(spec, seed=spec.seed + replicate)), square(GRID))
        truth = found.pop("truth")
        for rule, labels in found.items():
            wrong = float((labels != truth).double().mean())
            rows.append({"replicate": replicate, "rule": rule, "wrong": wrong})
    return pd.DataFrame(rows)


@torch.no_grad()
def _initialise(network: nn.Sequential, generator: Generator) -> None:
    for layer in network:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
