"""Jitted code that several rooms share: SIMD lanes, the Wigner-d recursion, Fourier transforms."""
