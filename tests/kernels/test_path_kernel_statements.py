"""The statements of the chapter on the path kernel, one by one, where no other test states them."""

import pytest
import torch
from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.path_kernel import attribution, path_kernel
from neighborhoods.kernels.tangent_kernels import path_form, tangent_kernel
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models.perceptrons import perceptron
from neighborhoods.models.trajectory import record
from torch import Tensor, nn
from torch.nn.functional import one_hot


def run(
    rate: float = 1.0, steps: int = 4, activation: str = "tanh", outputs: int = 3
) -> tuple[nn.Sequential, Trajectory, Tensor, Tensor, Tensor]:
    """A network, its run, training points, classes, and queries that begin with three training points."""
    generator = torch.Generator().manual_seed(7)
    points = torch.randn(10, 4, generator=generator, dtype=torch.float64)
    queries = torch.cat([points[:3], torch.randn(4, 4, generator=generator, dtype=torch.float64)])
    classes = torch.randint(0, max(outputs, 2), (10,), generator=generator)
    model = perceptron(f"4-8-{outputs}", activation=activation, generator=generator).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    loss = {"loss": logistic} if outputs == 1 else {}
    found = record(model, optimizer, points, classes, steps=steps, **loss)
    return model.requires_grad_(False), found, points, classes, queries


def logistic(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.double(), reduction="none")


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("rate", [0.5, 8.0])
def test_lemma_14_4_the_symmetric_kernel_is_one_at_every_step(activation: str, rate: float) -> None:
    model, found, _, _, queries = run(rate, activation=activation)
    trained = torch.arange(len(queries)) < 3
    for step in range(4):
        one = Trajectory(found.states[step : step + 2], found.rates[step : step + 1])
        # Averages of products need as many nodes as the kinks of the longest chord ask for.
        kernel = path_form(model, one, queries, queries, form="dpk", trained=(trained, trained), nodes=100)
        gram = definiteness(as_matrix(kernel))
        assert gram.asymmetry <= 1e-14
        assert gram.ratio >= (-1e-14 if activation == "tanh" else -1e-5)


def test_remark_17_1_the_asymmetric_form_may_be_indefinite() -> None:
    model, found, _, _, queries = run(rate=16.0)
    ratios = []
    for step in range(4):
        one = Trajectory(found.states[step : step + 2], found.rates[step : step + 1])
        ratios.append(
            definiteness(as_matrix(path_form(model, one, queries, queries, form="asymmetric"))).ratio
        )
    assert min(ratios) < -0.01


def test_theorem_14_5_any_such_representation_is_trivially_one_kernel() -> None:
    model, found, points, classes, queries = run(outputs=1)
    new = queries[3:]
    steps, M = len(found.rates), len(points)
    features = []
    for s in range(steps):
        torch.nn.utils.vector_to_parameters(found.states[s], model.parameters())
        slopes = (model(points)[:, 0].sigmoid() - classes) * (-float(found.rates[s]) / M)
        one = Trajectory(found.states[s : s + 2], torch.ones(1, dtype=torch.float64))
        mixed = path_form(model, one, new, points, form="asymmetric")[:, :, 0, 0]
        gram = tangent_kernel(model, one, points, points)[:, :, 0, 0]
        off = path_form(model, one, new, new, form="averaged")[:, :, 0, 0]
        scaled = slopes[:, None] * gram * slopes
        features.append(
            torch.cat([torch.cat([off, mixed * slopes], 1), torch.cat([(mixed * slopes).T, scaled], 1)])
        )
    kernel = torch.stack(features).sum(0)
    assert definiteness(kernel).ratio >= -1e-14
    start = attribution(model, found, new, points, classes, loss=logistic).start[:, 0]
    torch.nn.utils.vector_to_parameters(found.states[-1], model.parameters())
    predicted = start + kernel[: len(new), len(new) :].sum(1)
    torch.testing.assert_close(predicted, model(new)[:, 0], rtol=1e-12, atol=1e-13)


def test_theorem_14_5_on_training_points_the_error_is_the_sum_of_taylor_remainders() -> None:
    model, found, points, _, _ = run()
    known = points[:3]
    remainders = torch.zeros(3, 3, dtype=torch.float64)
    predicted, before = None, None
    for s in range(len(found.rates)):
        torch.nn.utils.vector_to_parameters(found.states[s], model.parameters())
        before = model(known)
        predicted = before if predicted is None else predicted
        slopes = (model(points).softmax(1) - one_hot(_classes(), 3)) * (-float(found.rates[s]) / len(points))
        moved = torch.einsum("mikl,il->mk", tangent_kernel(model, found, known, points, step=s), slopes)
        torch.nn.utils.vector_to_parameters(found.states[s + 1], model.parameters())
        remainders += model(known) - before - moved
        predicted = predicted + moved
    assert predicted is not None
    torch.testing.assert_close(model(known) - predicted, remainders, rtol=1e-12, atol=1e-13)
    assert float(remainders.abs().max()) > 0.01


def _classes() -> Tensor:
    return run(steps=1)[3]


def test_section_17_4_blocks_of_classes_and_their_order() -> None:
    model, found, points, classes, queries = run(steps=1)
    kernel = path_kernel(model, found, queries, points).kernel
    torch.nn.utils.vector_to_parameters(found.states[0], model.parameters())
    before, slopes = model(queries), model(points).softmax(1) - one_hot(classes, 3)
    torch.nn.utils.vector_to_parameters(found.states[1], model.parameters())
    moved = -torch.einsum("mikl,il->mk", kernel, slopes)
    torch.testing.assert_close(before + moved, model(queries), rtol=1e-12, atol=1e-13)
    diagonal = -(kernel.diagonal(dim1=2, dim2=3) * slopes).sum(1)
    assert float((before + diagonal - model(queries)).abs().max()) > 0.05 * float(moved.abs().max())


def test_section_17_3_constant_signs_do_not_make_a_kernel() -> None:
    # Two steps, two examples, one kernel each: weights by the second argument alone are not symmetric.
    first, second = torch.ones(2, 2), torch.ones(2, 2)
    weights = torch.tensor([[1.0, 1.0], [1.0, 3.0]])
    assert definiteness(first * weights[0] + second * weights[1]).asymmetry > 0.3
    # And with signs that change, kernels of disjoint features make an indefinite sum.
    assert (
        definiteness(torch.diag(torch.tensor([1.0, 0.0])) - torch.diag(torch.tensor([0.0, 1.0]))).smallest < 0
    )


def test_section_17_3_residuals_of_linear_regression_change_their_sign() -> None:
    inputs = torch.tensor([[1.0, 0.0], [0.9, 0.3]], dtype=torch.float64)
    targets, weights, signs = torch.tensor([1.0, 0.2], dtype=torch.float64), torch.zeros(2).double(), []
    for _ in range(200):
        residual = targets - inputs @ weights
        signs.append(residual.sign())
        weights = weights + 0.1 * inputs.T @ residual
    assert not torch.equal(signs[0], signs[20])
