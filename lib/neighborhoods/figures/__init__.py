"""Tables to matplotlib axes, one module a chapter."""
