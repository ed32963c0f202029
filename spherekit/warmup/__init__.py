"""Compilation of kernels ahead of time, which `spherekit warmup` and the demo use."""
