"""One small valid file of each format that the package reads, and the function that reads it.

`EXAMPLES` maps the name of a file to a function that writes it; `read` reads it as its format is meant.
"""

import bz2
import functools
import gzip

import numpy as np
from astropy.io import fits

from helpers.data import oracle
from helpers.fits_tables import table
from spherekit import io
from spherekit.testing import random_flm

L = 3
GRID = "mw:3"
LAT = np.linspace(90, -90, 5)
LON = np.arange(0, 360, 45.0)
#: Name of a file: (function that writes it, names of the readers of `spherekit.io` that read it).
EXAMPLES = {}


def example(*names, readers=("read",), module=None):
    """Decorator that adds a function ``write(path)`` to the table, under the names of its files."""

    def add(write):
        for name in names:
            EXAMPLES[name] = write, readers, module
        return write

    return add


def write(name, folder):
    """Write the file of this name into a folder, and return its path."""
    path = folder / name
    EXAMPLES[name][0](path)
    return path


def read(name, path):
    """The contents of a file, by each reader of the format of ``name``."""
    return [READERS[reader](path) for reader in EXAMPLES[name][1]]


def module_of(name):
    """The optional package that reads the format of a file, or None."""
    return EXAMPLES[name][2]


def _checkpoint(path):
    from spherekit.train import checkpoints

    return checkpoints.load(path)


def _network(path):
    from spherekit import nn

    return nn.load(path)


def _configuration(path):
    from spherekit.train import config

    return config.read(path)


READERS = {
    "describe": io.describe,
    "read": io.read,
    "on a grid": lambda path: io.read(path, grid=GRID),
    "axes": lambda path: io.read(path, lat=LAT, lon=LON),
    "latitudes": lambda path: io.read(_samples(path), lat=path, lon=LON),
    "read_map": io.read_map,
    "read_mw": io.read_mw,
    "read_coefficients": io.read_coefficients,
    "read_alms": io.read_alms,
    "read_cl": io.read_cl,
    "read_spectra": io.read_spectra,
    "read_table": io.read_table,
    "tables": io.tables,
    "read_arrays": io.read_arrays,
    "read_beam": lambda path: io.read_beam(path, 3),
    "nn.load": _network,
    "checkpoints.load": _checkpoint,
    "config.read": _configuration,
}


def _rng():
    return np.random.default_rng(20264)


def _samples(path):
    """The file of samples beside one of latitudes."""
    samples = path.parent / "latlon.npy"
    if not samples.exists():
        np.save(samples, _rng().standard_normal((LAT.size, LON.size)))
    return samples


# --- FITS ------------------------------------------------------------------------------------------


@example("ring.fits", "ring.fits.gz", readers=("read", "read_map", "read_table"))
@example("ring.fits.bz2", readers=("read_map", "read_table"))
def _ring(path):
    io.write_map(path.with_name("plain.fits"), _rng().standard_normal(48), unit="K", overwrite=True)
    content = path.with_name("plain.fits").read_bytes()
    pack = {".gz": functools.partial(gzip.compress, mtime=0), ".bz2": bz2.compress}
    path.write_bytes(pack.get(path.suffix, bytes)(content))


@example("nested.fits", readers=("read", "read_map"))
def _nested(path):
    columns = [fits.Column(name, "4E", array=_rng().random((12, 4))) for name in ("I", "Q", "U")]
    table(path, columns, ORDERING="NESTED", NSIDE=2, POLCCONV="COSMO", COORDSYS="G")


@example("partial.fits", readers=("read", "read_map"))
def _partial(path):
    columns = [fits.Column("PIXEL", "J", array=np.arange(5, 20))]
    columns.append(fits.Column("T", "D", array=_rng().random(15)))
    table(path, columns, ORDERING="NESTED", NSIDE=2, INDXSCHM="EXPLICIT", OBJECT="PARTIAL")


@example("multi_order.fits")
def _multi_order(path):
    uniq = np.concatenate([np.arange(4, 15), np.arange(60, 64)])
    columns = [fits.Column("UNIQ", "K", array=uniq)]
    columns.append(fits.Column("PROBDENSITY", "D", array=_rng().random(15)))
    table(path, columns, ORDERING="NUNIQ", PIXTYPE="HEALPIX", INDXSCHM="EXPLICIT", MOCORDER=1)


@example("integers.fits", readers=("read", "read_map"))
def _integers(path):
    column = fits.Column("HITS", "J", array=np.arange(12), null=-1)
    scaled = fits.Column("SCALED", "E", array=np.arange(12.0) / 8, bscale=0.25, bzero=0.5)
    table(path, [column, scaled], ORDERING="RING", NSIDE=1)


@example("alm.fits", readers=("read_coefficients", "read_alms"))
def _alm(path):
    io.write_alm(path, random_flm(L, _rng(), reality=True, shape=(3,)), unit="uK", overwrite=True)


@example("cl.npz", readers=("read_cl", "read_spectra"))
def _cl_of_numpy(path):
    io.write_cl(path, dict(TT=np.ones(5), EE=np.arange(5.0)), unit="uK^2", overwrite=True)


@example("cl.fits", readers=("read_cl", "read_spectra"))
def _cl(path):
    TT, EE, BB, TE = _rng().random((4, 6))
    io.write_cl(path, {"TT": TT, "EE": EE, "BB": BB, "TE": TE}, overwrite=True)


@example("mw.fits", readers=("read", "read_mw"))
def _mw(path):
    io.write_mw(io.Map(_rng().random((3, 5)), GRID, "T", "K"), path, overwrite=True)


@example("mw_image.fits", readers=("read", "read_mw"))
def _mw_image(path):
    image = fits.PrimaryHDU(_rng().random((1, 15)))
    image.header["L"] = 3
    image.writeto(path, overwrite=True)


@example("car.fits")
def _car(path):
    image = fits.PrimaryHDU(_rng().random((4, 8)))
    image.header.update(CTYPE1="GLON-CAR", CDELT1=-45.0, CRPIX1=4.5, CTYPE2="GLAT-CAR")
    image.header.update(CDELT2=45.0, CRPIX2=2.5, BUNIT="K")
    image.writeto(path, overwrite=True)


@example("beam.fits", readers=("read_beam",))
def _beam(path):
    table(path, [fits.Column("TEMPERATURE", "E", array=[1, 0.9, 0.8])])


# --- NumPy and networks -----------------------------------------------------------------------------


@example("samples.npy", readers=("on a grid", "read_arrays"))
def _npy(path):
    np.save(path, _rng().random((3, 5)))


@example("map.npz", readers=("read", "read_arrays"))
def _map(path):
    axes = {"level": [500, 850]}
    io.write(io.Map(_rng().random((2, 3, 5)), GRID, "u", "m/s", axes), path, overwrite=True)


@example("packed.npz", readers=("read", "read_arrays"))
def _packed(path):
    np.savez_compressed(path, values=_rng().random((3, 5)), grid=GRID, spin=0)


@example("flm.npz", readers=("read_coefficients", "read_arrays"))
@example("flm.sh", "flm.sh.gz", "flm.mat", "flm.nc", readers=("read_coefficients",))
def _flm(path):
    flm = random_flm(L, _rng(), reality=True)
    model = io.Coefficients(flm, "g", "nT", attributes={"": {"radius": 1.5}})
    io.write_coefficients(model, path, overwrite=True)


@example("network.npz", readers=("nn.load",))
def _network_file(path):
    from spherekit import nn

    net = nn.Sequential(nn.Features(3), nn.Dense(2))
    nn.save(path, net, *net.init(0), overwrite=True)


@example("checkpoint.npz", readers=("checkpoints.load",))
def _checkpoint_file(path):
    from spherekit.train import checkpoints

    state = np.random.default_rng(1).bit_generator.state
    params, losses = [{"weights": np.ones(3)}, ()], {"train": {"loss": [1.0]}}
    best = {"params": params, "state": [(), ()], "value": 1.0, "epoch": 1}
    contents = params, [(), ()], params, 7, 2, state, losses, best
    checkpoints.save(path, checkpoints.Checkpoint(*contents))


@example("training.toml", readers=("config.read",))
def _toml(path):
    path.write_text("[fit]\nepochs = 3\n[optimizer]\nname = 'sgd'\nlearning_rate = 0.1\n")


# --- netCDF -----------------------------------------------------------------------------------------


@example("classic.nc")
def _classic(path):
    from scipy.io import netcdf_file

    with netcdf_file(path, "w", version=1) as file:
        _fill(file, lambda name, dims: file.createVariable(name, "f4", dims))


@example("offset.nc")
def _offset(path):
    io.write(io.Map(_rng().random((5, 8)), "dh:4,n_theta=5,n_phi=8", "T"), path, overwrite=True)


@example("healpix.nc")
def _healpix(path):
    io.write(io.Map(_rng().random(12), "healpix:1", "T", "K"), path, overwrite=True)


@example("data64.nc", "netcdf4.nc", module="netCDF4")
def _netcdf4(path):
    import netCDF4

    form = "NETCDF3_64BIT_DATA" if path.name == "data64.nc" else "NETCDF4"
    with netCDF4.Dataset(path, "w", format=form) as file:
        packing = dict(zlib=True) if form == "NETCDF4" else {}
        _fill(file, lambda name, dims: file.createVariable(name, "f4", dims, **packing))


@example("h5netcdf.nc", module="h5netcdf")
def _h5netcdf(path):
    import h5netcdf

    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"lat": LAT.size, "lon": LON.size}
        for name, values in (("lat", LAT), ("lon", LON)):
            file.create_variable(name, (name,), "f8")[:] = values
        file.create_variable("T", ("lat", "lon"), "f8")[:] = _rng().random((5, 8))


@example("shtools4.nc", readers=("read_coefficients",), module="h5netcdf")
def _shtools4(path):
    path.write_bytes(oracle("coefficient_files")["file/netcdf4"].tobytes())


def _fill(file, create):
    """Latitudes, longitudes, times and a packed field in a netCDF file."""
    for name, values in (("time", [0.0, 1.0]), ("lat", LAT), ("lon", LON)):
        file.createDimension(name, None if name == "time" else len(values))
        v = create(name, (name,))
        v[:] = values
        if name == "time":
            v.units = "days since 2000-01-01"
    v = create("T", ("time", "lat", "lon"))
    v[:] = _rng().random((2, 5, 8))
    v.units = "K"


# --- text -------------------------------------------------------------------------------------------


@example("samples.txt", "samples.txt.gz", readers=("axes",))
def _latlon(path):
    np.savetxt(path, _rng().random((5, 8)))


@example("latitudes.txt", readers=("latitudes",))
def _latitudes(path):
    np.savetxt(path, LAT)


@example("points.csv")
def _points(path):
    io.write(io.Map(_rng().random(12), "healpix:1", "T", "K"), path, overwrite=True)


@example("cl.txt", readers=("read_cl", "read_spectra"))
def _cl_text(path):
    TT, EE, BB, TE = _rng().random((4, 6))
    io.write_cl(path, {"TT": TT, "EE": EE, "BB": BB, "TE": TE}, overwrite=True)


@example("camb_lensedCls.dat", "class_cl.dat", "planck_cl.txt", readers=("read_spectra",))
def _codes(path):
    heads = {
        "class_cl.dat": "# dimensionless total [l(l+1)/2pi] C_l's\n# 1:l 2:TT 3:EE 4:BB 5:TE\n"
    }
    heads["planck_cl.txt"] = "# l Dl_TT Dl_EE Dl_BB Dl_TE\n"
    rows = "".join(f"{ell:5d} 1.5E+02 2.5E-01 1.0E-03 -3.0E+00\n" for ell in range(2, 12))
    path.write_text(heads.get(path.name, "") + rows)


@example("beam.txt", readers=("read_beam",))
def _beam_text(path):
    path.write_text("# l  T  E  B\n0 1.0 1.0 1.0\n1 0.9 0.9 0.9\n2 0.7 0.7 0.7\n")


def _rows(start="", separator=" "):
    cilm = _rng().standard_normal((2, L, L))
    pairs = [(ell, m) for ell in range(L) for m in range(ell + 1)]
    return "".join(
        start + separator.join([str(ell), str(m), *(f"{x:.9e}" for x in cilm[:, ell, m])]) + "\n"
        for ell, m in pairs
    )


@example("gravity.tab", readers=("read_coefficients",))
def _shadr(path):
    head = " 3.396E+03, 0.428E+05, 0.238E+04,    2,    2,    1, 0.0E+00, 0.0E+00\n"
    path.write_text(head + _rows(separator=", "))


@example("gravity.gfc", readers=("read_coefficients",))
def _icgem(path):
    head = "modelname test\nradius 6.4e6\nearth_gravity_constant 0.39D+15\nmax_degree 2\n"
    path.write_text(f"{head}norm fully_normalized\nend_of_head ====\n{_rows('gfc ')}")


@example("igrf.txt", readers=("read_coefficients",))
def _iaga(path):
    lines = [f"g {ell} {m} 1.5 2.5 0.1" for ell in (1, 2) for m in range(ell + 1)]
    lines += [f"h {ell} {m} -1.5 -2.5 0.1" for ell in (1, 2) for m in range(1, ell + 1)]
    path.write_text("\n".join(["c/s deg ord", "g/h n m 2015.0 2020.0 2020-25", *lines, ""]))


@example("igrf.shc", readers=("read_coefficients",))
def _shc(path):
    flm = np.stack([random_flm(L, _rng(), reality=True)] * 2)
    flm[:, 0] = 0
    model = io.Coefficients(flm, "g", "nT", {"time": [2015.0, 2020.0]})
    io.write_coefficients(model, path, overwrite=True)


# --- pictures and MATLAB ----------------------------------------------------------------------------


@example("sky.png", "sky.jpg", "sky.tiff", module="imageio")
def _picture(path):
    import imageio.v3 as imageio

    imageio.imwrite(path, _rng().integers(0, 255, (8, 16, 3)).astype(np.uint8), plugin="pillow")


@example("sky.hdr", "runs.hdr")
def _radiance(path):
    rgbe = _rng().integers(0, 256, (8, 16, 4)).astype(np.uint8)
    head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n"
    channels = [
        bytes([2, 2, 0, 16]) + b"".join(bytes([16]) + x.tobytes() for x in row.T) for row in rgbe
    ]
    path.write_bytes(head + (b"".join(channels) if path.name == "runs.hdr" else rgbe.tobytes()))


@example("v5.mat", "v7.mat", readers=("on a grid",))
def _matlab(path):
    from scipy.io import savemat

    savemat(path, {"f": _rng().random((3, 5))}, do_compression=path.name == "v7.mat")
