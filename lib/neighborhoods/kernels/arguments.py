"""What public kernels ask of their arguments: annotated types and shapes, finite numbers, one device."""

import inspect
import math
from collections.abc import Callable, Iterator, Sized
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from beartype import BeartypeConf, beartype
from jaxtyping import jaxtyped
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

_typed = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an integer is a float, too


def checked(*own: str, **least: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that refuses bad arguments before a kernel sees them.

    Args:
        own: names of arguments whose numbers the kernel judges itself: infinite ones that it allows, or rows
            with NaN that end in a status.
        least: for the name of a number its least value, for that of a tensor or sequence its least length.

    Raises:
        ValueError: a tensor on another device than the first one, or on `meta`, where it has no numbers; a
            number that is NaN or infinite and not named; one less than the least.
        TypeError: an argument whose type or shape is not that of its annotation.

    >>> @checked(times=0)
    ... def multiple(x: Tensor, times: int) -> Tensor:
    ...     return times * x
    >>> multiple(torch.tensor([1.0, math.nan]), 2)
    Traceback (most recent call last):
    ValueError: x: got 1 of 2 numbers that are NaN or infinite; required none
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        typed, signature = jaxtyped(function, typechecker=_typed), inspect.signature(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            named = signature.bind(*args, **kwargs).arguments
            _require_one_device(named)
            for name, value in named.items():
                if name not in own:
                    _require_numbers(name, value)
                _require_least(name, value, least.get(name))
            return typed(*args, **kwargs)

        return call

    return decorate


def require_inside(name: str, points: Tensor, box: tuple[float, float]) -> None:
    """Raise ValueError for points outside the box."""
    if len(points) and not bool(((points >= box[0]) & (points <= box[1])).all()):
        low, high = points.min().item(), points.max().item()
        raise ValueError(f"{name}: got coordinates in [{low}, {high}]; required inside the box {box}")


def _require_one_device(named: dict[str, object]) -> None:
    first: tuple[str, torch.device] | None = None
    for name, value in named.items():
        for tensor in _tensors(value):
            if tensor.is_meta:
                raise ValueError(f"{name}: got a tensor on meta; required one that has numbers")
            first = first or (name, tensor.device)
            if tensor.device != first[1]:
                wanted = f"{first[1]}, that of {first[0]}"
                raise ValueError(f"{name}: got device {tensor.device}; required {wanted}")


def _require_numbers(name: str, value: object, infinite: bool = False) -> None:
    if isinstance(value, float) and (math.isnan(value) or (math.isinf(value) and not infinite)):
        raise ValueError(f"{name}: got {value}; required a {'' if infinite else 'finite '}number")
    if isinstance(value, tuple | list):
        for part in value:  # of a measurement, with its infinite ends; of a box; of layers
            _require_numbers(name, part, infinite or isinstance(part, float) or hasattr(value, "_fields"))
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
        ends = torch.stack(value.detach().aminmax())  # NaN where there is one; no copy of the tensor
        if not bool((~ends.isnan() if infinite else ends.isfinite()).all()):
            wrong = int((value.isnan() if infinite else ~value.isfinite()).sum())
            kind = "NaN" if infinite else "NaN or infinite"
            raise ValueError(f"{name}: got {wrong} of {value.numel()} numbers that are {kind}; required none")


def _require_least(name: str, value: object, least: int | None) -> None:
    if least is None:
        return
    scalar = isinstance(value, Tensor) and not value.ndim
    if isinstance(value, Sized) and not scalar and len(value) < least:
        raise ValueError(f"{name}: got {len(value)} of them; required at least {least}")
    if isinstance(value, int | float) and value < least:
        raise ValueError(f"{name}: got {value}; required at least {least}")


def _tensors(value: object) -> Iterator[Tensor]:
    """The tensors of an argument: itself, or those of a sequence."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
