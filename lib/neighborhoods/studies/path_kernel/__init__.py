"""The path-kernel chapter's plan: which item is computed from which, one function an item.

    recorded ─┬─ exact           network against kernel machine, one item a run
              ├─ ruled           error of fixed rules of quadrature against their nodes
              ├─ drawn           outputs of network and kernel, point by point (Figures 20 and 23)
              ├─ placed          kernel values at four places of the plane (Figure 21)
              ├─ signed          constant signs, and yet no kernel
              ├─ machine         log-probabilities: one kernel machine
              └─ formed          all forms of the kernel side by side
    halved, definite, widened    step size, definiteness step by step, width: many short runs of their own

Each function takes the chapter's numbers and returns an `Item` for `Store.get`, or a list of them.
"""

import pandas as pd
from torch import Tensor

from neighborhoods.models.perceptrons import Activation
from neighborhoods.profiles import PathKernelSpec
from neighborhoods.store import Item
from neighborhoods.studies.path_kernel import (
    digits,
    exactness,
    forms,
    machine,
    nodes,
    orders,
    plane,
    signs,
    steps,
    widths,
)
from neighborhoods.studies.recorded import Data, RecordedSpec, recorded


def exact(spec: PathKernelSpec) -> list[Item[pd.DataFrame]]:
    """Gaps of gradient descent in both precisions, then those of every other rule of training."""
    descents = exactness.descents(spec.examples, spec.steps, spec.seed)
    rules = exactness.rules(spec.rule_examples, spec.rule_steps, spec.seed)
    cases = [(run, spec.queries) for run in descents] + [(run, spec.rule_queries) for run in rules]
    return [Item(exactness.measure, exactness.GapSpec(*case), (recorded(case[0]),)) for case in cases]


def ruled(spec: PathKernelSpec) -> list[Item[pd.DataFrame]]:
    """Error against nodes, for large steps of three networks."""
    chains: list[tuple[str, Activation]] = [("784-128-10", "relu"), ("784-64-32-10", "relu")]
    chains += [("784-64-32-10", "tanh")]
    count, half = min(200, spec.examples), min(20, spec.steps)
    runs = [
        RecordedSpec(name, "mnist", count, half, 0.5, activation=act, seed=spec.seed) for name, act in chains
    ]
    queries = min(40, spec.queries)
    return [Item(nodes.errors, nodes.NodesSpec(run, queries, spec.finest), (recorded(run),)) for run in runs]


def gaussians(spec: PathKernelSpec) -> RecordedSpec:
    """The network of the plane: 64 rectified units and one logit, by full-batch gradient descent."""
    return RecordedSpec("2-64-1", "gaussians", spec.plane_examples, spec.plane_steps, 0.2, seed=spec.seed)


def digits_run(spec: PathKernelSpec) -> RecordedSpec:
    """The draft's network for MNIST: two layers, rectified units, full-batch gradient descent."""
    return RecordedSpec("784-128-10", "mnist", spec.digit_examples, spec.digit_steps, 0.2, seed=spec.seed)


def drawn(spec: PathKernelSpec, data: Data) -> Item[pd.DataFrame]:
    """Outputs of network and kernel at new points (Figures 20 and 23)."""
    plane_too = data == "gaussians"
    run = gaussians(spec) if plane_too else digits_run(spec)
    queries = spec.plane_queries if plane_too else spec.digit_queries
    return Item(digits.outputs, digits.OutputsSpec(run, queries), (recorded(run),))


def placed(spec: PathKernelSpec) -> Item[dict[str, Tensor]]:
    """Kernel values at four places and at fresh points of the plane (Figure 21)."""
    run = gaussians(spec)
    return Item(plane.values, plane.PlaneSpec(run, spec.plane_queries), (recorded(run),))


def signed(spec: PathKernelSpec) -> Item[pd.DataFrame]:
    """The draft's construction for constant signs, on its training set."""
    run = RecordedSpec("2-32-1", "gaussians", 60, spec.plane_steps, 0.5, head="probability", seed=spec.seed)
    return Item(signs.weighted, signs.SignsSpec(run), (recorded(run),))


def single(spec: PathKernelSpec) -> Item[dict[str, Tensor]]:
    """The log-probability network on MNIST as one kernel machine."""
    run = RecordedSpec(
        "784-128-10",
        "mnist",
        spec.machine_examples,
        spec.machine_steps,
        0.2,
        head="log-probabilities",
        seed=spec.seed,
    )
    return Item(machine.one_machine, machine.MachineSpec(run, spec.machine_points), (recorded(run),))


def formed(spec: PathKernelSpec) -> Item[pd.DataFrame]:
    """All forms of the kernel for one log-probability network."""
    run = RecordedSpec(
        "784-16-10",
        "mnist",
        spec.forms_examples,
        spec.forms_steps,
        0.1,
        activation="tanh",
        head="log-probabilities",
        seed=spec.seed,
    )
    queries = min(24, 2 * spec.forms_examples)
    return Item(forms.compare, forms.FormsSpec(run, queries), (recorded(run),))


def halved(spec: PathKernelSpec) -> list[Item[pd.DataFrame]]:
    """Quantities that vanish, or do not, as the step size is halved, for tanh and for ReLU."""
    sizes = (spec.rule_examples, min(40, spec.queries), spec.halvings, spec.seed)
    return [Item(orders.halve, orders.OrderSpec(act, *sizes)) for act in exactness.ACTIVATIONS[::-1]]


def definite(spec: PathKernelSpec) -> Item[pd.DataFrame]:
    """Eigenvalues of the asymmetric and of the symmetric form, step by step, against the step size."""
    numbers = steps.StepsSpec(spec.rule_examples, min(24, spec.queries), spec.seed)
    return Item(steps.definite, numbers)


def widened(spec: PathKernelSpec) -> list[Item[pd.DataFrame]]:
    """Distance from the frozen tangent kernel against width, on MNIST and in the plane."""
    sizes = (spec.rule_examples, 2 * spec.rule_steps, 2 * spec.rule_examples)
    mnist = widths.WidthsSpec("mnist", *sizes, spec.widest, min(2, spec.width_seeds), spec.seed)
    flat = widths.WidthsSpec("gaussians", *sizes, 4 * spec.widest, spec.width_seeds, spec.seed)
    return [Item(widths.widen, mnist), Item(widths.widen, flat)]
