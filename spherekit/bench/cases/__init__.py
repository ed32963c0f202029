"""The codes that are compared, by kind of computation."""
