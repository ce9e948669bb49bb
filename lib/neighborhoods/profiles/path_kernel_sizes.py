"""Sizes of the chapter on the path kernel."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class PathKernelSpec:
    """Numbers of the path-kernel chapter. All of MNIST's examples are its first images.

    Attributes:
        examples, steps, queries: of the runs whose exactness is measured; half of the queries are training
            examples.
        rule_examples, rule_steps, rule_queries: the same for rules with memory, whose kernels are dense.
        finest: most nodes of the fixed rules of quadrature, a power of two.
        plane_examples, plane_steps, plane_queries: of the two Gaussians.
        digit_examples, digit_steps, digit_queries: of Figure 23.
        machine_examples, machine_steps, machine_points: of the log-probability network.
        widest: hidden units of the widest network compared with its tangent kernel, a power of two.
        width_seeds: initial parameters at each width.
        halvings: how often the step size is halved.
        forms_examples, forms_steps: of the comparison of all forms of the kernel.
        seed: of every random choice.
    """

    examples: int = 200
    steps: int = 60
    queries: int = 40
    rule_examples: int = 100
    rule_steps: int = 25
    rule_queries: int = 8
    finest: int = 256
    plane_examples: int = 4000
    plane_steps: int = 200
    plane_queries: int = 500
    digit_examples: int = 1000
    digit_steps: int = 150
    digit_queries: int = 200
    machine_examples: int = 200
    machine_steps: int = 50
    machine_points: int = 60
    widest: int = 1024
    width_seeds: int = 5
    halvings: int = 5
    forms_examples: int = 60
    forms_steps: int = 20
    seed: int = 0


PATH_KERNEL = {
    "smoke": PathKernelSpec(
        examples=40,
        steps=6,
        queries=12,
        rule_examples=20,
        rule_steps=4,
        rule_queries=4,
        finest=16,
        plane_examples=200,
        plane_steps=20,
        plane_queries=40,
        digit_examples=60,
        digit_steps=10,
        digit_queries=20,
        machine_examples=20,
        machine_steps=4,
        machine_points=8,
        widest=64,
        width_seeds=2,
        halvings=3,
        forms_examples=10,
        forms_steps=3,
    ),
    "quick": PathKernelSpec(),
    "paper": PathKernelSpec(
        examples=2000,
        steps=400,
        queries=400,
        rule_examples=500,
        rule_steps=100,
        rule_queries=40,
        finest=4096,
        digit_examples=10_000,
        digit_steps=1000,
        digit_queries=1000,
        machine_examples=2000,
        machine_steps=300,
        machine_points=200,
        widest=8192,
        width_seeds=20,
        halvings=8,
    ),
}


def path_kernel(profile: str, **changes: Any) -> PathKernelSpec:
    """Return the chapter's numbers for a profile, with changes, all of them checked; see `persistence`."""
    return changed(PATH_KERNEL, profile, changes)
