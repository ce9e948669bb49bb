"""Sizes of the chapter on decision boundaries."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class DecisionBoundariesSpec:
    """Numbers of the chapter on decision boundaries.

    Attributes:
        points: random points outside each wedge on which the draft's recipes are tried.
        facets: numbers of facets of those wedges; ``leans``: degrees by which all their facets lean.
        solved: random points of one wedge compared with a solver of quadratic programmes.
        outputs: random outputs drawn in the square and in the simplex.
        grid: steps from the centre to a side of the maps in the plane.
        lean: degrees by which the facets of the drawn wedges lean inwards.
        seed: of every random choice.
    """

    points: int = 20_000
    facets: tuple[int, ...] = (2, 3, 4, 5, 6, 8, 10)
    leans: tuple[int, ...] = (-30, 0, 30, 60)
    solved: int = 300
    outputs: int = 400
    grid: int = 120
    lean: float = 40.0
    seed: int = 0


DECISION_BOUNDARIES = {
    "smoke": DecisionBoundariesSpec(points=500, facets=(2, 3, 10), solved=20, outputs=100, grid=40),
    "quick": DecisionBoundariesSpec(),
    "paper": DecisionBoundariesSpec(points=200_000, solved=2000),
}


def decision_boundaries(profile: str, **changes: Any) -> DecisionBoundariesSpec:
    """Return the chapter's numbers for a profile, with changes, all of them checked; see `persistence`.

    Raises:
        ValueError: as `persistence`, or facets that lean by more than 85 degrees.
    """
    spec = changed(DECISION_BOUNDARIES, profile, changes)
    if spec.lean > 85:
        raise ValueError(f"lean is {spec.lean}; it must be at most 85 degrees")
    return spec
