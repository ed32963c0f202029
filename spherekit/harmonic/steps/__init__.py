"""Steps of a transform on the sphere, as compiled code: Legendre, resampling in theta, FFT in phi."""
