"""Coefficients in text: SHTOOLS, SHADR, ICGEM, SHC and IAGA's tables, and their errors with line numbers."""

import gzip

import numpy as np
import pytest
from tolerances import LAST_PLACES, SHORT_SUM

from spherekit import io
from spherekit.conventions import from_shtools, to_shtools

L = 4
PAIRS = [(ell, m) for ell in range(L) for m in range(ell + 1)]
CONVENTION = dict(normalization="4pi", csphase=1)


@pytest.fixture
def cilm(rng):
    """Coefficients of SHTOOLS, without those of sin(0)."""
    x = rng.standard_normal((2, L, L)) * np.tri(L)
    x[1, :, 0] = 0
    return x


def lines(cilm, form="{} {} {:.17g} {:.17g}", pairs=PAIRS):
    """Rows l, m, C_lm, S_lm."""
    return [form.format(ell, m, *cilm[:, ell, m]) for ell, m in pairs]


def write(path, *texts):
    """Write lines of text."""
    path.write_text("\n".join([*texts, ""]))
    return path


STYLES = {
    "blanks": ("{:6d}{:6d} {:.17e}  {:.17e}", PAIRS),
    "commas": ("{},{},{:.17g},{:.17g}", PAIRS),
    "semicolons": ("{} ; {} ; {:.17g} ; {:.17g}", PAIRS),
    "errors": ("{} {} {:.17g} {:.17g} 1.5 2.5", PAIRS),
    "any order": ("{} {} {:.17g} {:.17g}", PAIRS[::-1]),
    "order by order": ("{} {} {:.17g} {:.17g}", sorted(PAIRS, key=lambda pair: pair[::-1])),
    "mark of UTF-8": ("{} {} {:.17g} {:.17g}", PAIRS),
    "carriage returns": ("{} {} {:.17g} {:.17g}\r", PAIRS),
    "comments": ("{} {} {:.17g} {:.17g} # of a pair", PAIRS),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_styles_of_rows(style, compressed, cilm, tmp_path):
    form, pairs = STYLES[style]
    path = write(tmp_path / "rows", "# a model", "", *lines(cilm, form, pairs))
    if style == "mark of UTF-8":
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().split(b"\n\n")[1])
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    model = io.read_coefficients(path, **CONVENTION)
    expected = from_shtools(cilm)
    np.testing.assert_allclose(model.flm, expected, rtol=LAST_PLACES, atol=LAST_PLACES)
    assert model.notes == ()


@pytest.mark.parametrize("exponent", "DdEe")
def test_exponents_of_fortran(exponent, cilm, tmp_path):
    text = [line.replace("e", exponent) for line in lines(cilm, "{} {} {:.17e} {:.17e}")]
    model = io.read_coefficients(write(tmp_path / "rows", *text))
    np.testing.assert_allclose(to_shtools(model.flm), cilm, rtol=LAST_PLACES, atol=LAST_PLACES)


@pytest.mark.parametrize("normalization", ["4pi", "ortho", "schmidt", "unnorm"])
@pytest.mark.parametrize("csphase", [1, -1])
def test_conventions(normalization, csphase, cilm, tmp_path):
    path = write(tmp_path / "rows", *lines(cilm))
    options = dict(normalization=normalization, csphase=csphase)
    model = io.read_coefficients(path, **options)
    expected = from_shtools(cilm, **options)
    np.testing.assert_allclose(model.flm, expected, rtol=LAST_PLACES, atol=LAST_PLACES)
    with pytest.raises(ValueError, match="csphase is 0; expected 1"):
        io.read_coefficients(path, csphase=0)


def test_the_default_is_in_a_note(cilm, tmp_path):
    path = write(tmp_path / "rows", *lines(cilm))
    for options in ({}, {"csphase": 1}, {"normalization": "4pi"}):
        (note,) = io.read_coefficients(path, **options).notes
        assert "normalization 4pi, without the Condon-Shortley phase" in note
    assert io.read_coefficients(path, **CONVENTION).notes == ()


def test_absent_pairs_are_zero(cilm, tmp_path):
    zonal = [pair for pair in PAIRS if pair[1] == 0 and pair[0] > 1]
    model = io.read_coefficients(write(tmp_path / "z", *lines(cilm, pairs=zonal)), **CONVENTION)
    expected = np.zeros_like(cilm)
    expected[0, 2:, 0] = cilm[0, 2:, 0]
    np.testing.assert_allclose(to_shtools(model.flm), expected, rtol=LAST_PLACES)
    assert model.notes == (
        "8 pairs (l, m) of the degrees 0, 1, 2, 3 are not in the file: set to zero",
    )


def test_headers_without_keys(cilm, tmp_path):
    for header in (["1738.0, 4902.8, 3, 3"], ["GRGM test", "1738.0 km"]):
        model = io.read_coefficients(write(tmp_path / "h", *header, *lines(cilm)), **CONVENTION)
        np.testing.assert_allclose(to_shtools(model.flm), cilm, rtol=LAST_PLACES, atol=LAST_PLACES)
        assert (
            "was not interpreted" in model.notes[0] and "1738.0" in model.attributes[""]["header"]
        )


ROWS = ["0 0 1.5 0", "1 0 2.5 0", "1 1 0.5 0.25"]
REFUSED = {
    "first row": (["0 0 x 0", *ROWS[1:]], r"line 1: '0 0 x 0'; expected a header, or degree l"),
    "not a number": ([*ROWS, "2 0 x 0"], r"line 4: '2 0 x 0'; expected finite numbers"),
    "NaN": ([*ROWS, "2 0 nan 0"], r"line 4: '2 0 nan 0'; expected finite numbers"),
    "infinite": ([*ROWS, "2 0 1e999 0"], r"line 4: '2 0 1e999 0'; expected finite numbers"),
    "underscore": ([*ROWS, "2 0 1_0 0"], r"line 4: '2 0 1_0 0'; expected finite numbers"),
    "too few": ([*ROWS, "2 0 1.5"], r"line 4: '2 0 1.5'; expected 4 numbers"),
    "too many": (["# c", "", *ROWS, "2 0 1.5 2 3"], r"line 6: '2 0 1.5 2 3'; expected 4 numbers"),
    "m > l": ([*ROWS, "2, 3, 1.5, 0"], r"line 4: '2, 3, 1.5, 0'; expected .* order m from 0 to l"),
    "m < 0": ([*ROWS, "2 -1 1.5 0"], r"line 4: .* order m from 0 to l"),
    "fraction": ([*ROWS, "2.5 1 1.5 0"], r"line 4: '2.5 1 1.5 0'; expected a degree l >= 0"),
    "twice": ([*ROWS, "1 0 1.5 0"], r"line 4: '1 0 1.5 0'; expected each pair once"),
    "huge": ([*ROWS, "1000000000 0 1 0"], r"line 4: .*; expected a degree below 1048576"),
    "truncated": ([*ROWS, "2 0 1 0", "2 1 1 0"], r"2 of 3 orders of its last degree 2.*pass L = 2"),
    "three columns": (["0 0 1.5", "1 0 2"], r"first line is '0 0 1.5'; expected alm FITS"),
    "no rows": (["# nothing"], r"text whose first line is '# nothing'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_rows(kind, tmp_path):
    text, words = REFUSED[kind]
    path = write(tmp_path / "rows", *text)
    with pytest.raises(ValueError, match=words) as caught:
        io.read_coefficients(path)
    assert str(path) in str(caught.value)


def test_a_truncated_file_can_be_read_below(tmp_path):
    path = write(tmp_path / "rows", *ROWS, "2 0 1 0", "2 1 1 0")
    low = io.read_coefficients(path, L=2)
    np.testing.assert_allclose(to_shtools(low.flm)[0, 1], [2.5, 0.5], rtol=LAST_PLACES)


def test_memory_is_checked_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e8")
    path = write(tmp_path / "rows", *ROWS, "100000 0 1 0")
    with pytest.raises(MemoryError, match="L = 100001"):
        io.read_coefficients(path)
    assert io.read_coefficients(path, L=2).L == 2
    zeros = tmp_path / "zeros.gz"
    zeros.write_bytes(gzip.compress(b"0 0 1 0\n" * 10**7))
    with pytest.raises(MemoryError, match="the text of .*zeros.gz"):
        io.read_coefficients(zeros)


def test_damaged_compression(cilm, tmp_path):
    path = write(tmp_path / "rows", *lines(cilm))
    path.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(ValueError, match="damaged"):
        io.read_coefficients(path)


# --- SHADR and ICGEM -------------------------------------------------------------------------------

SHADR = " 3.396E+03, 0.42828D+05, 0.0001E+00, {}, {}, {}, 0.5E+00, 0.0E+00"


def test_shadr(cilm, tmp_path):
    text = lines(cilm, "{:5d},{:5d}, {:.16E}, {:.16E}, 1.0E-9, 1.0E-9")
    for state, normalization in ((1, "4pi"), (0, "unnorm")):
        path = write(tmp_path / "a.tab", SHADR.format(L - 1, L - 1, state), *text)
        model = io.read_coefficients(path)
        expected = from_shtools(cilm, normalization=normalization)
        np.testing.assert_allclose(model.flm, expected, rtol=SHORT_SUM, atol=SHORT_SUM)
        constants = model.attributes[""]
        assert (constants["radius"], constants["reference_longitude"]) == (3.396e6, 0.5)
        assert constants["gm"] == pytest.approx(4.2828e13, rel=LAST_PLACES)
        assert io.read_coefficients(path, normalization=normalization, csphase=1).L == L
        with pytest.raises(ValueError, match="defines normalization"):
            io.read_coefficients(path, normalization="schmidt")
        with pytest.raises(ValueError, match="defines csphase"):
            io.read_coefficients(path, csphase=-1)


def test_refused_shadr(cilm, tmp_path):
    for header, words in (
        (SHADR.format(3, 3, 2), "line 1: .*; expected normalization 0 .* or 1"),
        (SHADR.format(9, 9, 1), "degrees to 3; expected degrees to 9, as in its header"),
        (SHADR.format(10**9, 10**9, 1), "expected degrees to 1000000000"),
    ):
        path = write(tmp_path / "a.tab", header, *lines(cilm, "{}, {}, {:.17g}, {:.17g}"))
        with pytest.raises(ValueError, match=words):
            io.read_coefficients(path)


ICGEM = ["product_type gravity_field", "modelname M", "earth_gravity_constant 0.39860044150D+15"]
ICGEM += ["radius 0.6378136300E+07", "max_degree 3", "norm {}", "tide_system zero_tide"]
ICGEM += ["key L M C S", "end_of_head ======"]


def icgem(path, cilm, norm="fully_normalized", *more):
    header = [line.format(norm) for line in ICGEM]
    return write(path, *header, *lines(cilm, "gfc {} {} {:.17g} {:.17g} 0.1 0.1"), *more)


def test_icgem(cilm, tmp_path):
    for norm, normalization in (("fully_normalized", "4pi"), ("unnormalized", "unnorm")):
        model = io.read_coefficients(icgem(tmp_path / "m.gfc", cilm, norm))
        expected = from_shtools(cilm, normalization=normalization)
        np.testing.assert_allclose(model.flm, expected, rtol=LAST_PLACES, atol=LAST_PLACES)
    assert model.attributes[""] == {
        "modelname": "M",
        "tide_system": "zero_tide",
        "gm": 3.9860044150e14,
        "radius": 6378136.3,
    }


def test_refused_icgem(cilm, tmp_path):
    path = tmp_path / "m.gfc"
    for more, words in (
        ("gfct 4 0 1 2 3 4 20050101", "line 20: .*; expected a static model"),
        ("trnd 3 0 1 2 3 4", "line 20: 'trnd 3 0 1 2 3 4'; expected a static model"),
        ("abc 3 0 1 2 3 4", "line 20: .*; expected a row gfc"),
        ("gfc 3 0 1 2 3 4", "line 20: 'gfc 3 0 1 2 3 4'; expected each pair once"),
        ("gfc 4 0 1 2 3 4", "degrees to 4; expected degrees to 3"),
    ):
        with pytest.raises(ValueError, match=words):
            io.read_coefficients(icgem(path, cilm, "fully_normalized", more))
    with pytest.raises(ValueError, match="norm 'other'"):
        io.read_coefficients(icgem(path, cilm, "other"))


# --- magnetic models -------------------------------------------------------------------------------

SHC = ["# a model", "1 2 3 2 1 2000.0 2010.0", "  2000.0 2005.0 2010.0"]
SHC_ROWS = ["1 0 -30 -29 -28", "1 1 -2 -1 0", "1 -1 5 5 5", "2 0 -7 -8 -9"]
SHC_ROWS += ["2 1 3 3 4", "2 -1 0 0 1", "2 2 1.5 1.5 2", "2 -2 0.5 0 0"]


def test_shc(tmp_path):
    model = io.read_coefficients(write(tmp_path / "m.shc", *SHC, *SHC_ROWS))
    assert model.units == ("nT",) and model.axes["time"].tolist() == [2000, 2005, 2010]
    cilm = to_shtools(model.flm, normalization="schmidt", csphase=1)
    atol = SHORT_SUM * 30
    np.testing.assert_allclose(cilm[:, 0, 1, 0], [-30, -29, -28], rtol=0, atol=atol)
    np.testing.assert_allclose(cilm[:, 1, 2, 2], [0.5, 0, 0], rtol=0, atol=atol)
    assert model.notes == ("degrees below 1 are not in the file: set to zero",)
    low = io.read_coefficients(tmp_path / "m.shc", L=2)
    np.testing.assert_allclose(low.flm, model.flm[:, :4], rtol=0, atol=atol)


def test_interpolation_between_epochs(tmp_path):
    path = write(tmp_path / "m.shc", *SHC, *SHC_ROWS)
    model = io.read_coefficients(path)
    between = io.read_coefficients(path, select={"time": 2006.0})
    expected = 0.8 * model.flm[1] + 0.2 * model.flm[2]
    np.testing.assert_allclose(between.flm, expected, rtol=0, atol=SHORT_SUM * 30)
    assert not between.axes
    assert "linearly to 2006 between the epochs 2005 and 2010" in between.notes[-1]
    assert np.array_equal(io.read_coefficients(path, select={"time": 2005}).flm, model.flm[1])
    for time in (1999, 2011, "spring"):
        with pytest.raises(ValueError, match=f"no coordinate {time}"):
            io.read_coefficients(path, select={"time": time})
    splines = write(tmp_path / "c.shc", "1 2 3 6 5", SHC[2], *SHC_ROWS)
    with pytest.raises(ValueError, match="no coordinate 2006"):
        io.read_coefficients(splines, select={"time": 2006})


def test_refused_shc(tmp_path):
    for text, words in (
        ([*SHC, *SHC_ROWS[:-1]], "7 rows of degrees 1 to 2; expected 8 rows .* after its line 2"),
        ([*SHC, *SHC_ROWS, "3 0 1 1 1"], "9 rows of degrees 1 to 3; expected 8"),
        ([*SHC, *SHC_ROWS[:-1], SHC_ROWS[0]], "line 11: .*; expected each pair once"),
        ([*SHC, *SHC_ROWS[:-1], "2 -3 1 1 1"], "line 11: .*; expected .* from -l to l"),
        ([*SHC, *SHC_ROWS[:-1], "2 -2 1 1"], "line 11: '2 -2 1 1'; expected 5 numbers"),
        ([*SHC[:2], "2000 1990 2010", *SHC_ROWS], "line 3: .*; expected 3 increasing epochs"),
        (["1 1000000000 3 2 1", SHC[2], *SHC_ROWS], "expected 1000000002000000000 rows"),
    ):
        path = write(tmp_path / "m.shc", *text)
        with pytest.raises(ValueError, match=words):
            io.read_coefficients(path)


def test_shc_is_written_as_read(tmp_path):
    model = io.read_coefficients(write(tmp_path / "m.shc", *SHC, *SHC_ROWS))
    io.write_coefficients(model, tmp_path / "copy.shc")
    copy = io.read_coefficients(tmp_path / "copy.shc")
    np.testing.assert_allclose(copy.flm, model.flm, rtol=0, atol=SHORT_SUM * 30)
    assert np.array_equal(copy.axes["time"], model.axes["time"]) and copy.units == ("nT",)
    assert (tmp_path / "copy.shc").read_text().splitlines()[1].startswith("1 2 3 2 1 2000 2010")


IAGA = ["# a model", "c/s deg ord IGRF SV", "g/h n m 2015.0 2020.0 2020-25"]
IAGA += ["g 1 0 -30 -29 0.5", "g 1 1 -2 -1 1", "h 1 1 5 5 0"]


def test_the_table_of_iaga(tmp_path):
    model = io.read_coefficients(write(tmp_path / "igrf.txt", *IAGA))
    assert model.axes["time"].tolist() == [2015, 2020, 2025]
    cilm = to_shtools(model.flm, normalization="schmidt", csphase=1)
    atol = SHORT_SUM * 30
    np.testing.assert_allclose(cilm[:, 0, 1, 0], [-30, -29, -26.5], rtol=0, atol=atol)
    np.testing.assert_allclose(cilm[:, 1, 1, 1], [5, 5, 5], rtol=0, atol=atol)
    assert "2025 was extrapolated from 2020 by the secular variation" in model.notes[0]
    path = write(tmp_path / "main.txt", "g/h n m 2015.0 2020.0", *(x[:-2] for x in IAGA[4:]))
    with pytest.raises(ValueError, match="2 rows of degrees 1 to 1; expected 3"):
        io.read_coefficients(path)
    path = write(tmp_path / "twice.txt", *IAGA, IAGA[-1])
    with pytest.raises(ValueError, match="line 7: 'h 1 1 5 5 0'; expected each pair once"):
        io.read_coefficients(path)
