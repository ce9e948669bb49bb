"""The plan of the chapter on what a path kernel is good for: which item is computed from which.

    trained ─┬─ queries ─┬─ grams ─┬─ neighbours     nearest images in kernel and pixel space
             │           │         ├─ uncertain      scores of images unlike the training set
             │           │         └─ projected      convex hull of the training images
             │           └─ carried ── left_out      contributions, and training without examples
             ├─ shifted, regressed                   how stationary the kernel is
             └─ (another run) compared               cheaper approximations
    cnn ── interpolated, displaced                   from the initial to the final parameters

Each function takes the chapter's numbers and returns an `Item` for `Store.get`.
"""

from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.models.training import TrainingSpec
from neighborhoods.profiles import PathKernelUsesSpec
from neighborhoods.store import Item
from neighborhoods.studies.path_kernel_uses import (
    approximations,
    carriers,
    grams,
    hull,
    interpolation,
    leave_out,
    neighbours,
    queries,
    stationarity,
    uncertainty,
)
from neighborhoods.studies.recorded import RecordedSpec, recorded
from neighborhoods.studies.trained import trained as trained_item


def run(spec: PathKernelUsesSpec) -> RecordedSpec:
    """The run that most of the chapter is about."""
    return RecordedSpec(
        spec.network,
        examples=spec.examples,
        steps=spec.steps,
        rate=spec.rate,
        dtype=torch.float32,
        seed=spec.seed,
    )


def plane(spec: PathKernelUsesSpec) -> RecordedSpec:
    """A run on the draft's two Gaussians in the plane."""
    return RecordedSpec("2-64-1", data="gaussians", examples=400, steps=spec.steps, seed=spec.seed)


def trained(spec: PathKernelUsesSpec) -> Item[dict[str, Tensor]]:
    """States of the run."""
    return recorded(run(spec))


def asked(spec: PathKernelUsesSpec) -> Item[dict[str, Tensor]]:
    """Images of several kinds to ask the kernel about."""
    numbers = queries.QueriesSpec(
        run(spec), spec.naturals, spec.sources, spec.epsilon, spec.alpha, spec.attack_steps, spec.seed
    )
    return Item(queries.make, numbers, (trained(spec),))


def kernel(spec: PathKernelUsesSpec) -> Item[dict[str, Tensor]]:
    """The continuous kernel of the run, between its examples and with all queries."""
    return Item(grams.grams, _kernel(spec), (trained(spec), asked(spec)))


def nearest(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Nearest training images in kernel space and in pixel space (Figure 22)."""
    numbers = neighbours.NeighboursSpec(run(spec))
    return Item(neighbours.neighbours, numbers, (trained(spec), asked(spec), kernel(spec)))


def uncertain(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Scores of all queries that should tell them from the training set."""
    numbers = uncertainty.UncertaintySpec(run(spec), spec.noise)
    return Item(uncertainty.scores, numbers, (trained(spec), asked(spec), kernel(spec)))


def carried(spec: PathKernelUsesSpec) -> Item[dict[str, Tensor]]:
    """What each training example contributes to the class that is predicted."""
    numbers = carriers.CarriersSpec(run(spec), spec.carried)
    return Item(carriers.contributions, numbers, (trained(spec), asked(spec)))


def left_out(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Changes of outputs by training without some examples, beside those attributed to them."""
    numbers = leave_out.LeaveOutSpec(
        run(spec), spec.groups, spec.group, spec.singles, spec.watched, spec.seed
    )
    return Item(leave_out.left_out, numbers, (trained(spec), asked(spec), carried(spec)))


def shifted(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """The kernel at pairs with equal differences."""
    numbers = stationarity.ShiftSpec(_kernel(spec), spec.differences, spec.bases, spec.seed)
    return Item(stationarity.shifted, numbers, (trained(spec),))


def regressed(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """How well functions of two images predict the kernel at natural pairs."""
    numbers = stationarity.PairsSpec(_kernel(spec), spec.blocks)
    return Item(stationarity.regressed, numbers, (trained(spec), kernel(spec)))


def projected(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Projections of test images on the convex hull of training images."""
    numbers = hull.HullSpec(run(spec), spec.hull_points, spec.vertices)
    return Item(hull.projected, numbers, (trained(spec), asked(spec), kernel(spec)))


def compared(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Error and arithmetic of cheaper approximations, for a smaller run."""
    smaller = replace(
        run(spec),
        network=spec.approximated,
        examples=spec.approximated_examples,
        steps=spec.approximated_steps,
    )
    numbers = approximations.ApproximationsSpec(smaller, spec.approximated_points, spec.seed)
    return Item(approximations.compared, numbers, (recorded(smaller),))


def interpolated(spec: PathKernelUsesSpec) -> Item[pd.DataFrame]:
    """Loss, accuracy, norm and gradient between a network's first and last parameters (Figure 24)."""
    numbers = interpolation.InterpolationSpec(_cnn(spec, spec.seed), spec.positions, spec.probed)
    return Item(interpolation.interpolated, numbers, (trained_item(_cnn(spec, spec.seed)),))


def displaced(spec: PathKernelUsesSpec) -> list[Item[pd.DataFrame]]:
    """How far and which way the parameters of several networks went, one item a seed."""
    numbers = [_cnn(spec, spec.seed + place) for place in range(spec.cnn_seeds)]
    return [Item(interpolation.displaced, one, (trained_item(one),)) for one in numbers]


def _kernel(spec: PathKernelUsesSpec) -> grams.GramsSpec:
    return grams.GramsSpec(run(spec), spec.stride, spec.nodes)


def _cnn(spec: PathKernelUsesSpec, seed: int) -> TrainingSpec:
    return TrainingSpec(spec.cnn, spec.cnn_images, spec.cnn_epochs, seed=seed)
