"""Naive transcriptions of the draft's formulas: slow, obvious, and independent of the kernels they check."""

# --- wedges, attacks, boundaries ---

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from scipy import integrate, optimize, stats
from torch import Tensor
from torch.nn.functional import cross_entropy


def wedge_stability_by_quadrature(point: Tensor, angles: Tensor, sigma: float) -> float:
    """Integrate over the first coordinate with scipy, in pieces around every step of the integrand."""
    x, slopes = point.numpy(), np.tan(angles.numpy())
    low, high = max(-x[0] / sigma, -12.0), 12.0
    steep = [
        (x[i + 1] / t - x[0]) / sigma + j / t for i, t in enumerate(slopes) if t for j in (-8, -3, 0, 3, 8)
    ]
    cuts = [low, *sorted(z for z in [*steep, *range(-12, 12)] if low < z < high), high]

    def density(z: float) -> float:
        others = (x[1 : len(slopes) + 1] - (x[0] + sigma * z) * slopes) / sigma
        return float(stats.norm.pdf(z) * np.prod(stats.norm.cdf(others)))

    pieces = pairwise(cuts)
    return sum(integrate.fixed_quad(np.vectorize(density), a, b, n=24)[0] for a, b in pieces if b > a)


def first_crossing(
    stability: Callable[[float], float], gamma: float, sigmas: np.ndarray
) -> tuple[float, float]:
    """Walk up a grid: the last stable level before an unstable one, and the first stable one after it."""
    stable = [stability(float(s)) >= gamma for s in sigmas]
    if all(stable):
        return math.inf, math.inf
    first = stable.index(False)
    after = [s for s, good in zip(sigmas[first:], stable[first:], strict=True) if good]
    return float(sigmas[max(first - 1, 0)]), float(after[0]) if after else math.inf


def igsm_of_one(
    classifier: Callable[[Tensor], Tensor],
    point: Tensor,
    label: int,
    *,
    epsilon: float,
    alpha: float,
    steps: int,
    target: int | None = None,
    stop: str = "success",
) -> tuple[Tensor, bool, int]:
    """Attack one point with the cross-entropy of the draft's (5), signs corrected."""
    x, taken = point.clone(), 0

    def reached() -> bool:
        found = int(classifier(x[None]).argmax())
        return found != label if target is None else found == target

    while taken < steps and not (stop == "success" and reached()):
        inputs = x.clone()[None].requires_grad_()
        wanted = torch.tensor([label if target is None else target])
        gradient = torch.autograd.grad(cross_entropy(classifier(inputs), wanted), inputs)[0][0]
        x = x + alpha * gradient.sign() if target is None else x - alpha * gradient.sign()
        x = torch.minimum(torch.maximum(x, point - epsilon), point + epsilon).clamp(0, 1)
        taken += 1
    return x, reached(), taken


def crossing_of_one(label: Callable[[Tensor], int], start: Tensor, end: Tensor, iterations: int) -> float:
    """Bisect one segment for a point where the class of its end begins."""
    near, far = 0.0, 1.0
    for _ in range(iterations):
        middle = (near + far) / 2
        if label(start + middle * (end - start)) == label(end):
            far = middle
        else:
            near = middle
    return (near + far) / 2


# --- stability and persistence ---


def bracketing_as_printed(
    hit_fraction: Callable[[float], float], gamma: float, max_steps: int, precision: float
) -> float:
    """Algorithm 1 of the draft, line by line; `hit_fraction` is COMPUTE_PERSISTENCE."""
    sigma_min, sigma_max = range_finder_as_printed(hit_fraction, gamma)
    count = 1
    while count < max_steps:
        sigma = (sigma_min + sigma_max) / 2
        gamma_new = hit_fraction(sigma)
        if abs(gamma_new - gamma) < precision:
            return sigma
        if gamma_new > gamma:
            sigma_min = sigma
        else:
            sigma_max = sigma
        count += 1
    return sigma


def range_finder_as_printed(hit_fraction: Callable[[float], float], gamma: float) -> tuple[float, float]:
    """RANGEFINDER of Algorithm 1; it need not end."""
    sigma_min, sigma_max = 0.5, 1.5
    gamma_1 = hit_fraction(sigma_min)
    gamma_2 = hit_fraction(sigma_max)
    while gamma_1 < gamma or gamma_2 > gamma:
        if gamma_1 < gamma:
            sigma_min = 0.5 * sigma_min
            gamma_1 = hit_fraction(sigma_min)
        if gamma_2 > gamma:
            sigma_max = 2 * sigma_max
            gamma_2 = hit_fraction(sigma_max)
    return sigma_min, sigma_max


def stability_by_loop(
    classifier: Callable[[Tensor], Tensor], x: Tensor, sigma: float, noise: Tensor
) -> float:
    """The share of the given unit noise that keeps the class of x, one sample at a time."""
    own = classifier(x[None]).argmax(1)
    return sum(bool(classifier((x + sigma * z)[None]).argmax(1) == own) for z in noise) / len(noise)


def clopper_pearson_by_search(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The probabilities at which the observed tail is α/2, by bisection on binomial sums."""
    tail = (1 - confidence) / 2

    def bisect(too_small: Callable[[float], bool]) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if too_small(middle) else (low, middle)
        return low

    def at_least(p: float) -> float:
        return sum(
            math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1)
        )

    def at_most(p: float) -> float:
        return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes + 1))

    low = 0.0 if successes == 0 else bisect(lambda p: at_least(p) < tail)
    high = 1.0 if successes == trials else bisect(lambda p: at_most(p) > tail)
    return low, high


def exit_order_statistic(exits: Tensor, gamma: float) -> float:
    """The ⌈(1 − γ)N⌉-th smallest exit of rays: their estimate of a star-shaped class's persistence."""
    ordered = exits.sort().values
    return float(ordered[math.ceil((1 - gamma) * len(exits)) - 1])


# --- path kernel ---


def network_at(network: torch.nn.Module, state: Tensor, points: Tensor) -> Tensor:
    """Outputs with the given flat parameters."""
    named, position, parameters = dict(network.named_parameters()), 0, {}
    for name, value in named.items():
        parameters[name] = state[position : position + value.numel()].view_as(value)
        position += value.numel()
    return torch.func.functional_call(network, parameters, (points,))


def output_gradient(network: torch.nn.Module, state: Tensor, point: Tensor, k: int) -> Tensor:
    """The gradient of one output at one point by all parameters, flat."""
    leaf = state.clone().requires_grad_()
    return torch.autograd.grad(network_at(network, leaf, point[None])[0, k], leaf)[0]


def averaged_gradient(
    network: torch.nn.Module, start: Tensor, end: Tensor, point: Tensor, k: int, *, nodes: int, rule: str
) -> Tensor:
    """The average along a chord: the draft's Riemann sum from the left, midpoints, or Gauss-Legendre."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    places = {
        "left": np.arange(nodes) / nodes,
        "midpoint": (np.arange(nodes) + 0.5) / nodes,
        "gauss": (x + 1) / 2,
    }
    shares = weights / 2 if rule == "gauss" else np.full(nodes, 1 / nodes)
    total = torch.zeros_like(start)
    for t, share in zip(places[rule].tolist(), shares.tolist(), strict=True):
        total += share * output_gradient(network, start + t * (end - start), point, k)
    return total


def path_kernel_of_pair(
    network: torch.nn.Module,
    states: Tensor,
    rates: Tensor,
    *,
    x: Tensor,
    other: Tensor,
    nodes: int,
    rule: str,
) -> Tensor:
    """Equation (16) with its integral, times the step size, summed over steps, for all pairs of outputs."""
    classes = network_at(network, states[0], x[None]).shape[1]
    kernel = torch.zeros((classes, classes), dtype=states.dtype)
    for s in range(len(rates)):
        for k in range(classes):
            own = averaged_gradient(network, states[s], states[s + 1], x, k, nodes=nodes, rule=rule)
            for j in range(classes):
                kernel[k, j] += rates[s] * own.dot(output_gradient(network, states[s], other, j))
    return kernel


def effect_of_one_example(
    network: torch.nn.Module,
    states: Tensor,
    gradients: list[Tensor],
    share_of_steps: Callable[[list[Tensor]], list[Tensor]],
    *,
    point: Tensor,
) -> Tensor:
    """Push the gradients of one example through the rule of training, and follow its share of each chord.

    `share_of_steps` turns the gradients that one example has at all steps into its share of all changes.
    """
    classes = network_at(network, states[0], point[None]).shape[1]
    effect = torch.zeros(classes, dtype=states.dtype)
    for s, moved in enumerate(share_of_steps(gradients)):
        for k in range(classes):
            own = averaged_gradient(network, states[s], states[s + 1], point, k, nodes=12, rule="gauss")
            effect[k] += own.dot(moved)
    return effect


# --- minimum distortion ---


def box_minimum(hessian: Tensor, centre: Tensor) -> Tensor:
    """Minimise (x − c)ᵀH(x − c)/2 over the unit box: bounded least squares with H = UᵀU."""
    root = torch.linalg.cholesky(hessian).mT.numpy()
    found = optimize.lsq_linear(root, root @ centre.numpy(), bounds=(0, 1), method="bvls", tol=1e-14)
    return torch.from_numpy(found.x)


def nearest_in_class_of_affine(weight: Tensor, bias: Tensor, point: Tensor, target: int) -> float:
    """The least ‖r‖ with argmax(W(x + r) + b) = t and x + r in the unit box, from its dual.

    With multipliers λ ≥ 0 the step is Clip(Aᵀλ); the concave dual is maximised by L-BFGS-B in float64, and
    its value, a lower bound, must equal that of the feasible step.
    """
    w, x = weight.detach().double().numpy(), point.double().numpy()
    normals = np.delete(w[target] - w, target, axis=0)
    offsets = -np.delete((w[target] - w) @ x + (bias[target] - bias).detach().double().numpy(), target)

    def step(multipliers: np.ndarray) -> np.ndarray:
        return np.clip(normals.T @ multipliers, -x, 1 - x)

    def negative_dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        r = step(multipliers)
        return -(r @ r / 2 + multipliers @ (offsets - normals @ r)), normals @ r - offsets

    found = optimize.minimize(
        negative_dual, np.zeros(len(offsets)), jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(offsets),
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000, "maxfun": 100_000},
    )  # fmt: skip
    r = step(found.x)
    assert (normals @ r - offsets).min() > -1e-4 * np.abs(offsets).max()
    assert abs(-found.fun - r @ r / 2) <= 1e-4 * (r @ r / 2)
    return float(np.linalg.norm(r))
