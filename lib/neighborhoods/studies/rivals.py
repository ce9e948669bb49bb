"""The classes whose boundaries are nearest to an image, to first order."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from neighborhoods.kernels.normals import margins
from neighborhoods.kernels.statistics import Classifier
from neighborhoods.studies.persistence.adversaries import every_other_class


def nearest_classes(
    classifier: Classifier | nn.Module,
    points: Float[Tensor, " m *shape"],
    labels: Int[Tensor, " m"],
    count: int,
) -> Int[Tensor, "m count"]:
    r"""Return the classes $k$ of least $(Z_y - Z_k)/\|\nabla(Z_y - Z_k)\|$, nearest first, a row a point.

    Args:
        classifier: points to logits.
        points: images that it gets right.
        labels: their classes $y$.
        count: how many classes; all others where there are fewer.
    """
    rows, others = every_other_class(labels)
    gaps = margins(classifier, points[rows], labels[rows], others)
    reach = (-gaps.difference / gaps.gradient.norm(dim=1)).view(len(labels), -1)
    nearest: Tensor = others.view_as(reach).gather(
        1, reach.topk(min(count, reach.shape[1]), largest=False).indices
    )
    return nearest
