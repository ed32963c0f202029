"""netCDF: what xarray reads, in value, type and coordinates; axes by CF; written files; damage."""

import itertools
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from helpers.data import real_file
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file
from tolerances import CHAIN, SHORT_SUM

from spherekit import io
from spherekit._core.labeled import axis_kind
from spherekit.cli import main
from spherekit.io import Map, cf
from spherekit.sampling import Rings

LAT, LON = np.linspace(90, -90, 5), np.arange(8) * 45.0


def real(name):
    return real_file("atmosphere", name)


def opened(path):
    """A Dataset of xarray, without its warnings about attributes of these files."""
    xarray = pytest.importorskip("xarray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with xarray.open_dataset(path) as data:
            return data.load()


def write(path, variables, **attributes):
    """A netCDF-3 file; variables: name to (dimensions, values, attributes)."""
    with netcdf_file(path, "w") as file:
        for name, value in attributes.items():
            setattr(file, name, value)
        for dims, values, _ in variables.values():
            for dim, size in zip(dims, np.shape(values), strict=True):
                if dim not in file.dimensions:
                    file.createDimension(dim, size)
        for name, (dims, values, attrs) in variables.items():
            v = file.createVariable(name, np.asarray(values).dtype, dims)
            v.data[...] = values
            for key, value in attrs.items():
                setattr(v, key, value)


def on_sphere(values, dims=("lat", "lon"), lat=LAT, lon=LON, **attributes):
    """Variables of a field on latitudes and longitudes."""
    return {
        "lat": (("lat",), lat, {"units": "degrees_north"}),
        "lon": (("lon",), lon, {"units": "degrees_east"}),
        "f": (dims, values, attributes),
    }


# --- real files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["z", "u", "v"])
def test_era_interim_as_xarray_reads_it(here, field):
    path = real("eraint_uvz.nc")
    data = opened(path)
    sky = io.read(path, field=field)
    assert str(sky.grid) == "mwss:240" and list(sky.axes) == ["month", "level"]
    assert sky.units == (data[field].attrs["units"],) and sky.values.dtype == data[field].dtype
    order = np.argsort(data.longitude.values % 360)
    np.testing.assert_array_equal(sky.values, data[field].values[..., order])
    assert sky.axis_named("time") == "month" and sky.axis_named("level") == "level"
    one = io.read(path, field=field, select={"level": 500, "time": 7})
    np.testing.assert_array_equal(one.values, sky.select(level=500, month=7).values)


def test_era_interim_written_again_is_identical(here):
    path = real("eraint_uvz.nc")
    xarray = pytest.importorskip("xarray")
    data = opened(path)
    io.write(io.read(path, field=["z", "u", "v"]), "copy.nc")
    copy = opened("copy.nc")
    xarray.testing.assert_equal(data, copy)
    assert [copy[name].dtype for name in "zuv"] == [data[name].dtype for name in "zuv"]
    for name in ("z", "latitude", "level"):
        for key in ("units", "long_name"):
            if name != "latitude":
                assert copy[name].attrs[key] == data[name].attrs[key]
    assert copy.attrs["Info"] == data.attrs["Info"]
    for selection in (dict(level=500), dict(level=500, month=7)):
        part = io.to_xarray(io.read(path, field="z", select=selection))
        xarray.testing.assert_equal(data.z.sel(selection), part)


@pytest.mark.parametrize("name", ["uwnd", "vwnd"])
def test_means_of_winds(here, name):
    """netCDF-4, times in days, a scalar coordinate."""
    path = real(f"{name}_mean.nc")
    xarray = pytest.importorskip("xarray")
    data = opened(path)[name]
    sky = io.read(path)
    assert str(sky.grid) == "mwss:72" and sky.values.dtype == np.float32
    assert sky.attributes["air_pressure"]["value"] == 200
    xarray.testing.assert_equal(data, io.to_xarray(sky))
    may = io.read(path, select={"time": "1970-05"})
    np.testing.assert_array_equal(may.values, data.values[4])
    assert sky.history[0].endswith("uwnd_mean.nc") or name == "vwnd"


def test_several_fields_are_listed():
    with pytest.raises(ValueError, match=r"z \[m\*\*2 s\*\*-2\] Geopotential; u .* e.g. field=z"):
        io.read(real("eraint_uvz.nc"))
    with pytest.raises(ValueError, match="no field 'w'; its fields are z"):
        io.read(real("eraint_uvz.nc"), field="w")


# --- packed values ---------------------------------------------------------------------------------

PACKINGS = list(itertools.product([None, "f4", "f8"], [None, "f4", "f8"]))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "f4", "f8", "u1", "u2", "i8"])
@pytest.mark.parametrize("fill", [None, "value", "NaN", "missing", "float", "two"])
def test_values_are_unpacked_as_by_xarray(here, rng, dtype, fill):
    xarray = pytest.importorskip("xarray")
    dtype = np.dtype(dtype)
    raw = rng.integers(0, 100, (5, 8)).astype(dtype)
    raw[0, 0] = 99
    attributes = {
        None: {},
        "value": {"_FillValue": dtype.type(99)},
        "NaN": {"_FillValue": np.float64("nan")},
        "missing": {"missing_value": dtype.type(99)},
        "float": {"missing_value": np.float64(99)},
        "two": {"_FillValue": dtype.type(99), "missing_value": dtype.type(raw[1, 1])},
    }[fill]
    for scale, offset in PACKINGS:
        packing = {"scale_factor": scale and np.dtype(scale).type(0.1)}
        packing["add_offset"] = offset and np.dtype(offset).type(1000.3)
        packing = {name: value for name, value in packing.items() if value is not None}
        attrs = {**attributes, **packing}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = xarray.decode_cf(xarray.Dataset({"f": (("a", "b"), raw, attrs)})).f.load()
        values = cf.unpack(raw, attrs)
        assert values.dtype == data.dtype, (scale, offset)
        np.testing.assert_array_equal(values, data.values)


def test_unsigned_integers(here):
    raw = np.array([[1, -1, -2, 100]], np.int8)
    assert cf.unpack(raw, {"_Unsigned": "true"}).tolist() == [[1, 255, 254, 100]]
    values = cf.unpack(raw, {"_Unsigned": "true", "_FillValue": np.int8(-1)})
    np.testing.assert_array_equal(values, np.float32([[1, np.nan, 254, 100]]))


def test_fill_values_that_no_sample_can_have():
    raw = np.array([1, 2], np.int16)
    values = cf.unpack(raw, {"missing_value": np.float64(1e20), "_FillValue": np.float64(0.5)})
    np.testing.assert_array_equal(values, raw)
    with pytest.raises(ValueError, match="scale_factor is 'a'"):
        cf.unpack(raw, {"scale_factor": "a"})


def test_missing_samples_are_counted(here):
    values = np.arange(40, dtype=np.int16).reshape(5, 8)
    variables = on_sphere(values, _FillValue=np.int16(3), valid_range=np.int16([0, 30]))
    write("f.nc", variables)
    sky = io.read("f.nc")
    assert np.isnan(sky.values).sum() == 1 and sky.values[0, 4] == 4
    assert sky.notes == (
        "1 of 40 samples of f are missing (NaN)",
        "9 of 40 samples of f are beyond valid_range",
    )


# --- coordinates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "attributes", "kind"),
    [
        ("y", {"units": "degrees"}, "latitude"),
        ("y", {}, ""),
        ("Latitude", {}, "latitude"),
        ("g0_lat_1", {"units": "degrees_north"}, "latitude"),
        ("x", {"axis": "X", "units": "degree"}, "longitude"),
        ("x", {"axis": "X", "units": "m"}, ""),
        ("rlat", {"standard_name": "grid_latitude", "units": "degrees"}, ""),
        ("lat", {"standard_name": "grid_latitude"}, ""),
        ("y", {"standard_name": "projection_y_coordinate", "axis": "Y"}, ""),
        ("nav_lon", {}, "longitude"),
        ("height", {}, "vertical"),
        ("channel", {}, ""),
    ],
)
def test_kinds_of_axes(name, attributes, kind):
    assert axis_kind(name, attributes) == kind


def test_the_order_of_dimensions_and_of_latitudes(here, rng):
    values = rng.standard_normal((9, 3, 5))  # the longitude 360 repeats the first
    values[8] = values[0]
    lat, lon = LAT[::-1], np.arange(9) * 45.0
    dims = ("lon", "time", "lat")
    times = (("time",), [0.0, 0.5, 30.0], {"units": "days since 2000-01-01", "calendar": "noleap"})
    write("f.nc", on_sphere(values, dims, lat, lon) | {"time": times})
    sky = io.read("f.nc")
    assert str(sky.grid) == "mwss:4"
    np.testing.assert_array_equal(sky.values, values[:8, :, ::-1].transpose(1, 2, 0))
    assert sky.axes["time"].tolist() == [0, 0.5, 30]  # the calendar of a model
    assert sky.attributes["time"]["calendar"] == "noleap"
    assert len(sky.notes) == 2 and "repeats the first" in sky.notes[1]
    if pytest.importorskip("xarray"):
        np.testing.assert_array_equal(io.to_xarray(sky).values, values)
        assert io.to_xarray(sky).dims == dims
    io.write(sky, "copy.nc")
    copy = io.read("copy.nc")
    np.testing.assert_array_equal(copy.values, sky.values)
    assert copy.attributes["time"]["calendar"] == "noleap"


@pytest.mark.parametrize(
    ("units", "values"),
    [
        ("days since 1970-01-01 00:00:0.0", [0, 31, 59.5]),
        ("hours since 1900-01-01", [0, 17520, 1e6]),
        ("seconds since 2000-01-01T12:00:00Z", [0, 0.25, 86400]),
        ("minutes since 1850-1-1 6:30:0", [0, 5, 10**7]),
        ("days since 2001-03-01 00:00:00 -6:00", [0, 1.25, 2]),
        ("days since 0001-01-01", [737000, 737000.5, 737001]),
        ("milliseconds since 2010-01-01", [0, 1, 1001]),
    ],
)
@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian"])
def test_times_as_xarray_decodes_them(units, values, calendar):
    xarray = pytest.importorskip("xarray")
    attributes = {"units": units, "calendar": calendar}
    times = cf.decode_times(np.array(values, float), attributes)
    if units.startswith("days since 0001") and calendar == "standard":
        assert times is None  # Julian before 1582
        return
    data = xarray.decode_cf(
        xarray.Dataset(coords={"t": ("t", np.array(values, float), attributes)})
    )
    np.testing.assert_array_equal(times.astype("M8[ns]"), data.t.values.astype("M8[ns]"))
    numbers, units = cf.encode_times(times)
    if times.dtype == "M8[s]":
        np.testing.assert_array_equal(cf.decode_times(numbers, {"units": units}), times)


@pytest.mark.parametrize(
    "attributes",
    [
        {"units": "months since 2000-01-01"},
        {"units": "days"},
        {"units": "days since the flood"},
        {"units": "days since 2000-01-01", "calendar": "360_day"},
        {"units": "days since 2000-13-01"},
        {},
    ],
)
def test_times_that_are_not_decoded(attributes):
    assert cf.decode_times(np.arange(3.0), attributes) is None


def test_missing_times():
    times = cf.decode_times(np.array([0, np.nan]), {"units": "days since 2000-01-01"})
    assert np.isnat(times).tolist() == [False, True]
    numbers, _ = cf.encode_times(times)
    assert np.isnan(numbers).tolist() == [False, True]


@pytest.mark.parametrize("ordering", ["ring", "nest"])
def test_healpix_of_cf(here, ordering):
    pixels = np.arange(48.0)
    mapping = {"grid_mapping_name": "healpix", "refinement_level": 1, "indexing_scheme": ordering}
    variables = {
        "crs": ((), np.int32(0), mapping),
        "f": (("time", "cell"), np.stack([pixels, -pixels]), {"grid_mapping": "crs", "units": "K"}),
    }
    write("f.nc", variables)
    sky = io.read("f.nc")
    assert sky.grid.nside == 2 and sky.units == ("K",)
    expected = io.read("f.nc", select={"time": 1}).values
    np.testing.assert_array_equal(sky.values[1], expected)
    if ordering == "ring":
        np.testing.assert_array_equal(sky.values[0], pixels)
    else:
        from spherekit.sampling.healpix import reorder

        np.testing.assert_array_equal(sky.values[0], reorder(pixels, "nested"))
    io.write(sky, "copy.nc")
    copy = opened("copy.nc")
    assert copy.crs.attrs["indexing_scheme"] == "ring" and copy.f.dims == ("time", "cell")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.pop("lat"), "no variable on latitudes and longitudes"),
        (
            lambda v: v.update(lat=(("lat",), LAT, {"units": "m"}), f=(("lat",), LAT, {})),
            "no variable",
        ),
        (lambda v: v.update(lon=(("lon",), LON / 2, {"units": "degrees_east"})), "f.nc: "),
        (lambda v: v.update(f=(("lat", "lon"), np.full((5, 8), b"a"), {})), "no variable"),
        (lambda v: v.clear(), "no variables"),
    ],
)
def test_files_without_a_map(here, change, words):
    variables = on_sphere(np.zeros((5, 8)))
    change(variables)
    write("f.nc", variables)
    with pytest.raises(ValueError, match=words):
        io.read("f.nc")


def test_curvilinear_and_rotated_coordinates(here):
    field = ("y", "x"), np.zeros((5, 8)), {"coordinates": "lat lon"}
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    variables = {"f": field, "lat": (("y", "x"), lat, {}), "lon": (("y", "x"), lon, {})}
    write("f.nc", variables)
    with pytest.raises(ValueError, match="coordinates of one dimension"):
        io.read("f.nc")
    named = {"latitude": (("y",), LAT, {}), "longitude": (("x",), LON, {})}
    write("g.nc", {"f": (*field[:2], {"coordinates": "latitude longitude"})} | named)
    assert str(io.read("g.nc").grid) == "mwss:4"


def test_only_the_selected_part_is_read(here, monkeypatch):
    """Memory is checked for this part."""
    values = np.zeros((100, 5, 8))
    write("f.nc", on_sphere(values, ("level", "lat", "lon")))
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e4")
    with pytest.raises(MemoryError, match="read a part of it with select="):
        io.read("f.nc")
    assert io.read("f.nc", select={"level": 3}).values.shape == (5, 8)


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u4", "f2", "f4", "f8", "?"])
def test_types_that_are_written(here, rng, dtype):
    f = rng.integers(0, 2, (4, 7)).astype(dtype)
    io.write(Map(f, "mw:4", "f"), "f.nc")
    copy = io.read("f.nc")
    np.testing.assert_array_equal(copy.values, f)
    assert copy.values.dtype == {"i8": "i4", "u1": "i4", "u4": "i4", "f2": "f4", "?": "?"}.get(
        dtype, dtype
    )
    if dtype == "i8":
        io.write(Map(f + 2**40, "mw:4", "f"), "g.nc")
        np.testing.assert_array_equal(io.read("g.nc").values, f + 2**40)
        with pytest.raises(ValueError, match="2.53"):
            io.write(Map(f + (2**60 + 1), "mw:4", "f"), "h.nc")


def test_what_xarray_reads_of_a_written_map(here, rng):
    f = rng.standard_normal((2, 6, 12)).astype(np.float32)
    f[0, 0, 0] = np.nan
    times = np.array(["2018-06-01", "2018-06-01T06:00"], "M8[s]")
    attributes = {"T": {"long_name": "temperature", "flags": ["a"]}}
    io.write(Map(f, "dh:3,n_phi=12", "T", "K", {"time": times}, attributes=attributes), "f.nc")
    data = opened("f.nc")
    np.testing.assert_array_equal(data["T"].values, f)
    np.testing.assert_array_equal(data.time.values.astype("M8[s]"), times)
    np.testing.assert_allclose(data.lat, [75, 45, 15, -15, -45, -75], rtol=0, atol=CHAIN)
    assert data.lat.attrs["standard_name"] == "latitude" and data["T"].attrs["units"] == "K"
    assert data["T"].attrs["long_name"] == "temperature"


def test_rings_return_to_latitudes(here, rng):
    """Latitudes of no sampling theorem are rings, and are written as they were read."""
    lat = np.array([80.0, 50, 10, -30, -65])
    f = rng.standard_normal((5, 8))
    write("f.nc", on_sphere(f, lat=lat))
    sky = io.read("f.nc")
    assert sky.grid.name == "rings"
    io.write(sky, "copy.nc")
    np.testing.assert_array_equal(opened("copy.nc").f.values, f)
    io.write(Map(sky.values, sky.grid, "f"), "g.nc")  # from north to south
    copy = io.read("g.nc")
    np.testing.assert_array_equal(copy.values, sky.values)
    np.testing.assert_allclose(copy.grid.theta, sky.grid.theta, rtol=0, atol=SHORT_SUM)
    with pytest.raises(ValueError, match="rings of different longitudes"):
        io.write(Map(np.zeros(6), Rings([1.0, 2.0], [2, 4])), "h.nc")


# --- DataArrays ------------------------------------------------------------------------------------


def test_arrays_of_xarray_return(rng):
    xarray = pytest.importorskip("xarray")
    times = np.array(["2018-06", "2018-07"], "M8[ns]")
    coordinates = {"lat": LAT[::-1], "time": times, "lon": LON - 180, "height": 2.0}
    data = xarray.DataArray(
        rng.standard_normal((2, 5, 8)), coordinates, ("time", "lat", "lon"), "T", {"units": "K"}
    )
    sky = io.from_xarray(data)
    assert sky.names == ("T",) and sky.units == ("K",) and sky.attributes["height"]["value"] == 2
    xarray.testing.assert_equal(data, io.to_xarray(sky))
    xarray.testing.assert_equal(
        data.sel(time="2018-07-01"), io.to_xarray(sky.select(time="2018-07"))
    )
    both = xarray.Dataset({"a": data, "b": 2 * data})
    xarray.testing.assert_equal(both, io.to_xarray(io.from_xarray(both, field=["a", "b"])))
    with pytest.raises(ValueError, match="several fields: a"):
        io.from_xarray(both)
    with pytest.raises(TypeError, match="ndarray; expected a DataArray or Dataset"):
        io.from_xarray(data.values)


def test_frame_spin_and_grid_return(rng):
    pytest.importorskip("xarray")
    for text in ("cc:4,n_phi=16", "healpix:2"):
        shape = spherekit_shape(text)
        sky = Map(
            rng.standard_normal(shape), text, "T", "K", frame="galactic", spin=0, history=("a",)
        )
        copy = io.from_xarray(io.to_xarray(sky))
        assert (copy.grid, copy.frame, copy.spin, copy.history) == (sky.grid, "galactic", 0, ("a",))
        np.testing.assert_array_equal(copy.values, sky.values)


def spherekit_shape(text):
    from spherekit.sampling import grid

    return grid(text).shape


def test_only_the_selected_part_of_dask_is_computed():
    xarray = pytest.importorskip("xarray")
    dask = pytest.importorskip("dask.array")
    blocks = []

    def block(block_info=None):
        blocks.append(block_info[None]["chunk-location"])
        return np.ones((1, 5, 8))

    values = dask.map_blocks(block, chunks=((1,) * 6, 5, 8), dtype=float, meta=np.zeros((0, 0, 0)))
    data = xarray.DataArray(values, {"lat": LAT, "lon": LON}, ("level", "lat", "lon"), "T")
    assert io.from_xarray(data, select={"level": 2}).values.shape == (5, 8)
    assert blocks == [(2, 0, 0)]


def test_the_order_of_the_source_belongs_to_its_grid(rng):
    """A map on another grid, such as the result of an interpolation, is written in the order of its own."""
    pytest.importorskip("xarray")
    data = io.to_xarray(Map(rng.standard_normal((5, 8)), "mwss:4"))
    sky = io.from_xarray(data.isel(lat=slice(None, None, -1)))
    assert io.to_xarray(sky).lat[0] == -90
    moved = replace(sky, grid="dh:4,n_theta=5,n_phi=8")
    np.testing.assert_allclose(io.to_xarray(moved).lat, [72, 36, 0, -36, -72], rtol=0, atol=CHAIN)
    np.testing.assert_array_equal(io.to_xarray(moved), sky.values)


def test_what_needs_packages_says_so(here, monkeypatch):
    io.write(Map(np.zeros(12), "healpix:1", "T"), "a.nc")
    (here / "b.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    (here / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    for module in ("xarray", "netCDF4", "h5netcdf", "imageio", "imageio.v3"):
        monkeypatch.setitem(sys.modules, module, None)
    assert io.read("a.nc").names == ("T",)
    for path, module, extra in (("b.nc", "xarray", "netcdf"), ("c.png", "imageio.v3", "images")):
        with pytest.raises(ImportError, match=rf"{path} .* {module} .* 'spherekit\[{extra}\]'"):
            io.read(path)
    with pytest.raises(ImportError, match="xarray"):
        io.to_xarray(io.read("a.nc"))
    assert main(["plot", "b.nc", "-o", "out.png"]) == 1


@pytest.mark.parametrize("version", ["NETCDF3_64BIT_OFFSET", "NETCDF4"])
def test_damaged_bytes(here, rng, version):
    """A ValueError that names the file, or a map."""
    pytest.importorskip("xarray")
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset("f.nc", "w", format=version) as file:
        for name, values in (("lat", LAT), ("lon", LON)):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        file.createVariable("f", "i2", ("lat", "lon"))[:] = rng.integers(0, 9, (5, 8))
    contents = (here / "f.nc").read_bytes()
    for trial in range(60):
        damaged = bytearray(contents)
        if trial % 4 == 0:
            damaged = damaged[: rng.integers(len(damaged))]
        else:
            for position in rng.integers(0, len(damaged), trial):
                damaged[position] = rng.integers(256)
        (here / "f.nc").write_bytes(damaged)
        try:
            io.read("f.nc")
        except (ValueError, MemoryError) as error:
            assert "f.nc" in str(error)


NAMES = [
    "units",
    "standard_name",
    "axis",
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
]
NAMES += ["valid_range", "coordinates", "grid_mapping", "calendar", "_Unsigned", "long_name"]
TEXTS = [
    "degrees_north",
    "days since 2000-01-01",
    "latitude",
    "f",
    "lat lon",
    "healpix",
    "X",
    "true",
]
VALUES = st.one_of(
    st.sampled_from(TEXTS),
    st.floats(width=32),
    st.floats(),
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
    st.lists(st.integers(-128, 127), min_size=1, max_size=3).map(lambda x: np.array(x, np.int16)),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    st.sampled_from(["i1", "i2", "i4", "f4", "f8"]),
)
def test_attributes_of_any_value(here, of_field, of_latitude, dtype):
    """A map, or a ValueError that names the file."""
    variables = on_sphere(np.arange(40).reshape(5, 8).astype(dtype), **of_field)
    variables["lat"] = (("lat",), LAT, {"units": "degrees_north"} | of_latitude)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write("f.nc", variables)
    except (OverflowError, ValueError):  # an attribute that SciPy cannot write
        reject()
    try:
        with np.errstate(all="ignore"):
            io.read("f.nc")
    except ValueError as error:
        assert "f.nc" in str(error)


# --- commands --------------------------------------------------------------------------------------


def model_output(rng):
    """A file of two months of a model with a calendar of its own, on two levels."""
    values = rng.standard_normal((2, 2, 5, 8)).astype(np.float32)
    units = {"units": "days since 2000-01-01", "calendar": "noleap"}
    level = {"units": "hPa", "positive": "down", "standard_name": "air_pressure"}
    attributes = {"units": "K", "standard_name": "air_temperature", "cell_methods": "time: mean"}
    attributes["valid_range"] = np.array([150.0, 350.0], np.float32)
    variables = {
        "latitude": (("latitude",), LAT, {"units": "degrees_north", "long_name": "north"}),
        "longitude": (("longitude",), LON, {"units": "degrees_east"}),
        "plev": (("plev",), [500.0, 850.0], level),
        "time": (("time",), [0.0, 59.5], units),
        "ta": (("time", "plev", "latitude", "longitude"), values, attributes),
    }
    write("model.nc", variables, title="a model")


ROUTES = {
    "convert": ["convert model.nc a.npz", "convert a.npz back.nc"],
    "transform": [
        "transform model.nc -o a.npz",
        "transform a.npz --inverse --grid mwss:4 -o back.nc",
    ],
    "npz": [
        "transform model.nc -o a.npz",
        "transform a.npz --inverse --grid mwss:4 -o b.npz",
        "convert b.npz back.nc",
    ],
}


@pytest.mark.parametrize("route", ROUTES)
def test_attributes_through_commands(here, rng, route):
    """The attributes of fields, axes and the file, and the names of axes."""
    model_output(rng)
    for command in ROUTES[route]:
        assert main(command.split()) == 0
    with netcdf_file("model.nc", mmap=False) as source, netcdf_file("back.nc", mmap=False) as copy:
        assert set(source.dimensions) == set(copy.dimensions)
        assert copy.title == b"a model"
        for name, v in source.variables.items():
            expected = vars(v)["_attributes"]
            actual = vars(copy.variables[name])["_attributes"]
            for key, value in expected.items():
                np.testing.assert_array_equal(actual[key], value)
    selected = io.read("back.nc", select={"time": "2000-03", "level": 500})
    assert selected.attributes["plev"]["units"] == "hPa"


def test_commands_show_and_select_dates_of_models(here, rng, capsys):
    model_output(rng)
    assert main(["convert", "model.nc", "a.npz"]) == 0
    for name in ("model.nc", "a.npz"):
        assert main(["info", name]) == 0
        assert "2000-01-01, 2000-03-01T12:00:00" in capsys.readouterr().out
        for time in ("2000-03", "2000-03-01 12:00", "2000-03-01T12:00:00"):
            command = ["smooth", name, "--fwhm", "9deg", "--time", time, "-o", "s.nc", "--force"]
            assert main(command) == 0
        assert main(["wavelets", name, "--L", "4", "--level", "500", "-o", "w.npz"]) == 2
        assert "--select time=2000-01-01" in capsys.readouterr().err
