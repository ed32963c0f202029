"""The synthesis at observed samples as a linear map of vectors, and its adjoint, for least squares.

SciPy's operators are in `linear_operators`: the import of `scipy.sparse.linalg` takes longer than a transform
of a small map.
"""

import numpy as np

from spherekit.conventions import from_real, to_real
from spherekit.harmonic.transform import synthesis_map


class MaskedSynthesis:
    """The matrix B of the samples ``valid`` of a synthesis with these arguments, times ``scale``.

    ``scale`` is a number, or one for each valid sample. Vectors are real with ``reality``, else complex.
    """

    def __init__(self, arguments, valid, scale=1.0):
        self.arguments, self.valid, self.scale = arguments, valid, scale
        self.dtype = np.dtype(float if arguments["reality"] else complex)
        count = int(np.count_nonzero(valid))
        self.is_full = count == valid.size
        self.shape = count, arguments["L"] ** 2

    def matvec(self, x):
        """Return B x."""
        flm = from_real(x.ravel()) if self.arguments["reality"] else x.ravel()
        f = synthesis_map.forward(flm, **self.arguments)
        return self.scale * (f.ravel() if self.is_full else f[self.valid])

    def rmatvec(self, y):
        """Return the adjoint of B times y."""
        y = self.scale * y.ravel()
        f = y.reshape(self.valid.shape) if self.is_full else self._on_grid(y)
        flm = synthesis_map.adjoint(f, **self.arguments)
        return to_real(flm) if self.arguments["reality"] else flm

    def _on_grid(self, y):
        """Return an array of the shape of the grid, with the valid samples, zero elsewhere."""
        f = np.zeros(self.valid.shape, self.dtype)
        f[self.valid] = y
        return f
