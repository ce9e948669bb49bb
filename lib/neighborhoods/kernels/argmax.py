"""Argmax as the set of all winners: how far it stays what it is, and where it is a tie.

A classifier turns outputs $y\\in\\mathbb R^K$ into $A(y) = \\{i : y_i = \\max_j y_j\\}$, a set of classes and
not always one class. The outputs where it has more than one form the tie set $T$.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from neighborhoods.kernels.arguments import checked


@checked()
def winners(outputs: Float[Tensor, "*batch K"]) -> Bool[Tensor, "*batch K"]:
    """Tell for each class whether it has the largest output, $i \\in A(y)$; ties are exact.

    Raises:
        ValueError: no class, or an output that is NaN or infinite.

    Source: the draft, equation (103), as a set.

    >>> winners(torch.tensor([1.0, 3.0, 3.0]))
    tensor([False,  True,  True])
    """
    _require_outputs(outputs, 1)
    return outputs == outputs.amax(-1, keepdim=True)


def gap(outputs: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch"]:
    """Return how far the winners lead, $\\max_i y_i - \\max_{j \\notin A(y)} y_j$; infinite if all win.

    Raises:
        ValueError: no class, or an output that is NaN or infinite.

    >>> gap(torch.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0]]))
    tensor([2., inf])
    """
    others = torch.where(winners(outputs), -torch.inf, outputs)
    lead: Tensor = outputs.amax(-1) - others.amax(-1)
    return lead


@checked("order")
def steady_radius(outputs: Float[Tensor, "*batch K"], order: float | int = 2) -> Float[Tensor, "*batch"]:
    """Return the radius of the largest open ball in which no class joins the winners.

    $$ r_p = 2^{1/p - 1}\\,{\\rm gap}(y): \\qquad r_1 = {\\rm gap}, \\quad r_2 = {\\rm gap}/\\sqrt2, \\quad
       r_\\infty = {\\rm gap}/2 . $$

    Args:
        outputs: $y$.
        order: $p \\ge 1$ of the norm, which may be infinite.

    Raises:
        ValueError: an order below 1, no class, or an output that is NaN or infinite.

    Source: the draft, Section 28, which has $p = 1$.

    >>> [round(float(steady_radius(torch.tensor([2.0, 0.0]), p)), 4) for p in (1, 2, torch.inf)]
    [2.0, 1.4142, 1.0]
    """
    if not order >= 1:
        raise ValueError(f"order: got {order}; required 1 or more, infinity allowed")
    return gap(outputs) * 2 ** (1 / order - 1)


@checked()
def nearest_tie(outputs: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch K"]:
    """Return the nearest point of the tie set, in which the two largest outputs get their mean.

    It keeps the sum of the outputs and stays in the simplex; its distance is `steady_radius` for one winner.

    Raises:
        ValueError: fewer than two classes, or an output that is NaN or infinite.

    Source: ours.

    >>> nearest_tie(torch.tensor([0.7, 0.1, 0.2]))
    tensor([0.4500, 0.1000, 0.4500])
    """
    _require_outputs(outputs, 2)
    top = outputs.topk(2, -1)
    mean = top.values.mean(-1, keepdim=True).expand_as(top.values)
    return outputs.scatter(-1, top.indices, mean)


@checked(labels=1)
def classes_nearby(
    labels: Int[Tensor, " columns"] | Int[Tensor, "rows columns"], radius: int
) -> Int[Tensor, "..."]:
    """Return how many classes meet the ball around each point of a grid, $|f(B_\\varepsilon(x))|$.

    Args:
        labels: classes on a grid of one or two dimensions, 0 or more.
        radius: $\\varepsilon$ in steps of the grid, in the largest norm; balls end at the rim of the grid.

    Raises:
        ValueError: a negative radius or label.

    Source: the draft, Section 29.2: 1 inside a class, $K$ on the $K$-decision boundary for small balls.

    >>> classes_nearby(torch.tensor([0, 0, 0, 2, 2]), 1)
    tensor([1, 1, 2, 2, 1])
    """
    if radius < 0 or int(labels.min()) < 0:
        raise ValueError(f"radius: got {radius}, labels from {int(labels.min())}; required 0 or more")
    present = functional.one_hot(labels.long()).movedim(-1, 0).float()
    pool = functional.max_pool1d if labels.ndim == 1 else functional.max_pool2d
    return pool(present, 2 * radius + 1, stride=1, padding=radius).sum(0).long()


def _require_outputs(outputs: Tensor, classes: int) -> None:
    if outputs.shape[-1] < classes:
        raise ValueError(f"outputs: got {outputs.shape[-1]} classes; required at least {classes}")
    if not bool(outputs.isfinite().all()):
        raise ValueError(
            f"outputs: got {int((~outputs.isfinite()).sum())} that are NaN or infinite; required finite ones"
        )
