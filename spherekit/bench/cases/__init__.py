"""The packages and functions that are compared, by kind of computation."""
