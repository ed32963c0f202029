"""Power spectra by spherekit and other packages, prepared for timing.

Mode coupling: matrices of the degrees below L for a mask of band-limit L; "inverse" those of all pairs of
fields of spins 0 and 2, "forward" that of two fields of spin 0.
"""

from functools import partial

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase

_SPINS = ((0, 0), (0, 2), (2, 2))


def _mask_power(L, rng):
    """A steep spectrum with scatter, as that of a mask."""
    return rng.uniform(0.5, 1.5, L) / (1.0 + np.arange(L)) ** 2.5


def _prepared(case, all_spins, spin_0, remark=""):
    random_input = partial(_mask_power, case["L"])
    return PreparedCase(all_spins, lambda _: spin_0(), random_input, remark, one_way=True)


def mode_coupling_spherekit(case):
    """`spherekit.spectra.coupling_matrix`."""
    from spherekit.spectra import coupling_matrix

    L, options = case["L"], dict(threads=case["threads"])
    power = _mask_power(L, np.random.default_rng(0))
    return _prepared(
        case,
        lambda x: [coupling_matrix(x, L, *spins, **options) for spins in _SPINS],
        lambda: coupling_matrix(power, L, **options),
    )


def mode_coupling_ducc0(case):
    """``coupling_matrix_rect``: one block for spins 0, 0 and 0, 2, and two blocks for spins 2, 2."""
    from ducc0.misc.experimental import coupling_matrix_rect

    L, threads = case["L"], case["threads"]
    factors = (2 * np.arange(L) + 1) / (4 * np.pi)
    power = _mask_power(L, np.random.default_rng(0))

    def matrices(x, types, count):
        spectra = np.tile(x * factors, (len(types), 1))
        return coupling_matrix_rect(spectra, types, np.empty((count, L, L)), nthreads=threads)

    return _prepared(
        case,
        lambda x: matrices(x, (0, 1, 4), 4),
        lambda: matrices(power, (0,), 1),
        "the distinct blocks only, without the factors 2l'+1",
    )


def mode_coupling_pymaster(case):
    """``NmtWorkspace.from_fields`` of NaMaster; its threads are those of OpenMP."""
    import pymaster as package

    L = case["L"]
    nside = 1 << max(L // 2, 1).bit_length() - 1
    mask = np.linspace(0, 1, 12 * nside**2)
    options = dict(lmax=L - 1, lmax_mask=L - 1, n_iter_mask=0)
    T, P = (package.NmtField(mask, None, spin=spin, **options) for spin in (0, 2))
    bins = package.NmtBin.from_lmax_linear(L - 1, max(L // 32, 1))
    workspace = package.NmtWorkspace.from_fields
    return _prepared(
        case,
        lambda _: workspace(T, P, bins, is_teb=True).get_coupling_matrix(),
        lambda: workspace(T, T, bins).get_coupling_matrix(),
        "all spins in one call (is_teb); includes the inverse of the binned matrix",
    )


CODES = {
    "mode-coupling": {
        "spherekit": mode_coupling_spherekit,
        "ducc0": mode_coupling_ducc0,
        "pymaster": mode_coupling_pymaster,
    }
}
