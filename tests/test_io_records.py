"""Maps and coefficients as records: selection, iteration, checks of the arguments."""

import numpy as np
import pytest

from spherekit import io
from spherekit.io import Coefficients, Map

IQU = ("I_STOKES", "Q_STOKES", "U_STOKES")


@pytest.fixture
def sky():
    return Map(np.arange(36.0).reshape(3, 12), "healpix:1", IQU, ("K", "uK", "mK"))


@pytest.fixture
def coefficients():
    flm = np.arange(12).reshape(3, 4) + 0j
    return Coefficients(flm, ("a", "b", "c"), ("K", "uK", "mK"), spins=(0, 1, -1))


# --- fields ----------------------------------------------------------------------------------------


def test_iteration_over_fields(sky, coefficients):
    T, Q, U = sky
    assert [f.names for f in (T, Q, U)] == [(name,) for name in IQU]
    np.testing.assert_array_equal(U.values, sky.values[2])
    assert [part.spins for part in coefficients] == [(0,), (1,), (-1,)]
    (only,) = Q
    assert only.names == ("Q_STOKES",) and only.values.shape == (12,)
    assert [f.units for f in Map(np.zeros((2, 12)), "healpix:1", ("", ""), ("K", "m"))] == [
        ("K",),
        ("m",),
    ]
    assert np.stack(list(sky)).shape == np.asarray(sky).shape


def test_fields_with_axes(rng):
    values = rng.standard_normal((2, 3, 12))
    winds = Map(values, "healpix:1", ("u", "v"), axes={"level": [1, 2, 3]})
    for f, expected in zip(winds, values, strict=True):
        np.testing.assert_array_equal(f.values, expected)
        assert f.axes["level"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("field", ["Q", "q", 1, "Q_STOKES", ["Q"]])
def test_one_field(sky, field):
    for selected in (sky[field], sky.select(field), sky.select(field=field)):
        assert (selected.names, selected.units) == (("Q_STOKES",), ("uK",))
        np.testing.assert_array_equal(selected.values, sky.values[1])


def test_several_fields(sky, coefficients):
    selected = sky.select(["U", "I_STOKES"])
    assert (selected.names, selected.units) == (("U_STOKES", "I_STOKES"), ("mK", "K"))
    np.testing.assert_array_equal(selected.values, sky.values[[2, 0]])
    selected = coefficients.select([2, "a"])
    assert (selected.names, selected.spins) == (("c", "a"), (-1, 0))
    np.testing.assert_array_equal(selected.flm, coefficients.flm[[2, 0]])


def test_the_selection_is_that_of_read(sky, tmp_path):
    for name in ("sky.npz", "sky.fits", "sky.csv"):
        io.write(sky, tmp_path / name)
        for field in ("Q", ["Q", "U_STOKES"], 2):
            read = io.read(tmp_path / name, field=field)
            np.testing.assert_array_equal(read.values, sky.select(field).values)
            assert read.names == sky.select(field).names


@pytest.mark.parametrize("field", ["w", 3, -1, True, 1.0, (), ["Q", "w"]])
def test_no_such_field(sky, field):
    with pytest.raises(ValueError, match="field"):
        sky.select(field)


def test_the_message_names_the_fields(sky):
    with pytest.raises(ValueError, match="no field 'w'; its fields are 0 I_STOKES; 1 Q_STOKES"):
        sky["w"]
    assert "Q" in sky and "U_STOKES" in sky and "w" not in sky


def test_a_field_twice_is_refused(sky):
    with pytest.raises(ValueError, match="Q_STOKES more than once"):
        sky.select(["Q", "Q_STOKES"])


# --- arguments -------------------------------------------------------------------------------------


def test_repeated_names():
    with pytest.raises(ValueError, match=r"names has a more than once, in \(a, b, a\)"):
        Map(np.zeros((3, 12)), "healpix:1", ("a", "b", "a"))
    with pytest.raises(ValueError, match="a more than once"):
        Coefficients(np.zeros((2, 4), complex), ("a", "a"))
    assert len(Map(np.zeros((2, 12)), "healpix:1", ("", ""))) == 2


def test_no_variable_is_written_over_another(tmp_path):
    axes = {"level": [1.0, 2.0]}
    for sky in (
        Map(np.zeros((2, 4, 7)), "mw:4", "level", axes=axes),
        Map(np.zeros((4, 7)), "mw:4", "lat"),
        Map(np.zeros((2, 4, 7)), "mw:4", ("", "field_0")),
    ):
        with pytest.raises(ValueError, match="would be written twice; rename the field"):
            io.write(sky, tmp_path / "map.nc")
    with pytest.raises(ValueError, match=r"(?i)names.*q"):
        io.write(Map(np.zeros((2, 12)), "healpix:1", ("q", "Q")), tmp_path / "map.fits")


@pytest.mark.parametrize(
    "values", [np.array(["a"] * 12), np.zeros(12, "M8[s]"), np.array([b"a"] * 12)]
)
def test_values_that_are_no_numbers(values):
    with pytest.raises(TypeError, match="dtype .*; expected numbers or booleans"):
        Map(values, "healpix:1")


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float16, np.complex64])
def test_values_that_are_numbers(dtype):
    assert Map(np.zeros(12, dtype), "healpix:1").values.dtype == dtype


def test_frames_are_normalized():
    assert Map(np.zeros(12), "healpix:1", frame="G").frame == "galactic"
    assert Coefficients(np.zeros(4, complex), frame="ICRS").frame == "equatorial"
    for record in (
        lambda: Map(np.zeros(12), "healpix:1", frame="foo"),
        lambda: Coefficients(np.zeros(4), frame="foo"),
    ):
        with pytest.raises(ValueError, match="the frame must be one of galactic.*got 'foo'"):
            record()


@pytest.mark.parametrize("polcconv", ["iau", "", None, 1])
def test_unknown_polarization_conventions(polcconv):
    with pytest.raises(ValueError, match='polcconv must be "COSMO" or "IAU"; got'):
        Map(np.zeros(12), "healpix:1", polcconv=polcconv)
    with pytest.raises(ValueError, match='polcconv must be "COSMO" or "IAU"; got'):
        Coefficients(np.zeros(4), polcconv=polcconv)


# --- the polarization convention in files ----------------------------------------------------------

SUFFIXES = [".npz", ".nc", ".csv", ".fits"]


def _readable(suffix):
    if suffix == ".nc":
        pytest.importorskip("scipy")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_sign_of_u_in_files_of_the_iau_convention(suffix, tmp_path, rng):
    """The samples of U change their sign where a file of the IAU convention is read, as in FITS."""
    values = rng.standard_normal((4, 12))
    sky = Map(values, "healpix:1", ("T", "Q", "U", "N_OBS"), "mK", polcconv="IAU")
    io.write(sky, tmp_path / f"map{suffix}")
    read = io.read(tmp_path / f"map{suffix}", field=["T", "Q", "U", "N_OBS"])
    np.testing.assert_array_equal(read.values, values * np.array([1, 1, -1, 1])[:, None])
    assert read.polcconv == "COSMO"
    assert "the sign of U was changed, from the IAU to the COSMO convention" in read.notes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_name_that_does_not_determine_the_sign(suffix, tmp_path, rng):
    values = rng.standard_normal(12)
    io.write(Map(values, "healpix:1", "SIGNAL", polcconv="IAU"), tmp_path / f"map{suffix}")
    read = io.read(tmp_path / f"map{suffix}")
    np.testing.assert_array_equal(read.values, values)
    assert read.polcconv == "IAU"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cosmo_is_unchanged(suffix, tmp_path, rng):
    sky = Map(rng.standard_normal((2, 12)), "healpix:1", ("Q", "U"))
    io.write(sky, tmp_path / f"map{suffix}")
    read = io.read(tmp_path / f"map{suffix}", field=["Q", "U"])
    np.testing.assert_array_equal(read.values, sky.values)
    assert read.polcconv == "COSMO"


def test_mw_maps_of_the_iau_convention_in_fits(tmp_path, rng):
    values = rng.standard_normal((2, 4, 7))
    io.write(Map(values, "mw:4", ("Q", "U"), polcconv="IAU"), tmp_path / "qu.fits")
    read = io.read(tmp_path / "qu.fits")
    np.testing.assert_array_equal(read.values, [values[0], -values[1]])
    assert read.polcconv == "COSMO"
    io.write(Map(values[0], "mw:4", "SIGNAL", polcconv="IAU"), tmp_path / "signal.fits")
    read = io.read(tmp_path / "signal.fits")
    np.testing.assert_array_equal(read.values, values[0])
    assert read.polcconv == "IAU"


def test_complex_fields_of_the_iau_convention(tmp_path, rng):
    values = rng.standard_normal(12) + 1j * rng.standard_normal(12)
    named = Map(
        values,
        "healpix:1",
        "Q,U",
        spin=2,
        polcconv="IAU",
        attributes={"Q,U": {"parts": ("Q", "U")}},
    )
    io.write(named, tmp_path / "named.npz")
    read = io.read(tmp_path / "named.npz")
    np.testing.assert_array_equal(read.values, values.conj())
    assert read.polcconv == "COSMO"
    io.write(Map(values, "healpix:1", "P", spin=2, polcconv="IAU"), tmp_path / "other.npz")
    read = io.read(tmp_path / "other.npz")
    np.testing.assert_array_equal(read.values, values)
    assert read.polcconv == "IAU"
    io.write(named, tmp_path / "named.nc")
    assert io.read(tmp_path / "named.nc").polcconv == "IAU"


def test_data_arrays_of_the_iau_convention(rng):
    pytest.importorskip("xarray")
    values = rng.standard_normal((3, 4, 7))
    sky = Map(values, "mw:4", ("I", "Q", "U"), polcconv="IAU")
    read = io.from_xarray(io.to_xarray(sky))
    np.testing.assert_array_equal(read["U"].values, -values[2])
    winds = Map(values[:2], "mw:4", ("u10", "v10"), frame="geographic")
    assert io.from_xarray(io.to_xarray(winds)).names == ("u10", "v10")
    single = io.from_xarray(io.to_xarray(Map(values[0], "mw:4", "SIGNAL", polcconv="IAU")))
    assert single.polcconv == "IAU"


@pytest.mark.parametrize("suffix", [".npz", ".fits"])
def test_b_of_the_iau_convention(suffix, tmp_path, rng):
    flm = rng.standard_normal((3, 4)) + 0j
    flm[:, [1, 3]] = 0
    io.write_coefficients(
        Coefficients(flm, ("T", "E", "B"), polcconv="IAU"), tmp_path / f"teb{suffix}"
    )
    read = io.read_coefficients(tmp_path / f"teb{suffix}")
    np.testing.assert_array_equal(read.flm, flm * np.array([1, 1, -1])[:, None])
    assert read.polcconv == "COSMO"


@pytest.mark.parametrize("suffix", [".npz", ".fits", ".sh", ".nc", ".mat"])
@pytest.mark.parametrize(("name", "sign"), [("B", -1), ("g", None), ("E", 1)])
def test_single_coefficients_of_the_iau_convention(suffix, name, sign, tmp_path):
    flm = np.array([1, 0, 2, 0]) + 0j
    path = tmp_path / f"flm{suffix}"
    io.write_coefficients(Coefficients(flm, name, polcconv="IAU"), path)
    read = io.read_coefficients(path)
    np.testing.assert_allclose(read.flm, (sign or 1) * flm, rtol=1e-15)
    assert read.polcconv == ("IAU" if sign is None else "COSMO")


def test_a_damaged_convention(tmp_path):
    sky = dict(values=np.zeros(12), grid="healpix:1")
    np.savez(tmp_path / "map.npz", **sky, polcconv="iau")
    with pytest.raises(ValueError, match="map.npz: polcconv must be"):
        io.read(tmp_path / "map.npz")


# --- several fields of netCDF ----------------------------------------------------------------------


def test_all_fields_of_a_netcdf_file_of_the_package(sky, tmp_path):
    io.write(sky, tmp_path / "iqu.nc")
    read = io.read(tmp_path / "iqu.nc")
    assert read.names == IQU
    np.testing.assert_array_equal(read.values, sky.values)
    winds = Map(np.ones((2, 4, 7)), "mw:4", ("u", "v"), "m/s")
    io.write(winds, tmp_path / "winds.nc")
    assert io.read(tmp_path / "winds.nc").names == ("u", "v")


def test_i_q_u_of_another_dataset():
    xarray = pytest.importorskip("xarray")
    lat, lon = np.linspace(90, -90, 5), np.arange(0, 360, 45)
    f = xarray.DataArray(np.ones((5, 8)), {"lat": lat, "lon": lon}, ("lat", "lon"))
    assert io.from_xarray(xarray.Dataset({"I": f, "Q": f, "U": f})).names == ("I", "Q", "U")
    for names in (("I", "Q"), ("I", "Q", "U", "hits"), ("a", "b", "c")):
        with pytest.raises(ValueError, match="several fields"):
            io.from_xarray(xarray.Dataset(dict.fromkeys(names, f)))
