"""SciPy's linear operators of the transforms, for least squares.

They are defined apart from `least_squares`, which imports them at first use: the import of
`scipy.sparse.linalg` takes longer than a transform of a small map.
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator

from spherekit._core import checks
from spherekit.harmonic.masked_synthesis import MaskedSynthesis


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
    """The result of `synthesis_operator`; ``scale`` is a factor of the matrix, or one of each row."""

    def __init__(self, arguments, valid, scale=1.0):
        self._synthesis = MaskedSynthesis(arguments, valid, scale)
        super().__init__(self._synthesis.dtype, self._synthesis.shape)

    def _matvec(self, x):
        return self._synthesis.matvec(x)

    def _rmatvec(self, y):
        return self._synthesis.rmatvec(y)

    def _adjoint(self):
        return _Adjoint(self)

    def __eq__(self, operator):
        return isinstance(operator, SynthesisOperator) and self._key() == operator._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        synthesis = self._synthesis
        arguments = {name: x for name, x in synthesis.arguments.items() if name != "threads"}
        scale = np.asarray(synthesis.scale, float).tobytes()
        return tuple(arguments.items()), synthesis.valid.tobytes(), scale


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
