"""Neighborhoods of Adversarial Examples: kernels, models, studies and figures."""
