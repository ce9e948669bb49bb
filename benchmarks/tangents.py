"""Empirical neural tangent kernels: ours, the recipe of torch.func, and neural-tangents.

All return the full tensor of left points, right points and pairs of outputs in float32, at the same
parameters. The recipe is the contraction of Jacobians of PyTorch's tutorial. Each implementation of
neural-tangents has a row, compiled before. The truth behind the errors is ours in float64.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from contests import Contest, Sides, require_close
from neighborhoods.kernels.tangent_kernels import tangent_kernel
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from torch import Generator, Tensor, nn
from torch.func import functional_call, jacrev, vmap
from torch.nn.utils import parameters_to_vector

Kernel = Callable[[Tensor, Tensor], Tensor]
FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
ALLOWED = 1e-5  # of the greatest value of the kernel


def own(network: nn.Module) -> Kernel:
    """Return our kernel of two sets of points."""
    state = parameters_to_vector(network.parameters()).detach()[None]
    run = Trajectory(state, state.new_zeros(0))
    return lambda left, right: tangent_kernel(network, run, left, right)


def recipe(network: nn.Module) -> Kernel:
    """Return the tutorial's: Jacobians by vmap over jacrev, contracted parameter by parameter."""
    parameters = {name: value.detach() for name, value in network.named_parameters()}

    def one(values: dict[str, Tensor], point: Tensor) -> Tensor:
        return functional_call(network, values, (point[None],))[0]

    jacobians = vmap(jacrev(one), (None, 0))

    def kernel(left: Tensor, right: Tensor) -> Tensor:
        sides = zip(jacobians(parameters, left).values(), jacobians(parameters, right).values(), strict=True)
        parts = [torch.einsum("Naf,Mbf->NMab", a.flatten(2), b.flatten(2)) for a, b in sides]
        return torch.stack(parts).sum(0)

    return kernel


def compiled(network: nn.Module, implementation: str) -> Kernel:
    """Return that of neural-tangents, on one thread, from and to torch."""
    os.environ["XLA_FLAGS"] = FLAGS  # read when JAX starts
    import jax  # noqa: PLC0415 (optional packages)
    import neural_tangents as nt  # noqa: PLC0415

    layers = [in_jax(layer) for layer in network]
    weights = [[jax.dlpack.from_dlpack(value) for value in in_order(layer)] for layer in network]

    def apply(values: Any, x: Any) -> Any:
        for layer, value in zip(layers, values, strict=True):
            x = layer(value, x)
        return x

    kernel = jax.jit(
        nt.empirical_ntk_fn(
            apply, trace_axes=(), vmap_axes=0, implementation=nt.NtkImplementation[implementation]
        )
    )
    return lambda left, right: torch.from_dlpack(
        kernel(*map(jax.dlpack.from_dlpack, (left, right)), weights)
    ).clone()


def in_order(layer: nn.Module) -> list[Tensor]:
    """Return the parameters of a layer, matrices as (inputs, outputs), which neural-tangents knows best."""
    found = [value.detach() for value in layer.parameters()]
    return [value.T.contiguous() if value.ndim == 2 else value for value in found]


def in_jax(layer: nn.Module) -> Callable[[Any, Any], Any]:
    """Return a layer of our networks as a function of its parameters and a batch."""
    import jax  # noqa: PLC0415 (an optional package)

    numbers = ("NCHW", "OIHW", "NCHW")
    table = {
        nn.Flatten: lambda w, x: x.reshape(len(x), -1),
        nn.ReLU: lambda w, x: jax.nn.relu(x),
        nn.Linear: lambda w, x: x @ w[0] + w[1],
        nn.Conv2d: lambda w, x: (
            jax.lax.conv_general_dilated(x, w[0], (1, 1), "VALID", dimension_numbers=numbers)
            + w[1][:, None, None]
        ),
        nn.MaxPool2d: lambda w, x: jax.lax.reduce_window(
            x, -jax.numpy.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
        ),
    }
    return table[type(layer)]


def sides(name: str, theirs: Callable[[nn.Module], Kernel], sizes: tuple[int, int]) -> Sides:
    """Compare on other points in each repetition."""
    network = networks.build(name, generator=Generator().manual_seed(0)).eval()
    images, (m, M) = mnist("test").points, sizes
    first, second = own(network), theirs(network)

    def points(turn: int) -> tuple[Tensor, Tensor]:
        some = images[turn * (m + M) :][: m + M]
        return some[:m], some[m:]

    def judge(ours: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
        exact = own(networks.build(name, generator=Generator().manual_seed(0)).double().eval())
        truth = exact(*(part.double() for part in points(0)))
        errors = [float((side[0] - truth).abs().max() / truth.abs().max()) for side in (ours, other)]
        require_close("kernels", max(errors), ALLOWED)
        return errors[0], errors[1]

    note = (
        f"per kernel of {m} by {M} points and all pairs of outputs; errors: the greatest, in parts of the"
        f" greatest value, at most {ALLOWED:g}"
    )
    return Sides(lambda t: first(*points(t)), lambda t: second(*points(t)), judge, 1, note)


STRUCTURED = partial(compiled, implementation="STRUCTURED_DERIVATIVES")
CONTRACTED = partial(compiled, implementation="JACOBIAN_CONTRACTION")
PRODUCTS = partial(compiled, implementation="NTK_VECTOR_PRODUCTS")
FULL, SMALL = ("FC128-10", (50, 100)), ("C-4", (20, 40))
CONTESTS = [
    Contest(f"ntk/{peer}/{network}", package, partial(sides, network, theirs, sizes))
    for network, sizes in (FULL, SMALL)
    for peer, package, theirs in (
        ("torch.func", "torch", recipe),
        ("nt-structured", "neural_tangents", STRUCTURED),
        ("nt-jacobians", "neural_tangents", CONTRACTED),
        ("nt-products", "neural_tangents", PRODUCTS),
    )
]
