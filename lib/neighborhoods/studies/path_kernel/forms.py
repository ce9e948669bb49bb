"""All forms of the path kernel side by side: symmetric? positive? continuous? exact, and where?"""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.tangent_kernels import Form, path_form, tangent_kernel
from neighborhoods.models.average_vector_field import average_vector_field
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import Run, gap, opened
from neighborhoods.studies.path_kernel.machine import picked
from neighborhoods.studies.recorded import RecordedSpec

FORMS: tuple[Form, ...] = ("asymmetric", "dpk", "continuous", "averaged")
SHIFT = 1e-7  # how far a training image is moved to see whether the kernel jumps


@dataclass(frozen=True)
class FormsSpec:
    """A run of a log-probability network, whose coefficients are constant under every form.

    Attributes:
        run: what was recorded; training by average vector fields takes the same steps.
        queries: half of them test images, half training images.
    """

    run: RecordedSpec
    queries: int


def compare(spec: FormsSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a rule of training and form of the kernel.

    ``asymmetry``, ``ratio`` of its Gram matrix on the queries; ``jump``: its relative change as training
    images are moved by a ten-millionth; ``new``, ``known``: gaps of the kernel machine. The form "tangent" is
    the kernel of the start, times the time of training.
    """
    run = opened(spec.run, values, spec.queries)
    rows = [_row("gradient descent", form, run) for form in (*FORMS, "tangent")]
    network = recorded.network(spec.run)
    found = average_vector_field(
        network,
        run.points,
        run.targets,
        steps=spec.run.steps,
        rate=spec.run.rate,
        loss=recorded.loss(spec.run),
    )
    implicit = run._replace(network=network, trajectory=found, outputs=network(run.queries).detach())
    return pd.DataFrame([*rows, _row("average vector field", "averaged", implicit)])


def _row(rule: str, form: str, run: Run) -> dict[str, object]:
    trained = torch.arange(len(run.queries)) >= run.new
    every = torch.ones(len(run.points), dtype=torch.bool)
    gram = definiteness(as_matrix(_kernel(run, form, run.queries, run.queries, (trained, trained))))
    cross = _kernel(run, form, run.queries, run.points, (trained, every))
    moved = run.queries[run.new :] + SHIFT
    other = _kernel(run, form, moved, run.points, (torch.zeros(len(moved), dtype=torch.bool), every))
    predicted = run.start + picked(cross, run)
    parts = (slice(None, run.new), slice(run.new, None))
    new, known = (gap(predicted[p], run.outputs[p], run.start[p]) for p in parts)
    return {
        "rule": rule,
        "form": form,
        "asymmetry": gram.asymmetry,
        "ratio": gram.ratio,
        "jump": float((other - cross[run.new :]).norm() / cross[run.new :].norm()),
        "new": new,
        "known": known,
    }


def _kernel(run: Run, form: str, left: Tensor, right: Tensor, marks: tuple[Tensor, Tensor]) -> Tensor:
    if form == "tangent":
        return tangent_kernel(run.network, run.trajectory, left, right) * float(run.trajectory.rates.sum())
    for known in FORMS:
        if form == known:
            trained = marks if form == "dpk" else None
            return path_form(run.network, run.trajectory, left, right, form=known, trained=trained)
    raise ValueError(f"form: got {form!r}; required one of {(*FORMS, 'tangent')}")
