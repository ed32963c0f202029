"""The phi step: samples on rings <-> Fourier coefficients F_m of every ring.

    synthesis: f(theta_r, phi_j) = sum_m F_m(theta_r) e^{i m phi_j}
    analysis, its adjoint: X_m(theta_r) = sum_j f(theta_r, phi_j) e^{-i m phi_j}

``planes[map, order, re/im, column]`` has one column per ring, and the orders 0..L-1 of a real signal
(F_{-m} = conj F_m) or -(L-1)..L-1 of a complex one. On rectangular grids, eight rings (sixteen for real
signals, two per complex lane) are transformed together and written directly to the planes. ``rows[column]``
is the first sample of the ring of the column, -1 where there is none. HEALPix has its own step
(`phi_fft_healpix`). Other grids with rings of different lengths use SciPy's FFT; rings with fewer than 2L-1
samples alias, as the definition implies.
"""

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.harmonic.steps import phi_fft_healpix
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes, load, pointer, splat, store, width
from spherekit.kernels.transpose import (
    load_block,
    load_complex_rows,
    store_block,
    store_complex_rows,
)
from spherekit.kernels.work_queue import next_item

EIGHT, SIXTEEN = Lanes(8), Lanes(16, single=True)
#: Columns of a plane are processed in blocks of two rings per lane.
BLOCK = 16
#: Largest number of samples that are transformed at once, for rings of arbitrary lengths.
GROUP_SAMPLES = 2**17


def orders(L, real):
    """Return the orders m in storage order."""
    return np.arange(0 if real else -(L - 1), L)


def analysis(f, grid, rows, L, real, threads, single=False):
    """Transform (maps, *grid.shape) to (planes (maps, orders, 2, columns), whether a sum is not finite).

    With ``single``, sums and planes are float32.
    """
    maps = len(f)
    if grid.name == "healpix":
        return phi_fft_healpix.analysis(
            f, grid, ring_columns(rows, grid), len(rows), L, real, threads
        )
    if not grid.rectangular:
        return _analyze_groups(f, grid, rows, L, real, threads)
    shape = maps, L if real else 2 * L - 1, 2, len(rows)
    planes = scratch("azimuth", shape, np.float32 if single else np.float64)
    lanes = SIXTEEN if single else EIGHT
    table, suspects = lane_fft.tables(grid.shape[1], lanes), np.zeros(threads)
    first, counter = np.maximum(rows, 0), np.zeros(1, np.int64)
    samples = f.reshape(maps, -1)
    if not real:
        first, samples = 2 * first, samples.view(f.real.dtype)
    analyze = _analyze_real if real else _analyze_complex

    def work(thread):
        buffer = lane_fft.work_array(table, lanes)
        suspect = suspects[thread : thread + 1]
        analyze(lanes, counter, samples, first, L, table, buffer, planes, suspect)

    run(work, threads)
    return planes, bool(suspects.any())


def synthesis(planes, grid, rows, L, real, f, threads):
    """Transform planes to f (maps, *grid.shape), which is overwritten."""
    if grid.name == "healpix":
        phi_fft_healpix.synthesis(planes, grid, ring_columns(rows, grid), L, real, f, threads)
        return
    if not grid.rectangular:
        _synthesize_groups(planes, grid, rows, L, real, f, threads)
        return
    lanes = SIXTEEN if planes.dtype == np.float32 else EIGHT
    table, counter = lane_fft.tables(grid.shape[1], lanes), np.zeros(1, np.int64)
    samples, offsets = f.reshape(len(f), -1), rows
    if not real:
        offsets, samples = np.where(rows < 0, -1, 2 * rows), samples.view(f.real.dtype)
    synthesize = _synthesize_real if real else _synthesize_complex

    def work(thread):
        buffer = lane_fft.work_array(table, lanes)
        synthesize(lanes, counter, planes, offsets, L, table, buffer, samples)

    run(work, threads)


# --- rings of one length -----------------------------------------------------------------------------


@leaf
def _analyze_real(lanes, counter, f, rows, L, fft, work, planes, suspect):
    v, n, columns = width(lanes), fft.n, rows.size
    w, offsets, blocks = pointer(work, 0), pointer(rows, 0), columns // (2 * v)
    half, im = splat(lanes, 0.5), v * fft.size
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * blocks:
            return
        q, first = item // blocks, item % blocks * 2 * v
        samples = pointer(f, q * f.shape[1])
        load_block(lanes, samples, offsets, first, n, w, 0)
        load_block(lanes, samples, offsets, first + v, n, w, im)
        zr, zi = lane_fft.transform(lanes, w, 0, fft)
        _check_finite(lanes, w, zr, suspect)
        _check_finite(lanes, w, zi, suspect)
        plane = pointer(planes, q * 2 * L * columns)
        for m in range(L):
            k, j = m * v, (n - m if m else 0) * v
            ar, ai = load(lanes, w, zr + k), load(lanes, w, zi + k)
            br, bi = load(lanes, w, zr + j), load(lanes, w, zi + j)
            index = 2 * m * columns + first
            store(plane, index, half * (ar + br))
            store(plane, index + columns, half * (ai - bi))
            store(plane, index + v, half * (ai + bi))
            store(plane, index + v + columns, half * (br - ar))


@leaf
def _analyze_complex(lanes, counter, f, rows, L, fft, work, planes, suspect):
    v, n, columns = width(lanes), fft.n, rows.size
    w, blocks, im = pointer(work, 0), columns // v, v * fft.size
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * blocks:
            return
        q, first = item // blocks, item % blocks * v
        samples = pointer(f, q * f.shape[1])
        if n >= v:
            imag = pointer(w, im)
            for j in range(0, n + v // 2 - 1, v // 2):
                c = min(j, n - v // 2)
                load_complex_rows(lanes, samples, rows, first, 2 * c, w, imag, c * v)
        else:
            for i in range(v):
                for j in range(n):
                    index = rows[first + i] + 2 * j
                    w[j * v + i], w[im + j * v + i] = samples[index], samples[index + 1]
        zr, zi = lane_fft.transform(lanes, w, 0, fft)
        _check_finite(lanes, w, zr, suspect)
        _check_finite(lanes, w, zi, suspect)
        plane = pointer(planes, q * 2 * (2 * L - 1) * columns)
        for order in range(2 * L - 1):
            m = order - (L - 1)
            k = (m if m >= 0 else n + m) * v
            index = 2 * order * columns + first
            store(plane, index, load(lanes, w, zr + k))
            store(plane, index + columns, load(lanes, w, zi + k))


@leaf
def _synthesize_real(lanes, counter, planes, rows, L, fft, work, f):
    v, n, columns = width(lanes), fft.n, rows.size
    w, offsets, blocks = pointer(work, 0), pointer(rows, 0), columns // (2 * v)
    zero, zi = splat(lanes, 0.0), v * fft.size
    unused = pointer(w, 4 * zi)
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * blocks:
            return
        q, first = item // blocks, item % blocks * 2 * v
        plane, samples = pointer(planes, q * 2 * L * columns), pointer(f, q * f.shape[1])
        store(w, 0, load(lanes, plane, first))
        store(w, zi, load(lanes, plane, first + v))
        for m in range(L, n - L + 1):
            store(w, m * v, zero)
            store(w, zi + m * v, zero)
        for m in range(1, L):
            index, k, j = 2 * m * columns + first, m * v, (n - m) * v
            ar, ai = load(lanes, plane, index), load(lanes, plane, index + columns)
            br, bi = load(lanes, plane, index + v), load(lanes, plane, index + v + columns)
            store(w, k, ar - bi)
            store(w, zi + k, ai + br)
            store(w, j, ar + bi)
            store(w, zi + j, br - ai)
        re, im = lane_fft.transform(lanes, w, 1, fft)
        store_block(lanes, w, re, samples, offsets, first, n, unused)
        store_block(lanes, w, im, samples, offsets, first + v, n, unused)


@leaf
def _synthesize_complex(lanes, counter, planes, rows, L, fft, work, f):
    v, n, columns = width(lanes), fft.n, rows.size
    w, blocks = pointer(work, 0), columns // v
    zero, zi = splat(lanes, 0.0), v * fft.size
    unused = pointer(w, 4 * zi)
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * blocks:
            return
        q, first = item // blocks, item % blocks * v
        plane = pointer(planes, q * 2 * (2 * L - 1) * columns)
        samples = pointer(f, q * f.shape[1])
        for m in range(L, n - L + 1):
            store(w, m * v, zero)
            store(w, zi + m * v, zero)
        for order in range(2 * L - 1):
            m = order - (L - 1)
            index, k = 2 * order * columns + first, (m if m >= 0 else n + m) * v
            store(w, k, load(lanes, plane, index))
            store(w, zi + k, load(lanes, plane, index + columns))
        re, im = lane_fft.transform(lanes, w, 1, fft)
        if n >= v:
            real, imag = pointer(w, re), pointer(w, im)
            for j in range(0, n + v // 2 - 1, v // 2):
                c = min(j, n - v // 2)
                store_complex_rows(lanes, real, imag, c * v, samples, rows, first, 2 * c, unused)
        else:
            for i in range(v):
                for j in range(n):
                    index = rows[first + i] + 2 * j
                    if rows[first + i] >= 0:
                        samples[index] = w[re + j * v + i]
                        samples[index + 1] = w[im + j * v + i]


@leaf
def _check_finite(lanes, work, start, suspect):
    """Set ``suspect`` where the sum of a ring is not finite or is huge (sample NaN, inf or UNSEEN)."""
    for i in range(width(lanes)):
        if not abs(work[start + i]) < 1e15:
            suspect[0] = 1.0


# --- rings of any lengths ----------------------------------------------------------------------------


def ring_columns(rows, grid):
    """Return the column of every ring."""
    columns = np.empty(len(grid.ring_theta), int)
    valid_columns = np.flatnonzero(rows >= 0)
    columns[np.searchsorted(grid.ring_start, rows[valid_columns])] = valid_columns
    return columns


def _analyze_groups(f, grid, rows, L, real, threads):
    planes = np.zeros((len(f), L if real else 2 * L - 1, 2, len(rows)))
    columns, suspect = ring_columns(rows, grid), False
    dtype = float if real else complex
    for rings, samples, phase in _groups(grid, L, real, len(f)):
        # The caller rejects infinite samples, with their count.
        with np.errstate(invalid="ignore"):
            x = f[:, samples].astype(dtype, copy=False)
            X = np.moveaxis(_analyze_rows(x, L, real, threads), -1, 1) * phase.conj()
        suspect |= not (np.abs(X[:, 0 if real else L - 1]) < 1e15).all()
        planes[:, :, 0, columns[rings]], planes[:, :, 1, columns[rings]] = X.real, X.imag
    return planes, suspect


def _synthesize_groups(planes, grid, rows, L, real, f, threads):
    columns = ring_columns(rows, grid)
    for rings, samples, phase in _groups(grid, L, real, len(f)):
        F = planes[:, :, 0, columns[rings]] + 1j * planes[:, :, 1, columns[rings]]
        values = np.moveaxis(F * phase, 1, -1)
        f[:, samples] = _synthesize_rows(values, samples.shape[1], L, real, threads)


def _groups(grid, L, real, maps):
    """Yield groups of rings of equal length: (ring numbers, sample numbers (rings, n), e^{i m phi0}).

    `GROUP_SAMPLES` limits the size of a group, and with it the memory of the inputs and outputs of the FFTs.
    """
    m = orders(L, real)[:, None]
    for n in np.unique(grid.ring_n_phi):
        group = np.flatnonzero(grid.ring_n_phi == n)
        count = max(1, GROUP_SAMPLES // (maps * int(n)))
        for first in range(0, len(group), count):
            rings = group[first : first + count]
            rows = grid.ring_start[rings][:, None] + np.arange(n)
            yield rings, rows, np.exp(1j * m * grid.ring_phi0[rings])


def _analyze_rows(f, L, real, threads):
    """Transform (..., n) to (..., orders)."""
    from scipy import fft

    n = f.shape[-1]
    m = orders(L, real)
    if not real:
        return fft.fft(f, axis=-1, workers=threads)[..., m % n]
    X = fft.rfft(f, axis=-1, workers=threads)
    if n >= 2 * L - 1:
        return X[..., :L]
    k = m % n
    is_negative = 2 * k > n
    X = X[..., np.where(is_negative, n - k, k)]
    return np.where(is_negative, X.conj(), X)


def _synthesize_rows(F, n, L, real, threads):
    """Transform (..., orders) to (..., n)."""
    from scipy import fft

    m = orders(L, real)
    bins = np.zeros((*F.shape[:-1], n), complex)
    for first in range(0, len(m), n):  # orders that alias to one bin are added
        chunk = m[first : first + n]
        factor = np.where(chunk > 0, 2.0, 1.0) if real else 1.0
        bins[..., chunk % n] += factor * F[..., first : first + n]
    values = fft.ifft(bins, axis=-1, workers=threads, norm="forward")
    return values.real if real else values
