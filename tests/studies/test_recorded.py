"""Recorded runs as items: what is stored is the run, in both precisions from the same start."""

from pathlib import Path

import pytest
import torch
from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.models.perceptrons import perceptron
from neighborhoods.store import Store
from neighborhoods.studies import recorded
from neighborhoods.studies.recorded import RecordedSpec

SMALL = {"examples": 20, "steps": 4}
SPECS = [
    RecordedSpec("784-8-10", **SMALL),
    RecordedSpec("784-8-10", head="log-probabilities", activation="tanh", **SMALL),
    RecordedSpec("784-8-10", optimiser="AdamW", rate=1e-2, batch=7, **SMALL),
    RecordedSpec("2-8-1", data="gaussians", **SMALL),
    RecordedSpec("2-8-1", data="gaussians", head="probability", activation="gelu", **SMALL),
    RecordedSpec("C-1", activation="relu", rate=1e-4, **SMALL),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.network} {spec.head} {spec.optimiser}")
def test_a_stored_run_is_represented_by_its_kernel(spec: RecordedSpec, tmp_path: Path) -> None:
    values = Store(tmp_path).get(recorded.recorded(spec))
    found = recorded.trajectory(values, spec)
    assert len(found.states) == spec.steps + 1
    network = recorded.network(spec)
    start = torch.nn.utils.parameters_to_vector(network.parameters()).detach()
    torch.testing.assert_close(found.states[0], start, rtol=0, atol=0)
    torch.nn.utils.vector_to_parameters(found.states[-1], network.parameters())
    points, targets = recorded.training(spec)
    queries = recorded.held_out(spec, 3).points
    result = attribution(network, found, queries, points, targets, loss=recorded.loss(spec))
    outputs = network(queries).detach()
    # Convolutions with kinks are averaged by quadrature, whose error the short steps keep small.
    tolerance = 1e-4 if spec.network.startswith("C-") else 1e-12
    gap = float((result.prediction - outputs).abs().max() / (outputs - result.start).abs().max())
    assert gap <= tolerance


def test_both_precisions_start_alike_and_seeds_differ() -> None:
    start = [
        torch.nn.utils.parameters_to_vector(
            recorded.network(RecordedSpec("2-4-1", dtype=dtype, seed=seed)).parameters()
        )
        for dtype, seed in ((torch.float32, 0), (torch.float64, 0), (torch.float64, 1))
    ]
    assert torch.equal(start[0].double(), start[1])
    assert not torch.equal(start[1], start[2])


def test_gaussians_stand_where_the_draft_puts_them() -> None:
    spec = RecordedSpec("2-4-1", data="gaussians", examples=4000)
    points, labels = recorded.training(spec)
    for label, mean in enumerate(recorded.MEANS):
        rows = points[labels == label]
        assert len(rows) == 2000
        # Within 4 standard errors, in the mean and in the spread.
        assert float((rows.mean(0) - torch.tensor(mean)).abs().max()) < 4 / 2000**0.5
        assert float((rows.std(0) - 1).abs().max()) < 4 / 4000**0.5
    assert not torch.equal(recorded.held_out(spec, 4000).points, points)


def test_bad_names_are_refused() -> None:
    for name in ("784", "784-0-10", "FC10", "784-128-"):
        with pytest.raises(ValueError, match=f"network is '{name}'"):
            perceptron(name)
    with pytest.raises(ValueError, match="activation is 'sine'"):
        perceptron("2-2", activation="sine")
    with pytest.raises(ValueError, match="head is 'softmax'"):
        perceptron("2-2", head="softmax")
