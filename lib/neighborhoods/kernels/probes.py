"""A probe asks which noisy points keep the class of their centre, in the smallest space where it can."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from neighborhoods.kernels.layouts import first_layer, laid_out, pass_size
from neighborhoods.kernels.noise import Noise, scrambles_in, sobol_normals, unit_noise
from neighborhoods.kernels.statistics import Classifier, labels_of

GRADIENTS = 256  # margin gradients that span the axes of Sobol noise
GRADIENT_SHARE = 8  # at least so many looks for each gradient, which costs about three
NEGLIGIBLE = 1e-8  # variance of the margin along an axis, relative to the first, that needs no axis

Answers = dict[tuple[int, float, int, int], Tensor]
"""Classes by row, σ, and the first and last of the noise."""


@dataclass(frozen=True)
class Probe:
    """Centres with their labels, a classifier, one pool of noise for all of them, and answers to be kept."""

    classifier: Classifier
    centres: Float[Tensor, "points ..."]
    labels: Int[Tensor, " points"]
    pool: Float[Tensor, "samples ..."]
    scrambles: int = 1
    answers: Answers | None = None

    def classes(
        self, rows: Int[Tensor, " rows"], sigmas: Float[Tensor, " rows"], first: int, last: int
    ) -> Int[Tensor, "rows samples"]:
        r"""Return $C(x_i + \sigma_i\varepsilon_j)$ for the given rows $i$ and first ≤ $j$ < last."""
        if self.answers is None:
            return self._ask(rows, sigmas, first, last)
        places = [
            (row, sigma, first, last) for row, sigma in zip(rows.tolist(), sigmas.tolist(), strict=True)
        ]
        new = [number for number, place in enumerate(places) if place not in self.answers]
        if new:
            found = self._ask(rows[new], sigmas[new], first, last)
            self.answers.update(zip((places[number] for number in new), found, strict=True))
        return torch.stack([self.answers[place] for place in places])

    def _ask(self, rows: Tensor, sigmas: Tensor, first: int, last: int) -> Int[Tensor, "rows samples"]:
        noise, size = self.pool[first:last], pass_size(self.pool.device)
        together = max(1, size // noise.numel())
        # PyTorch convolves a single image by a slower path.
        passes = min(max(1, len(noise) // 2), -(-noise.numel() // size))
        scales = sigmas.to(noise).reshape(-1, *[1] * noise.ndim)
        answers = []
        for some, scale in zip(rows.split(together), scales.split(together), strict=True):
            centres = self.centres[some].unsqueeze(1)
            parts = [torch.addcmul(centres, scale, part).flatten(0, 1) for part in noise.chunk(passes)]
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
    $$ W(x + \sigma\varepsilon) + b = (Wx + b) + \sigma\,W\varepsilon, \qquad W W^\top = U S^2 U^\top, $$
    where $W\varepsilon$ has the law of $U S \zeta$, and $\zeta$ is normal in as many dimensions as the layer
    has units. A convolutional network is asked in the layout that suits it (`on_blocks`).
    """
    if labels is not None and bool((labels < 0).any()):
        raise ValueError(f"labels: got {int(labels.min())}; required classes, 0 or more")
    scrambles = scrambles_in(samples) if noise == "sobol" else 1
    own = labels_of(classifier, points) if labels is None else labels
    layer, rest = first_layer(classifier, points)
    if layer is None:
        same, centres = laid_out(classifier, points)
        count = min(GRADIENTS, max(1, samples * len(points) // GRADIENT_SHARE))
        axes = margin_axes(same, centres, count=count, generator=generator) if noise == "sobol" else None
        pool = unit_noise(noise, samples, centres[0], axes=axes, generator=generator)
        return Probe(same, centres, own, pool, scrambles)
    weight = layer.weight.detach()
    if noise == "ball":
        pool = unit_noise(noise, samples, points[0], generator=generator).flatten(1) @ weight.T
    else:
        squares, U = torch.linalg.eigh(weight.double() @ weight.double().T)
        S = squares.clamp(min=0).sqrt()
        zeta = _normals(noise, samples, S, generator).flip(1)  # the evenest coordinate to the largest
        pool = ((zeta * S) @ U.T).to(weight)
    with torch.no_grad():
        return Probe(rest, layer(points.flatten(1)), own, pool, scrambles)


def margin_axes(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    *,
    count: int = GRADIENTS,
    generator: Generator | None = None,
) -> Float[Tensor, "n axes"] | None:
    r"""Return orthonormal axes of about so many margin gradients near the points, the strongest first.

    The gradients are taken at copies $x + r\varepsilon$, where $r$ is the distance to the boundary of a
    linear classifier with this margin and gradient: about where noise at the persistence puts the points.
    None where the classifier has no gradients to give.
    """
    some = points[:: -(-len(points) // count)].detach()
    first = _margins(classifier, some)
    if first is None:
        return None
    distance = (first[0] / first[1].norm(dim=1)).nan_to_num(0.0, 0.0, 0.0)
    copies = some.repeat(-(-count // len(some)), *[1] * (some.ndim - 1))
    scale = distance.repeat(len(copies) // len(some)).reshape(-1, *[1] * (some.ndim - 1))
    noise = torch.randn(copies.shape, generator=generator, dtype=copies.dtype, device=copies.device)
    near = _margins(classifier, copies + scale * noise)
    gradients = (first if near is None else near)[1].T.double()
    squares, V = torch.linalg.eigh(gradients.T @ gradients)
    heard = squares > NEGLIGIBLE * squares[-1]
    axes: Tensor = gradients @ (V / squares.sqrt())[:, heard]
    return axes.flip(1) if heard.any() else None


def _margins(classifier: Classifier, points: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the two largest logits' difference at each point, and its gradient."""
    margins, gradients = [], []
    for part in points.split(max(1, pass_size(points.device) // points[0].numel())):
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
