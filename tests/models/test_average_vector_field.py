"""Remark 14.1: training by average vector fields has a kernel that is symmetric, continuous and exact."""

from itertools import pairwise

import pytest
import torch
from neighborhoods.kernels.averaged_machine import averaged_attribution, averaged_pull
from neighborhoods.kernels.chains import chain_of
from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.path_kernel import attribution, path_kernel, telescoped
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.tangent_kernels import path_form
from neighborhoods.models.average_vector_field import average_vector_field
from neighborhoods.models.perceptrons import perceptron
from neighborhoods.models.shards import from_tensors, to_tensors
from reference import averaged_gradient
from torch import Tensor, nn
from torch.nn.functional import nll_loss

ACTIVATIONS = ["relu", "tanh", "gelu"]


def network(activation: str, widths: str = "5-9-7-3", head: str = "logits") -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    return perceptron(widths, activation=activation, head=head, generator=generator).double()


def data() -> tuple[Tensor, Tensor, Tensor]:
    """Training points, their classes, and queries of which the first two are training points."""
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    queries = torch.cat([points[:2], torch.randn(4, 5, generator=generator, dtype=torch.float64)])
    return points, torch.randint(0, 3, (12,), generator=generator), queries


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", ["5-9-3", "5-9-7-3"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_remark_14_1_the_averaged_kernel_is_exact_everywhere(
    activation: str, widths: str, reduction: str
) -> None:
    points, classes, queries = data()
    model = network(activation, widths)
    # Steps for which a kink comes to lie at a training point have no stable iteration: shorter ones for ReLU.
    rate = (0.02 if activation == "relu" else 0.3) / (1 if reduction == "mean" else 12)
    run = average_vector_field(model, points, classes, steps=10, rate=rate, reduction=reduction)
    found = averaged_attribution(model, run, queries, points, classes, chunk=5)
    outputs = model(queries).detach()
    assert float((found.prediction - outputs).abs().max() / (outputs - found.start).abs().max()) <= 1e-12
    assert found.report.status is Status.CONVERGED
    torch.testing.assert_close(telescoped(model, run, queries).prediction, outputs, rtol=1e-12, atol=1e-12)


def test_remark_14_1_log_probabilities_make_it_one_symmetric_kernel_machine() -> None:
    points, classes, queries = data()
    model = network("tanh", head="log-probabilities")

    def likelihoods(outputs: Tensor, targets: Tensor) -> Tensor:
        return nll_loss(outputs, targets, reduction="none")

    start = model(queries).detach()
    run = average_vector_field(model, points, classes, steps=8, rate=1.0, loss=likelihoods)
    kernel = path_form(model, run, queries, points, form="averaged")
    picked = kernel[:, torch.arange(12), :, classes].sum(0) / 12
    torch.testing.assert_close(start + picked, model(queries).detach(), rtol=1e-11, atol=1e-12)
    both = torch.cat([points, queries[2:]])
    gram = definiteness(as_matrix(path_form(model, run, both, both, form="averaged")))
    assert gram.asymmetry <= 1e-14
    assert gram.ratio >= -1e-14


def test_a_kink_on_a_training_point_is_refused_not_approximated() -> None:
    points, classes, _ = data()
    with pytest.raises(ValueError, match="the step still moves by"):
        average_vector_field(network("relu", "5-9-3"), points, classes, steps=10, rate=1.0)


def test_a_step_solves_its_implicit_equation() -> None:
    points, classes, _ = data()
    model = network("tanh")
    run = average_vector_field(model, points, classes, steps=1, rate=0.5)
    start, end = run.states
    outputs = network("tanh")(points).detach()
    slopes = (outputs.softmax(1) - nn.functional.one_hot(classes, 3)) / 12
    moved = torch.zeros_like(start)
    for i, k in torch.cartesian_prod(torch.arange(12), torch.arange(3)).tolist():
        own = averaged_gradient(model, start, end, points[i], k, nodes=12, rule="gauss")
        moved -= 0.5 * float(slopes[i, k]) * own
    torch.testing.assert_close(end - start, moved, rtol=1e-11, atol=1e-14)
    chain = chain_of(model)
    assert chain is not None
    pulled = averaged_pull(chain, start, end, points, -0.5 * slopes, tolerance=1e-13)
    torch.testing.assert_close(pulled, moved, rtol=1e-11, atol=1e-14)


def test_small_steps_of_both_rules_agree_to_second_order() -> None:
    points, classes, _ = data()
    gaps = []
    for rate in (0.2, 0.1, 0.05):
        model, other = network("tanh"), network("tanh")
        average_vector_field(model, points, classes, steps=1, rate=rate)
        other.requires_grad_(True)
        risk = nn.functional.cross_entropy(other(points), classes)
        slopes = torch.autograd.grad(risk, list(other.parameters()))
        euler = [
            value.detach() - rate * slope for value, slope in zip(other.parameters(), slopes, strict=True)
        ]
        pairs = zip(model.parameters(), euler, strict=True)
        gaps.append(max(float((one.detach() - two).abs().max()) for one, two in pairs))
    assert all(2**1.9 < one / two < 2**2.1 for one, two in pairwise(gaps))


def test_kernels_of_other_rules_refuse_the_run_and_it_survives_storage() -> None:
    points, classes, queries = data()
    model = network("relu")
    run = average_vector_field(model, points, classes, steps=2, rate=0.02)
    again = from_tensors(to_tensors(run), run.rule.name)
    assert again.rule == run.rule
    with pytest.raises(ValueError, match="got average vector field; required gradients taken at the start"):
        attribution(model, again, queries, points, classes)
    with pytest.raises(ValueError, match="got average vector field; required gradients taken at the start"):
        path_kernel(model, run, queries, points)
    plain = type(run)(run.states, run.rates)
    with pytest.raises(ValueError, match="got gradient descent; required training by average vector fields"):
        averaged_attribution(model, plain, queries, points, classes)


def test_bad_requests_are_refused_with_their_names() -> None:
    points, classes, _ = data()
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    with pytest.raises(ValueError, match="network: got Sequential; required a chain"):
        average_vector_field(convolution, points, classes, steps=1, rate=0.1)
    for message, options in {
        "steps: got 0": {"steps": 0, "rate": 0.1},
        "rate: got -1.0; required a step of positive size": {"steps": 1, "rate": -1.0},
        "the step still moves by .* after 3": {"steps": 1, "rate": 5.0, "iterations": 3},
    }.items():
        with pytest.raises(ValueError, match=message):
            average_vector_field(network("tanh"), points, classes, **options)
    with pytest.raises(ValueError, match="points, targets: got 12, 3"):
        average_vector_field(network("tanh"), points, classes[:3], steps=1, rate=0.1)
