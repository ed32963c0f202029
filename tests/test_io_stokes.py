"""Which columns are I, Q and U, and of which spin: by their names, by the headers, as written."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table
from hypothesis import given
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.stokes import (
    column_of,
    describes_pixels,
    is_spin_component,
    pairs,
    sign_of_u,
    stokes_of,
)

#: Names of Stokes maps with a star for the letter.
STYLES = (
    "*|*_CMB|*_ML_HM1|*_STOKES_HM1|*STOKES|STOKES*|Stokes*|*_1|*_353|*353|*_RAW|CMB_*|SYNCH_*|*POL|"
    "POL*|Polarisation *|* (uK)|*_INP|*_STOKES_INP|*-Stokes|STOKES *|* [K_CMB]|Planck 353 * map|*map"
).split("|")
WORDS = st.lists(st.from_regex("[A-HJ-PR-SV-Z][A-Z]{2,5}[0-9]?", fullmatch=True), max_size=2)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_one_rule_for_all_that_names_tell(style, case):
    names = [case(style.replace("*", letter)) for letter in "IQU"]
    assert [stokes_of(name) for name in names] == list("IQU")
    assert [sign_of_u(name) for name in names] == [1, 1, -1]
    assert pairs(names) == [(1, 2)] and [column_of(x, names) for x in "TQU"] == names
    assert [is_spin_component(name) for name in names] == [False, True, True]
    assert not any(map(describes_pixels, names))


@given(before=WORDS, after=WORDS, letter=st.sampled_from("QU"), of_pixels=st.booleans())
def test_any_words_beside_a_letter(before, after, letter, of_pixels):
    """The parameter and the sign of U agree, and an error of U has no sign."""
    name = "_".join([*before, letter, *after, *(["RMS"] if of_pixels else [])])
    of_pixels = of_pixels or describes_pixels("_".join(before + after))
    assert stokes_of(name) == ("" if of_pixels else letter)
    assert sign_of_u(name) == (-1 if letter == "U" and not of_pixels else 1)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Q_CMB", "U_DUST"], []),
        (["Q_CMB", "U_CMB", "Q_DUST", "U_DUST"], [(0, 1), (2, 3)]),
        (["U_CMB", "I_CMB", "Q_CMB"], [(2, 0)]),
        (["Q", "Q ", "U"], []),
        (["Q_RMS", "U_RMS"], []),
        (["QQ", "UU"], []),
    ],
)
def test_pairs(names, expected):
    assert pairs(names) == expected


@pytest.mark.parametrize("name", "U10 V10 GAMMA1 gamma_2 SHEAR1 E2 REAL imag U_WIND U10M".split())
def test_parts_of_other_fields(name):
    assert is_spin_component(name)


@pytest.mark.parametrize(
    "name", "KAPPA V T HM1 SIGNAL GAMMA E B I_1 Q_RMS QU_COV MASK2 V_STOKES".split()
)
def test_what_is_no_part(name):
    assert not is_spin_component(name)


@pytest.mark.parametrize("letter", "IQU")
@pytest.mark.parametrize("key", ["STOKES", "EXTNAME"])
@pytest.mark.parametrize("where", ["table", "primary"])
@pytest.mark.parametrize("convention", [{}, {"POLCCONV": "IAU"}])
def test_the_headers_tell_what_the_names_do_not(tmp_path, letter, key, where, convention):
    names = ["BESTFIT", "MEAN", "VARIANCE", "T", "U_STOKES"]
    columns = [fits.Column(name, "D", array=np.ones(12)) for name in names]
    header = {key: letter, **convention}
    own, primary = (header, {}) if where == "table" else ({}, header)
    path = table(tmp_path / "map.fits", columns, primary, ORDERING="RING", **own)
    sky = io.read_map(path, field=None)
    assert sky.stokes == (letter, letter, "", "I", "U") and sky.polcconv == "COSMO"
    flipped = letter == "U" and bool(convention)
    expected = [-1 if flipped else 1] * 2 + [1, 1, -1 if convention else 1]
    assert sky.values[:, 0].tolist() == expected
    assert io.read_map(path, field=1).stokes == (letter,)


@pytest.mark.parametrize("spin", [1, -2, 2, 0, np.int64(3), None])
def test_the_spin_goes_through_files(tmp_path, spin):
    path = tmp_path / "field.fits"
    parts = {"REAL": np.arange(12.0), "IMAG": -np.arange(12.0)}
    io.write_map(path, parts, unit="m/s", spin=spin)
    sky = io.read_map(path, field=None)
    assert sky.spin == spin and sky.columns == ("REAL", "IMAG") and sky.units == ("m/s",) * 2
    assert sky.file_polcconv == ("COSMO" if spin in (2, -2) else "")
    assert np.array_equal(sky.values, list(parts.values()))
    assert io.read_map(path).spin == spin


@pytest.mark.parametrize("spin", [1.0, True, "2"])
def test_spins_are_whole_numbers(tmp_path, spin):
    with pytest.raises(TypeError, match="spin is"):
        io.write_map(tmp_path / "no.fits", np.ones((2, 12)), column=["A", "B"], spin=spin)


def test_spins_that_no_file_takes(tmp_path):
    for n in (1, 3):
        columns = list("ABC"[:n])
        with pytest.raises(ValueError, match=rf"spin is 1, with {n} field\(s\)"):
            io.write_map(tmp_path / "no.fits", np.ones((n, 12)), column=columns, spin=1)
        io.write_map(
            tmp_path / "scalars.fits", np.ones((n, 12)), column=columns, spin=0, overwrite=True
        )
    fits.setval(tmp_path / "scalars.fits", "SPIN", value=1, ext=1)
    with pytest.raises(ValueError, match=r"SPIN = 1, but the table has 3 field\(s\)"):
        io.read_map(tmp_path / "scalars.fits")


def test_the_convention_is_written_as_it_was_read(tmp_path):
    """A column that nothing tells from U stays as it is, and the next file says so, too."""
    column = [fits.Column("SIGNAL", "D", array=np.arange(12.0))]
    path = table(tmp_path / "map.fits", column, ORDERING="RING", POLCCONV="IAU")
    for _ in range(2):
        sky = io.read_map(path)
        assert sky.polcconv == "IAU" and sky.values[3] == 3
        path = tmp_path / "next.fits"
        io.write_map(path, sky.values, column="SIGNAL", polcconv=sky.polcconv, overwrite=True)
    io.write_map(path, sky.values, column="U_CMB", polcconv="IAU", overwrite=True)
    assert io.read_map(path).polcconv == "COSMO" and io.read_map(path).values[3] == -3
    for write, values in (
        (io.write_map, np.ones(12)),
        (io.write_alm, np.ones(1)),
        (io.write_cl, np.ones(3)),
    ):
        with pytest.raises(ValueError, match='must be "COSMO" or "IAU"'):
            write(tmp_path / "no.fits", values, polcconv="LEFT")
    io.write_alm(path, np.ones(1), polcconv="IAU", overwrite=True)
    assert io.read_alms(path).polcconv == "IAU"
    io.write_cl(path, {"CL_TB": np.ones(3), "ELL": np.arange(3.0)}, polcconv="IAU", overwrite=True)
    assert io.read_cl(path)["CL_TB"][0] == -1
