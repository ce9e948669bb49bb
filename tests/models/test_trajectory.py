"""Recorded training: the steps that torch takes, the same from memory and from shards, and refusals."""

from pathlib import Path
from typing import Any

import pytest
import torch
from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.kernels.trajectories import Rule, Trajectory, coarsen, steps
from neighborhoods.models.shards import Shards, from_tensors, read_trajectory, to_tensors
from neighborhoods.models.trajectory import minibatches, record
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector

OPTIMISERS: dict[str, Any] = {
    "gradient descent": lambda p: torch.optim.SGD(p, lr=0.3),
    "heavy ball": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    return points, torch.randint(0, 3, (20,), generator=generator)


def run(name: str = "gradient descent", **options: Any) -> Trajectory:
    model = network()
    return record(model, OPTIMISERS[name](model.parameters()), *data(), **({"steps": 7} | options))


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("batched", [False, True])
def test_the_recorded_rule_replays_the_recorded_states(name: str, batched: bool) -> None:
    batches = minibatches(20, 6, 2, generator=torch.Generator().manual_seed(2))[:7] if batched else None
    found = run(name, batches=batches, rate=lambda s: 0.1 / (s + 1))
    points, classes = data()
    model, rule, velocity = network(), found.rule, torch.zeros_like(found.states[0])
    assert rule.name == name
    for step in steps(found, len(velocity), 20):
        torch.nn.utils.vector_to_parameters(step.start, model.parameters())
        rows = slice(None) if step.rows is None else step.rows
        total = cross_entropy(model(points[rows]), classes[rows], reduction="sum") * step.share
        gradient = parameters_to_vector(torch.autograd.grad(total, list(model.parameters())))
        velocity = rule.momentum * velocity + rule.gain * (gradient + rule.penalty * step.start)
        scale = 1.0 if step.scale is None else step.scale
        moved = -step.rate * (scale * velocity + rule.shrinkage * step.start)
        torch.testing.assert_close(step.start + moved, step.end, rtol=1e-12, atol=1e-14)
        assert step.rate == pytest.approx(0.1 / (step.number + 1))


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("shard", [1, 500, 2**20])
def test_shards_hold_the_same_run(name: str, shard: int, tmp_path: Path) -> None:
    batches = minibatches(20, 10, 4, generator=torch.Generator().manual_seed(2))[:7]
    kept = run(name, batches=batches)
    found = run(name, batches=batches, folder=tmp_path / "run", shard=shard)
    assert isinstance(found.states, Shards)
    assert (found.rule, found.reduction) == (kept.rule, kept.reduction)
    for one, other in zip(to_tensors(found).items(), to_tensors(kept).items(), strict=True):
        assert one[0] == other[0]
        torch.testing.assert_close(one[1], other[1], rtol=0, atol=0)
    again = from_tensors(to_tensors(found), found.rule.name)
    assert again.rule == kept.rule
    torch.testing.assert_close(again.states[3], kept.states[3], rtol=0, atol=0)
    assert len(list((tmp_path / "run").glob("states-*"))) == {1: 8, 500: 8, 2**20: 1}[shard]


def test_missing_checkpoints_and_unfinished_runs_are_named(tmp_path: Path) -> None:
    found = run(folder=tmp_path, shard=1)
    (tmp_path / "states-00003.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"states-00003.*checkpoint 3"):
        list(steps(found, 51))
    with pytest.raises(IndexError, match="index: got 8"):
        found.states[8]
    with pytest.raises(ValueError, match="which holds a trajectory"):
        run(folder=tmp_path)
    (tmp_path / "trajectory.json").unlink()
    with pytest.raises(FileNotFoundError, match="required a complete trajectory"):
        read_trajectory(tmp_path)


@pytest.mark.parametrize("shard", [1, 2**20])
def test_a_shard_that_is_cut_short_is_named(shard: int, tmp_path: Path) -> None:
    found = run(folder=tmp_path, shard=shard)
    path = sorted(tmp_path.glob("states-*"))[-1]
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match=rf"states: .*{path.name} is damaged .* whole for checkpoint"):
        list(steps(found, 51))
    points, classes = data()
    with pytest.raises(ValueError, match=path.name):
        attribution(network(), read_trajectory(tmp_path), points, points, classes)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=path.name):
        found.states[7]


def test_rules_that_no_kernel_represents_are_refused() -> None:
    model, (points, classes) = network(), data()
    own = list(model.parameters())
    refused = {
        "got RMSprop": torch.optim.RMSprop(own),
        "got LBFGS": torch.optim.LBFGS(own),
        "got nesterov=True": torch.optim.SGD(own, lr=0.1, momentum=0.9, nesterov=True),
        "got dampening=0.5": torch.optim.SGD(own, lr=0.1, momentum=0.9, dampening=0.5),
        "got amsgrad=True": torch.optim.Adam(own, amsgrad=True),
        "got maximize=True": torch.optim.SGD(own, lr=0.1, maximize=True),
        "got 2 groups": torch.optim.SGD([{"params": own[:2]}, {"params": own[2:]}], lr=0.1),
        "got 2 parameters; required the 4": torch.optim.SGD(own[:2], lr=0.1),
    }
    for message, optimizer in refused.items():
        with pytest.raises(ValueError, match=message):
            record(model, optimizer, points, classes, steps=1)
    own[0].requires_grad_(False)
    with pytest.raises(ValueError, match="parameters without gradients"):
        record(model, torch.optim.SGD(own, lr=0.1), points, classes, steps=1)


def test_bad_requests_are_refused_with_their_names() -> None:
    points, classes = data()
    used = network()
    optimizer = torch.optim.Adam(used.parameters())
    record(used, optimizer, points, classes, steps=1)
    with pytest.raises(ValueError, match="optimizer: got one with a history"):
        record(used, optimizer, points, classes, steps=1)
    for message, options in {
        "steps: got 0": {"steps": 0},
        "batches: got 1 for 7": {"batches": [torch.tensor([0])]},
        "loss: got shape": {"loss": lambda out, _: out},
        "loss: got nan at step 0": {"loss": lambda out, _: out.sum(1) * float("nan")},
    }.items():
        with pytest.raises(ValueError, match=message):
            run(**options)
    model = nn.Sequential(network(), nn.Dropout(0.5))
    with pytest.raises(ValueError, match="network: got Dropout"):
        record(model, torch.optim.SGD(model.parameters(), lr=0.1), points, classes, steps=1)
    for rows, message in ((points[:0], "points: got 0 of them"), (points[:5], "points, targets: got 5, 20")):
        with pytest.raises(ValueError, match=message):
            record(used, torch.optim.SGD(used.parameters(), lr=0.1), rows, classes, steps=1)
    with pytest.raises(ValueError, match="examples: got 0"):
        minibatches(0, 1, 1)
    used[0].bias.data[1] = float("nan")
    with pytest.raises(ValueError, match="network: got parameters that are NaN"):
        record(used, torch.optim.SGD(used.parameters(), lr=0.1), points, classes, steps=1)


def test_counts_of_a_trajectory_fit_together() -> None:
    states, rates = torch.zeros(3, 5), torch.ones(2)
    for message, parts in {
        "states: got 2 for 2 steps": (states[:2], rates),
        "rates: got": (states, -rates),
        "batches: got 1 for 2": (states, rates, Rule(), "mean", [torch.tensor([0])]),
        "scales: got None": (states, rates, Rule("Adam", adaptive=True)),
        "scales: got 3 for 2": (states, rates, Rule("Adam", adaptive=True), "mean", None, states),
    }.items():
        with pytest.raises(ValueError, match=message):
            Trajectory(*parts)


def test_coarsening_keeps_states_and_sums_rates() -> None:
    found = run(rate=lambda s: 0.1 * (s + 1))
    coarse = coarsen(found, 3)
    assert len(coarse.states) == 4
    torch.testing.assert_close(coarse.rates, torch.tensor([0.6, 1.5, 0.7], dtype=torch.float64))
    for index, state in enumerate([0, 3, 6, 7]):
        assert bool((coarse.states[index] == found.states[state]).all())
    with pytest.raises(ValueError, match="stride: got 0"):
        coarsen(found, 0)
    with pytest.raises(ValueError, match="required full-batch gradient descent"):
        coarsen(run("Adam"), 2)
