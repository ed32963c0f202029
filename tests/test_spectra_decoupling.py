"""Bins that are too narrow, beams that vanish, couplings in files, values that cannot be changed."""

import warnings

import numpy as np
import pytest
from tolerances import CHAIN

from spherekit.sampling import HEALPix
from spherekit.spectra import (
    Bins,
    Coupling,
    Mask,
    apodize,
    gaussian_beam,
    masked_field,
    master,
    pseudo_power,
    read_coupling,
    write_coupling,
)

L = 64
GRID = HEALPix(32)
CAP = Mask(GRID.theta < np.radians(20), L, GRID)
ZEROS = np.zeros(GRID.theta.size)


def warnings_of(mask, bins, **options):
    """The messages of the coupling of a mask and bins."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Coupling.of(masked_field(ZEROS, L, mask, sampling=GRID, **options)).windows(bins)
    return [str(w.message) for w in caught]


def test_errors_of_narrow_bins(rng):
    """Noise in narrow bins has the errors that the warning states, in wide ones those of the sky fraction."""
    noise = rng.standard_normal((60, ZEROS.size))
    field = masked_field(noise, L, CAP)
    coupling = Coupling.of(field)
    for width, is_narrow in ((4, True), (9, False)):
        bins = Bins.linear(L, width, start=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = coupling.decouple(pseudo_power(field), bins)[:, 0]
        modes = (bins.stop**2 - bins.first**2) * CAP.fraction
        ratio = values.std(axis=0) / (4 * np.pi / ZEROS.size * np.sqrt(2 / modes))
        assert (ratio.max() > 10) == is_narrow, ratio
        assert bool(warnings_of(CAP, bins)) == is_narrow


def test_the_message_on_narrow_bins():
    (message,) = warnings_of(CAP, Bins.linear(L, 4))
    assert "of TT l = " in message and "the condition number of the coupling matrix is" in message
    assert (
        "pass bins of at least about 9 degrees (pi / the radius of the observed region)" in message
    )
    field = masked_field(ZEROS, L, CAP, names=("A",))
    with pytest.warns(UserWarning, match="of AA l = .* times those of wide bins"):
        master(field, bins=Bins.linear(L, 4))


@pytest.mark.parametrize("width", [9, 12, 20])
def test_bins_of_the_resolution_of_the_mask(width):
    smooth = Mask(apodize(CAP.values, np.radians(5), sampling=GRID), L, GRID)
    bins = Bins.linear(L, width)
    for mask in (CAP, smooth):
        for beam in (None, gaussian_beam(np.radians(3), L)):
            assert warnings_of(mask, bins, beam=beam) == []
    assert warnings_of(None, Bins.linear(L, 1)) == []


def test_beams_that_nearly_vanish():
    beam = np.where(np.arange(L) < 40, 1.0, 1e-9)
    coupling = Coupling.of(masked_field(ZEROS, L, CAP, beam=beam))
    with pytest.raises(ValueError, match=r"at most 1e-18 in the bins TT l = 42..51, TT l = 52..63"):
        coupling.windows(Bins.linear(L, 10))
    coupling.windows(Bins.from_edges([2, 12, 22, 32, 40], L))
    small = Coupling.of(masked_field(ZEROS, L, CAP, beam=np.full(L, 1e-9)))
    assert np.isfinite(small.windows(Bins.linear(L, 10))).all()


def test_the_bandpower_of_degree_0():
    coupling = Coupling.of(masked_field(ZEROS, L, None, sampling=GRID))
    with pytest.raises(ValueError, match=r"the first bin is l = 0 alone, and dl=True: D_0"):
        coupling.windows(Bins.linear(L, 1, start=0, dl=True))
    assert coupling.windows(Bins.linear(L, 1, start=0)).shape == (1, 1, L, L)
    coupling.windows(Bins.linear(L, 2, start=0, dl=True))


def test_values_behind_caches_are_read_only():
    first, weights = np.array([2, 10]), np.ones(L)
    bins = Bins(first, [10, 20], L, weights)
    field = masked_field(ZEROS, L, CAP)
    coupling = Coupling.of(field)
    arrays = [bins.first, bins.stop, bins.weights, coupling.beam, coupling.mask_power]
    arrays += [coupling.matrix(), field.flm, field.beam, field.mask.flm, field.mask.values]
    for x in arrays:
        with pytest.raises(ValueError, match="read-only"):
            x[...] = 0
    before = hash(bins)
    first[0], weights[:] = 3, 2
    assert hash(bins) == before and bins.first[0] == 2 and bins.weights[0] == 1
    assert bins == Bins([2, 10], [10, 20], L) != Bins([3, 10], [10, 20], L)
    mask_power = coupling.mask_power.copy()
    mine = Coupling(mask_power, L, (0, 0), ((False,),) * 2, np.ones((1, L)), ("TT",))
    mask_power[:] = 0
    np.testing.assert_allclose(mine.matrix(), coupling.matrix(), rtol=CHAIN)


def test_masks_of_couplings_in_files(tmp_path):
    coupling = Coupling.of(masked_field(ZEROS, L, CAP))
    path = tmp_path / "coupling.npz"
    write_coupling(path, coupling, masks=CAP)
    for masks in (CAP, [CAP], (CAP, CAP)):
        assert np.array_equal(read_coupling(path, masks=masks).beam, coupling.beam)
        write_coupling(path, coupling, masks=masks, overwrite=True)
    south = Mask(GRID.theta > 2, L, GRID)
    with pytest.raises(ValueError, match="of other masks"):
        read_coupling(path, masks=south)
    for masks, words in (
        (south, "the coupling is that of other masks"),
        ([CAP, south], "the coupling is that of other masks"),
        ([CAP] * 3, "masks has 3 masks"),
        (Mask(CAP.values, L + 1, GRID), "the masks are of L = 65, the coupling of 64"),
    ):
        with pytest.raises(ValueError, match=words):
            write_coupling(tmp_path / "x.npz", coupling, masks=masks)
    for masks in (CAP.values, 3, [CAP.values]):
        for function in (
            lambda masks: write_coupling(tmp_path / "x.npz", coupling, masks=masks),
            lambda masks: read_coupling(path, masks=masks),
        ):
            with pytest.raises(TypeError, match="expected spherekit.spectra.Mask"):
                function(masks)
    assert not (tmp_path / "x.npz").exists()


def test_files_of_another_kind(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, f=np.ones(3))
    with pytest.raises(ValueError, match="is no coupling; expected a file of .*write_coupling"):
        read_coupling(path)
