"""Pools of unit noise: Gaussian, or uniform in the ball whose radius matches it."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

Noise = Literal["gaussian", "ball"]


def unit_noise(
    noise: Noise, samples: int, like: Tensor, *, generator: Generator | None = None
) -> Float[Tensor, "samples ..."]:
    r"""Draw noise of one point's shape whose squared norm has mean about $n$, the dimension.

    Args:
        noise: "gaussian" for $N(0, I)$; "ball" for the uniform law on the ball of radius $\sqrt n$.
        samples: how many draws.
        like: one point; the draws take its shape, dtype and device.
        generator: source of randomness.

    Raises:
        ValueError: an unknown kind of noise, or no samples.

    Source: the draft, section 4, for both laws, and Appendix 10 for the radius.
    """
    if samples < 1:
        raise ValueError(f"samples: got {samples}; required at least 1")
    shape = (samples, *like.shape)
    normals: Tensor = torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
    if noise == "gaussian":
        return normals
    if noise == "ball":
        n = like.numel()
        radii = torch.rand(samples, generator=generator, dtype=like.dtype, device=like.device) ** (1 / n)
        lengths = n**0.5 * radii / normals.flatten(1).norm(dim=1)
        scaled: Tensor = normals * lengths.reshape(-1, *[1] * like.ndim)
        return scaled
    raise ValueError(f'noise: got {noise!r}; required "gaussian" or "ball"')
