"""Several levels from one pool, and how many looks a measurement takes."""

import pytest
import torch
from neighborhoods.kernels import layouts, probes
from neighborhoods.kernels.levels import persistence_levels
from neighborhoods.kernels.persistence import persistence
from torch import Generator, Tensor, nn

GAMMAS = (0.5, 0.7, 0.9)


class Counted(nn.Module):
    """A classifier in two dimensions that counts the points it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.gradients = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += len(x)
        self.gradients += len(x) * x.requires_grad
        return torch.stack([x[:, 0] - 1, x[:, 1].square() - x[:, 0]], 1)


def seeded() -> Generator:
    return Generator().manual_seed(5)


def test_each_level_is_what_persistence_measures_and_together_they_ask_less() -> None:
    points = torch.tensor([[0.0, 0.0], [0.3, 1.5], [3.0, 0.5]])
    together, apart = Counted(), Counted()
    found = persistence_levels(together, points, GAMMAS, samples=64, generator=seeded())
    for gamma, level in zip(GAMMAS, found, strict=True):
        alone = persistence(apart, points, gamma, samples=64, generator=seeded())
        assert all(torch.equal(one, other) for one, other in zip(level, alone, strict=True))
    assert together.asked < 0.7 * apart.asked


@pytest.mark.parametrize("wrong", [{"gammas": (0.5, 1.0)}, {"confidence": 0.0}, {"sigma_range": (1.0, 0.5)}])
def test_levels_name_what_is_out_of_range(wrong: dict[str, object]) -> None:
    arguments = {"gammas": GAMMAS, **wrong}
    with pytest.raises(ValueError, match=f"{next(iter(wrong))[:5]}.*got"):
        persistence_levels(Counted(), torch.zeros(1, 2), samples=64, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("points", "samples", "most"), [(1, 16, 2), (2, 128, 32), (40, 128, 256)])
def test_gradients_for_the_axes_are_few_beside_the_looks(points: int, samples: int, most: int) -> None:
    classifier = Counted()
    probes.probe_of(classifier, torch.zeros(points, 2), noise="sobol", samples=samples, generator=seeded())
    own = min(points, most)  # the points themselves, then their copies
    assert most <= classifier.gradients - own <= most + points


def test_passes_are_small_on_a_processor_and_fit_the_memory_of_an_accelerator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert layouts.pass_size(torch.device("cpu")) == layouts.PASS
    for free, size in ((2**20, layouts.PASS), (4 * layouts.HELD * 2**20, 2**20), (2**40, layouts.WIDEST)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 2**41))
        assert layouts.pass_size(torch.device("cuda")) == size
