"""Samples on latitudes and longitudes in text, .npy and MATLAB files; tables of points."""

import gzip

import numpy as np
import pytest
from helpers.data import real_file

from spherekit import io
from spherekit.cli import main
from spherekit.io import Map
from spherekit.sampling import Rings

LAT, LON = np.linspace(-90, 90, 5), np.arange(9) * 45.0


def real(folder, name):
    paths = [real_file(folder, f"{name}{part}.gz") for part in ("data", "lats", "lons")]
    return paths


def test_etopo():
    """540 x 1081 samples from south to north and from 20.17 degrees, the last column repeated."""
    data, lats, lons = real("planets", "etopo20")
    sky = io.read(data, lat=lats, lon=lons)
    assert str(sky.grid) == "dh:540,n_theta=540,n_phi=1080,phi0=half"
    values = np.loadtxt(data)[::-1, :1080]
    np.testing.assert_array_equal(sky.values, np.roll(values, 60, axis=1))
    assert len(sky.notes) == 3
    everest = sky.values[186 : 186 + 3, 259:263]  # 27.9 N, 86.9 E
    assert everest.max() > 5000
    assert sky.values[-1].min() > 2000  # the Antarctic


def test_heights_of_500_hpa():
    data, lats, lons = real("atmosphere", "500hgt")
    sky = io.read(data, lat=lats, lon=lons)
    assert str(sky.grid) == "mwss:72"
    np.testing.assert_array_equal(sky.values, np.loadtxt(data)[::-1, :144])


@pytest.fixture
def text(here, rng):
    """A text file of samples, whose last longitude repeats the first, with its axes."""
    f = rng.standard_normal((5, 9))
    f[:, 8] = f[:, 0]
    np.savetxt("f.txt", f, header="samples")
    np.savetxt("lat.txt", LAT)
    np.savetxt("lon.txt", LON)
    return f


@pytest.mark.parametrize("kind", ["plain", "gzip", "one a line", "commas", "npy", "mat"])
def test_files_of_samples(here, text, kind):
    path = "f.txt"
    if kind == "gzip":
        (here / "f.gz").write_bytes(gzip.compress((here / "f.txt").read_bytes()))
        path = "f.gz"
    elif kind == "one a line":
        np.savetxt("f.txt", text.ravel())
    elif kind == "commas":
        np.savetxt("f.txt", text, delimiter=", ")
    elif kind == "npy":
        np.save("f.npy", text)
        path = "f.npy"
    elif kind == "mat":
        from scipy.io import savemat

        savemat("f.mat", {"f": text, "n": 3})
        path = "f.mat"
    for lat, lon in (("lat.txt", "lon.txt"), (LAT, LON)):
        sky = io.read(path, lat=lat, lon=lon)
        np.testing.assert_array_equal(sky.values, text[::-1, :8])
        assert str(sky.grid) == "mwss:4"


def test_a_grid_in_place_of_axes(here, rng):
    f = rng.standard_normal((4, 7))
    np.savetxt("f.txt", f)
    np.testing.assert_array_equal(io.read("f.txt", grid="mw:4").values, f)
    with pytest.raises(ValueError, match="expected 28, the grid mw:5|expected 45, the grid mw:5"):
        io.read("f.txt", grid="mw:5")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "pass lat=FILE and lon=FILE"),
        ({"lat": "lat.txt"}, "lat=FILE and lon=FILE"),
        ({"lat": "lon.txt", "lon": "lat.txt"}, "f.txt: lat ranges from 0 to 360"),
        ({"lat": LAT[:4], "lon": LON}, "expected 36, 4 latitudes x 9 longitudes"),
        ({"lat": LAT, "lon": LON, "grid": "gl:5"}, "grid=gl:5, but the latitudes"),
        ({"lat": "f.png", "lon": "lon.txt"}, "f.png cannot be read as text: it is a PNG picture"),
        ({"lat": "words.txt", "lon": "lon.txt"}, "words.txt: line 2: 'north' is not a number"),
        ({"lat": "none.txt", "lon": "lon.txt"}, "none.txt contains no numbers"),
        ({"lat": "lat.txt", "lon": "lon.txt", "field": 3}, "no field 3"),
    ],
)
def test_axes_that_do_not_fit(here, text, options, words):
    (here / "f.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (here / "words.txt").write_text("90\nnorth\n")
    (here / "none.txt").write_text("# nothing\n")
    with pytest.raises(ValueError, match=words):
        io.read("f.txt", **options)


def test_memory_of_compressed_text(here, monkeypatch):
    (here / "f.gz").write_bytes(gzip.compress(b"1 " * 2**22))
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e7")
    with pytest.raises(MemoryError, match="the text of f.gz"):
        io.read("f.gz", lat=LAT, lon=LON)
    (here / "g.gz").write_bytes((here / "f.gz").read_bytes()[:-200])
    monkeypatch.delenv("SPHEREKIT_MAX_MEMORY")
    with pytest.raises(ValueError, match="g.gz is a damaged gzip file"):
        io.read("g.gz", lat=LAT, lon=LON)


def test_arrays_of_matlab(here, rng):
    from scipy.io import savemat

    f = rng.standard_normal((4, 7))
    savemat("f.mat", {"f": f, "g": 2 * f, "lat": LAT, "name": "text"})
    np.testing.assert_array_equal(io.read("f.mat", field="g", grid="mw:4").values, 2 * f)
    with pytest.raises(ValueError, match=r"the arrays f \(4, 7\), g \(4, 7\), lat \(5,\)"):
        io.read("f.mat")
    with pytest.raises(ValueError, match="does not state the grid of f"):
        io.read("f.mat", field="f")


# --- tables of points ------------------------------------------------------------------------------


def table(grid, rng, head, separator=","):
    """A table of the points of a grid in random order, and the map."""
    sky = Map(rng.standard_normal((2, *grid.shape)), grid, ("a", "b"), ("K", ""))
    io.write(sky, "points.csv", overwrite=True)
    with open("points.csv") as file:
        lines = [line for line in file.read().split("\n") if line and not line.startswith("#")]
    rows = np.array([[float(entry) for entry in line.split(",")] for line in lines[1:]])
    rows = rows[rng.permutation(len(rows))]
    if "theta" in head:
        rows[:, :2] = np.radians(np.stack([90 - rows[:, 0], rows[:, 1]], -1))
    with open("points.csv", "w") as file:
        file.write(head.replace(",", separator) + "\n")
        file.writelines(separator.join(map(repr, row.tolist())) + "\n" for row in rows)
    return sky


@pytest.mark.parametrize("text", ["healpix:2", "dh:3", "gl:4,phi0=half"])
@pytest.mark.parametrize(
    ("head", "separator"),
    [("lat,lon,a [K],b", ","), ("# Dec,RA,a [K],b", ";"), ("theta,phi,a [K],b", "\t")],
)  # fmt: skip
def test_tables_of_points(here, rng, text, head, separator):
    from spherekit.sampling import grid as as_grid

    sky = table(as_grid(text), rng, head, separator)
    copy = io.read("points.csv")
    np.testing.assert_array_equal(copy.values, sky.values)
    assert copy.names == ("a", "b") and copy.units == ("K", "")
    assert copy.grid.shape == sky.grid.shape and copy.notes
    frames = {"lat": "geographic", "# D": "equatorial", "the": ""}
    assert copy.frame == frames[head[:3]]
    np.testing.assert_array_equal(io.read("points.csv", field="b").values, sky.values[1])
    assert io.read("points.csv", field=0, grid=copy.grid).names == ("a",)
    with pytest.raises(ValueError, match="grid=mw:9, but the points"):
        io.read("points.csv", grid="mw:9")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("lat,lon\n1,2\n", "no columns besides lat, lon"),
        ("lat,lon,a\n", "no rows"),
        ("lat,lon,a\n1,2\n", "row 2 has 2 entries; expected 3"),
        ("lat,lon,a\n1,2,x\n", "the column a: .x. in row 2 is not a number"),
        ("lat,lon,a\nnan,0,1\n10,50,2\n", "points.csv: lat"),
    ],
)
def test_tables_that_are_not_maps(here, contents, words):
    (here / "points.csv").write_text(contents)
    with pytest.raises(ValueError, match=words):
        io.read("points.csv")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_with_text_gaps_and_decimal_commas(here, separator):
    sky = Map(np.arange(24.0) / 8, Rings(np.radians([30, 60, 90]), 8), "a")
    io.write(sky, "points.csv")
    comment, frame, head, *rows = (here / "points.csv").read_text().splitlines()
    rows = [row.replace(",", separator).replace(".", ",") for row in rows]
    gaps = ("NA", "nan", "")
    rows[:3] = [
        separator.join([*row.split(separator)[:2], x])
        for row, x in zip(rows[:3], gaps, strict=True)
    ]
    rows = [f"{row}{separator}X{n % 2}{separator}7" for n, row in enumerate(rows)]
    names = [*head.split(","), '"station"', "n"]
    (here / "b.csv").write_text("\n".join([separator.join(names), *rows]) + "\n")
    copy = io.read("b.csv")
    assert copy.names == ("a", "n") and copy.notes == (
        "columns of text that are not read: station",
        "decimal commas are read as points",
    )
    assert np.isnan(copy.values[0][:3]).all()
    np.testing.assert_array_equal(copy.values[0][3:], sky.values[3:])
    assert io.read("b.csv", field="n").values.max() == 7
    with pytest.raises(ValueError, match="column station: 'X0' in row 2 is not a number"):
        io.read("b.csv", field="station")


def test_decimal_commas_between_commas(here):
    (here / "b.csv").write_text("lat,lon,a\n-10,5,20,5,1,25\n")
    with pytest.raises(ValueError, match="6 entries; expected 3: lat, lon, a; decimal commas"):
        io.read("b.csv")


def test_quoted_entries(here):
    (here / "b.csv").write_text(
        '"lat","lon","place","a"\n'
        + "".join(f'{lat},{lon},"a, b","{lat}"\n' for lat in (45, -45) for lon in (0, 90, 180, 270))
    )
    assert io.read("b.csv").names == ("a",)


def test_scattered_points_in_commands(here, rng, capsys):
    rows = "".join(f"{lat},{lon},1\n" for lat, lon in rng.uniform(-80, 80, (40, 2)))
    (here / "b.csv").write_text("lat,lon,a\n" + rows)
    assert main(["plot", "b.csv", "-o", "b.png"]) == 1
    text = capsys.readouterr().err
    assert main(["info", "b.csv"]) == 0
    for message in (text, capsys.readouterr().out):
        assert "interpolate the samples to latitudes and longitudes" in message
        assert "evaluate" not in message


@pytest.mark.parametrize("frame", ["", "geographic", "galactic", "horizontal"])
def test_tables_of_points_state_their_frame(here, frame):
    sky = Map(np.arange(24.0), Rings(np.radians([2, 60, 88]), 8), "a", frame=frame)
    io.write(sky, "points.csv")
    copy = io.read("points.csv")
    assert copy.frame == frame
    assert copy.grid == sky.grid  # the degrees of the file are those of the colatitudes
    (here / "b.csv").write_text((here / "points.csv").read_text().replace(": ", ": B1950 ", 1))
    if frame:
        with pytest.raises(ValueError, match="b.csv: .*frame"):
            io.read("b.csv")


def test_empty_entries_are_missing(here):
    io.write(Map(np.arange(12.0), "healpix:1", "a"), "points.csv")
    text = (here / "points.csv").read_text().replace(",3.0\n", ",\n")
    (here / "points.csv").write_text(text)
    sky = io.read("points.csv")
    assert np.flatnonzero(np.isnan(sky.values)).tolist() == [3]
