"""Missing samples: one rule for every reader, transform and picture."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import IDENTITY

import spherekit
import spherekit as sk
from spherekit import io
from spherekit.io.missing import is_missing, missing_samples, refuse_missing_weights
from spherekit.plot.projection import valid_samples
from spherekit.sampling import HEALPix
from spherekit.sampling.healpix import UNSEEN
from spherekit.spectra import remove_monopole_dipole

FLOATS = [np.float16, np.float32, np.float64, np.dtype(">f4"), np.dtype(">f8"), np.complex64]


@pytest.mark.parametrize("dtype", FLOATS)
def test_what_is_missing(dtype):
    single = np.finfo(dtype).bits == 16
    values = np.array([1, np.nan, 2, 1 if single else UNSEEN, 0, -3], dtype)
    expected = [False, True, False, not single, False, False]
    assert missing_samples(values).tolist() == is_missing(values).tolist() == expected
    assert valid_samples(values).tolist() == [not lost for lost in expected]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.uint64])
def test_integers_miss_only_what_is_declared(dtype):
    values = np.array([0, 1, 1], dtype)
    assert not missing_samples(values).any()
    if dtype is not bool:
        assert missing_samples(values, null=1).tolist() == [False, True, True]
        assert not missing_samples(values, null=-99).any()


def test_unseen_in_single_precision_and_in_either_part():
    assert is_missing(np.array([np.float64(np.float32(UNSEEN))])).all()
    assert is_missing(np.array([1 + 1j * UNSEEN, UNSEEN, np.nan * 1j, 1])).tolist() == [1, 1, 1, 0]


@settings(deadline=None, max_examples=200)
@given(
    factor=st.floats(1e-9, 1e7),
    scale=st.floats(-12, 12).map(lambda x: 10**x),
    lost=st.integers(1, 47),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_unseen_times_a_factor_is_refused_with_its_count(factor, scale, lost, dtype):
    """However many samples of the sky they are."""
    sky = np.random.default_rng(0).standard_normal(48) * scale * factor
    sky[:lost] = UNSEEN * factor
    sky = sky.astype(dtype)
    if is_missing(sky).any():  # a factor of 1
        return
    with pytest.raises(ValueError, match=f"{lost} of 48 samples of the map exceed 1e15 times"):
        missing_samples(sky)


@settings(deadline=None, max_examples=200)
@given(
    exponent=st.integers(-280, 270),
    scale=st.floats(-12, 12).map(lambda x: 10**x),
    lost=st.integers(1, 47),
    sign=st.sampled_from([1, -1]),
)
def test_unseen_in_another_unit_is_refused(exponent, scale, lost, sign):
    """UNSEEN times any power of ten, however many samples of the sky it is."""
    sky = np.random.default_rng(0).standard_normal(48) * scale
    sky[:lost] = UNSEEN
    sky *= sign * 10.0**exponent
    if is_missing(sky).any():  # a factor of 1
        return
    with pytest.raises(ValueError, match=f"{lost} of 48 samples of the map exceed 1e15 times"):
        missing_samples(sky)


@pytest.mark.parametrize("size", [1.6375, 1.6375e18, -1.6375e-12, 1.6375e40, 3.0, 1e19])
def test_constants_with_rounding_are_measurements(size):
    """Whatever their digits are, with zeros and what is up to fourteen decades smaller."""
    sky = np.full(48, size)
    assert not missing_samples(sky).any()
    sky[:5] = size * np.array([0, 1e-14, 1e-7, 0.5, -1])
    assert not missing_samples(sky).any()


@settings(deadline=None, max_examples=200)
@given(exponent=st.floats(-300, 290), decades=st.floats(0, 14), zeros=st.integers(0, 40))
def test_measurements_at_any_scale_are_accepted(exponent, decades, zeros):
    """Fourteen decades beside each other, zeros, and any unit."""
    sky = 10 ** np.linspace(0, decades, 48) * np.where(np.arange(48) % 2, 1, -1)
    sky[:zeros] = 0
    assert not missing_samples(sky * 10**exponent).any()
    for sky in (np.zeros(12), np.ones(1), np.zeros(0), np.full(3, np.nan), np.full(3, UNSEEN)):
        assert np.array_equal(missing_samples(sky), is_missing(sky))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_infinite_samples_are_refused(bad, dtype):
    with pytest.raises(ValueError, match="2 of 5 samples of the map are infinite"):
        missing_samples(np.array([1, bad, bad, np.nan, 2], dtype))


@pytest.mark.parametrize("bad", [np.nan, UNSEEN, np.float32(UNSEEN)])
def test_masks_with_missing_samples(bad):
    refuse_missing_weights(np.array([0.0, 0.5, 1.0]))
    with pytest.raises(ValueError, match="1 of 2 samples of the mask are NaN or UNSEEN"):
        refuse_missing_weights(np.array([0.0, bad]))


def column(kind, values, null=None):
    values = np.asarray(values)
    return fits.Column("T", kind, array=values, null=null)


def write(path, columns, ordering="RING", **header):
    return table(path, columns, **({"ORDERING": ordering, **header} if ordering else header))


@pytest.mark.parametrize("kind", ["B", "I", "J", "K"])
def test_tnull_of_integer_columns(tmp_path, kind):
    values = np.arange(12)
    sky = io.read_map(write(tmp_path / "map.fits", [column(kind, values, null=7)]))
    assert sky.values.tolist() == [*range(7), UNSEEN, *range(8, 12)]


@pytest.mark.parametrize(("scale", "zero"), [(0.5, 0.0), (1.0, 100.0), (2.0, -3.0)])
def test_tnull_is_of_the_stored_numbers(tmp_path, scale, zero):
    """A physical value that equals TNULL is no null, and a stored one is whatever it scales to."""
    stored = np.array([-99, *range(1, 12)])
    stored[5] = int((-99 - zero) / scale)
    header = dict(TNULL1=-99, TSCAL1=scale, TZERO1=zero)
    sky = io.read_map(write(tmp_path / "map.fits", [column("J", stored)], **header))
    assert np.array_equal(sky.values[1:], stored[1:] * scale + zero) and sky.values[0] == UNSEEN


def test_unsigned_integers(tmp_path):
    values = np.array([0, 65535, *range(1, 11)], np.uint16)
    path = write(tmp_path / "map.fits", [fits.Column("T", "I", array=values, bzero=32768)])
    assert np.array_equal(io.read_map(path).values, values)
    path = write(
        tmp_path / "map.fits", [fits.Column("T", "I", array=values, bzero=32768)], TNULL1=32767
    )  # the stored number of 65535
    assert np.flatnonzero(io.read_map(path).values == UNSEEN).tolist() == [1]


@pytest.mark.parametrize("kind", ["D", "E", "J"])
@pytest.mark.parametrize("stated", [-32768, -32768.0, "-3.2768E+04"])
def test_bad_data(tmp_path, kind, stated):
    values = np.array([1, -32768, *range(10)])
    sky = io.read_map(write(tmp_path / "map.fits", [column(kind, values)], BAD_DATA=stated))
    assert is_missing(sky.values).tolist() == [False, True] + 10 * [False]


@pytest.mark.parametrize("kind", ["E", "D", "I", "J", "K"])
@pytest.mark.parametrize("bad", [-999, -999.0, "-999"])
@pytest.mark.parametrize(("scale", "zero"), [(2.0, 0.0), (1.0, 5.0), (0.5, -3.0)])
@pytest.mark.parametrize("where", ["table", "primary"])
def test_bad_data_of_scaled_columns(tmp_path, kind, bad, scale, zero, where):
    """The stored number is meant, or what it scales to: neither is a measurement."""
    stored = np.array([-999.0, (-999 - zero) / scale, *range(10)])
    kind = "D" if stored[1] % 1 and kind in "IJK" else kind
    own, primary = ({"BAD_DATA": bad}, {}) if where == "table" else ({}, {"BAD_DATA": bad})
    scaled = dict(TSCAL1=scale, TZERO1=zero, ORDERING="RING")
    path = table(tmp_path / "map.fits", [column(kind, stored)], primary, **scaled, **own)
    sky = io.read_map(path)
    assert is_missing(sky.values).tolist() == [True, True] + 10 * [False]
    np.testing.assert_allclose(sky.values[2:], np.arange(10) * scale + zero, rtol=1e-6)


@pytest.mark.parametrize("kind", "BIJK")
@pytest.mark.parametrize("scale", [1, 0.5, 2, -1])
@pytest.mark.parametrize("zero", [0, 1.5, -128, 2**15, 2**31, 2**63, -(2**63)])
def test_scaled_integers(tmp_path, kind, scale, zero):
    """Of every size, those with the zeros of unsigned numbers too."""
    stored = np.arange(12)
    path = write(tmp_path / "map.fits", [column(kind, stored)])
    for key, value in (("TSCAL1", scale), ("TZERO1", zero)):
        fits.setval(path, key, value=value, ext=1)
    values = io.read_table(path).columns["T"]
    assert np.array_equal(values.astype(float), stored * float(scale) + float(zero))


def test_bad_data_is_not_a_pixel_number(tmp_path):
    columns = [fits.Column("PIXEL", "J", array=[0, 1]), fits.Column("T", "E", array=[0, 2])]
    path = write(tmp_path / "map.fits", columns, NSIDE=1, BAD_DATA=0, INDXSCHM="EXPLICIT")
    sky = io.read_map(path)
    assert sky.values[:2].tolist() == [np.float32(UNSEEN), 2]


def test_scaled_float_columns_keep_unseen(tmp_path):
    values = np.array([UNSEEN, np.nan, *range(10)])
    sky = io.read_map(write(tmp_path / "map.fits", [column("E", values)], TSCAL1=1e-3))
    assert is_missing(sky.values).tolist() == [True, True] + 10 * [False]
    assert sky.values[5] == pytest.approx(3e-3)


def test_undefined_logicals(tmp_path):
    path = write(tmp_path / "map.fits", [column("L", np.ones(12, bool))])
    assert io.read_map(path).values.tolist() == 12 * [1.0]
    content = path.read_bytes()
    at = content.index(12 * b"T", 2880)
    path.write_bytes(content[:at] + b"TFT\x00" + content[at + 4 :])
    assert io.read_map(path).values[:4].tolist() == [1, 0, 1, UNSEEN]


def test_nulls_of_text_tables(tmp_path):
    """astropy reads them as zeros."""
    hdu = fits.TableHDU.from_columns(
        [fits.Column("T", "I6", array=np.arange(12), ascii=True, null="***")]
    )
    hdu.writeto(tmp_path / "map.fits")
    content = (tmp_path / "map.fits").read_bytes()
    (tmp_path / "map.fits").write_bytes(content.replace(b"    11", b"   ***"))
    result = io.read_map(tmp_path / "map.fits", ordering="ring").values
    assert result.tolist() == [*range(11), UNSEEN]


def test_a_scaled_sentinel_in_a_file_is_refused(tmp_path):
    sky = np.ones(12)
    sky[3:] = UNSEEN
    with pytest.raises(ValueError, match="map.fits: 9 of 12 samples of the column T exceed 1e15"):
        io.read_map(write(tmp_path / "map.fits", [column("D", sky * 1e6)]))
    sky[3:] = np.inf
    with pytest.raises(ValueError, match="9 of 12 samples of the column T are infinite"):
        io.read_map(write(tmp_path / "map.fits", [column("D", sky)]))
    with pytest.raises(ValueError, match="1 of 12 samples of the field TEMPERATURE are infinite"):
        io.write_map(tmp_path / "out.fits", np.append(np.ones(11), np.inf))
    assert not (tmp_path / "out.fits").exists()


def test_transforms_follow_the_same_rule():
    f = np.ones((8, 15))
    f[2, 3] = UNSEEN * 1e6
    with pytest.raises(ValueError, match="1 of 120 samples of the map exceed 1e15"):
        spherekit.forward(f, 8)
    f[2, 3] = UNSEEN
    with pytest.raises(ValueError, match="1 are UNSEEN"):
        spherekit.forward(f, 8)
    f[2, 3] = 1.5
    expected = 1e100 * spherekit.forward(f, 8)
    assert np.abs(spherekit.forward(1e100 * f, 8) - expected).max() < IDENTITY * 1e100


@pytest.mark.parametrize("value", [np.nan, UNSEEN, np.inf])
def test_spectra_and_coefficients_are_whole_or_refused(value, tmp_path):
    io.write_cl(tmp_path / "cl.fits", np.ones(12))
    path = write(tmp_path / "cl.fits", [column("D", [1, value, *range(10)])], None)
    with pytest.raises(ValueError, match="1 of 12 values of the column T are missing"):
        io.read_cl(path)
    columns = [fits.Column("index", "J", array=[1]), fits.Column("real", "D", array=[value])]
    columns += [fits.Column("imag", "D", array=[0.0])]
    with pytest.raises(ValueError, match="1 of 1 coefficients are missing or infinite"):
        io.read_alm(write(tmp_path / "alm.fits", columns))


def test_large_nulls_are_told_apart(tmp_path):
    """Two integers that are the same as float64."""
    values = np.array([2**53, 2**53 + 1, *range(10)])
    path = write(tmp_path / "map.fits", [column("K", values, null=2**53 + 1)])
    assert is_missing(io.read_table(path).columns["T"]).tolist() == [False, True] + 10 * [False]
    write(path, [column("K", values)], TNULL1=str(2**53 + 1))
    assert is_missing(io.read_table(path).columns["T"]).tolist() == [False, True] + 10 * [False]


def test_a_beam_falls_off_through_all_magnitudes(tmp_path):
    """What is far from the center of a narrow beam is small, not missing, and the center is no sentinel."""
    theta = HEALPix(8).theta
    beam = np.exp(-0.5 * (theta / np.radians(10)) ** 2)
    assert beam.max() > 1e15 * np.median(beam)
    assert not missing_samples(beam).any()
    io.write_map(tmp_path / "beam.fits", beam)
    assert np.array_equal(io.read_map(tmp_path / "beam.fits").values, beam)
    apart = np.where(np.arange(beam.size) == 5, 1e30, beam)
    with pytest.raises(ValueError, match="1 of 768"):
        missing_samples(apart)


@pytest.mark.parametrize("factor", [1e-12, 1e-9, 1e-6, 1e-3, 1e3, 1e6])
def test_unseen_in_another_unit_is_refused_by_transforms(factor):
    """As the readers do: in arrays too."""
    f = np.random.default_rng(0).standard_normal(192)
    f[:5] = UNSEEN
    options = dict(sampling="healpix:4", reality=True)
    for call in (sk.forward, sk.analyse):
        with pytest.raises(ValueError, match="5 of 192|5 are UNSEEN"):
            call(factor * f, 4, **options)
    with pytest.raises(ValueError, match="5 of 192|5 are UNSEEN"):
        remove_monopole_dipole(factor * f, sampling="healpix:4")
