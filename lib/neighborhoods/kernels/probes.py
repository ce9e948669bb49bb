"""A probe asks which noisy points keep the class of their centre, in the smallest space where it can."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import pixel_unshuffle

from neighborhoods.kernels.blocks import on_blocks
from neighborhoods.kernels.noise import SCRAMBLES, Noise, sobol_normals, unit_noise
from neighborhoods.kernels.statistics import Classifier, labels_of

PASS = 2**17  # numbers in one forward pass: they stay in the cache, and larger blocks cost page faults
GRADIENTS = 256  # margin gradients that span the axes of Sobol noise


@dataclass(frozen=True)
class Probe:
    """Centres with their labels, a classifier, and one pool of noise for all of them."""

    classifier: Classifier
    centres: Float[Tensor, "points ..."]
    labels: Int[Tensor, " points"]
    pool: Float[Tensor, "samples ..."]
    scrambles: int = 1

    def classes(
        self, rows: Int[Tensor, " rows"], sigmas: Float[Tensor, " rows"], first: int, last: int
    ) -> Int[Tensor, "rows samples"]:
        r"""Return $C(x_i + \sigma_i\varepsilon_j)$ for the given rows $i$ and first ≤ $j$ < last."""
        noise = self.pool[first:last]
        together, at_once = max(1, PASS // noise.numel()), max(1, PASS // noise[0].numel())
        scales = sigmas.to(noise).reshape(-1, *[1] * noise.ndim)
        answers = []
        for some, scale in zip(rows.split(together), scales.split(together), strict=True):
            centres = self.centres[some].unsqueeze(1)
            parts = [torch.addcmul(centres, scale, part).flatten(0, 1) for part in noise.split(at_once)]
            labels = [labels_of(self.classifier, part).view(len(some), -1) for part in parts]
            answers.append(torch.cat(labels, 1))
        return torch.cat(answers)

    def hits(
        self, rows: Int[Tensor, " rows"], sigmas: Float[Tensor, " rows"], first: int, last: int
    ) -> Bool[Tensor, "rows samples"]:
        """Return whether each of these points has the label of its centre."""
        return self.classes(rows, sigmas, first, last) == self.labels[rows, None]


def probe_of(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    labels: Int[Tensor, " points"] | None = None,
    *,
    noise: Noise,
    samples: int,
    generator: Generator | None = None,
) -> Probe:
    r"""Prepare a probe with a fresh pool of noise.

    Where the classifier is a `Sequential` that begins with a linear layer, possibly after flattening, the
    question is asked behind that layer,
    $$ W(x + \sigma\varepsilon) + b = (Wx + b) + \sigma\,W\varepsilon, \qquad W = U S V^\top, $$
    where $W\varepsilon = U S \zeta$ needs only $\zeta = V^\top\varepsilon$, normal in as many dimensions as
    the layer has units. A narrow convolutional network is asked on 2x2 blocks of pixels (`on_blocks`).
    """
    scrambles = SCRAMBLES if noise == "sobol" else 1
    own = labels_of(classifier, points) if labels is None else labels
    layer, rest = _first_layer(classifier, points)
    if layer is None:
        axes = margin_axes(classifier, points, generator=generator) if noise == "sobol" else None
        pool = unit_noise(noise, samples, points[0], axes=axes, generator=generator)
        blocks = on_blocks(classifier, points) if isinstance(classifier, nn.Sequential) else None
        if blocks is not None:
            centres, pool = pixel_unshuffle(points, 2), pixel_unshuffle(pool, 2)
            return Probe(blocks, centres, own, pool, scrambles)
        return Probe(classifier, points, own, pool, scrambles)
    weight = layer.weight.detach()
    if noise == "ball":
        pool = unit_noise(noise, samples, points[0], generator=generator).flatten(1) @ weight.T
    else:
        U, S, _ = torch.linalg.svd(weight.double(), full_matrices=False)
        zeta = _normals(noise, samples, S, generator)
        pool = ((zeta * S) @ U.T).to(weight)
    with torch.no_grad():
        return Probe(rest, layer(points.flatten(1)), own, pool, scrambles)


def margin_axes(
    classifier: Classifier, points: Float[Tensor, "points ..."], *, generator: Generator | None = None
) -> Float[Tensor, "n axes"] | None:
    r"""Return orthonormal axes of margin gradients near the points, the strongest first.

    The gradients are taken at copies $x + r\varepsilon$, where $r$ is the distance to the boundary of a
    linear classifier with this margin and gradient: about where noise at the persistence puts the points.
    None where the classifier has no gradients to give.
    """
    some = points[:: -(-len(points) // GRADIENTS)].detach()
    first = _margins(classifier, some)
    if first is None:
        return None
    distance = (first[0] / first[1].norm(dim=1)).nan_to_num(0.0, 0.0, 0.0)
    copies = some.repeat(-(-GRADIENTS // len(some)), *[1] * (some.ndim - 1))
    scale = distance.repeat(len(copies) // len(some)).reshape(-1, *[1] * (some.ndim - 1))
    noise = torch.randn(copies.shape, generator=generator, dtype=copies.dtype, device=copies.device)
    near = _margins(classifier, copies + scale * noise)
    gradients = (first if near is None else near)[1].T.double()
    axes: Tensor = torch.linalg.svd(gradients, full_matrices=False).U
    return axes


def _margins(classifier: Classifier, points: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the two largest logits' difference at each point, and its gradient."""
    margins, gradients = [], []
    for part in points.split(max(1, PASS // points[0].numel())):
        x = part.clone().requires_grad_()
        with torch.enable_grad():
            logits = classifier(x)
            if not logits.requires_grad or logits.ndim != 2 or logits.shape[1] < 2:
                return None
            top = logits.topk(2, dim=1).values
            gradients.append(torch.autograd.grad((top[:, 0] - top[:, 1]).sum(), x)[0].flatten(1))
            margins.append((top[:, 0] - top[:, 1]).detach())
    return torch.cat(margins), torch.cat(gradients)


def _normals(noise: Noise, samples: int, like: Tensor, generator: Generator | None) -> Tensor:
    if noise == "sobol":
        return sobol_normals(samples, len(like), generator=generator).to(like)
    return unit_noise(noise, samples, like, generator=generator)


def _first_layer(classifier: Classifier, points: Tensor) -> tuple[nn.Linear | None, Classifier]:
    if not isinstance(classifier, nn.Sequential):
        return None, classifier
    flat = points.ndim == 2
    for depth, module in enumerate(classifier):
        if isinstance(module, nn.Flatten) and module.start_dim == 1 and module.end_dim == -1:
            flat = True
        elif isinstance(module, nn.Linear) and flat:
            return module, classifier[depth + 1 :]
        else:
            break
    return None, classifier
