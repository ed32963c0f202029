"""The phi step: samples on rings <-> Fourier coefficients F_m of every ring.

    synthesis: f(theta_r, phi_j) = sum_m F_m(theta_r) e^{i m phi_j}
    analysis, its adjoint: X_m(theta_r) = sum_j f(theta_r, phi_j) e^{-i m phi_j}

``F[map, order, ring]``; orders 0..L-1 of a real signal (F_{-m} = conj F_m), -(L-1)..L-1 of a complex one.
Rings shorter than 2L-1 samples alias, as their sum does.
"""

import numpy as np
from scipy import fft


def orders(L, real):
    """The orders m in storage order."""
    return np.arange(0 if real else -(L - 1), L)


def analysis(f, grid, L, real, threads):
    """(maps, *grid.shape) -> (maps, orders, rings)."""
    if grid.rectangular:
        return np.moveaxis(_analyse_rows(f, L, real, threads), -1, 1)
    result = np.empty((len(f), len(orders(L, real)), len(grid.ring_theta)), complex)
    for rings, rows, phase in _groups(grid, L, real):
        X = _analyse_rows(f[:, rows], L, real, threads)
        result[:, :, rings] = np.moveaxis(X, -1, 1) * phase.conj()
    return result


def synthesis(F, grid, L, real, threads):
    """(maps, orders, rings) -> (maps, *grid.shape)."""
    if grid.rectangular:
        n = grid.shape[1]
        return _synthesise_rows(np.moveaxis(F, 1, -1), n, L, real, threads)
    f = np.empty((len(F), *grid.shape), float if real else complex)
    for rings, rows, phase in _groups(grid, L, real):
        values = np.moveaxis(F[:, :, rings] * phase, 1, -1)
        f[:, rows] = _synthesise_rows(values, rows.shape[1], L, real, threads)
    return f


def _groups(grid, L, real):
    """Rings of equal length together: (ring numbers, sample numbers (rings, n), e^{i m phi0})."""
    m = orders(L, real)[:, None]
    for n in np.unique(grid.ring_n_phi):
        rings = np.flatnonzero(grid.ring_n_phi == n)
        rows = grid.ring_start[rings][:, None] + np.arange(n)
        yield rings, rows, np.exp(1j * m * grid.ring_phi0[rings])


def _analyse_rows(f, L, real, threads):
    """(..., n) -> (..., orders)."""
    n = f.shape[-1]
    m = orders(L, real)
    if not real:
        return fft.fft(f, axis=-1, workers=threads)[..., m % n]
    X = fft.rfft(f, axis=-1, workers=threads)
    if n >= 2 * L - 1:
        return X[..., :L]
    k = m % n
    high = 2 * k > n
    X = X[..., np.where(high, n - k, k)]
    return np.where(high, X.conj(), X)


def _synthesise_rows(F, n, L, real, threads):
    """(..., orders) -> (..., n)."""
    if real and n >= 2 * L - 1:
        spectrum = np.zeros((*F.shape[:-1], n // 2 + 1), complex)
        spectrum[..., :L] = F
        return fft.irfft(spectrum, n, axis=-1, workers=threads, norm="forward")
    m = orders(L, real)
    bins = np.zeros((*F.shape[:-1], n), complex)
    for first in range(0, len(m), n):  # orders that alias onto one bin add up
        part = m[first : first + n]
        factor = np.where(part > 0, 2.0, 1.0) if real else 1.0
        bins[..., part % n] += factor * F[..., first : first + n]
    values = fft.ifft(bins, axis=-1, workers=threads, norm="forward")
    return values.real if real else values
