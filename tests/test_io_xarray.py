"""Arrays of xarray return with their dimensions, coordinates and calendars; Datasets field by field."""

import numpy as np
import pytest

from spherekit import fields, io
from spherekit.cli import main
from spherekit.io import cf

xarray = pytest.importorskip("xarray")
LAT, LON = np.linspace(90, -90, 5), np.arange(8) * 45.0
MODEL_CALENDARS = ["noleap", "all_leap", "360_day", "julian"]


@pytest.fixture
def air(rng):
    coordinates = {
        "time": np.array(["2000-01-01", "2000-01-02", "2000-03-01"], "M8[ns]"),
        "level": ("level", [500, 850], {"units": "hPa", "positive": "down"}),
        "lat": ("lat", LAT.astype(np.float32), {"units": "degrees"}),
        "lon": ("lon", LON.astype(np.float32)),
    }
    values = rng.standard_normal((3, 2, 5, 8)).astype(np.float32)
    attributes = {"units": "K", "cell_methods": "time: mean"}
    return xarray.DataArray(values, coordinates, ("time", "level", "lat", "lon"), "T", attributes)


CHANGES = {
    "as it is": lambda T: T,
    "other order": lambda T: T.transpose("lon", "lat", "time", "level"),
    "south first": lambda T: T.transpose("lat", "time", "lon", "level")[::-1],
    "no coordinate": lambda T: T.drop_vars("level"),
    "scalars": lambda T: T.isel(level=0).assign_coords(expver="0001", number=3),
    "radians": lambda T: T.assign_coords(
        lat=("lat", np.radians(LAT), {"units": "radian"}),
        lon=("lon", np.radians(LON), {"units": "radian"}),
    ),
    "leads": lambda T: T.assign_coords(level=np.array([6, 12], "m8[h]").astype("m8[ns]")),
    "names": lambda T: T.assign_coords(level=["a", "bcd"]),
    "other dimensions": lambda T: (
        T.rename(lat="y", lon="x")
        .assign_coords(latitude=("y", LAT), longitude=("x", LON))
        .drop_vars(["x", "y"])
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_returns_from_a_map(air, change):
    data = CHANGES[change](air)
    copy = io.to_xarray(io.from_xarray(data))
    xarray.testing.assert_identical(data, copy)
    assert {name: v.dtype for name, v in data.coords.items()} == {
        name: v.dtype for name, v in copy.coords.items()
    }
    smoothed = fields.smooth(data, 0.1)
    assert smoothed.dims == data.dims and smoothed.attrs == data.attrs
    xarray.testing.assert_identical(data.coords.to_dataset(), smoothed.coords.to_dataset())


@pytest.mark.parametrize("change", CHANGES)
def test_what_returns_from_a_file(here, air, change):
    """Latitudes and longitudes, their order and attributes."""
    data = CHANGES[change](air)
    sky = io.from_xarray(data)
    io.write(sky, "f.nc")
    copy = io.read("f.nc")
    np.testing.assert_array_equal(sky.values, copy.values)
    with xarray.open_dataset("f.nc", decode_timedelta=True) as file:
        assert file["T"].dims == data.dims and file["T"].attrs == data.attrs
        for name in data.coords:
            np.testing.assert_array_equal(file[name].values, data[name].values)
            assert {**data[name].attrs, **file[name].attrs} == file[name].attrs
    io.write(sky, "f.npz")
    restored = io.read("f.npz")
    assert restored.attributes == sky.attributes
    assert list(restored.axes) == list(sky.axes)


@pytest.mark.parametrize("calendar", MODEL_CALENDARS)
def test_calendars_of_models(here, air, calendar):
    pytest.importorskip("cftime")
    times = xarray.date_range(
        "2000-01-01", periods=3, freq="MS", calendar=calendar, use_cftime=True
    )
    data = air.assign_coords(time=times)
    sky = io.from_xarray(data)
    xarray.testing.assert_equal(data, io.to_xarray(sky))
    io.write(sky, "f.nc")
    io.write(sky, "f.npz")
    for record in (sky, io.read("f.nc"), io.read("f.npz")):
        assert record.attributes["time"]["calendar"] == calendar
        np.testing.assert_array_equal(record.select(time="2000-03").values, sky.values[2])
        with pytest.raises(
            ValueError, match="no coordinate 2001; .* 2000-01-01, 2000-02-01, 2000-03"
        ):
            record.select(time="2001")
    march = io.read("f.nc", select={"time": "2000-03"})
    np.testing.assert_array_equal(march.values, sky.values[2])
    with xarray.open_dataset("f.nc") as file:
        assert list(file.time.values) == list(times)


@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian", *MODEL_CALENDARS])
@pytest.mark.parametrize(
    "units",
    [
        "days since 1850-01-01",
        "hours since 1200-03-04 06:30:00",
        "seconds since 2000-02-28T12:00:00",
        "days since 2000-03-01 00:00:00 -06:00",
        "minutes since 1-1-1",
    ],
)
def test_dates_of_all_calendars(rng, calendar, units):
    cftime = pytest.importorskip("cftime")
    numbers = np.concatenate([rng.integers(0, 2e6, 50), rng.integers(0, 16e5, 50) / 8])
    dates = cftime.num2date(numbers, units, calendar=calendar)
    texts = cf.coordinate_texts(numbers, {"units": units, "calendar": calendar})
    seconds = [text.partition(".")[0] for text in texts]
    assert seconds == [date.isoformat().partition(".")[0] for date in dates]
    encoded, attributes = cf.encode_dates(list(dates))
    assert cf.coordinate_texts(encoded, attributes) == texts
    encoded, attributes = cf.encode_dates(list(dates), units)
    assert attributes["units"] == units
    np.testing.assert_array_equal(encoded, numbers)


@pytest.mark.parametrize(
    "attributes",
    [
        {"units": "months since 2000-01-01", "calendar": "noleap"},
        {"units": "days since 2000-02-29", "calendar": "noleap"},
        {"units": "days since 2000-13-01", "calendar": "360_day"},
        {"units": "days since 2000-01-01", "calendar": "lunar"},
        {"units": "days"},
        {},
    ],
)
def test_numbers_without_dates(attributes):
    assert cf.coordinate_texts(np.arange(3.0), attributes) is None


def test_objects_on_axes_are_not_changed_silently(here, air):
    sky = io.Map(air.values, "mwss:4", "T", axes={"time": [{}, {}, {}], "level": [500, 850]})
    for name in ("f.nc", "f.npz"):
        with pytest.raises(ValueError, match=f"{name}: .*time has dtype object"):
            io.write(sky, name)


def test_coordinates_are_no_fields(air):
    area = (("lat", "lon"), np.ones((5, 8)))
    data = air.assign_coords(area=area)
    sky = io.from_xarray(data)
    assert sky.names == ("T",) and sky.notes == ("coordinates that are not read: area (lat, lon)",)
    xarray.testing.assert_equal(fields.smooth(data, 0.1).area, data.area)
    assert "area" not in fields.regrid(data, "mw:4").coords
    both = air.to_dataset().assign(area=area)
    with pytest.raises(ValueError, match="several fields: T .*; area"):
        io.from_xarray(both)
    both["T"].attrs["cell_measures"] = "area: area"
    assert io.from_xarray(both).names == ("T",)
    assert io.from_xarray(both, field="area").names == ("area",)


@pytest.fixture
def winds(air):
    u = air.assign_attrs(standard_name="eastward_wind")
    v = (2 * air[::-1]).assign_coords(air.coords).assign_attrs(standard_name="northward_wind")
    surface = air.isel(level=0, drop=True)
    return xarray.Dataset(
        {"T": air, "other": ("z", [1, 2]), "u": u, "v": v, "ps": surface}, attrs={"title": "air"}
    )


def test_a_dataset_is_smoothed_field_by_field(winds):
    result = fields.smooth(winds, 0.1)
    assert list(result) == list(winds) and result.attrs == winds.attrs
    assert result.sizes == winds.sizes
    xarray.testing.assert_identical(result.other, winds.other)
    of_wind = fields.smooth(io.from_xarray(winds, field=["u", "v"]), 0.1)  # spin 1
    for name in ("u", "v"):
        np.testing.assert_array_equal(result[name].values, of_wind[name].values)
        assert result[name].attrs == winds[name].attrs
    for name in ("T", "ps"):
        xarray.testing.assert_identical(result[name], fields.smooth(winds[name], 0.1))
    single = fields.smooth(winds[["T"]], 0.1)
    assert isinstance(single, xarray.Dataset)
    xarray.testing.assert_identical(single["T"], result["T"])


def test_a_dataset_changes_its_grid(winds):
    result = fields.regrid(winds, "mw:4")
    assert list(result) == list(winds) and result["T"].sizes["lat"] == 4
    xarray.testing.assert_identical(result.other, winds.other)
    assert "spherekit_grid" not in result.attrs
    np.testing.assert_array_equal(result.ps, fields.regrid(winds.ps, "mw:4"))


def test_complex_arrays(air):
    data = air.isel(time=0, level=0, drop=True) * (1 + 1j)
    smoothed = fields.smooth(data, 0.1, spin=1)
    assert smoothed.dims == data.dims and smoothed.dtype == data.dtype


def test_groups_of_netcdf4_are_listed(here, air, capsys):
    pytest.importorskip("netCDF4")
    data = air.to_dataset()
    data.to_netcdf("f.nc", group="model/daily")
    data.to_netcdf("f.nc", group="observed", mode="a")
    with pytest.raises(ValueError, match=r"groups model/daily, observed.*ncks -G : -g model/daily"):
        io.read("f.nc")
    assert main(["info", "f.nc"]) == 0
    assert "model/daily, observed" in capsys.readouterr().out
    group = xarray.open_dataset("f.nc", group="observed")
    np.testing.assert_array_equal(io.from_xarray(group).values, air.values)
    group.close()
