"""One torch thread, seeded generators, and kernels whose shapes are checked while tests run."""

import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook("neighborhoods.kernels", "beartype.beartype")
torch.set_num_threads(1)


@pytest.fixture
def generator() -> torch.Generator:
    """A CPU generator with a fixed seed, new for each test."""
    return torch.Generator().manual_seed(20240917)
