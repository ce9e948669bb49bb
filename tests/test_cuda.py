"""The same numbers on a CUDA device as on the CPU, up to rounding and to other noise; skipped without one."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.persistence import persistence
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.training import Span, TrainingSpec, advance, train
from neighborhoods.studies.persistence import __main__ as command
from neighborhoods.studies.persistence import rows

pytestmark = pytest.mark.cuda
SMALL = TrainingSpec("FC20-10", images=2000, epochs=2, batch=20)


def test_training() -> None:
    here, there = train(SMALL), train(replace(SMALL, device="cuda"))
    assert torch.allclose(here["history/loss"], there["history/loss"], rtol=1e-3)
    assert abs(here["history/accuracy"] - there["history/accuracy"]) < 0.01


def test_convolutional_training_goes_on_where_it_stopped() -> None:
    spec = replace(SMALL, network="C-2", device="cuda")
    whole = advance(Span(spec, 2))["history/loss"]
    parts = advance(Span(spec, 2), advance(Span(spec, 1)))["history/loss"]
    assert torch.allclose(whole, parts, rtol=1e-2)


@pytest.mark.parametrize("name", ["FC20-10", "C-2"])
def test_persistence_intervals_overlap(name: str) -> None:
    network = networks.build(name, generator=torch.Generator().manual_seed(0)).eval().requires_grad_(False)
    points = mnist("test", 8).points
    found = [
        persistence(
            network.to(device),
            points.to(device),
            gamma=0.7,
            samples=1024,
            generator=torch.Generator(device).manual_seed(1),
        )
        for device in ("cpu", "cuda")
    ]
    here, there = found
    assert (here.low <= there.high.cpu()).all()
    assert (there.low.cpu() <= here.high).all()


def test_least_distortion() -> None:
    network = networks.load("FC20-10", train(SMALL))
    points, labels = mnist("test", 20)
    targets = (labels + 1) % networks.CLASSES
    here = minimum_distortion(network, points, targets)
    there = minimum_distortion(network.to("cuda"), points.to("cuda"), targets.to("cuda"))
    assert torch.equal(here.success, there.success.cpu())
    assert torch.allclose(here.distortion, there.distortion.cpu(), rtol=0.02)


def test_row_of_table_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEIGHBORHOODS_STORE", str(tmp_path / "store"))
    small = profiles.NetworksSpec(("C-2",), 2000, 3, 3, pairs=10, samples=64, convolutional_samples=64)
    monkeypatch.setitem(profiles.NETWORKS, "smoke", small)
    assert command.main(["--profile", "smoke", "--out", str(tmp_path / "out")]) == 0
    assert pd.read_csv(tmp_path / "out" / "C-2.csv")["level"].tolist() == list(rows.LEVELS)
    assert pd.read_csv(tmp_path / "out" / "C-2.precision.csv")["agreement"].between(0.9, 1).all()
