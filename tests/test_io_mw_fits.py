"""MW and MWSS maps of s2let and ssht.

The files are written here as the C code of s2let (``s2let_fits.c``) and its MATLAB function
(``s2let_mw_write_real_map.m``) write them, with their keys, types and order of samples: no real file of them
was at hand.
"""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spherekit
from spherekit import harmonic, io
from spherekit.sampling import DH, MW, MWSS
from spherekit.sampling.healpix import UNSEEN
from spherekit.testing import random_flm


def s2let_table(path, L, columns, mwss=False, **header):
    """As ``s2let_fits_mw_write_map`` and ``s2let_fits_mwss_write_map``: one sample a row, rings in turn."""
    columns = [fits.Column(name, "1D", unit=" ", array=x.ravel()) for name, x in columns.items()]
    hdu = fits.BinTableHDU.from_columns(columns, name="BINTABLE")
    hdu.header["L"] = (L, "Resolution parameter")
    if mwss:
        hdu.header["MWSS"] = (1, "Sampling scheme parameter")
    hdu.header.update(header)
    hdu.writeto(path, overwrite=True)
    return path


def matlab_image(path, L, samples):
    """As ``fitswrite`` of one row of all rings, with the key L."""
    hdu = fits.PrimaryHDU(samples.reshape(1, -1))
    hdu.header["L"] = L
    hdu.writeto(path, overwrite=True)
    return path


@pytest.mark.parametrize("grid", [MW(1), MW(5), MWSS(5), MW(16), MWSS(16)])
def test_maps_of_the_c_code(tmp_path, grid, rng):
    samples = rng.standard_normal(grid.shape)
    path = s2let_table(tmp_path / "m.fits", grid.L, {"SIGNAL": samples}, isinstance(grid, MWSS))
    sky = io.read_mw(path)
    assert sky.grid == grid and np.array_equal(sky.values, samples)
    assert (sky.names, sky.units, sky.spin, sky.frame) == (("SIGNAL",), ("",), None, "")
    assert np.array_equal(io.read(path).values, samples)


@pytest.mark.parametrize("grid", [MW(6), MWSS(6)])
def test_spin_maps_of_the_c_code(tmp_path, grid, rng):
    q, u = rng.standard_normal((2, *grid.shape))
    columns = {"Q_POLARISATION": q, "U_POLARISATION": u}
    path = s2let_table(tmp_path / "m.fits", 6, columns, isinstance(grid, MWSS))
    sky = io.read_mw(path)
    assert sky.names == tuple(columns) and sky.spin == 2
    assert np.array_equal(sky.values, [q, u])
    fits.setval(path, "POLCCONV", value="IAU", ext=1)
    assert np.array_equal(io.read_mw(path).values, [q, -u])


@pytest.mark.parametrize("grid", [MW(6), MWSS(6)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_images_of_matlab(tmp_path, grid, dtype, rng):
    samples = (100 * rng.standard_normal(grid.shape)).astype(dtype)
    sky = io.read_mw(matlab_image(tmp_path / "m.fits", 6, samples))
    assert np.array_equal(io.read(tmp_path / "m.fits").values, sky.values)
    assert sky.grid == grid and np.array_equal(sky.values, samples)
    assert (
        sky.values.dtype == (dtype if dtype != np.int16 else np.float64)
        and sky.values.dtype.isnative
    )


@pytest.mark.parametrize("grid", [MW(8), MWSS(8)])
@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
def test_a_signal_and_its_coefficients(tmp_path, grid, suffix, rng):
    flm = random_flm(8, rng, reality=True)
    samples = harmonic.inverse(flm, 8, sampling=grid, reality=True)
    sky = io.Map(samples, grid, "T", "uK", frame="galactic", history=["simulated"])
    path = tmp_path / f"map.{suffix}"
    io.write_mw(sky, path)
    result = io.read_mw(path)
    assert np.array_equal(result.values, samples) and result.grid == grid
    assert (result.names, result.units, result.frame) == (("T",), ("uK",), "galactic")
    assert result.history == ("simulated", f"spherekit {spherekit.__version__}")
    again = harmonic.forward(result.values, 8, sampling=result.grid, reality=True)
    assert np.allclose(again, flm, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spin", [1, 2, None])
def test_pairs_and_missing_samples(tmp_path, dtype, spin, rng):
    values = rng.standard_normal((2, *MWSS(4).shape)).astype(dtype)
    values[0, 0, 0] = np.nan
    values[1, 2, 3] = UNSEEN
    names = ("Q", "U") if spin != 1 else ("u", "v")
    io.write_mw(io.Map(values, "mwss:4", names, "K", spin=spin), tmp_path / "m.fits")
    sky = io.read_mw(tmp_path / "m.fits")
    assert np.array_equal(sky.values, values, equal_nan=True) and sky.values.dtype == dtype
    assert sky.names == (("Q_POLARISATION", "U_POLARISATION") if spin != 1 else names)
    assert sky.spin == (spin or 2) and sky.units == ("K", "K")


def test_what_cannot_be_written(tmp_path):
    def refused(message, *args, **options):
        with pytest.raises(ValueError, match=message):
            io.write_mw(io.Map(*args, **options), tmp_path / "no.fits")

    refused("expected MW", np.ones((16, 15)), DH(8))
    refused("expected MW", np.ones((4, 9)), MW(4, n_phi=9))
    refused("axes time", np.ones((2, 4, 7)), "mw:4", axes={"time": [0, 1]})
    refused("dtype complex128", np.ones((4, 7), complex), "mw:4")
    refused(
        "1 samples of the map are infinite",
        np.where(np.arange(28) == 3, np.inf, 1).reshape(4, 7),
        "mw:4",
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("L", "n", "header", "message"),
    [
        (
            4,
            27,
            {},
            "has L = 4, but the columns have .27. samples; expected 28 of MW.4. or 40 of MWSS.4.",
        ),
        (4, 28, dict(MWSS=1), "has L = 4 and MWSS = 1, but"),
        (4, 40, dict(MWSS=0), "has L = 4 and MWSS = 0, but"),
        (4, 28, dict(MWSS="x"), "MWSS = 'x'; expected 0 or 1"),
        (0, 28, {}, "L = 0; expected a band-limit"),
        (-4, 28, {}, "L = -4; expected a band-limit"),
        (2**62, 28, {}, "expected a band-limit"),
        ("x", 28, {}, "L = 'x'"),
        (4.5, 28, {}, "L = 4.5"),
        (4, 28, dict(COORDSYS="Mars"), "the frame must be one of"),
    ],
)
def test_headers_that_contradict_the_samples(tmp_path, L, n, header, message):
    path = s2let_table(tmp_path / "map.fits", L, {"SIGNAL": np.ones(n)}, **header)
    with pytest.raises(ValueError, match=message) as refusal:
        io.read_mw(path)
    assert "map.fits" in str(refusal.value)


def test_columns_whose_sign_in_the_iau_convention_is_unknown(tmp_path):
    """One column is not changed, as of HEALPix maps; of several, which may include U, none is read."""
    path = s2let_table(tmp_path / "one.fits", 4, {"SIGNAL": np.ones(28)}, POLCCONV="IAU")
    assert io.read_mw(path).polcconv == "IAU" and (io.read_mw(path).values == 1).all()
    columns = {"A": np.ones(28), "B": np.ones(28)}
    path = s2let_table(tmp_path / "two.fits", 4, columns, POLCCONV="IAU")
    with pytest.raises(ValueError, match="POLCCONV = IAU, but its columns are not Q and U"):
        io.read_mw(path)


def test_other_files(tmp_path):
    io.write_map(tmp_path / "h.fits", np.ones(12))
    with pytest.raises(ValueError, match="has no key L, or is a HEALPix map"):
        io.read_mw(tmp_path / "h.fits")
    fits.PrimaryHDU(np.ones((4, 7))).writeto(tmp_path / "i.fits")
    with pytest.raises(ValueError, match="has an image without the key L"):
        io.read_mw(tmp_path / "i.fits")
    (tmp_path / "t.txt").write_text("1 2 3")
    with pytest.raises(ValueError, match="it is text"):
        io.read_mw(tmp_path / "t.txt")
    samples = np.ones(28)
    samples[3] = np.inf
    with pytest.raises(ValueError, match="1 of 28 samples of the column SIGNAL are infinite"):
        io.read_mw(s2let_table(tmp_path / "inf.fits", 4, {"SIGNAL": samples}))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    form=st.sampled_from(["table", "image"]),
    cut=st.none() | st.integers(0, 9000),
    changes=st.lists(
        st.tuples(st.integers(0, 9000), st.binary(min_size=1, max_size=8)), max_size=4
    ),
)
def test_damaged_files(tmp_path_factory, form, cut, changes):
    """Truncated files and random bytes: samples, or an error that names the file."""
    path = tmp_path_factory.mktemp("d") / "map.fits"
    if form == "table":
        s2let_table(path, 4, {"SIGNAL": np.arange(28.0)})
    else:
        matlab_image(path, 4, np.arange(28.0))
    content = bytearray(path.read_bytes())
    for at, new in changes:
        content[at : at + len(new)] = new
    path.write_bytes(content[:cut])
    try:
        sky = io.read_mw(path)
    except (ValueError, MemoryError) as error:
        assert "map.fits" in str(error) or isinstance(error, MemoryError)
        return
    assert sky.values.shape[-2:] == sky.grid.shape
