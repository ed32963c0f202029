"""Coefficients in files: every format there and back, real models against pyshtools, and the commands."""

import json
import struct

import numpy as np
import pytest
import scipy.io
from helpers.commands import refused, run
from helpers.data import oracle, real_file
from tolerances import LAST_PLACES, SHORT_SUM, STORED

from spherekit import io, spectra, wigner
from spherekit.conventions import from_shtools, to_shtools
from spherekit.harmonic import evaluate, inverse
from spherekit.io.coefficients import contains_coefficients
from spherekit.testing import random_flm

L = 7
#: Suffixes of one real signal.
SUFFIXES = ("npz", "fits", "fits.gz", "sh", "txt", "msl", "sh.gz", "nc", "mat")


def planet(name):
    """The path of a real file, if there is one."""
    return real_file("planets", name)


@pytest.fixture
def relief(rng):
    """A real signal with a name, a unit, a frame, constants and a history."""
    return io.Coefficients(
        random_flm(L, rng, reality=True),
        "relief",
        "m",
        frame="galactic",
        attributes={"": {"radius": 3396000.0}},
        history=("measured",),
    )


def peer_file(name, folder):
    """A file that pyshtools has written."""
    path = folder / name
    path.write_bytes(oracle("coefficient_files")[f"file/{name}"].tobytes())
    return path


# --- every format ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trips(suffix, relief, tmp_path):
    path = tmp_path / f"relief.{suffix}"
    io.write_coefficients(relief, path)
    assert contains_coefficients(path)
    copy = io.read_coefficients(path)
    np.testing.assert_allclose(copy.flm, relief.flm, rtol=LAST_PLACES, atol=LAST_PLACES)
    assert (copy.names, copy.units, copy.frame) == (("relief",), ("m",), "galactic")
    assert copy.notes == () and copy.spins == (0,)
    assert copy.history[0] == "measured" and copy.history[1].startswith("spherekit")
    if suffix not in ("fits", "fits.gz", "mat"):
        assert copy.attributes[""]["radius"] == 3396000.0
    with pytest.raises(FileExistsError):
        io.write_coefficients(relief, path)
    content = path.read_bytes()
    io.write_coefficients(relief, path, overwrite=True)
    assert path.read_bytes() == content


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_low_degrees_are_read(suffix, relief, tmp_path):
    path = tmp_path / f"relief.{suffix}"
    io.write_coefficients(relief, path)
    low = io.read_coefficients(path, L=3)
    np.testing.assert_allclose(low.flm, relief.flm[:9], rtol=LAST_PLACES, atol=LAST_PLACES)
    with pytest.raises(ValueError, match=f"degrees below {L}"):
        io.read_coefficients(path, L=L + 1)


@pytest.mark.parametrize("normalization", ["4pi", "ortho", "schmidt", "unnorm"])
@pytest.mark.parametrize("csphase", [1, -1])
@pytest.mark.parametrize("suffix", ["sh", "nc"])
def test_text_states_its_convention(suffix, csphase, normalization, relief, tmp_path):
    path = tmp_path / f"relief.{suffix}"
    io.write_coefficients(relief, path, normalization=normalization, csphase=csphase)
    np.testing.assert_allclose(
        io.read_coefficients(path).flm, relief.flm, rtol=LAST_PLACES, atol=LAST_PLACES
    )
    other = "ortho" if normalization == "4pi" else "4pi"
    with pytest.raises(ValueError, match=f"defines normalization = '{normalization}'"):
        io.read_coefficients(path, normalization=other)
    with pytest.raises(ValueError, match="defines csphase"):
        io.read_coefficients(path, csphase=-csphase)


@pytest.mark.parametrize("suffix", ["npz", "fits"])
def test_formats_without_a_choice(suffix, relief, tmp_path):
    path = tmp_path / f"relief.{suffix}"
    io.write_coefficients(relief, path)
    assert io.read_coefficients(path, normalization="ortho", csphase=-1).L == L
    with pytest.raises(ValueError, match="defines normalization"):
        io.read_coefficients(path, normalization="4pi")
    with pytest.raises(ValueError, match="defines csphase"):
        io.write_coefficients(relief, path, csphase=1, overwrite=True)
    with pytest.raises(ValueError, match="normalization is '5pi'; expected one of 4pi"):
        io.write_coefficients(relief, tmp_path / "relief.sh", normalization="5pi")


def test_signals_with_axes_in_npz(rng, tmp_path):
    flm = random_flm(L, rng, spin=2)[None, None] * np.arange(6).reshape(2, 3, 1)
    winds = io.Coefficients(flm, ("a", "b"), ("m", "s"), {"time": [1, 2, 3]}, spins=(2, 1))
    io.write_coefficients(winds, tmp_path / "winds.npz")
    copy = io.read_coefficients(tmp_path / "winds.npz")
    assert np.array_equal(copy.flm, flm) and copy.spins == (2, 1) and copy.names == ("a", "b")
    selected = io.read_coefficients(tmp_path / "winds.npz", field="b", select={"time": 2})
    assert np.array_equal(selected.flm, flm[1, 1]) and selected.units == ("s",)
    for suffix in ("fits", "sh", "mat", "nc", "shc"):
        with pytest.raises(ValueError, match=r"winds.*npz"):
            io.write_coefficients(winds, tmp_path / f"winds.{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["winds.npz"]


def test_polarized_skies(rng, tmp_path):
    flm = np.stack([random_flm(L, rng, reality=True) for _ in range(3)])
    sky = io.Coefficients(flm, ("T", "E", "B"), ("uK",), frame="galactic")
    io.write_coefficients(sky, tmp_path / "sky.fits")
    copy = io.read_coefficients(tmp_path / "sky.fits")
    assert copy.names == ("T", "E", "B") and copy.units == ("uK",) * 3 and copy.frame == "galactic"
    assert np.array_equal(copy.flm, flm)
    E = io.read_coefficients(tmp_path / "sky.fits", field="E")
    assert E.names == ("E",) and np.array_equal(E.flm, flm[1])
    assert io.read_alms(tmp_path / "sky.fits").components == ("T", "E", "B")


def test_single_precision(rng, tmp_path):
    flm = random_flm(L, rng, reality=True).astype(np.complex64)
    for suffix in ("npz", "sh", "mat"):
        path = tmp_path / f"single.{suffix}"
        io.write_coefficients(flm, path)
        np.testing.assert_allclose(io.read_coefficients(path).flm, flm, rtol=2e-7, atol=1e-7)


def test_refused_writes(relief, tmp_path):
    with pytest.raises(ValueError, match="suffix .png"):
        io.write_coefficients(relief, tmp_path / "relief.png")
    with pytest.raises(ValueError, match="1 of 49 coefficients are NaN"):
        io.write_coefficients(np.where(np.arange(L * L) == 3, np.nan, 1), tmp_path / "nan.npz")
    with pytest.raises(ValueError, match="not those of a real signal"):
        io.write_coefficients(1j * relief.flm, tmp_path / "complex.sh")
    assert not list(tmp_path.iterdir())


# --- other codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "header", "icgem", "netcdf3", "netcdf4"])
def test_files_of_pyshtools(name, tmp_path):
    if name == "netcdf4":
        pytest.importorskip("xarray", reason="netCDF-4 needs xarray")
        pytest.importorskip("h5netcdf", reason="netCDF-4 needs h5netcdf or netCDF4")
    path = peer_file(name, tmp_path)
    assert contains_coefficients(path)
    model = io.read_coefficients(path)
    options = dict(normalization="schmidt", csphase=-1) if "netcdf" in name else {}
    expected = from_shtools(oracle("coefficient_files")["cilm"], **options)
    np.testing.assert_allclose(model.flm, expected, rtol=LAST_PLACES, atol=LAST_PLACES)
    assert ("4pi" in " ".join(model.notes)) == (name in ("text", "header"))
    constants = model.attributes.get("", {})
    if name == "icgem":
        assert (constants["gm"], constants["radius"]) == (4.9e12, 1.7381e6)
        assert constants["tide_system"] == "zero_tide"
    if name == "header":
        assert constants["header"] == "1738.1 4902.8 6 6" and "not interpreted" in model.notes[1]
    if "netcdf" in name:
        assert model.units == ("m",)


MODELS = {
    "srtm": ("srtmp300.msl", {}),
    "gmm3": ("gmm3_120_sha.tab", {}),
    "egm2008": ("EGM2008_Topography_flms_L0128.mat", {"normalization": "4pi"}),
    "igrf13/0": ("IGRF13.shc", {"select": {"time": 1900}}),
    "igrf13/1": ("IGRF13.shc", {"select": {"time": 2020}}),
    "igrf13/2": ("IGRF13.shc", {"select": {"time": 2022.5}}),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_against_pyshtools(name):
    file, options = MODELS[name]
    model = io.read_coefficients(planet(file), **options)
    stored = oracle("coefficient_files")
    name, _, epoch = name.partition("/")
    values, power = stored[f"value/{name}"], stored[f"power/{name}"]
    if epoch:
        values, power = values[int(epoch)], power[int(epoch)]
    theta, phi = np.radians(90 - stored["latitude"]), np.radians(stored["longitude"])
    f = evaluate(model.flm, theta, phi, reality=True)
    np.testing.assert_allclose(f, values, rtol=0, atol=STORED * np.abs(values).max())
    variance = spectra.power(model.flm) * (2 * np.arange(model.L) + 1) / (4 * np.pi)
    np.testing.assert_allclose(variance, power, rtol=SHORT_SUM)


@pytest.mark.parametrize("suffix", ["npz", "fits", "sh", "nc", "mat"])
@pytest.mark.parametrize("name", ["srtmp300.msl", "gmm3_120_sha.tab", "IGRF13.shc"])
def test_models_through_each_format(name, suffix, tmp_path):
    model = io.read_coefficients(planet(name))
    model = model.select(time=2020) if model.axes else model
    path = tmp_path / f"model.{suffix}"
    io.write_coefficients(model, path)
    copy = io.read_coefficients(path)
    atol = LAST_PLACES * np.abs(model.flm).max()
    np.testing.assert_allclose(copy.flm, model.flm, rtol=LAST_PLACES, atol=atol)
    assert copy.units == model.units


@pytest.mark.parametrize(
    "name", ["srtmp300.msl", "EGM2008_Topography_flms_L0128.mat"], ids=["srtm", "egm2008"]
)
def test_the_relief_is_that_of_the_earth(name):
    relief = io.read_coefficients(planet(name), normalization="4pi")
    everest, mariana = evaluate(
        relief.flm, *np.radians([[90 - 27.99, 90 - 11.35], [86.93, 142.2]]), reality=True
    )
    assert everest > 4000 and mariana < -6000
    heights, latitudes, longitudes = (
        np.loadtxt(planet(f"etopo20{part}.gz")) for part in ("data", "lats", "lons")
    )
    rows, columns = np.arange(7, 540, 20), np.arange(5, 1080, 20)
    theta, phi = np.meshgrid(
        np.radians(90 - latitudes[rows]), np.radians(longitudes[columns]), indexing="ij"
    )
    f = evaluate(relief.flm, theta.ravel(), phi.ravel(), reality=True)
    assert np.corrcoef(f, heights[np.ix_(rows, columns)].ravel())[0, 1] > 0.99


def test_constants_of_mars():
    mars = io.read_coefficients(planet("gmm3_120_sha.tab"))
    constants = mars.attributes[""]
    assert mars.L == 121 and constants["radius"] == 3.396e6
    assert constants["gm"] == pytest.approx(4.282837285418775e13, rel=LAST_PLACES)
    assert mars.notes == ("3 pairs (l, m) of the degrees 0, 1 are not in the file: set to zero",)
    assert to_shtools(mars.flm)[0, 2, 0] == pytest.approx(-8.7502113235452894e-4, rel=LAST_PLACES)


def test_content_decides(tmp_path, relief):
    io.write_coefficients(relief, tmp_path / "a.sh")
    (tmp_path / "a.sh").rename(tmp_path / "a.fits")
    assert io.read_coefficients(tmp_path / "a.fits").L == L
    (tmp_path / "points.csv").write_text("lat,lon,T\n10,20,3.5\n-10,20,4.5\n")
    (tmp_path / "map.txt").write_text("1.0 2.0 3.0 4.0\n5.0 6.0 7.0 8.0\n")
    io.write_arrays(tmp_path / "map.npz", values=np.zeros(12), grid="healpix:1")
    io.write_map(tmp_path / "map.fits", np.zeros(12))
    for path in tmp_path.iterdir():
        assert contains_coefficients(path) == (path.name == "a.fits"), path
    for name in ("points.csv", "map.txt", "map.npz", "map.fits"):
        with pytest.raises(ValueError, match=name):
            io.read_coefficients(tmp_path / name)


@pytest.mark.parametrize("name", ["etopo20data.gz", "etopo20lats.gz", "etopo20lons.gz"])
def test_maps_in_text_are_not_coefficients(name):
    assert not contains_coefficients(planet(name))


# --- MATLAB ----------------------------------------------------------------------------------------


def mat(path, **variables):
    scipy.io.savemat(path, variables)
    return path


def test_half_of_a_real_signal_in_matlab(relief, tmp_path):
    orders = np.concatenate([np.arange(-ell, ell + 1) for ell in range(L)])
    half = np.where(orders < 0, 0, relief.flm)
    path = mat(tmp_path / "half.mat", flm=half.reshape(-1, 1), L=L)
    completed = io.read_coefficients(path)
    np.testing.assert_allclose(completed.flm, relief.flm, rtol=LAST_PLACES, atol=LAST_PLACES)
    assert "completed" in completed.notes[0]
    assert np.array_equal(io.read_coefficients(path, reality=False).flm, half)
    cilm = to_shtools(relief.flm, normalization="schmidt", csphase=-1)
    degrees = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    positive = np.maximum(orders, 0)
    entries = np.where(orders < 0, 0, cilm[0, degrees, positive] + 1j * cilm[1, degrees, positive])
    path = mat(tmp_path / "cosines.mat", a=entries)
    real = io.read_coefficients(path, field="a", normalization="schmidt", csphase=-1)
    np.testing.assert_allclose(real.flm, relief.flm, rtol=LAST_PLACES, atol=LAST_PLACES)
    with pytest.raises(ValueError, match="orders m < 0"):
        io.read_coefficients(mat(tmp_path / "full.mat", flm=relief.flm), normalization="4pi")


def test_refused_matlab_files(tmp_path):
    with pytest.raises(ValueError, match=r"expected coefficients, an array flm"):
        io.read_coefficients(mat(tmp_path / "a.mat", flm=np.ones((3, 3))))
    with pytest.raises(ValueError, match="a .* b .* float64; expected coefficients"):
        io.read_coefficients(mat(tmp_path / "b.mat", a=np.ones(9), b=np.ones(16)))
    with pytest.raises(ValueError, match="states L = 4"):
        io.read_coefficients(mat(tmp_path / "c.mat", flm=np.ones(9), L=4))
    with pytest.raises(ValueError, match="struct"):
        io.read_coefficients(mat(tmp_path / "d.mat", flm={"a": np.ones(9)}))
    objects = np.empty(9, object)
    objects[:] = [np.ones(2)] * 9
    with pytest.raises(ValueError, match="cell"):
        io.read_coefficients(mat(tmp_path / "e.mat", flm=objects))
    start = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "f.mat").write_bytes(start.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(99))
    with pytest.raises(ValueError, match=r"version 7.3, which is HDF5; save it with version 7"):
        io.read_coefficients(tmp_path / "f.mat")


def big_endian(values):
    """A MATLAB file with the complex array flm, as computers write that store the highest byte first."""

    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    array = element(6, struct.pack(">II", 0x0806, 0)) + element(
        5, struct.pack(">ii", len(values), 1)
    )
    array += struct.pack(">HH", 3, 1) + b"flm\0"  # up to four bytes are in the tag
    array += element(9, values.real.astype(">f8").tobytes())
    array += element(9, values.imag.astype(">f8").tobytes())
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + element(14, array)


def test_byte_order_and_compression_of_matlab(relief, tmp_path):
    path = tmp_path / "flm.mat"
    path.write_bytes(big_endian(relief.flm))
    assert np.array_equal(io.read_coefficients(path).flm, relief.flm)
    scipy.io.savemat(path, {"flm": relief.flm, "other": "text"}, do_compression=True)
    assert np.array_equal(io.read_coefficients(path).flm, relief.flm)
    content = bytearray(path.read_bytes())
    content[180] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        io.read_coefficients(path)


# --- commands --------------------------------------------------------------------------------------


def test_commands_on_the_relief(tmp_path, monkeypatch, capsys):
    path = planet("srtmp300.msl")
    monkeypatch.chdir(tmp_path)
    run(f"transform {path} --inverse --L 40 --grid dh:40 -o relief.npz")
    assert "normalization 4pi" in capsys.readouterr().out
    expected = inverse(io.read_coefficients(path, L=40).flm, 40, sampling="dh", reality=True)
    sky = io.read_arrays("relief.npz")
    np.testing.assert_allclose(
        sky["values"], expected, rtol=0, atol=SHORT_SUM * np.abs(expected).max()
    )
    run("transform relief.npz --L 40 -o copy.sh")
    np.testing.assert_allclose(
        io.read_coefficients("copy.sh").flm,
        io.read_coefficients(path, L=40).flm,
        rtol=0,
        atol=STORED * np.abs(expected).max(),
    )


def test_commands_on_mars(tmp_path, monkeypatch):
    path = planet("gmm3_120_sha.tab")
    monkeypatch.chdir(tmp_path)
    run(f"rotate {path} --euler 10,20,30 -o rotated.nc")
    rotated = io.read_coefficients("rotated.nc")
    expected = wigner.rotate(
        io.read_coefficients(path).flm, *np.radians([10, 20, 30]), reality=True
    )
    atol = STORED * np.abs(expected).max()
    np.testing.assert_allclose(rotated.flm, expected, rtol=0, atol=atol)
    assert rotated.attributes[""]["radius"] == 3.396e6


def test_commands_on_the_magnetic_field(tmp_path, monkeypatch, capsys):
    path = planet("IGRF13.shc")
    monkeypatch.chdir(tmp_path)
    model = io.read_coefficients(path)
    run(f"spectrum {path} -o all.npy")
    run(f"spectrum {path} --time 2020 -o one.fits")
    cl = io.read_arrays("all.npy")["values"]
    assert cl.shape == (26, 14)
    np.testing.assert_allclose(cl, spectra.power(model.flm), rtol=SHORT_SUM)
    (one,) = io.read_spectra("one.fits").values.values()
    np.testing.assert_allclose(one, cl[24], rtol=SHORT_SUM)
    run(f"rotate {path} --euler 0,0,0 -o same.shc")
    same = io.read_coefficients("same.shc")
    atol = SHORT_SUM * np.abs(model.flm).max()
    np.testing.assert_allclose(same.flm, model.flm, rtol=0, atol=atol)
    assert np.array_equal(same.axes["time"], model.axes["time"])
    run(f"transform {path} --inverse --grid gl:14 -o maps.npz")
    maps = io.read_arrays("maps.npz")
    assert maps["values"].shape == (26, 14, 27) and maps["axes"].tolist() == ["time"]
    assert "--select time=1900" in refused(capsys, f"spectrum {path} -o all.fits", 2)
    assert "--select time=1900" in refused(capsys, f"rotate {path} --euler 0,0,0 -o all.fits", 2)
    assert "no coordinate 2031" in refused(capsys, f"spectrum {path} --time 2031 -o a.npy")
    assert "defines normalization" in refused(
        capsys, f"spectrum {path} --normalization 4pi -o a.npy"
    )


def test_commands_with_a_convention(relief, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cilm = to_shtools(relief.flm, normalization="schmidt", csphase=-1)
    rows = [(ell, m, *cilm[:, ell, m]) for ell in range(L) for m in range(ell + 1)]
    np.savetxt("rows.txt", rows, "%d %d %.17g %.17g")
    run("rotate rows.txt --euler 0,0,0 --normalization schmidt --csphase -1 -o out.npz")
    np.testing.assert_allclose(
        io.read_arrays("out.npz")["flm"], relief.flm, rtol=SHORT_SUM, atol=SHORT_SUM
    )
    (history,) = io.read_arrays("out.npz")["history"].tolist()
    assert "rotate rows.txt" in history and "input rows.txt sha256:" in history


def test_attributes_are_plain_json(tmp_path, relief):
    io.write_coefficients(relief, tmp_path / "relief.npz")
    arrays = io.read_arrays(tmp_path / "relief.npz")
    assert json.loads(arrays["attributes"].item()) == {"": {"radius": 3396000.0}}


@pytest.mark.parametrize("suffix", ["npz", "sh", "sh.gz", "nc", "mat"])
def test_coefficients_are_not_a_map(here, suffix):
    io.write_coefficients([1, -0.25, 0, 0.25], f"flm.{suffix}")
    with pytest.raises(
        ValueError, match=f"flm.{suffix} contains harmonic coefficients.*read_coeff"
    ):
        io.read(f"flm.{suffix}")


def test_one_epoch_of_a_magnetic_model_is_written(here, rng):
    flm = np.stack([random_flm(4, rng, reality=True) for _ in range(3)])
    io.write_coefficients(io.Coefficients(flm, axes={"time": [2000.0, 2005.0, 2010.0]}), "m.shc")
    for year, expected in ((2005.0, flm[1]), (2007.5, (flm[1] + flm[2]) / 2)):
        model = io.read_coefficients("m.shc", select={"time": year})
        io.write_coefficients(model, "one.shc", overwrite=True)
        copy = io.read_coefficients("one.shc")
        assert copy.axes["time"].tolist() == [year]
        np.testing.assert_allclose(copy.flm[0], expected, rtol=0, atol=SHORT_SUM)
