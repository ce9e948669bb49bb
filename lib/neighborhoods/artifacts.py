"""Values as files: tensors in safetensors, tables in CSV, anything else as bytes; never a pickle."""

import hashlib
import os
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

Value = dict[str, torch.Tensor] | pd.DataFrame | bytes
UNWRITABLE = (OSError, SafetensorError)  # what a full disk or a folder without permission raises here


def save(value: Value, folder: Path) -> Path:
    """Write a value into a folder and return its file.

    Raises:
        TypeError: the value is of another type.
    """
    if isinstance(value, pd.DataFrame):
        path = folder / "artifact.csv"
        value.to_csv(path, index=False, lineterminator="\n")
    elif isinstance(value, bytes):
        path = folder / "artifact.bin"
        path.write_bytes(value)
    elif isinstance(value, dict):
        path = folder / "artifact.safetensors"
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in value.items()}, path)
        # safetensors lets its user alone read it; a store that is shared must not depend on who filled it.
        path.chmod(folder.stat().st_mode & 0o666)
    else:
        kinds = "a dictionary of tensors, a data frame or bytes is required"
        raise TypeError(f"value: received {type(value).__qualname__}; {kinds}")
    return path


def load(artifact: Path) -> Value:
    """Read the value of a file that `save` wrote."""
    if artifact.suffix == ".csv":
        # Only an empty field is missing: "None" and "NA" are words that a table may hold.
        return pd.read_csv(artifact, keep_default_na=False, na_values=[""])
    return load_file(artifact) if artifact.suffix == ".safetensors" else artifact.read_bytes()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Wait until a file, or a folder's list of files, has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
