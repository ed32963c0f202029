"""The compiled steps of a transform on the sphere: Legendre step, resampling in theta, FFT along phi."""
