"""The one table of tolerances, by dtype, and the levels at which random tests may fail."""

import torch

RELATIVE = {torch.float16: 1e-3, torch.float32: 1e-5, torch.float64: 1e-12}
ABSOLUTE = {torch.float16: 1e-4, torch.float32: 1e-6, torch.float64: 1e-13}

ERRORS = 4.0  # standard errors by which an estimate may miss the truth (two-sided p = 6e-5)
COVERAGE_LEVEL = 1e-3  # one-sided binomial level of the tests of coverage
