"""Whether the asymmetric form may stand in for a covariance, step by step, as the step size grows."""

from dataclasses import dataclass

import pandas as pd
import torch

from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.tangent_kernels import Form, path_form
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.progress import bar
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import opened
from neighborhoods.studies.recorded import RecordedSpec

RATES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
STEPS = 6
NODES = 48  # the longest chords need many, or rounding is not the greatest error of the symmetric kernel
FORMS: tuple[Form, ...] = ("asymmetric", "dpk")


@dataclass(frozen=True)
class StepsSpec:
    """Numbers of the study.

    Attributes:
        examples: training images.
        points: half of them test images, half training images.
        seed: of the initial parameters.
    """

    examples: int
    points: int
    seed: int


def definite(spec: StepsSpec) -> pd.DataFrame:
    """Return rows ``rate``, ``step``, ``form``, ``ratio`` (least over greatest eigenvalue), ``asymmetry``.

    One row for each of the first steps of a network with tanh; "dpk" is the symmetric kernel.
    """
    rows = []
    for rate in bar(RATES, description="definite"):
        base = RecordedSpec(
            "784-32-10", "mnist", spec.examples, STEPS, rate, activation="tanh", seed=spec.seed
        )
        run = opened(base, recorded.run(base), spec.points)
        trained = torch.arange(len(run.queries)) >= run.new
        for step in range(STEPS):
            one = single(run.trajectory, step)
            for form in FORMS:
                marks = (trained, trained) if form == "dpk" else None
                kernel = path_form(
                    run.network, one, run.queries, run.queries, form=form, trained=marks, nodes=NODES
                )
                found = definiteness(as_matrix(kernel))
                rows.append((rate, step, form, found.ratio, found.asymmetry))
    return pd.DataFrame(rows, columns=["rate", "step", "form", "ratio", "asymmetry"])


def single(trajectory: Trajectory, step: int) -> Trajectory:
    """Return one step of gradient descent as a run of its own."""
    return Trajectory(
        [trajectory.states[step], trajectory.states[step + 1]], trajectory.rates[step : step + 1]
    )
