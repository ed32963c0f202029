"""Records of maps, and io.read and io.write: which reader, which fields, which axes, what is refused."""

import numpy as np
import pytest
from tolerances import SHORT_SUM

from spherekit import io
from spherekit.io import Map

TIMES = np.array(["2018-06-01", "2018-07-01T12:30", "2018-07-09"], "M8[s]")


def wind(rng, grid="gl:4"):
    """Two fields on two named axes."""
    values = rng.standard_normal((2, 3, 2, 4, 7)).astype(np.float32)
    axes = {"time": TIMES, "level": [500.0, 850.0]}
    attributes = {"level": {"units": "hPa"}, "u": {"standard_name": "eastward_wind"}}
    return Map(
        values, grid, ("u", "v"), "m/s", axes, spin=1, attributes=attributes, history=("observed",)
    )


def assert_same(a, b):
    assert a.grid == b.grid and a.names == b.names and a.units == b.units
    assert (a.frame, a.spin, list(a.axes)) == (b.frame, b.spin, list(b.axes))
    assert a.values.dtype == b.values.dtype
    np.testing.assert_array_equal(a.values, b.values)
    for name in a.axes:
        np.testing.assert_array_equal(a.axes[name], b.axes[name])


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_all_of_a_map_returns(here, rng, suffix):
    sky = wind(rng)
    io.write(sky, f"wind{suffix}")
    copy = io.read(f"wind{suffix}", field=("u", "v"))
    assert_same(sky, copy)
    assert copy.history[0] == "observed" and copy.history[1].startswith("spherekit ")
    for name, attributes in sky.attributes.items():
        assert attributes.items() <= copy.attributes[name].items()
    with pytest.raises(FileExistsError):
        io.write(sky, f"wind{suffix}")
    io.write(copy, f"wind{suffix}", overwrite=True)
    assert io.read(f"wind{suffix}", field=["v"]).history == copy.history


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_a_part_is_selected(here, rng, suffix):
    sky = wind(rng)
    io.write(sky, f"wind{suffix}")
    part = io.read(f"wind{suffix}", field="v", select={"time": "2018-06", "level": 850})
    np.testing.assert_array_equal(part.values, sky.values[1, 0, 1])
    assert part.axes == {} and part.attributes["level"]["value"] == 850
    part = io.read(f"wind{suffix}", field="v", select={"level": "500"})
    np.testing.assert_array_equal(part.values, sky.values[1, :, 0])
    for select, words in (
        ({"time": "2018-07"}, "2 coordinates 2018-07; expected one of 2018-07-01T12:30:00, 2018"),
        ({"level": 700}, "no coordinate 700; expected one of 500.0, 850.0"),
        ({"member": 1}, "no axis 'member'; the axes are time, level"),
    ):
        with pytest.raises(ValueError, match=words):
            io.read(f"wind{suffix}", field="v", select=select)


@pytest.mark.parametrize(
    ("name", "attributes", "word"),
    [
        ("month", {}, "time"),
        ("t", {"units": "days since 1970-01-01"}, "time"),
        ("run", {"axis": "T"}, "time"),
        ("plev", {}, "level"),
        ("isobaricInhPa", {}, "level"),
        ("z", {"units": "hPa"}, "level"),
        ("k", {"standard_name": "atmosphere_hybrid_sigma_pressure_coordinate"}, "level"),
        ("lev", {"standard_name": "height"}, "level"),
    ],
)
def test_axes_of_time_and_level(name, attributes, word):
    sky = Map(np.zeros((2, 2, 12)), "healpix:1", axes={name: [1, 2], "member": [1, 2]})
    sky = Map(sky.values, sky.grid, axes=sky.axes, attributes={name: attributes})
    assert sky.axis_named(word) == name and sky.axis_named("member") == "member"
    other = {"time": "level", "level": "time"}[word]
    with pytest.raises(ValueError, match=f"no axis '{other}'; the axes are {name}, member"):
        sky.axis_named(other)


@pytest.mark.parametrize("suffix", [".fits", ".npz", ".nc", ".csv", ".fits.gz"])
def test_healpix_maps_in_every_format(here, rng, suffix):
    sky = Map(rng.standard_normal((2, 48)), "healpix:2", ("Q", "U"), ("mK", "uK"), frame="galactic")
    io.write(sky, f"sky{suffix}")
    copy = io.read(f"sky{suffix}", field=["Q", "U"])
    assert_same(sky, copy)
    assert copy.history == (io.provenance.history()[0],)
    assert_same(sky["U"], io.read(f"sky{suffix}", field="U"))
    assert io.read(f"sky{suffix}", field="U", frame="E").frame == "ecliptic"


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".nc", ".csv"])
@pytest.mark.parametrize("text", ["mw:4", "gl:4,n_phi=8,phi0=half", "dh:4", "cc:5", "dhpole:3"])
def test_rectangular_grids_in_every_format(here, rng, text, suffix):
    shape = io.Map(np.zeros(spherekit_shape(text)), text).values.shape
    sky = Map(rng.standard_normal(shape), text, "f" if suffix != ".npy" else "")
    io.write(sky, f"sky{suffix}")
    copy = io.read(f"sky{suffix}", grid=text if suffix == ".npy" else None)
    np.testing.assert_array_equal(copy.values, sky.values)
    np.testing.assert_allclose(copy.grid.theta, sky.grid.theta, rtol=0, atol=SHORT_SUM)
    np.testing.assert_allclose(copy.grid.phi, sky.grid.phi, rtol=0, atol=SHORT_SUM)
    assert suffix == ".csv" or copy.grid == sky.grid


def spherekit_shape(text):
    from spherekit.sampling import grid

    return grid(text).shape


def test_complex_fields(here, rng):
    f = rng.standard_normal((2, 3, 5)) + 1j * rng.standard_normal((2, 3, 5))
    sky = Map(f, "mw:3", "p", "K", {"time": [1, 2]}, spin=2)
    io.write(sky, "p.npz")
    assert_same(sky, io.read("p.npz"))
    io.write(sky, "p.nc")
    copy = io.read("p.nc", field=["p_real", "p_imag"])
    np.testing.assert_array_equal(copy.values[0] + 1j * copy.values[1], f)
    assert copy.spin == 2
    pixels = Map(rng.standard_normal(12) + 1j, "healpix:1", "p", spin=1)
    io.write(pixels, "p.fits")
    copy = io.read("p.fits")
    np.testing.assert_array_equal(copy.values[0] + 1j * copy.values[1], pixels.values)
    assert copy.spin == 1


def test_maps_of_s2let(here):
    sky = Map(np.arange(28.0).reshape(4, 7), "mw:4", units="mK")
    io.write(sky, "mw.fits")
    copy = io.read("mw.fits")
    np.testing.assert_array_equal(copy.values, sky.values)
    assert copy.grid == sky.grid and copy.units == ("mK",)
    with pytest.raises(ValueError, match="states the grid mw:4"):
        io.read("mw.fits", grid="mwss:4")


@pytest.mark.parametrize(
    ("sky", "path", "words"),
    [
        (Map(np.zeros((4, 7)), "gl:4"), "out.fits", "spherekit convert --grid healpix:NSIDE"),
        (Map(np.zeros((2, 12)), "healpix:1", axes={"t": [1, 2]}), "out.fits", "the map has t"),
        (Map(np.zeros((2, 12)), "healpix:1", axes={"t": [1, 2]}), "out.csv", "the map has t"),
        (Map(np.zeros(12) + 1j, "healpix:1"), "out.csv", "npz"),
        (Map(np.zeros(12), "healpix:1"), "out.png", "spherekit.plot.show"),
        (Map(np.zeros(12), "healpix:1"), "out.grib", "'.grib'"),
        (Map(np.zeros(12), "healpix:1"), "out", "suffix ''"),
    ],
)
def test_what_a_format_cannot_store(here, sky, path, words):
    with pytest.raises(ValueError, match=words):
        io.write(sky, path)
    assert not list(here.iterdir())


def test_only_records_are_written(here):
    with pytest.raises(TypeError, match="ndarray; expected a spherekit.io.Map"):
        io.write(np.zeros(12), "out.npz")


def test_columns_of_healpix_maps(here, rng):
    """All that are fields on the sphere, with the parameters that they state."""
    f = rng.standard_normal((4, 12))
    io.write_map(
        "sky.fits", dict(zip(["I_STOKES", "Q_STOKES", "U_STOKES", "HITS"], f, strict=True))
    )
    sky = io.read("sky.fits")
    assert sky.names == ("I_STOKES", "Q_STOKES", "U_STOKES")
    assert [sky.attributes[name]["stokes"] for name in sky.names] == ["I", "Q", "U"]
    assert sky.notes == ("the columns HITS were not read",)
    assert io.read("sky.fits", field="HITS").names == ("HITS",)
    assert io.read("sky.fits", field=[3, 0]).names == ("HITS", "I_STOKES")
    with pytest.raises(
        ValueError, match="grid=healpix:2, but sky.fits is a HEALPix map of nside 1"
    ):
        io.read("sky.fits", grid="healpix:2")


def test_arrays_without_a_grid(here):
    np.savez("masks.npz", A=np.arange(48), B=np.arange(48.0))
    with pytest.raises(
        ValueError, match="no array 'values'; it contains A, B; select one with field"
    ):
        io.read("masks.npz")
    with pytest.raises(ValueError, match="healpix:2"):
        io.read("masks.npz", field="A")
    for options in (dict(grid="healpix:2"), dict(ordering="ring")):
        sky = io.read("masks.npz", field="A", **options)
        assert sky.values.tolist() == list(range(48)) and sky.grid.nside == 2
    nested = io.read("masks.npz", field="A", ordering="nested")
    assert sorted(nested.values) == list(range(48)) and nested.values.tolist() != list(range(48))
    np.save("f.npy", np.ones((1, 1, 4, 7), np.float16))
    sky = io.read("f.npy", grid="mw:4")
    assert sky.values.shape == (4, 7) and sky.values.dtype == np.float32
    assert sky.notes == ("leading axes of length 1 were removed",)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (dict(flm=np.ones(4, complex)), "read_coefficients"),
        (dict(scaling=np.ones(3), L=4), "wavelet maps"),
        (dict(values=np.ones((2, 4, 7)), grid="mw:4", axes=["time"]), "no array axis_time"),
        (dict(values=np.ones((2, 4, 7)), grid="mw:4", axes=["t"], axis_t=[1, 2, 3]), "shape"),
        (dict(values=np.ones((4, 7)), grid="mw:4", ordering="ring"), None),
    ],
)
def test_arrays_that_are_not_maps(here, contents, words):
    np.savez("odd.npz", **contents)
    if words is None:
        assert io.read("odd.npz").grid.L == 4
        return
    with pytest.raises(ValueError, match=words):
        io.read("odd.npz")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("sky.fits", dict(lat=[0.0])),
        ("sky.fits", dict(select={"time": 1})),
        ("sky.nc", dict(hdu=1)),
        ("sky.nc", dict(grid="healpix:1")),
        ("sky.csv", dict(ordering="ring")),
    ],
)
def test_arguments_of_other_formats_are_refused(here, path, options):
    io.write(Map(np.zeros(12), "healpix:1"), path)
    with pytest.raises(ValueError, match=f"{next(iter(options))}= does not apply to {path}"):
        io.read(path, **options)


def test_contents_decide_not_suffixes(here):
    io.write(Map(np.zeros(12), "healpix:1", "T"), "a.nc")
    (here / "a.nc").rename("a.fits")
    assert io.read("a.fits").names == ("T",)
    (here / "b.nc").write_bytes(b"GRIB" + bytes(99))
    with pytest.raises(ValueError, match="b.nc cannot be read as a map: it is a GRIB file"):
        io.read("b.nc")
    with pytest.raises(FileNotFoundError):
        io.read("c.nc")


@pytest.mark.parametrize("suffix", [".fits", ".npz", ".npy", ".nc", ".csv", ".hdr", ".mat", ".txt"])
@pytest.mark.parametrize("seed", range(6))
def test_damaged_files(here, suffix, seed, monkeypatch):
    """Truncated, and with random bytes: a ValueError that names the file, or a map."""
    rng = np.random.default_rng([seed, len(suffix)])
    path = here / f"map{suffix}"
    write_small(path)
    contents = bytearray(path.read_bytes())
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e8")
    for trial in range(30):
        damaged = bytearray(contents)
        if trial % 3 == 0:
            damaged = damaged[: rng.integers(len(damaged))]
        else:
            for position in rng.integers(0, min(len(damaged), 10 ** rng.integers(2, 5)), 1 + trial):
                damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            io.read(str(path), grid="mw:3" if suffix in (".npy", ".mat", ".txt") else None)
        except (ValueError, MemoryError) as error:
            assert path.name in str(error)


def write_small(path):
    rng = np.random.default_rng(0)
    if path.suffix == ".hdr":
        from test_io_images import write_radiance

        write_radiance(path, rng.integers(0, 255, (8, 16, 4)).astype(np.uint8))
    elif path.suffix == ".mat":
        from scipy.io import savemat

        savemat(path, {"f": rng.standard_normal((3, 5))}, do_compression=True)
    elif path.suffix == ".txt":
        np.savetxt(path, rng.standard_normal((3, 5)))
    else:
        grid, shape = ("healpix:2", (48,)) if path.suffix in (".fits", ".csv") else ("mw:3", (3, 5))
        io.write(Map(rng.standard_normal(shape), grid, "" if path.suffix == ".npy" else "T"), path)
