"""Maps of part of the sky, in NESTED order, of integers, in several tables, with a history."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spherekit
from spherekit import io
from spherekit.io.missing import is_missing
from spherekit.sampling.healpix import UNSEEN, reorder, ring2nest

VERSION = f"spherekit {spherekit.__version__}"


@pytest.mark.parametrize("ordering", ["ring", "nested"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_part_of_the_sky(tmp_path, rng, ordering, dtype):
    path = tmp_path / "map.fits"
    values = rng.standard_normal((2, 768)).astype(dtype)
    values[:, 100:] = UNSEEN
    values[1, 3] = np.nan  # the other field has a sample there
    io.write_map(path, values, column=["A", "B"], partial=True, ordering=ordering)
    sky = io.read_map(path, field=None)
    assert np.array_equal(sky.values, values, equal_nan=True) and sky.values.dtype == dtype
    header = fits.getheader(path, 1)
    assert (header["INDXSCHM"], header["OBJECT"], header["NSIDE"]) == ("EXPLICIT", "PARTIAL", 8)
    assert (header["OBS_NPIX"], header["NAXIS2"], header["TTYPE1"]) == (100, 100, "PIXEL")
    pixels = io.read_table(path).columns["PIXEL"]
    expected = np.arange(100) if ordering == "ring" else np.sort(ring2nest(8, np.arange(100)))
    assert np.array_equal(pixels, expected) and pixels.dtype == np.int32
    assert path.stat().st_size < 5 * 2880


@pytest.mark.parametrize("ordering", ["ring", "nested"])
def test_samples_of_these_pixels(tmp_path, rng, ordering):
    pixels = rng.permutation(768)[:50]
    values = {"T": rng.standard_normal(50), "HITS": rng.integers(0, 9, 50)}
    io.write_map(tmp_path / "map.fits", values, pixels=pixels, nside=8, ordering=ordering)
    sky = io.read_map(tmp_path / "map.fits", field=None)
    expected = np.full((2, 768), UNSEEN)
    expected[:, pixels] = list(values.values())
    assert np.array_equal(sky.values, expected)
    hits = io.read_map(tmp_path / "map.fits", field="HITS", native=True)
    assert hits.values.dtype == np.float64  # integers have no value for the other pixels


def test_parts_of_the_sky_that_are_refused(tmp_path):
    def refused(message, *args, error=ValueError, **options):
        with pytest.raises(error, match=message):
            io.write_map(tmp_path / "no.fits", *args, **options)

    refused("pixels needs nside", np.ones(2), pixels=[0, 1])
    refused("1 of them repeated", np.ones(2), pixels=[1, 1], nside=2)
    refused("numbers 0 to 48", np.ones(2), pixels=[0, 48], nside=2)
    refused("numbers -1 to 1", np.ones(2), pixels=[-1, 1], nside=2)
    refused(r"shape \(3,\), with 2 samples", np.ones(2), pixels=[0, 1, 2], nside=2)
    refused("at least one", np.ones((1, 0)), pixels=np.zeros(0, int), nside=2)
    refused(
        "dtype float64; expected integers", np.ones(2), pixels=[0.5, 1], nside=2, error=TypeError
    )
    refused("all samples are missing", np.full(12, UNSEEN), partial=True)
    refused("nside is 2, but the values are those of nside 1", np.ones(12), nside=2)
    refused("power of two", np.ones(108), ordering="nested")
    refused("power of two", np.ones(1), pixels=[0], nside=3, ordering="nested")
    refused('"ring" or "nested"', np.ones(12), ordering="nest")
    assert not list(tmp_path.iterdir())


DTYPES = [bool, np.uint8, np.int16, np.int32, np.int64, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ordering", ["ring", "nested"])
@pytest.mark.parametrize("order", ["=", ">"])
def test_numbers_keep_their_type(tmp_path, rng, dtype, ordering, order):
    dtype = np.dtype(dtype).newbyteorder(order)
    values = rng.integers(0, 2, 3072).astype(dtype)
    io.write_map(tmp_path / "map.fits", values, ordering=ordering)
    sky = io.read_map(tmp_path / "map.fits", native=True)
    assert np.array_equal(sky.values, values) and sky.values.dtype == dtype.newbyteorder("=")
    assert sky.values.dtype.isnative
    floating = io.read_map(tmp_path / "map.fits").values
    assert floating.dtype == (dtype.newbyteorder("=") if dtype.kind == "f" else np.float64)
    assert np.array_equal(floating, values)
    assert io.read_table(tmp_path / "map.fits").shapes == {"TEMPERATURE": (3, 1024)}


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [(np.int8, np.int16), (np.uint16, np.int32), (np.uint32, np.int64), (np.float16, np.float32)],
)
def test_numbers_without_a_type_in_fits_are_widened(tmp_path, dtype, stored):
    values = np.linspace(0, 100, 12).astype(dtype)
    io.write_map(tmp_path / "map.fits", values)
    sky = io.read_map(tmp_path / "map.fits", native=True)
    assert np.array_equal(sky.values, values) and sky.values.dtype == stored


def test_columns_of_several_types(tmp_path, rng):
    values = {"T": rng.standard_normal(192).astype(np.float32), "N": rng.integers(0, 9, 192)}
    values["MASK"] = values["N"] > 4
    io.write_map(tmp_path / "map.fits", values, unit=["K", "", ""])
    columns = io.read_table(tmp_path / "map.fits").columns
    assert {name: column.dtype for name, column in columns.items()} == {
        name: column.dtype for name, column in values.items()
    }
    for name in values:
        assert np.array_equal(io.read_map(tmp_path / "map.fits", field=name).values, values[name])
    both = io.read_map(tmp_path / "map.fits", field=["N", "MASK"], native=True).values
    assert both.dtype == np.int64 and np.array_equal(both, [values["N"], values["MASK"]])


def test_the_sign_of_integers_in_another_convention(tmp_path):
    """U of IAU changes its sign, also where numbers have none."""
    columns = [fits.Column(name, "B", array=np.arange(12, dtype=np.uint8)) for name in "QU"]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header.update(ORDERING="RING", POLCCONV="IAU")
    hdu.writeto(tmp_path / "map.fits")
    values = io.read_map(tmp_path / "map.fits", field=None, native=True).values
    assert np.array_equal(values, [np.arange(12), -np.arange(12)])


def test_several_tables_of_maps(tmp_path, rng):
    values = rng.standard_normal((3, 48))
    hdus = [fits.PrimaryHDU()]
    for name, field in zip(("", "FIRST", "SECOND"), values, strict=True):
        io.write_map(tmp_path / "one.fits", field, overwrite=True, history=[f"map {name}"])
        table = fits.getdata(tmp_path / "one.fits", 1)
        hdus.append(
            fits.BinTableHDU(table, fits.getheader(tmp_path / "one.fits", 1), name=name or None)
        )
    fits.HDUList(hdus).writeto(tmp_path / "all.fits")
    for hdu, expected in ((None, 0), (1, 0), (2, 1), ("second", 2), ("FIRST", 1)):
        assert np.array_equal(io.read_map(tmp_path / "all.fits", hdu=hdu).values, values[expected])
    with pytest.raises(ValueError, match="no table 4; its tables are 1, 2 FIRST, 3 SECOND"):
        io.read_map(tmp_path / "all.fits", hdu=4)


def test_the_history_is_written_and_read(tmp_path):
    lines = ("observed", "spherekit 0.1.0: spherekit smooth a.fits --fwhm 1deg " + "x" * 90)
    io.write_map(tmp_path / "map.fits", np.ones(12), history=lines)
    assert io.read_map(tmp_path / "map.fits").history == (*lines, VERSION)
    io.write_alm(tmp_path / "alm.fits", np.ones(1), history=lines)
    assert io.read_alms(tmp_path / "alm.fits").history == (*lines, VERSION)
    for name in ("cl.fits", "cl.txt"):
        io.write_cl(tmp_path / name, np.ones(3), history=lines)
        assert io.read_spectra(tmp_path / name).history == (*lines, VERSION)
    fits.setval(tmp_path / "map.fits", "HISTORY", value="by hand", ext=1)
    assert io.read_map(tmp_path / "map.fits").history[-1] == "by hand"


def test_only_the_columns_that_are_needed_are_read(tmp_path, monkeypatch):
    """A field of a table that exceeds the permitted memory as a whole."""
    columns = {f"C{i}": np.full(768, float(i)) for i in range(100)}
    io.write_map(tmp_path / "map.fits", columns)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    assert np.array_equal(io.read_map(tmp_path / "map.fits", field="C37").values, columns["C37"])
    with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
        io.read_map(tmp_path / "map.fits", field=None)


@pytest.mark.parametrize("kind", ["map", "nested", "part"])
def test_the_size_in_a_header_is_not_believed(tmp_path, kind):
    """A header of 2^50 rows: the file is too short, and nothing is allocated."""
    options = dict(ordering="nested") if kind == "nested" else dict(partial=kind == "part")
    io.write_map(tmp_path / "map.fits", np.ones(12), **options)
    content = bytearray((tmp_path / "map.fits").read_bytes())
    at = content.find(b"NAXIS2  =")
    content[at : at + 80] = f"NAXIS2  = {2**50:>20}".ljust(80).encode()
    (tmp_path / "map.fits").write_bytes(content)
    with pytest.raises((ValueError, MemoryError), match="map.fits|MAX_MEMORY"):
        io.read_map(tmp_path / "map.fits")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    nside=st.sampled_from([1, 2, 4, 16]),
    dtypes=st.lists(st.sampled_from(DTYPES), min_size=1, max_size=3),
    nested=st.booleans(),
    missing=st.sampled_from([0.0, 0.5, 0.99]),
    partial=st.booleans(),
    suffix=st.sampled_from(["fits", "fits.gz"]),
)
def test_any_map_is_read_back(tmp_path_factory, nside, dtypes, nested, missing, partial, suffix):
    rng = np.random.default_rng(nside)
    is_lost = rng.random(12 * nside**2) < missing
    is_lost[0] = False
    values = {}
    for i, dtype in enumerate(dtypes):
        values[f"F{i}"] = rng.integers(0, 2, is_lost.size).astype(dtype)
        if np.dtype(dtype).kind == "f":
            values[f"F{i}"][is_lost] = rng.choice([UNSEEN, np.nan])
    path = tmp_path_factory.mktemp("m") / f"map.{suffix}"
    io.write_map(path, values, ordering="nested" if nested else "ring", partial=partial)
    for name, expected in values.items():
        sky = io.read_map(path, field=name, native=True)
        lost = is_missing(sky.values)
        assert sky.nside == nside and np.array_equal(sky.values[~lost], expected[~lost])
        assert np.array_equal(lost, is_missing(expected) | (lost & partial))
        assert expected.dtype == sky.values.dtype or (partial and missing)


def test_nested_is_the_order_of_the_file(tmp_path, rng):
    values = rng.standard_normal(3072)
    io.write_map(tmp_path / "map.fits", values, ordering="nested")
    stored = io.read_table(tmp_path / "map.fits").columns["TEMPERATURE"]
    assert np.array_equal(stored, reorder(values, "ring"))
    assert io.read_map(tmp_path / "map.fits").ordering == "nested"
