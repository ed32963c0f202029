"""Files: round trips, the header facts that other codes read, and refusals."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.data import real_file
from helpers.fits_tables import table

from spherekit import datasets, io
from spherekit.io.tree_archive import write_tree
from spherekit.sampling.healpix import UNSEEN, reorder
from spherekit.testing import random_flm


def test_map_round_trip_and_header(tmp_path, rng):
    path = tmp_path / "map.fits"
    values = rng.standard_normal((2, 192)).astype(np.float32)
    values[0, 3] = UNSEEN
    io.write_map(path, values, column=["Q", "U"], unit="mK", coordsys="G")
    sky = io.read_map(path, field=["U", 0])
    assert np.array_equal(sky.values, values[::-1]) and sky.values.dtype == np.float32
    assert (sky.nside, sky.columns, sky.units) == (4, ("U", "Q"), ("mK", "mK"))
    assert (sky.ordering, sky.coordsys) == ("ring", "G")
    assert np.array_equal(io.read_map(path, field="U").values, values[1])
    assert io.read_map(path, field=None).columns == ("Q", "U")
    header = fits.getheader(path, 1)
    assert header["PIXTYPE"] == "HEALPIX" and header["ORDERING"] == "RING" and header["NSIDE"] == 4
    assert [p.name for p in tmp_path.iterdir()] == ["map.fits"]  # no temporary file is left


def test_existing_files_are_kept_unless_told(tmp_path):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(12))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        io.write_map(path, np.ones(12))
    assert io.read_map(path).values.sum() == 0
    io.write_map(path, np.ones(12), overwrite=True)
    assert io.read_map(path).values.sum() == 12


@pytest.mark.parametrize("word", ["NESTED", "NEST", "nested"])
def test_nested_maps_come_in_ring_order(tmp_path, rng, word):
    values = rng.standard_normal(192)
    column = fits.Column("T", "D", array=reorder(values, "ring"))
    path = table(tmp_path / "nest.fits", [column], ORDERING=word)
    sky = io.read_map(path)
    assert np.array_equal(sky.values, values) and sky.ordering == "nested"


def test_vector_and_integer_columns(tmp_path):
    """Rows of 1024 samples (WMAP, healpy), and masks of integers."""
    columns = [
        fits.Column("T", "1024E", array=np.arange(3072, dtype=np.float32).reshape(3, 1024)),
        fits.Column("HITS", "1024I", array=np.ones((3, 1024), np.int16)),
    ]
    sky = io.read_map(table(tmp_path / "map.fits", columns, ORDERING="RING"), field=(0, 1))
    assert sky.nside == 16 and np.array_equal(sky.values[0], np.arange(3072))
    assert sky.values.dtype.kind == "f" and sky.values.dtype.isnative
    assert io.read_map(tmp_path / "map.fits", field="HITS").values.dtype == np.float64


@pytest.mark.parametrize("name", ["PIXEL", "pixel", "INDEX"])
def test_part_of_the_sky(tmp_path, name):
    columns = [fits.Column(name, "J", array=[5, 7]), fits.Column("T", "I", array=[1, 2])]
    header = dict(ORDERING="RING", NSIDE=2, INDXSCHM="EXPLICIT")
    sky = io.read_map(table(tmp_path / "part.fits", columns, **header))
    assert sky.columns == ("T",) and sky.values[5] == 1 and sky.values[7] == 2
    assert np.all(np.delete(sky.values, [5, 7]) == UNSEEN)


def test_part_of_the_sky_in_nested_order(tmp_path):
    columns = [fits.Column("PIXEL", "J", array=[3]), fits.Column("T", "E", array=[1.0])]
    path = table(tmp_path / "part.fits", columns, ORDERING="NESTED", NSIDE=2)
    assert np.flatnonzero(io.read_map(path).values > 0).tolist() == [0]


def test_alm_and_cl_round_trip(tmp_path, rng):
    flm = random_flm(9, rng, reality=True)
    io.write_alm(tmp_path / "alm.fits", flm, unit="uK")
    assert np.array_equal(io.read_alm(tmp_path / "alm.fits"), flm)
    table = io.read_table(tmp_path / "alm.fits")
    assert table.units["real"] == "uK" and table.columns["index"][:3].tolist() == [1, 3, 7]
    with pytest.raises(ValueError, match="real signal"):
        io.write_alm(tmp_path / "other.fits", random_flm(9, rng))
    io.write_cl(tmp_path / "cl.fits", np.arange(5.0), unit="uK^2")
    assert np.array_equal(io.read_cl(tmp_path / "cl.fits")["TEMPERATURE"], np.arange(5.0))
    io.write_cl(tmp_path / "eb.fits", {"EE": np.arange(5.0), "BB": np.ones(5)})
    assert list(io.read_cl(tmp_path / "eb.fits")) == ["EE", "BB"]
    with pytest.raises(ValueError, match="the same for all"):
        io.write_cl(tmp_path / "no.fits", {"EE": np.arange(5.0), "BB": np.ones(4)})
    with pytest.raises(ValueError, match="not an alm file"):
        io.read_alm(tmp_path / "cl.fits")


def test_arrays_round_trip(tmp_path):
    io.write_arrays(tmp_path / "map.npz", values=np.arange(3.0), grid="mw:2", unit="K")
    found = io.read_arrays(tmp_path / "map.npz")
    assert found["values"].tolist() == [0, 1, 2] and str(found["grid"]) == "mw:2"
    io.write_arrays(tmp_path / "map.npy", values=np.arange(3))
    assert list(io.read_arrays(tmp_path / "map.npy")) == ["values"]
    with pytest.raises(ValueError, match="expected a .npz file"):
        io.write_arrays(tmp_path / "map2.npy", values=np.arange(3), grid="mw:2")
    with pytest.raises(FileExistsError):
        io.write_arrays(tmp_path / "map.npy", values=np.arange(3))


@pytest.mark.parametrize("name", ["pickle.npy", "text.npz", "short.npz"])
def test_numpy_files_that_are_refused(tmp_path, name):
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "whole.npz", values=np.zeros(99))
    (tmp_path / "short.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:300])
    with pytest.raises(ValueError, match="cannot be read as a NumPy file"):
        io.read_arrays(tmp_path / name)


def test_numpy_files_that_are_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.read_arrays(tmp_path / "none.npz")


@pytest.mark.parametrize("size", [0, 80, 3500, 5760, 6000, -1])
def test_truncated_files(tmp_path, size):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(768))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="cannot be read as FITS: it is truncated"):
        io.read_map(path)


def test_foreign_files(tmp_path):
    (tmp_path / "text.fits").write_text("no map at all")
    with pytest.raises(ValueError, match="cannot be read as FITS"):
        io.read_map(tmp_path / "text.fits")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "image.fits")
    with pytest.raises(ValueError, match="without a table"):
        io.read_map(tmp_path / "image.fits")
    with pytest.raises(FileNotFoundError):
        io.read_map(tmp_path / "none.fits")
    column = fits.Column("T", "D", array=np.zeros(192))
    path = table(tmp_path / "order.fits", [column])
    with pytest.raises(ValueError, match="ordering="):
        io.read_map(path)
    assert io.read_map(path, ordering="ring").nside == 4
    with pytest.raises(ValueError, match="no field 3; its fields are 0 T"):
        io.read_map(path, field=3, ordering="ring")
    path = table(tmp_path / "nside.fits", [column], ORDERING="RING", NSIDE=8)
    with pytest.raises(ValueError, match="has NSIDE = 8, but the table has 192 samples"):
        io.read_map(path)
    short = fits.Column("T", "D", array=np.zeros(190))
    with pytest.raises(ValueError, match="190 samples are not a HEALPix map"):
        io.read_map(table(tmp_path / "size.fits", [short], ORDERING="RING"))
    words = fits.Column("T", "3A", array=["abc"] * 12)
    with pytest.raises(ValueError, match="real columns"):
        io.read_map(table(tmp_path / "words.fits", [words], ORDERING="RING"))


@pytest.mark.parametrize("pixels", [[-1, 2], [5, 48], [0.5, 1.5]])
def test_pixel_numbers_that_do_not_fit(tmp_path, pixels):
    form = "D" if isinstance(pixels[0], float) else "J"
    columns = [fits.Column("PIXEL", form, array=pixels), fits.Column("T", "E", array=[1, 2])]
    path = table(tmp_path / "part.fits", columns, ORDERING="RING", NSIDE=2)
    with pytest.raises(ValueError, match="do not match 2 samples of nside 2"):
        io.read_map(path)


@pytest.mark.parametrize("values", [np.zeros(190), np.zeros(12, complex), np.zeros((1, 2, 12))])
def test_maps_that_are_not_written(tmp_path, values):
    with pytest.raises(ValueError):
        io.write_map(tmp_path / "map.fits", values)
    assert not list(tmp_path.iterdir())


def test_packaged_data():
    assert datasets.wmap_w().shape == (12288,) and datasets.wmap_mask().sum() == 7602
    cl = datasets.planck2018_cl(221)["TT"]
    assert cl[220] * 220 * 221 / (2 * np.pi) == pytest.approx(5729, rel=1e-3)
    with pytest.raises(ValueError, match="<= 3001"):
        datasets.planck2018_cl(4000)


REAL = [
    ("wmap_band_iqumap_r9_7yr_V_v4_udgraded32.fits", "IQU", 32, "ring", ""),
    ("wmap_mcmc_base_k_synch_stk_q_9yr_v5.fits", ("BESTFIT", "MEAN"), 64, "nested", "galactic"),
    ("wmap_temperature_analysis_mask_r9_7yr_v4_udgraded32.fits", "IQ", 32, "ring", ""),
]


@pytest.mark.parametrize(("name", "field", "nside", "ordering", "frame"), REAL)
def test_real_maps(name, field, nside, ordering, frame):
    path = real_file("sky_maps", name)
    sky = io.read_map(path, field=tuple(field))
    assert sky.values.shape == (len(field), 12 * nside**2) and np.isfinite(sky.values).all()
    assert (sky.ordering, sky.frame, sky.polcconv, sky.file_polcconv) == (
        ordering,
        frame,
        "COSMO",
        "",
    )


def test_trees_are_written_to_npz_only(tmp_path):
    for name in ("tree.txt", "tree"):
        with pytest.raises(ValueError, match=f"{name} does not end in .npz"):
            write_tree(tmp_path / name, [np.ones(2)], {})
    assert not list(tmp_path.iterdir())


def test_a_real_spectrum():
    path = real_file("cmb_spectra", "planck2018_lcdm_cl_v3.fits")
    spectra = io.read_spectra(path)
    assert list(spectra.values) == ["TEMPERATURE", "GRADIENT", "CURL", "TG"]
    assert set(spectra.units.values()) == {"uK^2"}
    assert spectra.values["TEMPERATURE"][220] * 220 * 221 / (2 * np.pi) == pytest.approx(
        5729, rel=1e-3
    )


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "packed.npz"])
def test_memory_of_arrays(tmp_path, monkeypatch, name):
    """SPHEREKIT_MAX_MEMORY is compared with the sizes in the file before anything is allocated."""
    values = np.zeros(10**6)
    if name == "packed.npz":
        np.savez_compressed(tmp_path / name, values=values)
    else:
        io.write_arrays(tmp_path / name, values=values)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "7e6")
    with pytest.raises(MemoryError, match=f"{name} needs about 0.008 GB"):
        io.read_arrays(tmp_path / name)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "9e6")
    assert io.read_arrays(tmp_path / name)["values"].shape == (10**6,)
