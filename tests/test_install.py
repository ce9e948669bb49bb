"""One lock for everyone: complete, inside the ranges of pyproject.toml, for the Pythons it names."""

import re
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
CARD = (
    "jupyter_book", "jupytext", "papermill", "torch", "torchvision", "torchattacks", "matplotlib", "seaborn",
    "pytest", "nbval",
)  # fmt: skip
PYTHONS = ("3.11.9", "3.12.1", "3.13.0")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return dict(tomllib.loads(read("pyproject.toml"))["project"])


def required() -> list[Requirement]:
    extras = project()["optional-dependencies"].values()
    return [Requirement(text) for group in (project()["dependencies"], *extras) for text in group]


def locked() -> list[str]:
    """The entries of the lock, each with its hashes."""
    lines = read("requirements.lock").replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def pinned(python: str) -> dict[str, str]:
    """What the lock installs on Linux for a Python."""
    environment = {**default_environment(), "python_version": python[:4], "python_full_version": python}
    entries = [Requirement(line.partition("--hash")[0].strip()) for line in locked()]
    kept = [entry for entry in entries if entry.marker is None or entry.marker.evaluate(environment)]
    return {normal(entry.name): str(entry.specifier).removeprefix("==") for entry in kept}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_every_package_in_its_range(python: str) -> None:
    lock = pinned(python)
    for requirement in [*required(), Requirement("torchattacks==3.5.1"), Requirement("requests>=2.32")]:
        assert requirement.specifier.contains(lock[normal(requirement.name)]), requirement


def test_the_lock_says_the_hashes_of_every_package() -> None:
    assert [line for line in locked() if "--hash=sha256:" not in line] == []


def test_the_installed_versions_are_those_of_the_lock() -> None:
    lock = pinned(".".join(map(str, sys.version_info[:3])))
    assert {name: version(name).partition("+")[0] for name in lock} == lock


def test_every_place_names_the_same_pythons() -> None:
    bounds = project()["requires-python"]
    assert bounds == ">=3.11.5,<3.14"
    assert all(SpecifierSet(bounds).contains(python) for python in PYTHONS)
    environment = yaml.safe_load(read("environment.yml"))
    assert f"python{bounds}" in environment["dependencies"]
    matrix = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"]["everything"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.13"], "the lowest and the highest"


def test_every_install_uses_the_lock_without_dependencies() -> None:
    lines = ("pip install --no-deps -r requirements.lock", "pip install --no-deps -e .")
    assert all(line in read("environment.yml") for line in lines)
    makefile = " ".join(read("Makefile").split())
    assert "--no-deps -r requirements.lock" in makefile
    assert "--no-deps --no-build-isolation -e ." in makefile


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CARD)
def test_every_package_of_the_card_imports(name: str) -> None:
    assert import_module(name)


def test_continuous_integration_runs_what_people_run() -> None:
    script = read(".ci/run")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    for target in ("make install", "make lint", "make test", "make book PROFILE=smoke", "make browser"):
        assert f"\n{target}" in script or f" {target}" in script, target
    assert all(name in script for name in CARD)
    assert ".ci/run" in read(".github/workflows/ci.yml")
    assert "make book PROFILE=quick" in read(".github/workflows/site.yml")
