"""Pure functions from tensors to tensors, one idea a module."""
