"""A probe asks which noisy points keep the class of their centre, in the smallest space where it can."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from neighborhoods.kernels.noise import SCRAMBLES, Noise, sobol_normals, unit_noise
from neighborhoods.kernels.statistics import Classifier, labels_of

PASS = 2**17  # numbers in one forward pass: they stay in the cache, and larger blocks cost page faults
GRADIENTS = 128  # points whose margin gradients span the axes of Sobol noise


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
    the layer has units.
    """
    scrambles = SCRAMBLES if noise == "sobol" else 1
    own = labels_of(classifier, points) if labels is None else labels
    layer, rest = _first_layer(classifier, points)
    if layer is None:
        axes = margin_axes(classifier, points) if noise == "sobol" else None
        pool = unit_noise(noise, samples, points[0], axes=axes, generator=generator)
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
    classifier: Classifier, points: Float[Tensor, "points ..."]
) -> Float[Tensor, "n axes"] | None:
    """Return orthonormal axes of the margin gradients at some points, the strongest first.

    None where the classifier has no gradients to give.
    """
    chosen = points[:: -(-len(points) // GRADIENTS)]
    gradients = []
    for part in chosen.split(max(1, PASS // points[0].numel())):
        x = part.detach().clone().requires_grad_()
        with torch.enable_grad():
            logits = classifier(x)
            if not logits.requires_grad or logits.ndim != 2 or logits.shape[1] < 2:
                return None
            first, second = logits.topk(2, dim=1).values.T
            gradients.append(torch.autograd.grad((first - second).sum(), x)[0].flatten(1))
    axes: Tensor = torch.linalg.svd(torch.cat(gradients).T.double(), full_matrices=False).U
    return axes


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
