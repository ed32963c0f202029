"""Files of spectra: what distinguishes them from maps, and spectra in NumPy's files."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table

from spherekit import io
from spherekit.io.fits import outlines
from spherekit.io.spectra import is_spectrum


def of_one_column(path, name, n, width=1, **header):
    values = np.arange(1.0, n + 1).reshape(-1, width) if width > 1 else np.arange(1.0, n + 1)
    form = f"{width}D" if width > 1 else "D"
    return table(path, [fits.Column(name, form, array=values)], **header)


@pytest.mark.parametrize("name", ["TEMPERATURE", "T", "TT", "C_l", "Dl_TT"])
@pytest.mark.parametrize("n", [65, 768])
@pytest.mark.parametrize("creator", ["healpy", ""])
def test_one_column_of_a_spectrum(tmp_path, name, n, creator):
    """The rows of healpy.write_cl of one spectrum are known from the creator, the name or their number."""
    path = of_one_column(tmp_path / "cl.fits", name, n, CREATOR=creator)
    (outline,) = outlines(path)
    is_ambiguous = name in ("TEMPERATURE", "T") and n == 768 and not creator
    assert is_spectrum(outline) == (not is_ambiguous)
    assert is_spectrum(io.read_table(path)) == (not is_ambiguous)
    if not is_ambiguous:
        with pytest.raises(ValueError, match="power spectra"):
            io.read_map(path)
    assert io.read_map(path, ordering="ring").values.size == 768 if n == 768 else True


@pytest.mark.parametrize(
    "header", [dict(NSIDE=8), dict(ORDERING="RING"), dict(PIXTYPE="HEALPIX"), {}]
)
@pytest.mark.parametrize("width", [1, 96])
def test_one_column_of_a_map(tmp_path, header, width):
    path = of_one_column(tmp_path / "map.fits", "TEMPERATURE", 768, width, **header)
    assert not is_spectrum(outlines(path)[0])


def test_a_number_of_rows_that_contradicts_nside(tmp_path):
    """A full sky of another resolution is damaged; OBJECT = PARTIAL is part of the sky."""
    keys = dict(PIXTYPE="HEALPIX", ORDERING="RING", FIRSTPIX=0, LASTPIX=191, INDXSCHM="IMPLICIT")
    for nside in (8, 5):
        full = of_one_column(tmp_path / "f.fits", "T", 192, NSIDE=nside, OBJECT="FULLSKY", **keys)
        with pytest.raises(ValueError, match=f"NSIDE = {nside}, .* 192 samples .*nside 4"):
            io.read_map(full)
    part = of_one_column(tmp_path / "p.fits", "T", 192, NSIDE=8, OBJECT="PARTIAL", **keys)
    assert np.count_nonzero(~io.missing.is_missing(io.read_map(part).values)) == 192


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("TFIELDS", 999, "TFIELDS = 999, but no TFORM2; expected the format of each column"),
        ("NAXIS2", -5, "is damaged: a header has NAXIS2 = -5; expected 0 or more"),
    ],
)
def test_sizes_that_are_wrong(tmp_path, key, value, message):
    path = tmp_path / "map.fits"
    io.write_map(path, np.ones(12))
    content = path.read_bytes()
    at = content.index(f"{key:8}=".encode(), 2880)
    card = f"{key:8}= {value:>20}".ljust(80).encode()
    path.write_bytes(content[:at] + card + content[at + 80 :])
    for read in (io.read_table, io.tables, io.read_map, io.read):
        with pytest.raises(ValueError, match=f"map.fits.*{message}"):
            read(path)


@pytest.mark.parametrize("names", [["TT"], ["TT", "EE", "TB"], ["BEST FIT"]])
@pytest.mark.parametrize("polcconv", [None, "IAU"])
def test_npz_has_what_fits_has(tmp_path, rng, names, polcconv):
    cl = {name: rng.random(7) for name in names}
    units = {name: f"K^{i}" for i, name in enumerate(names)}
    described = dict(unit=units, coordsys="galactic", polcconv=polcconv, history=["first"])
    for suffix in ("fits", "npz"):
        io.write_cl(tmp_path / f"cl.{suffix}", cl, **described)
    of_fits, of_npz = (io.read_spectra(tmp_path / f"cl.{suffix}") for suffix in ("fits", "npz"))
    assert of_npz._replace(values={}, hdu=1) == of_fits._replace(values={})
    for name in names:
        assert np.array_equal(of_npz.values[name], of_fits.values[name])
        assert np.array_equal(abs(of_npz.values[name]), cl[name])
    assert np.load(tmp_path / "cl.npz")["cl"].shape == (
        (7,) if len(names) == 1 else (len(names), 7)
    )
    with pytest.raises(FileExistsError):
        io.write_cl(tmp_path / "cl.npz", cl, **described)


def test_arrays_by_name_and_rows(tmp_path):
    ell = np.arange(2, 9)
    dl = np.ones(7)
    cl = np.r_[0, 0, 2 * np.pi / (ell * (ell + 1))]
    np.savez(tmp_path / "named.npz", ell=ell, Dl_TT=dl)
    np.savez(tmp_path / "dl.npz", l=ell, dl=[dl, 2 * dl], columns=["TT", "EE"])
    assert np.allclose(io.read_cl(tmp_path / "named.npz")["Cl_TT"], cl, rtol=1e-15)
    values = io.read_cl(tmp_path / "dl.npz")
    assert np.allclose(values["EE"], 2 * cl, rtol=1e-15)
    assert "begins at l = 2" in io.read_spectra(tmp_path / "dl.npz").notes[0]
    np.save(tmp_path / "rows.npy", [cl, cl])
    values = io.read_cl(tmp_path / "rows.npy", kind="cl", columns=("TT", "EE"))
    assert list(values) == ["TT", "EE"] and np.array_equal(values["EE"], cl)


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (dict(TT=np.ones(3)), {}, "C_l or D_l"),
        (dict(cl=np.ones(3)), dict(kind="dl"), "declares CL, but kind='dl'"),
        (dict(cl=np.ones((2, 3))), {}, "2 rows without names; pass columns, such as .'TT', 'EE'."),
        (
            dict(cl=np.ones((2, 3)), columns=["a", "a"]),
            {},
            "a different one for each of the 2 rows",
        ),
        (dict(cl=np.ones(3), columns=["TT"]), dict(columns=["EE"]), "the file states TT"),
        (dict(TT=np.ones(3), EE=np.ones(4)), dict(kind="cl"), r"TT \(3,\), EE \(4,\); expected"),
        (dict(cl=np.ones(3), ell=[0, 2, 4]), {}, "without gaps"),
        (dict(cl=np.ones(3), unit=["K", "K"]), {}, "unit has 2 entries; expected 1"),
        (dict(cl=np.ones(3), frame="foo"), {}, "foo"),
        (dict(cl=[1.0, np.nan]), {}, "missing or infinite"),
        (dict(cl=np.ones(3) * 1j), {}, "expected spectra"),
        (dict(cl=np.ones(0)), {}, "expected spectra"),
        (dict(flm=np.ones(4)), dict(kind="cl"), "coefficients"),
        (dict(values=np.ones(12), grid="healpix:1"), dict(kind="cl"), "contains a map"),
        (dict(cl=np.ones(3), kind="x"), {}, "expected cl or dl"),
        (dict(cl=np.ones(3)), dict(hdu=1), "selects a FITS table"),
    ],
)
def test_arrays_that_are_no_spectra(tmp_path, arrays, options, message):
    np.savez(tmp_path / "cl.npz", **arrays)
    with pytest.raises(ValueError, match=f"cl.npz.*{message}"):
        io.read_cl(tmp_path / "cl.npz", **options)
