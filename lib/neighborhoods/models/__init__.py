"""Data sets, networks and training."""
