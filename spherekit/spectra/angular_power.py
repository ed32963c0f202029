"""Angular power spectra of harmonic coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.conventions import spin_to_eb
from spherekit.conventions.indexing import band_limit_of, degrees, flat
from spherekit.linear import cast, conj, like
from spherekit.spectra.pairs import pair_name, pairs_by_diagonal


def power(flm: ArrayLike, flm2: ArrayLike | None = None) -> np.ndarray:
    """Angular power spectrum of a signal, or cross-spectrum of two signals.

        C_l = 1/(2l+1) sum_m Re(f_lm conj(g_lm))

    Parameters
    ----------
    flm, flm2 : complex array_like [shape=(..., L*L)]
        Coefficients of f and g; g = f by default. The leading axes broadcast.

    Returns
    -------
    float64 ndarray [shape=(..., L)]
        float64 also for input in single precision, because squares of float32 numbers may be out of the
        range of float32. Differentiable by both arguments; each gradient has the precision of its argument.

    Raises
    ------
    TypeError
        Arguments that are not arrays of numbers, or that have a unit or masked entries.
    ValueError
        The last axis is not L*L long, band-limits differ, or leading axes do not broadcast.

    See Also
    --------
    cross_power : the spectra of several signals, and of spin fields.
    masked_power : the spectrum of a map on part of the sphere.

    Examples
    --------
    >>> import numpy as np
    >>> power(np.array([2.0, 1, 1, 1]))
    array([4., 1.])
    >>> power(np.full(4, 1e-23, np.complex64)).round(50)
    array([1.e-46, 1.e-46])
    """
    flm, L = flat(flm)
    flm2, L_2 = (flm, L) if flm2 is None else flat(flm2, "flm2")
    if L != L_2:
        raise ValueError(
            f"flm has shape {flm.shape} and flm2 {flm2.shape}; truncate both to the same L*L"
        )
    checks.check_broadcast("flm", flm, "flm2", flm2)
    return _power(flm, flm2)


def cross_power(
    signals: Mapping[str | tuple[str, str], ArrayLike | tuple[ArrayLike, int]],
    signals2: Mapping[str | tuple[str, str], ArrayLike | tuple[ArrayLike, int]] | None = None,
) -> dict[str, np.ndarray]:
    """Auto- and cross-spectra of any number of signals of any spins.

    Parameters
    ----------
    signals : dict
        The coefficients of each scalar by its name, ``"T": flm``, and the coefficients and the spin s >= 1
        of each spin field by the names of its electric and its magnetic part (see `spin_to_eb`), ``("E",
        "B"): (flm, 2)``. Coefficients have the shape (..., L*L), with leading axes that broadcast. E and B
        as coefficients of their own (healpy's alm) are two scalars.
    signals2 : dict, optional
        Signals of a second map, of the same band-limit.

    Returns
    -------
    dict of str to float64 ndarray [shape=(..., L)]
        Without ``signals2`` the n(n+1)/2 spectra by diagonals, as healpy orders them: TT, EE, BB, TE, EB,
        TB. With it the spectra of all pairs: TT, TE, TB, ET, EE, ..., the first letter naming a signal of
        ``signals``, the second one of ``signals2``; ET is the spectrum of E of the first map and T of the
        second. Names longer than a letter are separated: ``100x143``. Differentiable by all coefficients.

    Raises
    ------
    TypeError
        Signals that are not in a dict; names that are not text; a spin that is not an integer; coefficients
        that are not numbers, or have a unit or masked entries.
    ValueError
        No signals; names that are empty or repeated; a spin out of range; band-limits that differ; leading
        axes that do not broadcast.

    See Also
    --------
    power : the spectrum of one signal or pair.
    polarization_power : the spectra of one spin field and a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import cross_power, gaussian_flm
    >>> T, P, half_1, half_2 = (gaussian_flm(np.ones(8), 8, seed) for seed in range(4))
    >>> list(cross_power({"T": T, ("E", "B"): (P, 2)}))
    ['TT', 'EE', 'BB', 'TE', 'EB', 'TB']
    >>> list(cross_power({"T": T}, {"half 1": half_1, "half 2": half_2}))
    ['Txhalf 1', 'Txhalf 2']
    """
    first = _components(signals, "signals")
    second = first if signals2 is None else _components(signals2, "signals2")
    _check_fit(next(iter(first.items())), next(iter(second.items())))
    pairs = pairs_by_diagonal(list(first), None if signals2 is None else list(second))
    spectra = {}
    for a, b in pairs:
        checks.check_broadcast(a, first[a], b, second[b])
        name = pair_name(a, b)
        if name in spectra:
            raise ValueError(f"two pairs of signals have the name {name}; use other names")
        spectra[name] = _power(first[a], second[b])
    return spectra


def _components(signals, argument):
    """The coefficients of each scalar, electric and magnetic part, by name."""
    if not isinstance(signals, Mapping):
        raise TypeError(
            f"{argument} is {type(signals).__name__}; expected a dict of coefficients by name, such as "
            '{"T": flm, ("E", "B"): (flm, 2)}'
        )
    if not signals:
        raise ValueError(f"{argument} is empty; expected at least one signal")
    components = {}
    for key, value in signals.items():
        if isinstance(key, tuple):
            names, values = key, _electric_and_magnetic(key, value)
        else:
            if isinstance(value, tuple):
                raise TypeError(
                    f"{key!r} is a tuple; expected coefficients: a spin field has two names, "
                    '("E", "B"): (flm, 2)'
                )
            names, values = (key,), (value,)
        for name, flm in zip(names, values, strict=True):
            if not isinstance(name, str):
                raise TypeError(f"{argument} has the name {name!r}; expected text, such as T")
            if not name or name in components:
                raise ValueError(
                    f"{argument} has the name {name!r} twice or empty; expected one each"
                )
            components[name] = flat(flm, name)[0]
            _check_fit(next(iter(components.items())), (name, components[name]))
    return components


def _electric_and_magnetic(names, value):
    """E and B of a spin field, from its coefficients and its spin."""
    if len(names) != 2:
        raise ValueError(
            f"a spin field has the names {names!r}; expected two, of its electric and magnetic part"
        )
    if not (isinstance(value, tuple) and len(value) == 2):
        raise TypeError(
            f"the spin field {names!r} is {type(value).__name__}; expected (flm, spin), its coefficients "
            "and spin"
        )
    flm, spin = value
    flat(flm, ", ".join(map(str, names)))
    return spin_to_eb(flm, spin=spin)


def _check_fit(signal, signal2):
    """Raise ValueError unless the band-limits of two signals (name, coefficients) are equal."""
    (name, flm), (name2, flm2) = signal, signal2
    if flm.shape[-1] != flm2.shape[-1]:
        raise ValueError(
            f"{name2} has shape {flm2.shape} and {name} {flm.shape}; truncate both to the same L*L"
        )


def polarization_power(
    flm: ArrayLike, T: ArrayLike | None = None, *, spin: int = 2
) -> dict[str, np.ndarray]:
    """Auto- and cross-spectra of the E and B modes of a spin field, and of an optional scalar T.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the field, as returned by ``forward(Q + 1j * U, L, spin=2)``.
    T : complex array_like [shape=(..., L*L)], optional
        Coefficients of a real signal, such as the temperature.
    spin : int
        Spin of the field, 1 <= spin < L.

    Returns
    -------
    dict of str to float64 ndarray [shape=(..., L)]
        ``"EE"``, ``"BB"`` and ``"EB"``; with T ``"TT"``, ``"EE"``, ``"BB"``, ``"TE"``, ``"EB"`` and
        ``"TB"``. Differentiable.

    Raises
    ------
    TypeError
        ``spin`` is not an integer.
    ValueError
        ``spin`` is out of range, or the shapes do not match.

    See Also
    --------
    cross_power : the spectra of any number of signals.
    spherekit.conventions.spin_to_eb : the coefficients of E and B.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.conventions import eb_to_spin
    >>> E, B = (np.where(np.arange(9) == 6, x, 0) for x in (2.0, 3.0))            # l = 2, m = 0
    >>> {name: float(cl[2]) for name, cl in polarization_power(eb_to_spin(E, B, spin=2)).items()}
    {'EE': 0.8, 'BB': 1.8, 'EB': 1.2}
    """
    E, B = spin_to_eb(flm, spin=spin)
    if T is None:
        return cross_power({"E": E, "B": B})
    T = flat(T, "T")[0]
    _check_fit(("flm", E), ("T", T))
    checks.check_broadcast("T", T, "flm", E)
    return cross_power({"T": T, "E": E, "B": B})


@primitive
def _power(f, g):
    if f.shape != g.shape or f.dtype != g.dtype:
        kind = np.result_type(f, g)
        f, g = (x.astype(kind) for x in np.broadcast_arrays(f, g))
    L = band_limit_of(f)
    sums = np.empty((math.prod(f.shape[:-1]), L))
    rows = [np.require(x, requirements=("C", "W")).reshape(-1, L * L) for x in (f, g)]
    _sums(*rows, L, sums)
    return sums.reshape(*f.shape[:-1], L)


def _pullback(x, partner):
    """The gradient by ``x`` of the cross-spectrum of ``x`` and ``partner``."""
    L = band_limit_of(x)
    kind = checks.result_type(not anp.iscomplexobj(partner), checks.is_single(x))

    def pullback(g):
        weights = (g / (2 * np.arange(L) + 1))[..., degrees(L)]
        return like(cast(weights, checks.real_type(x)) * cast(conj(partner), kind), x)

    return unbroadcast_f(x, pullback)


defvjp(
    _power,
    lambda answer, f, g: _pullback(f, g),
    lambda answer, f, g: _pullback(g, f),
)
defjvp(
    _power,
    lambda tangent, answer, f, g: _power(tangent, g),
    lambda tangent, answer, f, g: _power(f, tangent),
)


@leaf
def _sums(f, g, L, sums):
    """The spectra of signals (rows), with products and sums in double precision."""
    for q in range(f.shape[0]):
        for ell in range(L):
            total = 0.0
            for k in range(ell * ell, (ell + 1) ** 2):
                real = np.float64(f[q, k].real) * np.float64(g[q, k].real)
                total += real + np.float64(f[q, k].imag) * np.float64(g[q, k].imag)
            sums[q, ell] = total / (2 * ell + 1)
