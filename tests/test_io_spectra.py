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
