"""The chapter's numbers are checked before anything is computed."""

import pytest
from neighborhoods import profiles


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gamma": 0.0}, r"gamma is 0.0; it must lie in \(0, 1\)"),
        ({"gamma": 1.0}, r"gamma is 1.0; it must lie in \(0, 1\)"),
        ({"gamma": float("nan")}, "gamma is nan"),
        ({"sigma_max": 0.0}, "sigma_max is 0.0; it must be greater than 0"),
        ({"sigma_max": -1.0}, "sigma_max is -1.0"),
        ({"samples": 0}, "samples is 0; it must be at least 1"),
        ({"epsilon": 0.0}, "epsilon is 0.0; it must be greater than 0"),
        ({"alpha": float("inf")}, "alpha is inf; it must be finite"),
        ({"network": "FC7"}, "network is 'FC7'; it must be like FC10, "),
        ({"nets": 3}, "unknown argument nets; known are alpha, "),
    ],
)
def test_wrong_numbers_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        profiles.persistence("smoke", **changes)


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="profile is 'fast'; it must be one of 'smoke', 'quick', 'paper'"):
        profiles.persistence("fast")


def test_quick_has_the_sizes_of_the_draft() -> None:
    spec = profiles.persistence("quick")
    assert (spec.network, spec.penalty, spec.train_images) == ("FC100-20-10", 1e-7, 60_000)
    assert (spec.samples, spec.sigmas, spec.sigma_max) == (1000, 100, 1.6)
    assert (spec.sources, spec.naturals, spec.gamma) == (200, 1800, 0.7)
    assert (spec.low_norms, spec.high_norms) == (100_000, 5_000)


@pytest.mark.parametrize("lean", [85.5, -1.0, float("nan")])
def test_facets_that_lean_too_far_are_refused(lean: float) -> None:
    with pytest.raises(ValueError, match=rf"lean is {lean}; it must be"):
        profiles.decision_boundaries("smoke", lean=lean)
