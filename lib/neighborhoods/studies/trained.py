"""Trained networks as items of the store, in spans of epochs: a killed run loses no more than a span."""

from typing import Any

from torch import Tensor

from neighborhoods.models.training import Span, TrainingSpec, advance, finish
from neighborhoods.store import Item

SPAN = 3


def trained(spec: TrainingSpec) -> Item[dict[str, Tensor]]:
    """Return the item of a trained network: what `training.train` returns."""
    return Item(finish, spec, (spans(spec)[-1],))


def spans(spec: TrainingSpec) -> list[Item[dict[str, Tensor]]]:
    """Return the items of the states on the way, each the parent of the next."""
    ends = [*range(SPAN, spec.epochs, SPAN), spec.epochs]
    items: list[Item[dict[str, Tensor]]] = []
    for end in ends:
        parents: tuple[Item[Any], ...] = (items[-1],) if items else ()
        items.append(Item(advance, Span(spec, end), parents))
    return items
