"""A chapter's numbers for a profile, with changes, all of them checked."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Spec = TypeVar("Spec", bound="DataclassInstance")
DEVICES = ("cpu", "cuda")
POSITIVE = ("sigma", "sigma_max", "epsilon", "alpha", "margin", "least", "most", "reach")


def changed(profiles: Mapping[str, Spec], profile: str, changes: Mapping[str, Any]) -> Spec:
    """Return the numbers of a profile with changes.

    Args:
        profiles: frozen dataclasses by profile. Counts are fields of type int, measures those of type float.
        profile: one of them.
        changes: fields that differ from it.

    Raises:
        ValueError: an unknown profile or field, or a value out of range; the message names the argument, the
            value received and the values allowed.
    """
    if profile not in profiles:
        raise ValueError(f"profile is {profile!r}; it must be one of {', '.join(map(repr, profiles))}")
    known = {field.name for field in fields(profiles[profile])}
    if unknown := set(changes) - known:
        raise ValueError(
            f"unknown argument {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}"
        )
    spec = replace(profiles[profile], **changes)
    _check(spec)
    return spec


def _check(spec: Any) -> None:
    for field in fields(spec):
        value = getattr(spec, field.name)
        if field.type is int and field.name != "seed" and value < 1:
            raise ValueError(f"{field.name} is {value}; it must be at least 1")
        if field.type is float and not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{field.name} is {value}; it must be finite and not negative")
        if field.name == "gamma" and not 0 < value < 1:
            raise ValueError(f"gamma is {value}; it must lie in (0, 1)")
        if field.name == "device" and value not in DEVICES:
            raise ValueError(f"device is {value!r}; it must be one of {', '.join(map(repr, DEVICES))}")
        if value == "cuda" and not torch.cuda.is_available():
            raise ValueError("device is 'cuda'; it must be 'cpu', for there is no CUDA device here")
        if field.name in POSITIVE and value <= 0:
            raise ValueError(f"{field.name} is {value}; it must be greater than 0")
