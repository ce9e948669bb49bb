"""Executes the chapters and builds the book, so that importing the library never needs Jupyter."""
