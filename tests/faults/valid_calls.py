"""A call with valid arguments of every public function: what the faults of `bad_inputs` are made from.

Each entry gives the arguments by name and, in its first words, which faults of them are none: "margin: zero;
angles: empty" says that a margin of 0 and no angles are valid.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from neighborhoods.kernels import boundaries, delaunay, flatness, linearised, spectra
from neighborhoods.kernels.trajectories import Rule, Trajectory
from neighborhoods.models import images, networks, pretrained
from neighborhoods.models.perceptrons import perceptron
from torch import Tensor, nn


class Call(NamedTuple):
    """Valid arguments by name, and which faults of an argument are none."""

    arguments: Mapping[str, Any]
    free: Mapping[str, str] = {}


def draws(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def call(free: str = "", **arguments: Any) -> Call:
    pairs = (part.split(": ") for part in free.split("; ") if part)
    return Call(arguments, dict(pairs))


def plane(x: Tensor) -> Tensor:
    """Two logits; the boundary is where the coordinates add up to 1."""
    sums = x.flatten(1).sum(1)
    return torch.stack([1 - sums, sums - 1], 1)


def network() -> nn.Sequential:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double().eval()
    torch.random.set_rng_state(torch_state)
    return made


def trajectory() -> Trajectory:
    start = torch.cat([parameter.detach().flatten() for parameter in network().parameters()])
    states = torch.stack([start, start + 0.1 * draws(len(start))])
    return Trajectory(states, torch.tensor([0.1], dtype=torch.float64))


SMALL = torch.tensor([[0.1, 0.2, 0.1], [0.3, 0.1, 0.0]], dtype=torch.float64)  # class 0 of the plane
LARGE = SMALL + 1  # class 1
ZEROS, ONES = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
ANGLES = torch.tensor([0.2, 0.4], dtype=torch.float64)
POINTS, SITES = draws(4, 3), draws(7, 2, seed=2)
PAIRS = torch.tensor([[0, 1], [2, 3]])
SITE_LABELS = torch.tensor([0, 1, 0, 1, 0, 1, 0])
TRIANGLES = delaunay.triangulate(SITES)
FLAT = flatness.flatness(draws(5, 40, 3))[0]
RADII = torch.logspace(-2, 0, 5, dtype=torch.float64)
CROSSED = boundaries.crossing(plane, SMALL, LARGE)
RUN = {"network": network(), "trajectory": trajectory(), "points": POINTS, "training": draws(5, 3, seed=3)}
TARGETS = torch.tensor([0, 1, 0, 1, 0])
BETWEEN = {"network": network(), "trajectory": trajectory(), "left": POINTS, "right": draws(5, 3, seed=3)}
ATTACKED = {"classifier": plane, "points": SMALL, "labels": ZEROS}
# Of a targeted attack only the targets are tried: its labels say what the targets may not be, no more.
TARGETED = ATTACKED | {"targets": ONES}
GOAL = linearised.Goal(plane, SMALL, SMALL.shape[1:], ONES, 0.0, (0.0, 1.0))
BEST = linearised.Best(SMALL + 0.5, torch.ones(2, dtype=torch.bool), torch.ones(2, dtype=torch.float64))
WEDGE = {"points": POINTS, "angles": ANGLES}

TRAINED = network()
TRAINING = {"points": draws(5, 3, seed=3), "targets": TARGETS}
PICTURES = torch.tensor([[0.1, 0.2, 0.1], [0.3, 0.1, 0.0]]).reshape(2, 1, 1, 3)  # class 0 of the plane
PACKAGED = {"classifier": plane, "points": PICTURES, "labels": ZEROS, "generator": generator()}

CALLS: dict[str, Call] = {
    "argmax.classes_nearby": call(
        "radius: zero; labels: out of range", labels=torch.tensor([0, 0, 1, 1]), radius=1
    ),
    "argmax.nearest_tie": call(outputs=draws(4, 3)),
    "argmax.steady_radius": call("order: infinite, wrong type", outputs=draws(4, 3), order=2),
    "argmax.winners": call(outputs=draws(4, 3)),
    "attacks.fgsm": call("epsilon: zero", **ATTACKED, epsilon=0.2, box=(0.0, 1.0)),
    "attacks.fgsm targeted": call(**TARGETED, epsilon=0.2),
    "attacks.igsm": call(
        "epsilon: zero; alpha: zero; margin: zero",
        **ATTACKED, epsilon=0.2, alpha=0.1, steps=2, stop="success", margin=0.1, box=(0.0, 1.0),
    ),
    "attacks.igsm targeted": call(**TARGETED, epsilon=0.2, alpha=0.1, steps=2),
    "average_vector_field.average_vector_field": call(
        network=perceptron("3-4-2", activation="tanh", generator=generator()).double(), **TRAINING, steps=2,
        rate=0.1, reduction="sum", iterations=50,
    ),
    "averaged_machine.averaged_attribution": call(
        **RUN | {"trajectory": replace(trajectory(), rule=Rule(averaged=True))}, targets=TARGETS, chunk=64
    ),
    "backpropagation.backpropagate": call(
        weights=[draws(4, 3), draws(2, 4)], biases=[draws(4), draws(2)], point=draws(3),
        activation=torch.tanh, slope=lambda z: 1 - z.tanh() ** 2, loss_slope=torch.ones_like, slope_at="z",
    ),
    "boundaries.along": call("distance: negative, zero", found=CROSSED, start=SMALL, end=LARGE, distance=0.1),
    "boundaries.crossing": call(classifier=plane, start=SMALL, end=LARGE, iterations=20),
    "boundaries.overshoot": call(classifier=plane, natural=SMALL, adversarial=LARGE, iterations=20),
    "boundary_points.boundary_points": call(classifier=plane, start=SMALL, end=LARGE, found=CROSSED),
    "boundary_points.descend": call("tolerance: zero",
        classifier=plane, points=SMALL, first=ZEROS, second=ONES, iterations=9, tolerance=1e-5
    ),
    "boundary_points.interpolated": call(
        classifier=plane, points=SMALL, parents=(SMALL[0], LARGE[0]), iterations=20
    ),
    "bracketing.bracketing": call("max_doublings: zero",
        classifier=plane, points=SMALL, gamma=0.7, samples=50, max_steps=5, precision=0.05, max_doublings=5,
        generator=generator(),
    ),
    "carlini_wagner.carlini_wagner": call(
        "margin: zero", **ATTACKED, margin=0.1, box=(0.0, 1.0), rounds=2, steps=5, rate=1.0
    ),
    "carlini_wagner.carlini_wagner targeted": call(**TARGETED, rounds=2, steps=5),
    "certified.certificate_radius": call(probability=torch.tensor([0.8, 0.9]), gamma=0.7, dimension=3),
    "chord_rules.telescoped_by_rule": call(
        network=network(), trajectory=trajectory(), points=POINTS, rule="gauss", nodes=2, chunk=64
    ),
    "concentration.annulus_bound": call("epsilon: zero", dimension=9, sigma=1.0, epsilon=0.5),
    "concentration.annulus_probability": call("epsilon: zero", dimension=9, sigma=1.0, epsilon=0.5),
    "concentration.annulus_tails": call("epsilon: zero", dimension=9, sigma=1.0, epsilon=0.5),
    "concentration.ball_points": call("count: zero", count=5, dimension=3, radius=1.0, generator=generator()),
    "concentration.gaussian_points": call(
        "count: zero", count=5, dimension=3, sigma=1.0, generator=generator()
    ),
    "concentration.norms": call(sampler=lambda count: draws(count, 3), count=5),
    "concentration.printed_annulus_bound": call("epsilon: zero", epsilon=0.5),
    "concentration.shell_bound": call("delta: zero", dimension=9, radius=1.0, delta=0.5),
    "concentration.shell_probability": call("delta: zero", dimension=9, radius=1.0, delta=0.5),
    "curvature.curvature_radius": call(
        "error: zero; flat: NaN", flat=FLAT, radii=RADII, coordinates=3, error=0.1, confidence=0.9
    ),
    "curvature.planarity_radius": call(flat=FLAT, radii=RADII, level=0.1),
    "datasets.mnist": call("folder: out of range", split="test", limit=3),
    "defences.ascended": call("radius: zero",
        **ATTACKED, radius=0.2, steps=2, generator=generator()
    ),
    "defences.principal_components": call(points=POINTS, count=2),
    "defences.soft_nearest_neighbour_loss": call("labels: negative, out of range",
        features=POINTS, labels=torch.tensor([0, 0, 1, 1]), temperature=0.7
    ),
    "delaunay.triangulate": call(sites=SITES),
    "delaunay_adjacency.adjacency": call("pairs: empty", sites=SITES, pairs=PAIRS),
    "delaunay_weights.barycentric": call(points=draws(4, 2), corners=draws(4, 3, 2)),
    "delaunay_weights.boundary_segments": call(
        "labels: negative, out of range", triangulation=TRIANGLES, labels=SITE_LABELS
    ),
    "delaunay_weights.delaunay_weights": call(
        points=draws(4, 2), triangulation=TRIANGLES, labels=SITE_LABELS, classes=2
    ),
    "detection.separation": call(
        "positive: infinite; negative: infinite", positive=[1.0, 2.0, 3.0], negative=[0.0, 1.5],
        confidence=0.9
    ),
    "dimension.dropped_directions": call(spectrum=spectra.spectrum(draws(9, 3)), cut=0.25, confidence=0.9),
    "flatness.flatness": call(patch=draws(40, 3), confidence=0.9),
    "gabriel.gabriel": call("pairs: empty", sites=SITES, pairs=PAIRS),
    "gaussian_process.gaussian_process": call(
        gram=torch.eye(3, dtype=torch.float64), cross=draws(2, 3), prior=torch.full((2,), 9.0,
        dtype=torch.float64),
        targets=draws(3, 1), noise=0.1,
    ),
    "halfspaces.least_step": call(
        "iterations: zero; tolerance: zero", normals=draws(2, 2, 3), offsets=draws(2, 2), low=-torch.ones(2,
        3, dtype=torch.float64
    ),
        high=torch.ones(2, 3, dtype=torch.float64), iterations=9, tolerance=1e-5,
    ),
    "hulls.hull_projection": call(points=draws(2, 3).numpy(), vertices=draws(4, 3).numpy()),
    "images.label_of": call(
        "path: out of range; folder: out of range", path=Path("of/1.png"), folder=Path("of"),
        classes=("tench", "goldfish"),
    ),
    "images.photographs": call(
        folder=images.twenty(), classes=pretrained.load("squeezenet").classes, side=32, shorter=64
    ),
    "images.twenty": call(),
    "islands.island_stability": call(
        "point: negative, zero; edges: empty", edges=torch.tensor([[-1.0, 1.0], [2.0, 3.0]]), sigma=1.0,
        point=0.5
    ),
    "islands.level_crossings": call(
        stability=lambda s: torch.special.ndtr(1 / s), gamma=0.7, sigmas=torch.logspace(-2, 2, 9)
    ),
    "lbfgs.minimise": call(
        "decrease: zero; tolerance: zero; iterations: zero", objective=lambda x, rows: ((x**2).sum(1),
        2 * x), start=SMALL,
        box=(0.0, 1.0), memory=3, iterations=5, tolerance=1e-5, decrease=0.1,
    ),
    "levels.persistence_levels": call(
        classifier=plane, points=SMALL, gammas=(0.7, 0.9), samples=128, sigma_range=(1e-3, 1e2),
        confidence=0.9,
        generator=generator(),
    ),
    "linearised.refine": call("steps: zero", goal=GOAL, best=BEST, rivals=1, steps=2),
    "lines.on_lines": call(
        "classifier: NaN, wrong shape; start: NaN, infinite; step: NaN, infinite",
        classifier=plane, start=SMALL, step=LARGE,
    ),
    "mean_kernel.mean_kernel": call(**BETWEEN, nodes=2, chunk=64),
    "minimum_distortion.minimum_distortion": call(
        "margin: zero; refinements: zero; decrease: zero; iterations: zero", classifier=plane, points=SMALL,
        targets=ONES, margin=0.1,
        box=(0.0, 1.0), rounds=2, refinements=1, rivals=1, iterations=9, memory=3, decrease=1e-3, starts=1,
        generator=generator(),
    ),
    "networks.build": call(name="FC10", generator=generator()),
    "networks.load": call(name="FC10", parameters=networks.build("FC10").state_dict()),
    "noise.sobol_normals": call(samples=128, dimension=3, generator=generator()),
    "noise.unit_noise": call(noise="sobol", samples=128, like=draws(3), generator=generator()),
    "normals.incidence": call(directions=draws(4, 3), normals=draws(4, 3, seed=2)),
    "normals.least_squares_normal": call(patch=draws(9, 3)),
    "normals.margins": call(classifier=plane, points=SMALL, first=ZEROS, second=ONES),
    "null_spectra.gaussian_edges": call(rows=20, columns=5, confidence=0.9),
    "null_spectra.marchenko_pastur": call(rows=20, columns=5),
    "optimisers.rule_of": call(
        "network: NaN", optimizer=torch.optim.SGD(TRAINED.parameters()), network=TRAINED
    ),
    "orthant_spectra.orthant_spectrum": call(facets=3, part="raw"),
    "packaged_attacks.attack": call(
        method="MIFGSM", **PACKAGED, epsilon=0.2, alpha=0.1, decay=1.0, steps=2
    ),
    "packaged_attacks.attack CW": call("margin: zero",
        method="CW", **PACKAGED, margin=0.1, rounds=2, steps=5, rate=1.0
    ),
    "packaged_attacks.attack targeted": call(method="PGD", **PACKAGED, targets=ONES, steps=2),
    "patches.in_row_space": call("points: empty", network=network()[2:], points=draws(4, 4)),
    "patches.patch": call(
        classifier=plane, centre=torch.full((3,), 1 / 3, dtype=torch.float64),
        normal=torch.full((3,), 3**-0.5, dtype=torch.float64), radius=0.1, samples=5, iterations=9,
        generator=generator(),
    ),
    "path_kernel.attribution": call("tolerance: zero", **RUN, targets=TARGETS, route="auto", tolerance=1e-6,
        chunk=64, memory=2**20
    ),
    "path_kernel.path_kernel": call(
        "tolerance: zero", **RUN, route="auto", tolerance=1e-6, chunk=64, memory=2**20
    ),
    "path_kernel.telescoped": call("tolerance: zero", network=network(), trajectory=trajectory(),
        points=POINTS, route="auto", tolerance=1e-6, chunk=64
    ),
    "perceptrons.perceptron": call(name="3-4-2", activation="tanh", head="logits", generator=generator()),
    "persistence.class_frequencies": call(
        classifier=plane, points=SMALL, sigmas=RADII, samples=16, classes=2, noise="gaussian",
        generator=generator()
    ),
    "persistence.persistence": call(
        "labels: out of range", classifier=plane, points=SMALL, gamma=0.7, samples=128, sigma_range=(1e-3,
        1e2), method="fast",
        confidence=0.9, labels=ZEROS, noise="sobol", groups=1, generator=generator(),
    ),
    "persistence.stability": call(
        "labels: out of range", classifier=plane, points=SMALL, sigma=0.5, samples=50, confidence=0.9,
        labels=ZEROS,
        noise="gaussian", generator=generator(),
    ),
    "pretrained.load": call(name="squeezenet", device="cpu"),
    "rays.class_changes": call(classifier=plane, start=SMALL, directions=LARGE, distances=RADII),
    "rays.first_exit": call(
        classifier=plane, start=SMALL, directions=torch.nn.functional.normalize(LARGE), limit=2.0, steps=9,
        iterations=9
    ),
    "spectra.flattened": call(sample=draws(9, 3)),
    "spectra.numerical_rank": call("error: zero", spectrum=spectra.spectrum(draws(9, 3)), error=0.1),
    "spectra.spectrum": call(sample=draws(9, 3), form="differences", generator=generator()),
    "statistics.clopper_pearson": call("successes: zero", successes=3, trials=9, confidence=0.9),
    "statistics.labels_of": call("points: empty, infinite", classifier=plane, points=SMALL),
    "statistics.order_statistic_ranks": call(trials=100, probability=0.3, confidence=0.9),
    "tangent_kernels.path_form": call(**BETWEEN, form="continuous", nodes=2, chunk=64),
    "tangent_kernels.tangent_kernel": call("step: zero, negative", **BETWEEN, step=1, chunk=64),
    "trajectory.minibatches": call(examples=9, size=4, epochs=2, generator=generator()),
    "trajectory.record": call(
        "network: NaN",  # the optimiser is that of the other network; see tests/models
        network=TRAINED, optimizer=torch.optim.SGD(TRAINED.parameters()), **TRAINING, steps=2,
        reduction="mean", batches=[torch.tensor([0, 1]), torch.tensor([2, 4])], shard=2**20,
    ),
    "voronoi.voronoi_logits": call(points=draws(4, 2), sites=SITES, labels=SITE_LABELS, classes=2),
    "voronoi_walk.voronoi_exit": call(
        "labels: negative, out of range", start=SITES[:2], end=SITES[5:], sites=SITES, labels=SITE_LABELS
    ),
    "wedge_crossings.centreline": call("angles: empty", angles=ANGLES, dimension=4),
    "wedge_crossings.line_crossing": call(
        "angles: empty", starts=POINTS, directions=draws(4, 3, seed=5), angles=ANGLES
    ),
    "wedge_crossings.parallel_line": call(
        "height: negative, zero; angles: empty", height=1.0, angles=ANGLES, dimension=4
    ),
    "wedge_normals.dihedral_angles": call("angles: empty", angles=ANGLES),
    "wedge_normals.facet_normals": call("angles: empty", angles=ANGLES, dimension=4),
    "wedge_normals.normal_chain": call("angles: empty", angles=ANGLES, dimension=4),
    "wedge_persistence.effective_facets": call("sigma: zero, infinite", distance=1.0, sigma=0.5, gamma=0.7),
    "wedge_persistence.orthant_dip": call(distances=draws(4, 3).abs(), gamma=0.7),
    "wedge_persistence.orthant_persistence": call("distance: zero", distance=1.0, facets=2, gamma=0.7),
    "wedge_persistence.wedge_dip": call("angles: empty", points=POINTS.abs(), angles=ANGLES, gamma=0.7),
    "wedge_persistence.wedge_persistence": call(
        "angles: empty", points=POINTS.abs(), angles=ANGLES, gamma=0.7
    ),
    "wedge_projection.boundary_projection": call("angles: empty; tolerance: zero", **WEDGE, tolerance=1e-9),
    "wedge_projection.wedge_projection": call("angles: empty", **WEDGE),
    "wedge_recipes.iterated_projection": call(
        "normals: empty", points=POINTS, normals=torch.eye(3, dtype=torch.float64)
    ),
    "wedge_recipes.printed_projection": call("angles: empty", **WEDGE),
    "wedge_recipes.violated_projection": call("angles: empty", **WEDGE),
    "wedges.centreline_point": call(
        "distance: zero; angles: empty", distance=1.0, angles=ANGLES, dimension=4
    ),
    "wedges.contains": call("angles: empty", **WEDGE),
    "wedges.facet_distances": call("angles: empty", **WEDGE),
    "wedges.orthant_stability": call(distances=draws(4, 3), sigma=1.0),
    "wedges.solid_angle": call("angles: empty", angles=ANGLES),
    "wedges.wedge_stability": call("angles: empty", **WEDGE, sigma=1.0),
}  # fmt: skip
