"""The draft's procedures in their natural form: one image at a time, fresh pixel noise at every σ."""

import torch
from torch import Generator, Tensor, nn


@torch.no_grad()
def literal_curve(
    network: nn.Module, image: Tensor, sigmas: Tensor, samples: int, generator: Generator
) -> Tensor:
    """Count the classes of `samples` fresh draws from N(x, σ²I) at each σ (section 5.1.1)."""
    counts = []
    for sigma in sigmas:
        noise = torch.randn((samples, *image.shape), generator=generator)
        counts.append(torch.bincount(network(image + sigma * noise).argmax(1), minlength=10))
    return torch.stack(counts)
