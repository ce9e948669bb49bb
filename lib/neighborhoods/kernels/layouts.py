"""The same classifier where it is cheaper: behind its first layer, or in another layout of its points."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle

from neighborhoods.kernels.blocks import channels_innermost, on_blocks
from neighborhoods.kernels.statistics import Classifier

PASS = 2**17  # numbers in one forward pass: they stay in the cache, and larger blocks cost page faults
WIDEST = 2**22  # numbers in one forward pass of an accelerator, which wants many
HELD = 2000  # numbers that a wide network holds for each number of its input, those for a gradient included


def pass_size(device: torch.device) -> int:
    """Return how many numbers go into one forward pass: what suits a cache, or what the free memory holds."""
    if device.type != "cuda":
        return PASS
    free, _ = torch.cuda.mem_get_info(device)
    return max(PASS, min(WIDEST, free // (4 * HELD)))


def first_layer(classifier: Classifier, points: Tensor) -> tuple[nn.Linear | None, Classifier]:
    """Return the full layer that a `Sequential` begins with, possibly after flattening, and the others."""
    if not isinstance(classifier, nn.Sequential):
        return None, classifier
    flat = points.ndim == 2
    for depth, module in enumerate(classifier):
        if isinstance(module, nn.Flatten) and module.start_dim == 1 and module.end_dim == -1:
            flat = True
        elif isinstance(module, nn.Linear) and flat:
            return module, classifier[depth + 1 :]
        else:
            break
    return None, classifier


def laid_out(classifier: Classifier, points: Tensor) -> tuple[Classifier, Tensor]:
    """Return the same classifier of the same points in the layout in which it is fastest."""
    if not isinstance(classifier, nn.Sequential):
        return classifier, points
    # PyTorch leaves the shape of no points as it is.
    blocks = on_blocks(classifier, points) if len(points) else None
    if blocks is not None:
        return blocks, pixel_unshuffle(points, 2)
    return channels_innermost(classifier), points
