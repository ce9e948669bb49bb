"""Contributions of training examples to outputs: ours, and the package explaind, over the same recorded run.

Both return the contribution of each example to each log-probability of each query, summed over all steps
of gradient descent. explaind averages Jacobians over the midpoints of each step, ten by default; the truth
behind the errors is ours in float64.
"""

import contextlib
import io
from typing import Any

import torch
from contests import Contest, Sides, require_close
from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models import networks
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.trajectory import record
from torch import Generator, Tensor, nn
from torch.nn.functional import nll_loss

STEPS, QUERIES, EXAMPLES, RATE, MIDPOINTS = 5, 10, 50, 0.1, 10
ALLOWED = 1e-2  # of the greatest contribution; midpoints and kinks set it


def losses(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each example, from log-probabilities."""
    return nll_loss(outputs, targets, reduction="none")


def built() -> nn.Sequential:
    layers = networks.build("FC128-10", generator=Generator().manual_seed(0))
    return nn.Sequential(*layers, nn.LogSoftmax(1)).eval()


def own(run: Trajectory, queries: Tensor, images: Images) -> Tensor:
    """Return contributions (queries, classes, examples)."""
    network = built().to(queries.dtype)
    return attribution(network, run, queries, *images, loss=losses).contributions


class Numbered(torch.utils.data.Dataset):
    """The images, with targets that explaind replaces by pairs of target and number."""

    def __init__(self, images: Images) -> None:
        self.points, self.targets = images.points, images.labels.tolist()

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, row: int) -> tuple[Tensor, Any]:
        return self.points[row], self.targets[row]


def recorded(images: Images) -> Any:
    """Train as explaind records it, and return its model of the path kernel."""
    from explaind.data_paths import DataPath  # noqa: PLC0415 (an optional package)
    from explaind.epk_model import ExactPathKernelModel  # noqa: PLC0415
    from explaind.model_paths import ModelPath  # noqa: PLC0415
    from explaind.optimizer_paths import SGDOptimizerPath  # noqa: PLC0415

    loss, size = nn.CrossEntropyLoss(), len(images.points)
    model = ModelPath(built(), device="cpu", output_dim=10)
    descent = SGDOptimizerPath(model, lr=RATE, momentum=0.0, weight_decay=0.0, checkpoints=[], device="cpu")
    data = DataPath(torch.utils.data.DataLoader(Numbered(images), batch_size=size), full_batch=False)
    for _ in range(STEPS):
        points, targets = data.get_batch(next(iter(data.dataloader)))
        descent.zero_grad()
        nll_loss(model.forward(points), targets).backward()
        descent.step()
        model.log_checkpoint()
        descent.log_checkpoint()
    return ExactPathKernelModel(
        model,
        descent,
        loss,
        data,
        integral_eps=1 / MIDPOINTS,
        early_steps=0,
        evaluate_predictions=False,
        kernel_store_interval=float("nan"),  # never: no second copy of the kernels
        device="cpu",
    )


def theirs(model: Any, queries: Tensor) -> Tensor:
    """Return its kernels, summed over the parameters, as contributions."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _, _, kernels, _, _ = model.predict(queries, keep_kernel_matrices=True)
    return sum(kernels.values())[:, 0] / EXAMPLES


def sides() -> Sides:
    """Compare on other queries in each repetition."""
    images, points = mnist("train", EXAMPLES), mnist("test").points
    network = built()
    run = record(network, torch.optim.SGD(network.parameters(), lr=RATE), *images, steps=STEPS, loss=losses)
    model = recorded(images)

    def queries(turn: int) -> Tensor:
        return points[turn * QUERIES : (turn + 1) * QUERIES]

    def judge(ours: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
        exact = Trajectory(run.states.double(), run.rates)
        truth = own(exact, queries(0).double(), Images(images.points.double(), images.labels))
        errors = [float((side[0] - truth).abs().max() / truth.abs().max()) for side in (ours, other)]
        require_close("contributions", max(errors), ALLOWED)
        return errors[0], errors[1]

    note = (
        f"per call of {QUERIES} queries, {EXAMPLES} examples and {STEPS} full steps, theirs with {MIDPOINTS}"
        f" midpoints a step; errors: the greatest, in parts of the greatest contribution, at most {ALLOWED:g}"
    )
    return Sides(lambda t: own(run, queries(t), images), lambda t: theirs(model, queries(t)), judge, 1, note)


CONTESTS = [Contest("path_kernel/explaind", "explaind", sides)]
