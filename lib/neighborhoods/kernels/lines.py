"""A classifier along many lines at once, without its first layer where that is linear."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.layouts import PASS, first_layer, laid_out
from neighborhoods.kernels.statistics import Classifier

Lines = Callable[[Tensor], Tensor]
"""Maps places `t`, one on each line, to what the classifier says there."""


@checked("start", "step")
def on_lines(
    classifier: Classifier, start: Float[Tensor, " m *shape"], step: Float[Tensor, " m *shape"]
) -> Lines:
    r"""Return $t \mapsto F(x_i + t_i v_i)$ for all lines together.

    A `Sequential` whose first layer $x \mapsto Wx + b$ is full or a convolution needs it twice in all, as
    $$ W(x + tv) + b = (Wx + b) + t\,Wv . $$
    Convolutional networks are asked in the layout that suits them, and in parts that stay in the cache.

    Args:
        classifier: points to logits or labels.
        start: $x$, one a line.
        step: $v$.

    Raises:
        ValueError: shapes that differ.

    Source: ours.

    >>> square = on_lines(lambda x: x ** 2, torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [0.0]]))
    >>> square(torch.tensor([2.0, 5.0])).flatten().tolist()
    [9.0, 4.0]
    """
    if start.shape != step.shape:
        raise ValueError(f"step: got shape {tuple(step.shape)}; required that of start, {tuple(start.shape)}")
    rest, start, step = _behind_first_layer(classifier, start, step)
    rows = max(1, PASS // max(1, start[0].numel())) if len(start) else 1
    parts = list(zip(start.split(rows), step.split(rows), strict=True))

    def at(places: Tensor) -> Tensor:
        columns = places.reshape(-1, *[1] * (start.ndim - 1)).split(rows)
        answers = [
            rest(torch.addcmul(origin, t, slope)) for (origin, slope), t in zip(parts, columns, strict=True)
        ]
        return torch.cat(answers)

    return at


@torch.no_grad()
def _behind_first_layer(
    classifier: Classifier, start: Tensor, step: Tensor
) -> tuple[Classifier, Tensor, Tensor]:
    layer, rest = first_layer(classifier, start)
    if layer is not None:
        return rest, layer(start.flatten(1)), step.flatten(1) @ layer.weight.T
    same, laid = laid_out(classifier, start)
    along = laid_out(classifier, step)[1]
    if isinstance(same, nn.Sequential) and isinstance(same[0], nn.Conv2d):
        head = same[0]
        pairs = zip(laid.split(64), along.split(64), strict=True)
        heads, slopes = zip(
            *((head(x), head(v) - head(torch.zeros_like(v[:1]))) for x, v in pairs), strict=True
        )
        return same[1:], torch.cat(heads), torch.cat(slopes)
    return same, laid, along
