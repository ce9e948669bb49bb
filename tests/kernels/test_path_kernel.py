"""Theorem 14.5, corrected: the trained network is its path kernel machine, up to rounding, everywhere."""

from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.path_kernel import attribution, cross_entropies, path_kernel, telescoped
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models.trajectory import minibatches, record
from reference import path_kernel_of_pair
from tolerances import ABSOLUTE, RELATIVE
from torch import Tensor, nn
from torch.nn.functional import mse_loss, nll_loss

Act = Callable[[], nn.Module]
EXACT = {torch.float64: 1e-12, torch.float32: 5e-6}


def chain(
    widths: list[int], act: Act = nn.ReLU, head: nn.Module | None = None, seed: int = 0
) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(*layers[:-1], *([] if head is None else [head])).double()


def data(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Training points, their classes, and queries of which the first three are training points."""
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(30, 5, generator=generator, dtype=torch.float64).to(dtype)
    queries = torch.cat([points[:3], torch.randn(6, 5, generator=generator, dtype=torch.float64).to(dtype)])
    return points, torch.randint(0, 3, (30,), generator=generator), queries


def sgd(network: nn.Module, rate: float = 1.0, **options: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=rate, **options)


def gap(network: nn.Module, found: Any, queries: Tensor) -> float:
    """The greatest difference between network and kernel machine, over the greatest change by training."""
    outputs = network(queries).detach()
    return float((found.prediction - outputs).abs().max() / (outputs - found.start).abs().max())


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh, nn.GELU, nn.Sigmoid])
@pytest.mark.parametrize("hidden", [[], [12], [12, 9], [12, 9, 7]])
def test_theorem_14_5_the_network_is_its_kernel_machine(
    hidden: list[int], act: Act, dtype: torch.dtype
) -> None:
    points, classes, queries = data(dtype)
    network = chain([5, *hidden, 3], act).to(dtype)
    run = record(network, sgd(network), points, classes, steps=12)
    found = attribution(network, run, queries, points, classes)
    assert gap(network, found, queries) <= EXACT[dtype]
    assert found.report.status is Status.CONVERGED
    assert float(found.report.residual.max()) <= EXACT[dtype] * float(network(queries).detach().abs().max())
    along = telescoped(network, run, queries)
    torch.testing.assert_close(along.prediction, found.prediction, rtol=0, atol=EXACT[dtype] * 10)


@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("head", [nn.LogSoftmax(1), nn.Softmax(-1)])
@pytest.mark.parametrize("hidden", [[], [8], [8, 6]])
def test_heads_are_part_of_the_representation(hidden: list[int], head: nn.Module, act: Act) -> None:
    points, classes, queries = data()
    network = chain([5, *hidden, 3], act, head)

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        logs = outputs if isinstance(head, nn.LogSoftmax) else outputs.log()
        return nll_loss(logs, targets, reduction="none")

    run = record(network, sgd(network), points, classes, steps=6, loss=loss)
    found = attribution(network, run, queries, points, classes, loss=loss)
    assert gap(network, found, queries) <= EXACT[torch.float64]
    dense = attribution(network, run, queries, points, classes, loss=loss, route="dense")
    torch.testing.assert_close(found.contributions, dense.contributions, rtol=1e-10, atol=1e-12)


def test_section_17_5_log_probabilities_make_one_kernel_machine_with_constant_coefficients() -> None:
    points, classes, queries = data()
    network = chain([5, 12, 3], nn.ReLU, nn.LogSoftmax(1))

    def nll(outputs: Tensor, targets: Tensor) -> Tensor:
        return nll_loss(outputs, targets, reduction="none")

    run = record(network, sgd(network), points, classes, steps=20, loss=nll)
    kernel = path_kernel(network, run, queries, points).kernel
    start = attribution(network, run, queries, points, classes, loss=nll).start
    picked = kernel[:, torch.arange(30), :, classes].sum(0)
    torch.testing.assert_close(start + picked, network(queries).detach(), rtol=1e-12, atol=1e-12)


def test_any_loss_of_one_number_an_example() -> None:
    points, _, queries = data()
    targets = points[:, :3].sin()
    network = chain([5, 10, 3])

    def loss(outputs: Tensor, wanted: Tensor) -> Tensor:
        return mse_loss(outputs, wanted, reduction="none").sum(1)

    run = record(network, sgd(network, 1e-3), points, targets, steps=20, loss=loss, reduction="sum")
    found = attribution(network, run, queries, points, targets, loss=loss)
    assert gap(network, found, queries) <= EXACT[torch.float64]
    with pytest.raises(ValueError, match="loss: got shape"):
        attribution(network, run, queries, points, targets, loss=lambda a, b: (a - b) ** 2)


@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("hidden", [[6], [6, 4]])
def test_full_tensor_agrees_with_the_naive_transcription(hidden: list[int], act: Act) -> None:
    points, classes, queries = data()
    network = chain([5, *hidden, 3], act)
    run = record(network, sgd(network, 0.3), points, classes, steps=2)
    found = path_kernel(network, run, queries[4:6], points).kernel
    many = {"nodes": 400, "rule": "midpoint"} if act is nn.ReLU else {"nodes": 16, "rule": "gauss"}
    naive = path_kernel_of_pair(network, run.states, run.rates / 30, x=queries[5], other=points[7], **many)
    # Midpoints miss each of the kinks by up to half their spacing.
    torch.testing.assert_close(found[1, 7], naive, rtol=5e-3 if act is nn.ReLU else 1e-12, atol=1e-5)
    if act is nn.Tanh:
        torch.testing.assert_close(found[1, 7], naive, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("act", [nn.ReLU, nn.GELU])
@pytest.mark.parametrize("hidden", [[], [11], [8, 6], [7, 6, 5]])
@pytest.mark.parametrize("batched", [False, True])
def test_routes_agree_and_attribution_is_the_tensor_times_the_coefficients(
    hidden: list[int], act: Act, batched: bool
) -> None:
    points, classes, queries = data()
    network = chain([5, *hidden, 3], act)
    batches = minibatches(30, 7, 1, generator=torch.Generator().manual_seed(1)) if batched else None
    run = record(network, sgd(network), points, classes, steps=5, batches=batches)
    full = path_kernel(network, run, queries, points).kernel
    torch.testing.assert_close(full, path_kernel(network, run, queries, points, route="dense").kernel)
    found = attribution(network, run, queries, points, classes)
    dense = attribution(network, run, queries, points, classes, route="dense")
    torch.testing.assert_close(found.contributions, dense.contributions, rtol=1e-11, atol=1e-13)
    one = Trajectory(run.states[:2], run.rates[:1], batches=None if batches is None else batches[:1])
    leaf = torch.autograd.functional.jacobian
    start = chain([5, *hidden, 3], act)
    slopes = leaf(lambda out: cross_entropies(out, classes).sum(), start(points).detach())
    once = path_kernel(network, one, queries, points).kernel
    expected = -torch.einsum("mikl,il->mki", once, slopes)
    torch.testing.assert_close(attribution(network, one, queries, points, classes).contributions, expected)


def test_linear_models_have_the_linear_kernel() -> None:
    points, classes, queries = data()
    network = chain([5, 3])
    run = record(network, sgd(network, 0.5), points, classes, steps=4, reduction="sum")
    expected = 4 * 0.5 * (queries @ points.T + 1)[:, :, None, None] * torch.eye(3).double()
    torch.testing.assert_close(path_kernel(network, run, queries, points).kernel, expected)


@settings(max_examples=15)
@given(
    st.integers(1, 40), st.integers(0, 10**6), st.floats(0.1, 30), st.sampled_from([[9], [7, 5], [6, 5, 4]])
)
def test_long_chords_with_many_kinks_stay_exact(
    units: int, seed: int, length: float, hidden: list[int]
) -> None:
    generator = torch.Generator().manual_seed(seed)
    network = chain([5, units, *hidden, 3], seed=seed % 1000)
    size = sum(value.numel() for value in network.parameters())
    states = torch.randn(2, size, generator=generator, dtype=torch.float64) * length / 3
    run = Trajectory(states, torch.ones(1))
    queries = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    found = telescoped(network, run, queries)
    scale = float((found.prediction - 0).abs().max()) + float(states.abs().max()) ** (len(hidden) + 2)
    assert float(found.report.residual.max()) <= 1e-12 * scale


@settings(max_examples=20)
@given(st.permutations(range(30)), st.integers(1, 29))
def test_order_and_number_of_examples_and_queries_do_not_matter(order: list[int], cut: int) -> None:
    points, classes, queries = data()
    network = chain([5, 8, 3])
    run = record(network, sgd(network), points, classes, steps=3)
    whole = path_kernel(network, run, queries, points).kernel
    moved = path_kernel(network, run, queries, points[order]).kernel
    torch.testing.assert_close(
        moved, whole[:, order], rtol=RELATIVE[torch.float64], atol=ABSOLUTE[torch.float64]
    )
    some = path_kernel(network, run, queries[: cut % 9 + 1], points).kernel
    torch.testing.assert_close(some, whole[: cut % 9 + 1], rtol=RELATIVE[torch.float64], atol=1e-13)


@pytest.mark.parametrize("route", ["structured", "dense", "jacobian"])
@pytest.mark.parametrize("hidden", [[8], [8, 6]])
def test_a_small_budget_changes_nothing_and_one_too_small_is_refused(hidden: list[int], route: Any) -> None:
    points, classes, queries = data()
    network = chain([5, *hidden, 3], nn.Tanh)
    for batches in (None, minibatches(30, 9, 1)):
        run = record(
            network, sgd(network), points, classes, steps=2, batches=None if batches is None else batches[:2]
        )
        whole = attribution(network, run, queries, points, classes, route=route).contributions
        small = attribution(network, run, queries, points, classes, route=route, memory=120_000).contributions
        torch.testing.assert_close(small, whole, rtol=RELATIVE[torch.float64], atol=ABSOLUTE[torch.float64])
        kernel = path_kernel(network, run, queries, points, route=route).kernel
        tiled = path_kernel(network, run, queries, points, route=route, memory=90_000).kernel
        torch.testing.assert_close(tiled, kernel, rtol=RELATIVE[torch.float64], atol=ABSOLUTE[torch.float64])
    with pytest.raises(ValueError, match="memory: got 1000 bytes"):
        attribution(network, run, queries, points, classes, route=route, memory=1000)


def greatest_allocation(work: Callable[[], Any]) -> int:
    """Bytes that torch's allocator has given out at once, by its own account."""
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        kept = work()
    changes = [e.nbytes() for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    assert len(changes) > 50
    assert kept is not None
    return max(accumulate(changes))


@pytest.mark.parametrize("hidden", [[32], [16, 16]])
@pytest.mark.parametrize(
    ("route", "examples", "memory"),
    [
        ("structured", 1000, 200_000),
        ("structured", 1000, 600_000),
        ("dense", 24, 400_000),
        ("dense", 24, 900_000),
        ("jacobian", 10, 600_000),
        ("jacobian", 10, 1_200_000),
    ],
)
def test_the_budget_is_kept(route: Any, examples: int, memory: int, hidden: list[int]) -> None:
    generator = torch.Generator().manual_seed(5)
    points = torch.randn(examples, 60, generator=generator)
    classes = torch.randint(0, 3, (examples,), generator=generator)
    network = chain([60, *hidden, 3]).float()
    run = record(
        network, sgd(network, 0.1), points, classes, steps=2, batches=minibatches(examples, examples // 2, 1)
    )
    for trajectory in (run, Trajectory(run.states[:2], run.rates[:1])):
        given_ = (network, trajectory, points[:4], points)
        used = greatest_allocation(lambda g=given_: attribution(*g, classes, route=route, memory=memory))
        assert used - 4 * 4 * 3 * examples <= memory
        used = greatest_allocation(lambda g=given_: path_kernel(*g, route=route, memory=memory))
        assert used - 4 * 4 * 9 * examples <= memory


def test_last_layer_only_is_the_product_of_activations() -> None:
    points, classes, queries = data()
    network = chain([5, 8, 3])
    run = record(network, sgd(network, 1e-9), points, classes, steps=1, reduction="sum")
    hidden = network[:3]
    inner = (hidden(queries) @ hidden(points).T + 1).detach() * 1e-9
    found = path_kernel(network, run, queries, points, last_layer=True).kernel
    torch.testing.assert_close(found, inner[:, :, None, None] * torch.eye(3).double(), rtol=1e-6, atol=0)


def test_bad_input_is_refused_with_its_name() -> None:
    points, classes, queries = data()
    network = chain([5, 8, 3])
    run = record(network, sgd(network), points, classes, steps=2)
    broken = run.states.clone()
    broken[1, 4] = torch.nan
    cases: list[tuple[str, dict[str, Any]]] = [
        ("states: got a value that is not finite at 1", {"trajectory": Trajectory(broken, run.rates)}),
        ("states: got shape", {"trajectory": Trajectory(run.states[:, 1:], run.rates)}),
        ("training: got no example", {"training": points[:0], "targets": classes[:0]}),
        ("targets: got 29", {"targets": classes[1:]}),
        ("points: got shape", {"points": queries[:, 1:]}),
        ("points: .* required 5 values each", {"points": queries[:, 1:], "training": points[:, 1:]}),
        ("points: got 45 of 45 numbers that are NaN or infinite", {"points": queries / 0}),
        ("training: got 150 of 150 numbers", {"training": points * torch.inf}),
        ("states: .* 1; required finite", {"trajectory": Trajectory(broken, run.rates), "route": "dense"}),
        ("states: .* 1; required finite", {"trajectory": Trajectory(broken, run.rates), "route": "jacobian"}),
        ("points, training: got torch.float32", {"points": queries.float(), "training": points.float()}),
        ("batches: got", {"trajectory": Trajectory(run.states, run.rates, batches=[torch.tensor([30])] * 2)}),
        ("route: got 'dense'", {"route": "dense", "network": nn.Sequential(network, nn.Tanh())}),
        ("network: got Dropout", {"network": nn.Sequential(network, nn.Dropout())}),
        ("network: got BatchNorm1d", {"network": nn.Sequential(network, nn.BatchNorm1d(3))}),
    ]
    given_ = {
        "network": network,
        "trajectory": run,
        "points": queries,
        "training": points,
        "targets": classes,
    }
    for message, changed in cases:
        with pytest.raises(ValueError, match=message):
            attribution(**(given_ | changed))
        if "targets" not in changed:
            with pytest.raises(ValueError, match=message):
                path_kernel(
                    **{name: value for name, value in (given_ | changed).items() if name != "targets"}
                )
