"""Which training examples carry an output, for images classified rightly, wrongly, and attacked."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.studies.path_kernel_uses.machine import Machine, machine
from neighborhoods.studies.path_kernel_uses.queries import KINDS
from neighborhoods.studies.recorded import RecordedSpec

GROUPS = ("right", "wrong", "adversarial", "confident")


@dataclass(frozen=True)
class CarriersSpec:
    """Numbers of the attribution.

    Attributes:
        run: the run whose output is attributed.
        count: images of each of `GROUPS`, or as many as there are.
    """

    run: RecordedSpec
    count: int


def contributions(
    spec: CarriersSpec, values: dict[str, Tensor], queries: dict[str, Tensor]
) -> dict[str, Tensor]:
    r"""Return what each training example contributes to the lead of the class that is predicted.

    The lead is $\hat y_p - \frac1K\sum_k\hat y_k$, linear in the outputs, so contributions add up.

    Returns:
        ``lead`` (images by examples), ``row`` (of the query), ``group`` (place in `GROUPS`), ``predicted``,
        ``start`` and ``end`` (the lead before and after training), and ``gap``, the greatest difference
        between network and kernel machine over the greatest change of an output.
    """
    found = machine(spec.run, values)
    rows, group = chosen(found, queries, spec.count)
    points = queries["points"][rows]
    result = attribution(found.network, found.trajectory, points, found.points, found.labels)
    outputs = found.network(points)
    predicted = outputs.argmax(1)
    change = (outputs - result.start).abs().max()
    return {
        "lead": _lead(result.contributions, predicted),
        "row": rows,
        "group": group,
        "predicted": predicted,
        "start": _lead(result.start, predicted),
        "end": _lead(outputs, predicted),
        "gap": (result.prediction - outputs).abs().max() / change,
    }


def chosen(found: Machine, queries: dict[str, Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Return the first queries of each of `GROUPS`, and their groups."""
    right = found.network(queries["points"]).argmax(1) == queries["label"]
    natural = queries["kind"] == KINDS.index("natural")
    members = [natural & right, natural & ~right]
    members += [(queries["kind"] == KINDS.index(kind)) & queries["success"] for kind in GROUPS[2:]]
    rows = [member.nonzero()[:count, 0] for member in members]
    sizes = torch.tensor([len(some) for some in rows])
    return torch.cat(rows), torch.arange(len(GROUPS)).repeat_interleave(sizes)


def summary(carried: dict[str, Tensor], queries: dict[str, Tensor], labels: Tensor) -> pd.DataFrame:
    r"""Return one row an image: ``group``, ``image``, ``label``, ``predicted``, and of contributions $c_i$

    - ``own``, ``true``: the share of $\sum_i\max(c_i, 0)$ from examples of the class predicted, of the true
      class;
    - ``effective``: $(\sum|c_i|)^2/\sum c_i^2$, how many examples of equal size would do the same;
    - ``kept``: $|\sum c_i|/\sum|c_i|$, what is left after they cancel;
    - ``strongest``: the class of the greatest contribution.
    """
    lead, rows = carried["lead"].double(), carried["row"]
    size, positive = lead.abs().sum(1), lead.clamp(min=0)
    total, truth = positive.sum(1), queries["label"][rows]
    columns = {
        "image": queries["image"][rows],
        "label": truth,
        "predicted": carried["predicted"],
        "own": (positive * (labels == carried["predicted"][:, None])).sum(1) / total,
        "true": (positive * (labels == truth[:, None])).sum(1) / total,
        "effective": size.square() / lead.square().sum(1),
        "kept": lead.sum(1).abs() / size,
        "strongest": labels[lead.argmax(1)],
    }
    names = [GROUPS[place] for place in carried["group"].tolist()]
    return pd.DataFrame({name: column.numpy() for name, column in columns.items()}).assign(group=names)


def _lead(outputs: Tensor, predicted: Tensor) -> Tensor:
    """Return the predicted class's row of `(m, K, ...)` less the mean over classes."""
    return outputs[torch.arange(len(outputs)), predicted] - outputs.mean(1)
