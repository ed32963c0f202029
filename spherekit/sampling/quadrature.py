"""Quadrature rules in theta: equispaced interpolatory rules, Gauss-Legendre, ring weights.

A rule integrates ``int_0^pi f(theta) sin(theta) dtheta``, and its weights sum to 2; a grid multiplies them
by ``2 pi / n_phi``. Results are cached and read-only.
"""

from functools import lru_cache

import numpy as np

from spherekit._core import checks

#: FFTs shorter than this take less time than the import of SciPy. Above, its results may differ from NumPy's
#: in the last bit (first at n = 5462).
_SHORT_FFT = 4097

__all__ = ["equispaced", "fejer2", "gauss_legendre", "ring_rule", "zonal_corrections"]


def __dir__():
    return sorted(__all__)


def read_only(*arrays):
    """Mark arrays read-only and return them: a single array, or a tuple of arrays."""
    for array in arrays:
        array.flags.writeable = False
    return arrays[0] if len(arrays) == 1 else arrays


def angles(numerator, denominator):
    """``pi * numerator / denominator`` in [0, pi], mirrored exactly: a(d - n) == pi - a(n).

    Both poles and the equator are exactly the float64 values of 0, pi and pi/2.
    """
    fraction = np.minimum(numerator, denominator - numerator) / denominator
    north = np.pi * fraction
    return np.where(2 * numerator <= denominator, north, np.pi - north)


def _sine_sum(angle_index, period, terms):
    """``S(theta) = sum_{k < terms} sin((2k+1) theta)/(2k+1)`` at theta = pi angle_index / period.

    By one real FFT on the full circle of 2 period points; requires 2 terms <= period + 1.
    """
    spectrum = np.zeros(period + 1, dtype=complex)
    odd = np.arange(1, 2 * terms, 2)
    spectrum[odd] = -1j * period / odd
    return _inverse_real_fft(spectrum, 2 * period)[angle_index]


def _inverse_real_fft(spectrum, n):
    """Inverse real FFT by SciPy; below `_SHORT_FFT` by NumPy, with the same result but without an import."""
    if n < _SHORT_FFT:
        return np.fft.irfft(spectrum, n)
    from scipy import fft

    return fft.irfft(spectrum, n)


def equispaced(period: int, half_step: bool) -> tuple[np.ndarray, np.ndarray]:
    """Interpolatory quadrature on equispaced nodes: Clenshaw-Curtis, Fejer, and the weights of MW grids.

    The nodes are theta_t = 2 pi (t + delta)/period in [0, pi], with delta 1/2 if ``half_step`` (MW, DH),
    else 0 (MWSS, Clenshaw-Curtis). A zonal signal is even in theta, so that its values on all ``period``
    points of the circle are known; its trigonometric interpolant is integrated term by term with

        w(k) = int_0^pi cos(k theta) sin(theta) dtheta = 2/(1-k^2) for even k, 0 for odd k,

    and the weights of the two halves of the circle are added.

    Parameters
    ----------
    period : int
        Number of points on the full circle, >= 1; even if not ``half_step``.
    half_step : bool
        Whether the nodes are shifted by half a step.

    Returns
    -------
    theta : float64 ndarray [shape=(n,)], radians
        Nodes, north to south; read-only.
    weights : float64 ndarray [shape=(n,)]
        Read-only weights of sum 2, exact for degrees <= (period - 1)//2, and for period/2 where both
        poles are nodes.

    Raises
    ------
    TypeError
        ``period`` is not an integer.
    ValueError
        ``period`` < 1.

    Notes
    -----
    The sum telescopes into::

        sum_{|k| <= 2J-2} w(k) e^{ik theta} = 4 sin(theta) S_J(theta) + 2 cos(2J theta)/(2J-1),
        S_J = sum_{k<J} sin((2k+1) theta)/(2k+1),

    which, unlike the cosine sum, preserves the relative accuracy of the small weights near the poles.

    References
    ----------
    McEwen and Wiaux 2011, IEEE TSP 59, 5876, section V; the parity extension of eq. 12.

    Examples
    --------
    Simpson's rule in cos(theta):

    >>> from spherekit.sampling import quadrature
    >>> theta, weights = quadrature.equispaced(4, False)
    >>> weights * 3
    array([1., 4., 1.])
    """
    return _equispaced(checks.integer(period, "period", 1), bool(half_step))


@lru_cache(maxsize=64)
def _equispaced(period, half_step):
    # theta = pi * index / (2 period), with integers, so that each angle is rounded once.
    index = np.arange(2 if half_step else 0, 2 * period + 1, 4)
    theta = angles(index, 2 * period)
    below_nyquist = (period - 1) // 2
    terms = below_nyquist // 2 + 1
    full = 4 * np.sin(theta) * _sine_sum(index, 2 * period, terms)
    full += 2 * _cos_multiple(2 * terms, index, 2 * period) / (2 * terms - 1)
    if period % 4 == 0 and not half_step:
        nyquist = period // 2
        full += 2 / (1 - nyquist**2) * _cos_multiple(nyquist, index, 2 * period)
    on_pole = (index == 0) | (index == 2 * period)
    weights = full * np.where(on_pole, 1, 2) / period
    return read_only(theta, weights)


def _cos_multiple(k, index, denominator):
    """``cos(k pi index / denominator)``, with the argument reduced in integers."""
    return np.cos(np.pi * ((k * index) % (2 * denominator)) / denominator)


def fejer2(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Quadrature of Driscoll and Healy on the nodes theta_t = pi t/n, t < n.

    The weights are ``4/n sin(theta) sum_{k < n/2} sin((2k+1) theta)/(2k+1)``, on nodes that start on the
    pole: Fejer's second rule, with weight 0 on the north pole.

    Parameters
    ----------
    n : int
        Number of nodes, even.

    Returns
    -------
    theta : float64 ndarray [shape=(n,)], radians
        Nodes, north to south; read-only.
    weights : float64 ndarray [shape=(n,)]
        Read-only weights of sum 2, exact for degrees <= n - 1.

    Raises
    ------
    TypeError
        ``n`` is not an integer.
    ValueError
        ``n`` < 2 or odd.

    References
    ----------
    Driscoll and Healy 1994, Adv. Appl. Math. 15, 202, eq. 9.

    Examples
    --------
    >>> from spherekit.sampling import quadrature
    >>> theta, weights = quadrature.fejer2(4)
    >>> weights.round(6)
    array([0.      , 0.666667, 0.666667, 0.666667])
    """
    n = checks.integer(n, "n", 2, hint="even")
    if n % 2:
        raise ValueError(f"n is {n}; expected an even number of nodes")
    return _fejer2(n)


@lru_cache(maxsize=64)
def _fejer2(n):
    index = np.arange(n)
    theta = angles(index, n)
    return read_only(theta, 4 / n * np.sin(theta) * _sine_sum(index, n, n // 2))


def gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre quadrature, with nodes as angles.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1.

    Returns
    -------
    theta : float64 ndarray [shape=(n,)], radians
        Roots of P_n(cos theta), north to south; read-only. Southern nodes are float64 pi minus the northern
        ones.
    weights : float64 ndarray [shape=(n,)]
        Read-only weights of sum 2, exact for degrees <= 2n - 1; ``weights[::-1] == weights``.

    Raises
    ------
    TypeError
        ``n`` is not an integer.
    ValueError
        ``n`` < 1.

    Notes
    -----
    Newton's method in theta on P_n(cos theta), from Tricomi's estimate, with
    ``w = 2 / (dP_n/dtheta)^2``. Near a root that derivative is stationary up to cot(theta) dtheta, so that
    the rounding of a node causes no loss of accuracy; the usual formula in P_{n-1} loses a factor n. The
    polynomials are evaluated in the difference form, in pairs of float64: nodes and weights have relative
    errors of at most 7e-16 (measured up to n = 2048).

    Examples
    --------
    >>> from spherekit.sampling import quadrature
    >>> theta, weights = quadrature.gauss_legendre(3)
    >>> theta.round(6), weights.round(6)
    (array([0.684719, 1.570796, 2.456873]), array([0.555556, 0.888889, 0.555556]))
    """
    return _gauss_legendre(checks.integer(n, "n", 1))


@lru_cache(maxsize=64)
def _gauss_legendre(n):
    half = (n + 1) // 2
    guess = np.pi * (4 * np.arange(1, half + 1) - 1) / (4 * n + 2)
    theta = guess + (1 / (8 * n**2) - 1 / (8 * n**3)) / np.tan(guess)
    value, slope = _legendre_slope(n, theta)
    while np.any(np.abs(value / slope) > 1e-9 * theta):  # two or three times
        theta -= value / slope
        value, slope = _legendre_slope(n, theta)
    # At a root P'' = -cot(theta) P', which corrects the slope for the last step to first order.
    weights = 2 / (slope * (1 + value / slope / np.tan(theta))) ** 2
    theta -= value / slope
    if n % 2:
        theta[-1] = np.pi / 2
    south = slice(n // 2 - 1, None, -1) if n > 1 else slice(0, 0)
    theta = np.concatenate([theta, np.pi - theta[south]])
    return read_only(theta, np.concatenate([weights, weights[south]]))


def _legendre_slope(n, theta):
    """P_n(cos theta) and its derivative in theta, 0 < theta <= pi/2."""
    from spherekit.sampling import legendre_polynomials  # compiles: loaded when it is used

    y = 2 * np.sin(theta / 2) ** 2
    p, d = legendre_polynomials.polynomial_and_slope(n, y)
    # sin dP/dtheta = n (cos P_n - P_{n-1}) = n (D_n - y P_n), and sin^2 = y (2 - y)
    return p, d / np.sqrt(y * (2 - y))


def ring_rule(theta: np.ndarray) -> np.ndarray:
    """Quadrature weights of rings at arbitrary colatitudes.

    The weights are not negative, sum to 2, and are exact for zonal signals of degree < pi/h, or of a lower
    degree where a weight would be negative. Here h is the widest gap on the meridian circle through both
    poles.

    Parameters
    ----------
    theta : ndarray [shape=(n,)], radians
        Colatitudes, strictly increasing in [0, pi].

    Returns
    -------
    float64 ndarray [shape=(n,)]
        Weights of the rings.

    Raises
    ------
    TypeError
        ``theta`` is not an array of numbers. Its order and range are not checked.

    Notes
    -----
    With the areas a_r of the zones, which are bounded midway between the rings, the weights are
    ``a_r (1 + u_r)`` with the u of `zonal_corrections`. Its equations are well-conditioned below degree pi/h,
    the Nyquist limit of the gap. If a weight is negative, the degree is halved.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import quadrature
    >>> theta = np.arange(9) * np.pi / 8
    >>> integral = quadrature.ring_rule(theta) @ np.cos(6 * theta)                # -2/35
    >>> round(float(integral) * 35, 12)
    -2.0
    """
    edges = np.concatenate([[0.0], (theta[1:] + theta[:-1]) / 2, [np.pi]])
    low, high = edges[:-1], edges[1:]
    areas = 2 * np.sin((low + high) / 2) * np.sin((high - low) / 2)  # cos(low) - cos(high)
    widest = np.max([*np.diff(theta), 2 * theta[0], 2 * (np.pi - theta[-1])])
    degree = int(np.ceil(np.pi / widest - 1e-9)) - 1
    while degree > 0:
        u = zonal_corrections(theta, areas / 2, np.arange(degree + 1))
        if u.min() >= -1:
            return areas * (1 + u)
        degree //= 2
    return areas


def zonal_corrections(theta: np.ndarray, mass: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Relative corrections of ring weights that make zonal quadrature exact, of least norm.

    Among all u with ``sum_r mass_r (1 + u_r) P_l(cos theta_r) = delta_l0`` for all l in ``degrees``, the one
    of least ``sum_r mass_r u_r^2``. It is ``u = sum_l lambda_l P_l``, where lambda is computed by conjugate
    gradients, with a matrix close to diag(1/(2l+1)).

    Parameters
    ----------
    theta : ndarray [shape=(n,)], radians
        Colatitudes of the rings.
    mass : ndarray [shape=(n,)]
        Weights to be corrected, of sum 1.
    degrees : int ndarray
        Degrees l for which the quadrature is to be exact, increasing from 0.

    Returns
    -------
    float64 ndarray [shape=(n,)]
        Corrections u.

    Raises
    ------
    TypeError
        Arguments that are not arrays of numbers. Ranges are not checked.

    Examples
    --------
    Three rings of equal weight become Simpson's rule:

    >>> import numpy as np
    >>> from spherekit.sampling import quadrature
    >>> theta = np.array([0, np.pi / 2, np.pi])
    >>> u = quadrature.zonal_corrections(theta, np.full(3, 1 / 3), np.arange(3))
    >>> (1 + u).round(6)
    array([0.5, 2. , 0.5])
    """
    from spherekit.sampling import legendre_polynomials  # compiles: loaded when it is used

    south = theta > np.pi / 2
    sign = np.where(south, -1.0, 1.0)
    y = 2 * np.sin(np.where(south, np.pi - theta, theta) / 2) ** 2
    size = degrees[-1] + 1
    scale = np.sqrt(2 * degrees + 1.0)

    def moments(values):
        sums = legendre_polynomials.zonal_sums(y, mass * values, sign * mass * values, size)
        return scale * sums[degrees]

    def series(coefficients):
        full = np.zeros(size)
        full[degrees] = scale * coefficients
        even, odd = legendre_polynomials.zonal_series(y, full)
        return even + sign * odd

    target = -moments(np.ones_like(y))
    target[0] += 1.0
    solution = np.zeros_like(target)
    residual = target.copy()
    direction = residual.copy()
    square = residual @ residual
    for _ in range(200):
        if square <= 1e-30:
            break
        image = moments(series(direction))
        step = square / (direction @ image)
        solution += step * direction
        residual -= step * image
        direction *= (residual @ residual) / square
        direction += residual
        square = residual @ residual
    return series(solution)
