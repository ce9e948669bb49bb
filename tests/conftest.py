"""One torch thread, seeded randomness, checked shapes of kernels, and no test skipped that a page names."""

from collections.abc import Generator
from pathlib import Path

import named
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("neighborhoods.kernels", "beartype.beartype")
torch.set_num_threads(1)
settings.register_profile("book", deadline=None, derandomize=True, database=None)
settings.load_profile("book")
NAMED = named.everywhere(Path(__file__).parents[1])


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none, and say which tests share a worker."""
    for item in items:
        if item.get_closest_marker("cuda") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
        item.add_marker(pytest.mark.xdist_group(_group(item)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A page that names a test says that it ran."""
    return named.insist((yield), NAMED)


def _group(item: pytest.Item) -> str:
    """A file's tests stay together, with its fixtures; those of one chapter make a group of their own."""
    source = item.callspec.params.get("source") if hasattr(item, "callspec") else None
    return f"{item.path.stem}-{getattr(source, 'stem', '')}"


@pytest.fixture
def generator() -> torch.Generator:
    """A CPU generator with a fixed seed, new for each test."""
    return torch.Generator().manual_seed(20240917)
