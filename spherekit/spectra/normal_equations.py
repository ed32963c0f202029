"""Weighted least squares of functions on the sphere, by which templates are removed.

Minimizes ``sum_p w_p |f_p - sum_i a_i t_i(p)|^2`` over real amplitudes a_i, by the normal equations

    sum_j N_ij a_j = sum_p w_p Re(conj(t_i) f),    N_ij = sum_p w_p Re(conj(t_i) t_j).
"""

from functools import cached_property

import numpy as np

from spherekit._core import scaling

#: The smallest component, relative to the largest one, by which a template takes part in a dependence.
_COMPONENT = 0.01
#: The share of the noise in residuals below which its variance is unknown: rounding errors.
_NO_FREEDOM = 1e-12


class NormalEquations:
    """The normal equations of functions, in the order of their amplitudes.

    Parameters
    ----------
    functions : sequence of ndarray [shape=grid.shape], or 1.0
        Real or complex functions, finite everywhere; the number 1.0 for the constant.
    weights : ndarray [shape=grid.shape]
        Finite, with sum 1.
    scale : array_like [shape=(n,)], optional
        Factors by which the functions have norms of order 1. By default the norms are 1 then.

    Attributes
    ----------
    matrix : ndarray [shape=(n, n)]
        N_ij.

    >>> x = np.array([-1.0, 0.0, 1.0])
    >>> NormalEquations([1.0, x], np.full(3, 1 / 3)).amplitudes(2 + 3 * x).round(12)
    array([2., 3.])
    """

    def __init__(self, functions, weights, scale=None):
        self.functions = functions
        self.weights = weights
        self.matrix = _gram_matrix(functions, weights, 1.0)
        if scale is None:
            norms = np.sqrt(np.maximum(np.diag(self.matrix), 0))
            scale = 1 / np.where(norms > 0, norms, 1)
        self.scale = np.asarray(scale)

    @property
    def scaled(self):
        """The normal matrix of the scaled functions."""
        return self.matrix * np.outer(self.scale, self.scale)

    def amplitudes(self, f):
        """The amplitudes of a finite map [shape=(n,)]; its unit may have any power of two."""
        exponent = scaling.exponent(f)  # prevents overflow and underflow of the sums
        f = scaling.ldexp(f, -exponent)
        matrix = self.scaled
        x = np.zeros(len(self.functions))
        for _ in range(2):  # the second pass corrects the rounding errors of the first
            residual = self.weights * (f - model(x, self.functions))
            moments = [_weighted_sum(1.0, residual, function) for function in self.functions]
            x += self.scale * np.linalg.solve(matrix, self.scale * np.array(moments))
        return scaling.ldexp(x, exponent)

    def covariance(self, residual):
        """The covariance of the amplitudes [shape=(n, n)], of independent noise of equal variance.

        The mean of the weighted sum of the squared residual r of noise of variance v is

            v (c - tr(N^-1 M)),    M_ij = sum_p w_p^2 Re(conj(t_i) t_j),

        with c = 1 for real and 2 for complex maps, and v follows from it; the covariance is
        v N^-1 M N^-1. Infinite where there are no more samples than amplitudes.

        >>> equations = NormalEquations([1.0], np.full(4, 0.25))
        >>> equations.covariance(np.array([1.0, -1, 1, -1]))                   # 4 / 3, by 4 samples
        array([[0.33333333]])
        """
        inverse = np.outer(self.scale, self.scale) * np.linalg.inv(self.scaled)
        gain = inverse @ self.noise_matrix
        freedom = (2.0 if np.iscomplexobj(residual) else 1.0) - np.trace(gain)
        if freedom < _NO_FREEDOM:
            return np.full(gain.shape, np.inf)
        variance = _weighted_sum(self.weights, residual, residual) / freedom
        return max(variance, 0.0) * gain @ inverse

    @cached_property
    def noise_matrix(self):
        """sum_p w_p^2 Re(conj(t_i) t_j) [shape=(n, n)]."""
        squares = self.weights**2
        return _gram_matrix(self.functions, squares, np.sum(squares))


def model(amplitudes, functions):
    """sum_i a_i t_i.

    >>> model([1.0, 2.0], [1.0, np.array([0.0, 1.0])])
    array([1., 3.])
    """
    pairs = list(zip(amplitudes, functions, strict=True))
    constant = sum(value for value, function in pairs if np.ndim(function) == 0)
    return constant + sum(value * function for value, function in pairs if np.ndim(function))


def scaled_matrix(matrix, names, max_condition):
    """(the normal matrix of templates with norm 1, their norms, its condition number).

    Raises
    ------
    ValueError
        Templates that are zero, or nearly dependent: a condition number above ``max_condition``.

    >>> scaled_matrix(np.diag([4.0, 9.0]), "ab", 10)[1:]
    (array([2., 3.]), 1.0)
    """
    norms = np.sqrt(np.maximum(np.diag(matrix), 0))
    empty = [name for name, norm in zip(names, norms, strict=True) if not norm > 0]
    if empty:
        raise ValueError(
            f"template(s) {', '.join(empty)} are zero wherever the mask is not; drop them, or pass a larger "
            "mask"
        )
    scaled = matrix / np.outer(norms, norms)
    values, vectors = np.linalg.eigh(scaled)
    condition = float(values[-1] / values[0]) if values[0] > 0 else np.inf
    if not condition <= max_condition:
        components = abs(vectors[:, 0])
        takes_part = components > _COMPONENT * components.max()
        involved = [
            name for name, is_involved in zip(names, takes_part, strict=True) if is_involved
        ]
        raise ValueError(
            f"the templates {', '.join(involved)} are linearly dependent where the mask is not 0, or "
            f"nearly so: the condition number of their normal matrix is {condition:.3g}, above "
            f"{max_condition:g}; drop one of them"
        )
    return scaled, norms, condition


def _gram_matrix(functions, weights, total):
    """sum_p w_p Re(conj(t_i) t_j); ``total`` is the sum of the weights, the square of the constant."""
    n = len(functions)
    matrix = np.full((n, n), total)
    for i, function in enumerate(functions):
        for j, second in enumerate(functions[: i + 1]):
            if np.ndim(function) or np.ndim(second):
                matrix[i, j] = _weighted_sum(weights, function, second)
                matrix[j, i] = matrix[i, j]
    return matrix


def _weighted_sum(weights, a, b):
    """sum_p w_p Re(conj(a) b)."""
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return np.sum(weights * (np.real(a) * np.real(b) + np.imag(a) * np.imag(b)))
    return np.sum(weights * a * b)
