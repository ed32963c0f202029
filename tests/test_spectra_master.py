"""Decoupled spectra of masked fields: couplings by sums over modes, gradients, files, bad input."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY

from spherekit.conventions import eb_to_spin
from spherekit.harmonic import inverse
from spherekit.sampling import GL, MW, HEALPix
from spherekit.spectra import (
    Bins,
    Coupling,
    Mask,
    masked_field,
    master,
    polarization_power,
    power,
    pseudo_power,
    read_coupling,
    write_coupling,
)
from spherekit.testing import assert_gradient, random_flm

L = 8
#: A grid on which products of signals and masks of band-limit L are sampled exactly.
GRID = GL(3 * L)
BINS = Bins.linear(L, 2)


def smooth_mask(rng, L=L, grid=GRID):
    mask = inverse(random_flm(L, rng, reality=True), L, sampling=GL(grid.L), reality=True)
    return mask - mask.min() + 0.1


def maps(rng, L=L, grid=GRID):
    """T, Q + iU and their coefficients T, E, B."""
    T, E, B = (random_flm(L, rng, reality=True) for _ in range(3))
    P = eb_to_spin(E, B, spin=2)
    return (
        inverse(T, L, sampling=grid, reality=True),
        inverse(P, L, sampling=grid, spin=2),
        T,
        P,
    )


def test_the_full_sky_is_not_coupled(rng):
    f, p, T, P = maps(rng)
    fields = [masked_field(f, L, sampling=GRID), masked_field(p, L, spin=2, sampling=GRID)]
    bins = Bins.linear(L, 1)
    result = master(fields, bins=bins)
    expected = polarization_power(P, T)
    assert list(result.values) == list(expected)
    for name, cl in expected.items():
        np.testing.assert_allclose(result.values[name], cl[2:], rtol=CHAIN, atol=CHAIN)
        np.testing.assert_allclose(result.expected(expected)[name], cl[2:], rtol=CHAIN, atol=CHAIN)


def test_pseudo_spectra_are_those_of_the_products(rng):
    f, p, _, _ = maps(rng)
    mask, mask2 = smooth_mask(rng), smooth_mask(rng)
    T = masked_field(f, 2 * L, mask, sampling=GRID)
    P = masked_field(p, 2 * L, mask2, spin=2, sampling=GRID)
    assert pseudo_power(T).shape == (1, 2 * L) and pseudo_power(P, T).shape == (2, 2 * L)
    both = pseudo_power(P)
    np.testing.assert_allclose(both[1], both[2], rtol=IDENTITY)
    np.testing.assert_allclose(pseudo_power(T, P)[0], pseudo_power(P, T)[0], rtol=IDENTITY)
    np.testing.assert_array_equal(pseudo_power(T)[0], power(T.flm[0]))


def all_modes(spin, names):
    """Coefficients of every mode of T, or of E and of B, as (signal, flm of spin), real signals."""
    for ell in range(spin, L):
        for m in range(ell + 1):
            for phase in (1, 1j)[: 2 if m else 1]:
                flm = np.zeros(L * L, complex)
                flm[ell * (ell + 1) + m] = phase
                flm[ell * (ell + 1) - m] = (-1) ** m * np.conj(phase)
                flm /= np.linalg.norm(flm)
                for name in names:
                    zero = np.zeros_like(flm)
                    E_and_B = (flm, zero) if name == "E" else (zero, flm)
                    yield name, ell, flm if name == "T" else eb_to_spin(*E_and_B, spin=spin)


@pytest.mark.parametrize("spin, spin2", [(0, 0), (0, 2), (2, 2), (0, 1), (1, 2)])
def test_the_coupling_is_the_mean_over_all_modes(spin, spin2, rng):
    """Fields with one mode each, of unit variance: the mean pseudo-spectra are sums over the modes."""
    mask, mask2 = smooth_mask(rng), smooth_mask(rng)
    names = {s: ("E", "B") if s else ("T",) for s in (spin, spin2)}

    def pseudo_of(s, weights, flm):
        f = inverse(flm, L, sampling=GRID, spin=s, reality=s == 0)
        return masked_field(f, 2 * L, weights, spin=s, sampling=GRID)

    coupling = Coupling.of(
        pseudo_of(spin, mask, np.zeros(L * L, complex)),
        pseudo_of(spin2, mask2, np.zeros(L * L, complex)),
    )
    first = [[pseudo_of(spin, mask, flm), *k] for *k, flm in all_modes(spin, names[spin])]
    second = [[pseudo_of(spin2, mask2, flm), *k] for *k, flm in all_modes(spin2, names[spin2])]
    index = {}
    for field, name, ell in second:
        index.setdefault((name, ell), []).append(field)
    matrix = np.zeros((len(coupling.names), len(coupling.names), 2 * L, L))
    counter = {}
    for field, name, ell in first:
        number = counter.setdefault((name, ell), 0)
        counter[name, ell] += 1
        for name2 in names[spin2]:
            partners = index.get((name2, ell), [])
            if number < len(partners):
                column = coupling.names.index(name + name2)
                matrix[:, column, :, ell] += pseudo_power(field, partners[number])
    expected = coupling.matrix()[..., :L]
    scale = np.abs(expected).max()
    lowest = max(spin, spin2)
    np.testing.assert_allclose(
        matrix[..., lowest:] / scale, expected[..., lowest:] / scale, atol=CHAIN
    )


@pytest.mark.parametrize("grid", [MW(L), HEALPix(4)])
def test_gradients(grid, rng):
    mask = 1 + 0.5 * np.cos(grid.theta)
    mask = np.broadcast_to(mask[:, None] if grid.rectangular else mask, grid.shape)

    def bandpowers(f, q, u):
        T = masked_field(f, L, mask, sampling=grid)
        P = masked_field(q + 1j * u, L, mask, spin=2, sampling=grid)
        return anp.stack(list(master([T, P], bins=BINS).values.values()))

    f, q, u = rng.standard_normal((3, *grid.shape))
    assert_gradient(bandpowers, f, q, u)


def test_batches(rng):
    f = rng.standard_normal((2, 3, *GRID.shape))
    mask = smooth_mask(rng)
    T = masked_field(f, L, mask, sampling=GRID)
    values = master(T, bins=BINS).values["TT"]
    assert values.shape == (2, 3, BINS.n)
    alone = master(masked_field(f[1, 2], L, mask, sampling=GRID), bins=BINS).values["TT"]
    np.testing.assert_allclose(values[1, 2], alone, rtol=CHAIN)


def test_crosses_of_two_maps(rng):
    mask, mask2 = smooth_mask(rng), smooth_mask(rng)
    first, second = maps(rng), maps(rng)
    sets = [
        [masked_field(f, L, w, sampling=GRID), masked_field(p, L, w, spin=2, sampling=GRID)]
        for (f, p, _, _), w in ((first, mask), (second, mask2))
    ]
    result = master(*sets, bins=BINS)
    assert list(result.values) == ["TT", "EE", "BB", "TE", "EB", "ET", "BE", "TB", "BT"]
    exchanged = master(*sets[::-1], bins=BINS)
    for name, values in result.values.items():
        np.testing.assert_allclose(values, exchanged.values[name[::-1]], rtol=CHAIN, atol=CHAIN)


def test_beams_and_noise(rng):
    f, p, _, _ = maps(rng)
    mask, beam = smooth_mask(rng), np.exp(-0.01 * np.arange(L) ** 2)
    plain = master(masked_field(f, L, mask, sampling=GRID), bins=Bins.linear(L, 1)).values["TT"]
    T = masked_field(f, L, mask, sampling=GRID, beam=beam)
    corrected = master(T, bins=Bins.linear(L, 1)).values["TT"]
    np.testing.assert_allclose(corrected * beam[2:] ** 2, plain, rtol=CHAIN)
    N = pseudo_power(T)[0]
    without = master(T, bins=BINS, noise={"TT": N}).values["TT"]
    np.testing.assert_allclose(without, 0, atol=IDENTITY * np.abs(corrected).max())


def test_windows_of_a_binned_and_of_a_full_matrix(rng):
    _, p, _, _ = maps(rng)
    coupling = Coupling.of(masked_field(p, L, smooth_mask(rng), spin=2, sampling=GRID))
    binned = coupling.windows(BINS)
    coupling.matrix()
    other = coupling.with_matrix(coupling.matrix())
    np.testing.assert_allclose(other.windows(BINS), binned, atol=CHAIN)


def test_masks_are_analyzed_once(rng):
    values = smooth_mask(rng)
    mask = Mask(values, L, sampling=GRID)
    f, p, _, _ = maps(rng)
    T = masked_field(f, L, mask, sampling=GRID)
    P = masked_field(p, L, values, spin=2, sampling=GRID)
    assert "flm" not in vars(mask) and P.mask == mask
    shared = master([T, P], bins=BINS)
    assert "flm" in vars(mask) and "flm" not in vars(P.mask)
    separate = master([masked_field(f, L, values, sampling=GRID), P], bins=BINS)
    for name, cl in shared.values.items():
        np.testing.assert_array_equal(cl, separate.values[name])
    with pytest.raises(ValueError, match="the mask is of .* with L = 8.* pass the same"):
        masked_field(f, L - 1, mask, sampling=GRID)


def test_files(rng, tmp_path):
    _, p, _, _ = maps(rng)
    coupling = Coupling.of(masked_field(p, L, smooth_mask(rng), spin=2, sampling=GRID))
    path = tmp_path / "coupling.npz"
    write_coupling(path, coupling)
    again = read_coupling(path)
    assert np.array_equal(again.matrix(), coupling.matrix())
    assert (again.L, again.spins, again.pure, again.names) == (
        L,
        (2, 2),
        coupling.pure,
        coupling.names,
    )
    with pytest.raises(FileExistsError):
        write_coupling(path, coupling)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        read_coupling(path)
    with pytest.raises(TypeError, match="coupling is int"):
        write_coupling(tmp_path / "x.npz", 3)


def test_degrees_without_power(rng):
    P = masked_field(maps(rng)[1], L, smooth_mask(rng), spin=2, sampling=GRID)
    with pytest.raises(
        ValueError, match=r"no power of EE l = 0..1, BB l = 0..1; start at a higher"
    ):
        master(P, bins=Bins.linear(L, 2, start=0))


def test_fewer_modes_than_bins(rng):
    """A small disc does not determine single degrees."""
    grid = HEALPix(16)
    mask = (grid.theta < 0.3).astype(float)
    T = masked_field(rng.standard_normal(grid.shape), 32, mask, sampling=grid)
    with pytest.raises(
        ValueError, match="1.96% of the sphere.* fewer than the 30 bins; pass wider"
    ):
        master(T, bins=Bins.linear(32, 1))


def bad_calls():
    grid, f = HEALPix(2), np.ones(48)
    T, T3 = masked_field(f, 4, sampling=grid), masked_field(f, 3, sampling=grid)
    bins = Bins.linear(4, 1)
    nan = np.where(np.arange(48) == 3, np.nan, 1)
    field = dict(sampling=grid)
    return [
        (lambda: masked_field(f, 4, -f, **field), ValueError, "48 are below 0"),
        (lambda: masked_field(f, 4, f[:12], **field), ValueError, r"mask has shape \(12,\)"),
        (lambda: masked_field(f, 4, 0 * f, **field), ValueError, "not all 0"),
        (lambda: masked_field(nan, 4, f, **field), ValueError, "NaN"),
        (lambda: masked_field(f + 1j, 4, **field), TypeError, "f is complex"),
        (
            lambda: masked_field(f, 4, beam=np.ones(3), **field),
            ValueError,
            r"beam has shape \(3,\)",
        ),
        (
            lambda: masked_field(f, 4, beam=np.full(4, np.nan), **field),
            ValueError,
            "beam contains NaN",
        ),
        (lambda: masked_field(f, 4, names=("T", "P"), **field), ValueError, "expected 1 letter"),
        (lambda: masked_field(f, 4, purify="B", **field), ValueError, "only fields of spin 2"),
        (lambda: masked_field(f + 0j, 4, spin=2, purify="T", **field), ValueError, "purify is 'T'"),
        (lambda: masked_field(f, 4, iterations=-1, **field), ValueError, "iterations is -1"),
        (lambda: pseudo_power(T, T3), ValueError, "band-limits 4 and 3"),
        (lambda: pseudo_power(f), TypeError, "got ndarray; expected fields"),
        (lambda: master(T, bins=Bins.linear(5, 1)), ValueError, "bins have the band-limit 5"),
        (lambda: master(T, bins=4), TypeError, "bins is int"),
        (lambda: master([T, T], bins=bins), ValueError, "signals T, T; expected"),
        (lambda: master([], bins=bins), ValueError, "at least one"),
        (lambda: master(f, bins=bins), TypeError, "contains .*float64; expected fields"),
        (lambda: master(T, bins=bins, noise={"EE": 1}), ValueError, "noise has the spectra EE"),
        (
            lambda: master(T, bins=bins, noise={"TT": [1, 2]}),
            ValueError,
            r"noise TT has shape \(2,\)",
        ),
        (lambda: master(T, bins=bins, noise={"TT": np.inf}), ValueError, "noise TT contains NaN"),
        (lambda: master(T, bins=bins, noise=3.0), TypeError, "noise is float"),
        (lambda: Coupling.of(T).couple(np.ones(4)), ValueError, r"cl has shape \(4,\)"),
        (lambda: master(T, bins=bins).expected({"TT": np.ones(3)}), ValueError, "at least 4"),
    ]


@pytest.mark.parametrize("call, error, words", bad_calls())
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
