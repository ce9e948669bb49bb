"""Pools of unit noise: Gaussian, scrambled Sobol, or uniform in the ball of matching radius."""

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor
from torch.quasirandom import SobolEngine

from neighborhoods.kernels.arguments import checked

Noise = Literal["gaussian", "sobol", "ball"]
"""`gaussian`: independent N(0, I). `sobol`: N(0, I) too, spread evenly. `ball`: uniform, radius √n."""

SCRAMBLES = 8  # at least, and fewer than twice as many, in a Sobol pool: their spread is its standard error
BITS = 30  # of a Sobol coordinate, as SobolEngine has them


@checked(like=1)
def unit_noise(
    noise: Noise,
    samples: int,
    like: Float[Tensor, "..."],
    *,
    axes: Tensor | None = None,
    generator: Generator | None = None,
) -> Float[Tensor, "samples ..."]:
    r"""Draw noise with the shape of one point, of variance 1 in each coordinate (for the ball: about 1).

    With orthonormal `axes` $V$, the most important first, Sobol noise has quasi-random coordinates in their
    span, where the classifier listens, and independent ones elsewhere:
    $\varepsilon = \zeta V^\top + \eta (I - V V^\top)$.

    Args:
        noise: the kind; the ball is $\{|\varepsilon| \le \sqrt n\}$, on whose skin Gaussian noise lies, too.
        samples: how many draws; for Sobol noise 8 to 15 nets of a power of two: 512 = 8 x 64, 640 = 10 x 64.
        like: one point; the draws take its shape, dtype and device.
        axes: $V$, shape `(n, r)`; used by Sobol noise only, by default the coordinate axes.
        generator: source of randomness.

    Raises:
        ValueError: an unknown kind of noise, or a number of samples it does not offer.

    Source: the draft, section 4, for Gaussian and ball, Appendix 10 for the radius.

    >>> unit_noise("ball", 5, torch.zeros(3, 2)).flatten(1).norm(dim=1).amax().item() <= 6**0.5
    True
    """
    _check(noise, samples)
    n = like.numel()
    flat = torch.randn((samples, n), generator=generator, dtype=like.dtype, device=like.device)
    if noise == "sobol":
        listening = min(n, SobolEngine.MAXDIM) if axes is None else axes.shape[1]
        along = sobol_normals(samples, listening, generator=generator).to(like)
        if axes is None:
            flat[:, :listening] = along
        else:
            flat += (along - flat @ axes.to(like)) @ axes.to(like).T
    if noise == "ball":
        radii = torch.rand((samples, 1), generator=generator, dtype=like.dtype, device=like.device) ** (1 / n)
        flat *= n**0.5 * radii / flat.norm(dim=1, keepdim=True)
    return flat.reshape(samples, *like.shape)


@checked(dimension=1)
def sobol_normals(
    samples: int, dimension: int, *, generator: Generator | None = None
) -> Float[Tensor, "samples dimension"]:
    r"""Return standard normals $\Phi^{-1}(u_{ij})$ of independently scrambled Sobol nets, in float64.

    Row $i$ belongs to scramble $i \bmod R$, so that the first $Rm$ rows are the first $m$ points of each.
    The points lie in the middle of their cells of width $2^{-30}$, hence $|\Phi^{-1}(u)| < 6.3$.

    Source: Matoušek (1998), On the L2-discrepancy for anchored boxes, for the scrambling.
    """
    scrambles = scrambles_in(samples)
    nets = scrambled_nets((samples // scrambles).bit_length() - 1, scrambles, dimension, generator=generator)
    uniform = (nets.transpose(0, 1).reshape(samples, dimension).double() + 0.5) / 2**BITS
    normals: Tensor = torch.special.ndtri(uniform)
    return normals


def scrambles_in(samples: int) -> int:
    r"""Return the number of scrambles $8 \le R < 16$ whose nets of $2^k \ge 2$ points make up a pool.

    Raises:
        ValueError: there is no such number.

    >>> scrambles_in(512), scrambles_in(640), scrambles_in(384)
    (8, 10, 12)
    """
    net = 1 << max(1, samples.bit_length() - SCRAMBLES.bit_length())
    scrambles = samples // net
    if scrambles * net != samples or scrambles < SCRAMBLES:
        below = max(SCRAMBLES, scrambles) * net
        raise ValueError(
            f"samples: got {samples}; required {SCRAMBLES} to {2 * SCRAMBLES - 1} nets of a power of two "
            f"for Sobol noise, such as {below} or {below + net}"
        )
    return scrambles


def scrambled_nets(
    log2: int, scrambles: int, dimension: int, *, generator: Generator | None = None
) -> Int64[Tensor, "scrambles net dimension"]:
    r"""Return the first $2^{\log_2}$ Sobol points under independent scrambles $u \mapsto L u \oplus s$.

    $L$ is a random lower triangular binary matrix with unit diagonal for each coordinate, $s$ a random shift.
    Each point is uniform on the cube, and each scramble keeps the net's equidistribution.
    """
    device = generator.device if generator is not None else torch.device("cpu")
    directions = SobolEngine(dimension).sobolstate[:, :log2].T.to(device)  # (bit of the index, dimension)
    scrambled = torch.zeros((log2, scrambles, dimension), dtype=torch.int64, device=device)
    for weight in reversed(range(BITS - log2, BITS)):
        below = torch.randint(2**weight, (scrambles, dimension), generator=generator, device=device)
        scrambled ^= (directions[:, None] >> weight & 1) * (2**weight + below)
    nets = torch.randint(2**BITS, (scrambles, 1, dimension), generator=generator, device=device)
    for direction in scrambled:
        nets = torch.cat([nets, nets ^ direction[:, None]], 1)
    return nets


def _check(noise: str, samples: int) -> None:
    if noise not in get_args(Noise):
        raise ValueError(f"noise: got {noise!r}; required one of {get_args(Noise)}")
    if samples < 1:
        raise ValueError(f"samples: got {samples}; required at least 1")
    if noise == "sobol":
        scrambles_in(samples)
