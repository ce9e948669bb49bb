"""How a CUDA device multiplies: how exactly, and by which algorithm."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def single_precision(*, tf32: bool) -> Iterator[None]:
    """Round the factors of products and convolutions to TF32 within the block, or keep all their digits.

    A TF32 number has 10 bits of mantissa in place of 23, and the device multiplies it several times faster.
    The setting is put back at the end. On a CPU it has no effect.

    Args:
        tf32: whether to round; outside of such a block PyTorch rounds convolutions and not matrix products.
    """
    backends: Any = torch.backends  # its classes are not typed
    products, convolutions = backends.cuda.matmul, backends.cudnn.conv
    before = products.fp32_precision, convolutions.fp32_precision
    products.fp32_precision = convolutions.fp32_precision = "tf32" if tf32 else "ieee"
    try:
        yield
    finally:
        products.fp32_precision, convolutions.fp32_precision = before


@contextmanager
def fastest_convolutions() -> Iterator[None]:
    """Let a CUDA device time its algorithms at each new shape within the block and keep the fastest.

    It pays where one shape comes thousands of times. On a CPU it has no effect.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
