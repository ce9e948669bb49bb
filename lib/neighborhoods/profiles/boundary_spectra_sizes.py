"""Sizes of the chapter on spectra of the boundary."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class BoundarySpectraSpec:
    """Numbers of the chapter on spectra.

    Attributes:
        full: name of the fully connected network in Table 1; ``convolutional``: that of the other one.
        full_sites, convolutional_sites: boundary points of each network, half of them between an image and
            its adversary, half between two images.
        facets: orthants of 1 to so many facets; ``coordinates``, ``orthant_samples``: their samples.
        samples: points of a cloud around one boundary point.
        sigma: deviation of the clouds, pixels in [0, 1].
        levels: radii of the sweep, equal ratios between ``least`` and ``most``; ``convolutional_levels``:
            the same for the other network.
        oversampling, convolutional_oversampling: points of a local sample for each of its coordinates.
        lines: random lines through each boundary point; ``reach``: how far they are followed;
            ``steps``: class labels on each half.
        seed: of every random choice.
    """

    full: str = "FC200-200-10"
    convolutional: str = "C-4"
    full_sites: int = 100
    convolutional_sites: int = 10
    facets: int = 10
    coordinates: int = 100
    orthant_samples: int = 4000
    samples: int = 1000
    sigma: float = 0.001
    levels: int = 9
    convolutional_levels: int = 5
    least: float = 0.001
    most: float = 1.0
    oversampling: float = 2.0
    convolutional_oversampling: float = 1.5
    lines: int = 100
    reach: float = 20.0
    steps: int = 80
    seed: int = 0


BOUNDARY_SPECTRA = {
    "smoke": BoundarySpectraSpec(
        full="FC100-100-10",
        convolutional="C-2",
        full_sites=8,
        convolutional_sites=2,
        coordinates=40,
        orthant_samples=1000,
        samples=850,
        levels=3,
        convolutional_levels=2,
        lines=20,
        steps=20,
    ),
    "quick": BoundarySpectraSpec(),
    "paper": BoundarySpectraSpec(
        full_sites=400,
        convolutional_sites=100,
        convolutional_levels=9,
        convolutional_oversampling=2.0,
        lines=400,
    ),
}


def boundary_spectra(profile: str, **changes: Any) -> BoundarySpectraSpec:
    """Return the numbers of the chapter on spectra for a profile, with changes; see `persistence`."""
    return changed(BOUNDARY_SPECTRA, profile, changes)
