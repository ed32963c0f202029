"""SciPy's linear operators of the transforms, for least squares.

They are defined apart from `least_squares`, which imports them at first use: the import of
`scipy.sparse.linalg` takes longer than a transform of a small map.
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.harmonic.transform import synthesis_map


class _CheckedOperator(LinearOperator):
    """A linear operator that checks its vectors like all other arrays: no units, no masked arrays."""

    def _checked(self, x):
        x = checks.as_float_array(x, "x")
        if np.dtype(self.dtype).kind == "f":
            checks.real_samples(x, "x")
        return x.astype(self.dtype, copy=False)

    def matvec(self, x):
        return super().matvec(self._checked(x))

    def rmatvec(self, x):
        return super().rmatvec(self._checked(x))

    def dot(self, x):
        is_vector = not (isinstance(x, LinearOperator) or np.isscalar(x))
        return super().dot(self._checked(x) if is_vector else x)


class SynthesisOperator(_CheckedOperator):
    """The result of `synthesis_operator`; ``scale`` is a factor of the matrix."""

    def __init__(self, arguments, valid, scale=1.0):
        self.arguments, self.valid, self.scale = arguments, valid, scale
        count = int(np.count_nonzero(valid))
        self.is_full = count == valid.size
        super().__init__(float if arguments["reality"] else complex, (count, arguments["L"] ** 2))

    def _matvec(self, x):
        flm = from_real(x.ravel()) if self.arguments["reality"] else x.ravel()
        f = synthesis_map.forward(flm, **self.arguments)
        return self.scale * (f.ravel() if self.is_full else f[self.valid])

    def _rmatvec(self, y):
        f = self.scale * y.reshape(self.valid.shape) if self.is_full else self._on_grid(y)
        flm = synthesis_map.adjoint(f, **self.arguments)
        return to_real(flm) if self.arguments["reality"] else flm

    def _on_grid(self, y):
        """Return an array of the shape of the grid, with the valid samples, zero elsewhere."""
        f = np.zeros(self.valid.shape, self.dtype)
        f[self.valid] = self.scale * y.ravel()
        return f

    def _adjoint(self):
        return _Adjoint(self)

    def __eq__(self, operator):
        return isinstance(operator, SynthesisOperator) and self._key() == operator._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        arguments = {name: value for name, value in self.arguments.items() if name != "threads"}
        return tuple(arguments.items()), self.valid.tobytes(), self.scale


class _Adjoint(_CheckedOperator):
    def __init__(self, operator):
        self.operator = operator
        super().__init__(operator.dtype, operator.shape[::-1])

    def _matvec(self, x):
        return self.operator._rmatvec(x)

    def _rmatvec(self, x):
        return self.operator._matvec(x)

    def _adjoint(self):
        return self.operator
