"""Sizes of the chapter on networks and attacks."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class BackgroundSpec:
    """Numbers of the background chapter.

    Attributes:
        network: name of a network of Table 1, trained as there.
        sources: test images attacked, drawn among those classified correctly: by L-BFGS towards all nine
            other classes, by the other attacks towards one of them drawn at random.
        counted: of these, the images whose nine L-BFGS examples make the histogram of Figure 3.
        slow: of these, the images attacked by JSMA, which takes a map of all pairs of pixels at each step.
        epsilon, alpha, steps: radius, step and number of steps of the attacks by the sign of the gradient.
        starts: of L-BFGS, where it starts more than once; ``crossings``: steps of DeepFool.
        peer_steps, peer_rounds: gradients of foolbox's attacks, and penalties of its Carlini-Wagner.
        seed: of every random choice.
    """

    network: str = "FC200-200-10"
    sources: int = 300
    counted: int = 100
    slow: int = 60
    epsilon: float = 0.25
    alpha: float = 0.01
    steps: int = 100
    starts: int = 12
    crossings: int = 10
    peer_steps: int = 300
    peer_rounds: int = 9
    seed: int = 0


BACKGROUND = {
    "smoke": BackgroundSpec(
        sources=12, counted=6, slow=6, starts=3, crossings=6, peer_steps=40, peer_rounds=3
    ),
    "quick": BackgroundSpec(),
    "paper": BackgroundSpec(slow=300, peer_steps=1000),
}


def background(profile: str, **changes: Any) -> BackgroundSpec:
    """Return the background chapter's numbers for a profile, with changes, all of them checked."""
    return changed(BACKGROUND, profile, changes)
