"""Spectra in text: CAMB, CLASS, the Planck archive and ours; C_l and D_l are never confused."""

import gzip
import time

import numpy as np
import pytest
from helpers.data import real_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spherekit
from spherekit import io

#: The first lines of a file of CAMB (lenspotentialCls.dat), of CLASS (cl_lensed.dat, format = camb), and of
#: a theory spectrum of the Planck archive, as these codes write them.
CAMB = """#    L         TT         EE         BB         TE         PP         TP         EP
  2  0.105655E+04  0.503540E-01  0.000000E+00  0.323322E+01  0.490963E-07  0.322068E-02  -0.154023E-04
  3  0.990897E+03  0.827487E-01  0.000000E+00  0.405642E+01  0.598979E-07  0.322391E-02  -0.189000E-04
  4  0.927772E+03  0.936785E-01  0.000000E+00  0.418341E+01  0.691434E-07  0.315404E-02  -0.191144E-04
"""
CLASS = """# total lensed [l(l+1)/2pi] C_l's (units: [microK]^2)
# for l=2 to 4902, i.e. number of multipoles equal to 4901
#
# -> if you don't want to see such a header, set 'headers' to 'no' in input file
# -> for CMB lensing (d), these are C_l^dd for the deflection field.
# -> for galaxy lensing (lens[i]), these are C_l^phi-phi for the lensing potential.
# Remember the conversion factors:
# C_l^dd (deflection) = l(l+1) C_l^phi-phi
# C_l^gg (shear/convergence) = 1/4 (l(l+1))^2 C_l^phi-phi
#
# 1:l   2:TT   3:EE   4:BB   5:TE   6:dd   7:dT   8:dE  9:dens[1]-dens[1]  10:phi-dens[1]  11:lens[1]-lens[1]
2 1.015414569922e+03 3.084406538790e-02 1.849804280892e-06 2.617799128793e+00 5e-08 3e-03 -1e-05 1e-06 0 0
3 9.617694005925e+02 3.965124973163e-02 3.696845999682e-06 2.937632449274e+00 6e-08 3e-03 -1e-05 2e-06 0 0
"""
CLASS_OWN = """# dimensionless total [l(l+1)/2pi] C_l's
# for l=2 to 3000, i.e. number of multipoles equal to 2999
#
#   1:l     2:TT    3:EE    4:TE    5:BB    6:phiphi   7:TPhi  8:Ephi
 2 1.38e-10 4.1e-14 2.0e-12 1.9e-19 8.2e-09 4.5e-10 1e-12
 3 1.30e-10 4.3e-14 1.9e-12 3.9e-19 8.2e-09 4.4e-10 1e-12
"""
PLANCK = """# L    TT             TE             EE             BB             PP
   2   0.101673E+04   0.261753E+01   0.308827E-01   0.181847E-05   0.501352E-07
   3   0.963727E+03   0.293806E+01   0.396903E-01   0.363743E-05   0.610608E-07
"""


def text(path, content):
    path.write_text(content)
    return path


def of_dl(dl, ell):
    return 2 * np.pi * dl / (ell * (ell + 1))


@pytest.mark.parametrize(
    ("content", "names", "unit", "skipped"),
    [
        (CAMB, ["TT", "EE", "BB", "TE"], "uK^2", "PP, TP, EP"),
        (CLASS, ["TT", "EE", "BB", "TE"], "uK^2", "dd, dT, dE, dens[1]-dens[1]"),
        (CLASS_OWN, ["TT", "EE", "TE", "BB"], "", "phiphi, TPhi, Ephi"),
        (PLANCK, ["TT", "TE", "EE", "BB"], "uK^2", "PP"),
    ],
    ids=["CAMB", "CLASS", "CLASS without units", "Planck"],
)
def test_files_of_the_codes(tmp_path, content, names, unit, skipped):
    """D_l from l = 2 on, without other columns than those of the CMB."""
    result = io.read_spectra(text(tmp_path / "cl.dat", content))
    assert list(result.values) == names and set(result.units.values()) == {unit}
    rows = np.array([line.split() for line in content.splitlines() if line[0] != "#"], float)
    for name, column in zip(names, rows.T[1:], strict=False):
        assert np.allclose(result.values[name][2:], of_dl(column, rows[:, 0]), rtol=1e-15)
        assert not result.values[name][:2].any()
    notes = "; ".join(result.notes)
    assert "begins at l = 2" in notes and "converted to C_l" in notes and skipped in notes
    is_camb = content in (CAMB, PLANCK)
    assert ("those of CAMB" in notes) == is_camb
    assert np.array_equal(io.read_cl(tmp_path / "cl.dat")["TT"], result.values["TT"])
    (tmp_path / "cl.dat.gz").write_bytes(gzip.compress(content.encode()))
    assert np.array_equal(io.read_cl(tmp_path / "cl.dat.gz")["TE"], result.values["TE"])


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("test_scalCls.dat", "TT EE TE"),
        ("x_scalCls.dat", "TT EE TE PP TP"),
        ("lensedCls.dat", "TT EE BB TE"),
        ("a_lensedtotCls.dat", "TT EE BB TE"),
        ("a_tensCls.dat", "TT EE BB TE"),
    ],
)
def test_files_of_camb_without_a_header(tmp_path, name, columns):
    """Older versions write none: the name of the file and the number of columns define them."""
    columns = columns.split()
    rows = "\n".join(
        f"{ell} {' '.join(str(ell + i) for i in range(len(columns)))}" for ell in (2, 3)
    )
    result = io.read_spectra(text(tmp_path / name, rows))
    assert list(result.values) == [c for c in columns if "P" not in c]
    assert result.values["TT"][3] == pytest.approx(of_dl(3, 3), rel=1e-15)
    assert any("named like those of CAMB" in note for note in result.notes)
    with pytest.raises(ValueError, match="columns without names|does not define whether"):
        io.read_spectra(text(tmp_path / "other.dat", rows))


#: Headers, and what they declare.
HEADERS = {
    "# l C_l": "cl",
    "# l  Cl": "cl",
    "l, C_ell": "cl",
    "# ell Dl": "dl",
    "# l D_l": "dl",
    "L D_ell": "dl",
    "# ell l(l+1)Cl/2pi": "dl",
    "# l(l+1)C_l/(2pi) in uK^2\n# l TT": "dl",
    "# D_l = l(l+1)C_l/2pi\n# l TT": "dl",
    "# [l(l+1)/2pi] C_l's\n# l TT": "dl",
    "# the spectrum is C_l\n# l TT": "cl",
    "# C_l; multiply by l(l+1)/2pi for D_l\n# l TT": None,
    "# D_l and C_l\n# l TT": None,
    "# l TT": None,
    "# clouds and dlouds\n# l TT": None,
    "": None,
}


@pytest.mark.parametrize("header", HEADERS)
def test_cl_and_dl_by_the_words_of_the_header(tmp_path, header):
    path = text(tmp_path / "cl.txt", f"{header}\n0 0\n1 3\n2 5\n")
    raw = np.array([0.0, 3, 5])
    as_dl = np.array([0, 3 * np.pi, 5 * np.pi / 3])
    declared = HEADERS[header]
    expected = {"cl": raw, "dl": as_dl}
    for kind in (None, "cl", "dl"):
        if declared is None and kind is None:
            with pytest.raises(ValueError, match='cl.txt: .*pass kind="cl" or kind="dl"'):
                io.read_cl(path)
        elif None not in (declared, kind) and kind != declared:
            with pytest.raises(ValueError, match=f"declares {declared.upper()}, but kind='{kind}'"):
                io.read_cl(path, kind=kind)
        else:
            (values,) = io.read_cl(path, kind=kind).values()
            assert np.allclose(values, expected[kind or declared], rtol=1e-15)


def test_columns_that_the_caller_names(tmp_path):
    path = text(tmp_path / "cl.csv", "0,1,2,3\n1,1,2,3\n")
    with pytest.raises(ValueError, match="4 columns without names; pass columns"):
        io.read_cl(path, kind="cl")
    values = io.read_cl(path, kind="cl", columns=("l", "TT", "EE", "TE"))
    assert {name: cl[0] for name, cl in values.items()} == dict(TT=1, EE=2, TE=3)
    with pytest.raises(ValueError, match="expected names of the 4 columns"):
        io.read_cl(path, kind="cl", columns=("l", "TT"))
    with pytest.raises(ValueError, match="the first column is TT; expected l"):
        io.read_cl(path, kind="cl", columns=("TT", "EE", "TE", "BB"))
    with pytest.raises(ValueError, match="expected l once, and different names"):
        io.read_cl(path, kind="cl", columns=("l", "TT", "TT", "BB"))
    column = text(tmp_path / "one.txt", "5\n6\n7\n")
    assert np.array_equal(io.read_cl(column, kind="cl")["TT"], [5, 6, 7])
    assert "rows are l = 0, 1" in io.read_spectra(column, kind="cl").notes[0]
    with pytest.raises(ValueError, match='kind must be "cl" or "dl"'):
        io.read_cl(path, kind="Cl")
    with pytest.raises(ValueError, match="hdu=1 selects a FITS table, but the file is text"):
        io.read_cl(path, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# l C_l\n47.5 3\n60.1 4\n", r"not integers \(l = 47.5\): the table contains bandpowers"),
        ("# l C_l\n30 1\n31 1\n", "the multipoles are 30 to 31 in 2 rows"),
        ("# l C_l\n2 1\n4 1\n", "without gaps"),
        ("# l C_l\n3 1\n2 1\n", "in ascending order"),
        ("# l C_l\n2 1\n2 1\n", "without gaps"),
        ("# l C_l\n-1 1\n0 1\n", "multipoles are -1 to 0"),
        ("# l C_l\nnan 1\n0 1\n", "not integers"),
        ("# l C_l\n0 1 2\n1 2\n", "rows have 2 to 3 columns"),
        ("# l C_l\n0 1\n1 two\n", "other words than numbers"),
        ("# l C_l\n0 1\n1 nan\n", "1 of 2 values of the column C_l are missing or infinite"),
        ("# l C_l\n0 1\n1 inf\n", "missing or infinite"),
        ("# l D_l\n0 1\n1 2\n", "D_l of l = 0 is 1; expected 0"),
        ("words only\n", "no rows of numbers"),
        ("# l PP\n2 1\n", "expected l and a spectrum|does not define"),
        ("# coordsys: Mars\n# l C_l\n0 1\n", "frame must be one of"),
        ("# polcconv: LEFT\n# l C_l\n0 1\n", "COSMO or IAU"),
    ],
)
def test_tables_that_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as refusal:
        io.read_spectra(text(tmp_path / "cl.txt", content))
    assert "cl.txt" in str(refusal.value)


@pytest.mark.parametrize("suffix", ["txt", "dat"])
def test_text_is_written_and_read(tmp_path, rng, suffix):
    path = tmp_path / f"cl.{suffix}"
    values = {name: rng.standard_normal(9) * 1e-7 for name in ("TT", "EE", "BB", "TE", "EB", "TB")}
    units = dict.fromkeys(values, "uK^2") | {"TT": "K^2", "BB": ""}
    io.write_cl(
        path, values, unit=units, coordsys="G", polcconv="IAU", history=["by D_l of a code"]
    )
    result = io.read_spectra(path)
    signs = [-1 if name in ("EB", "TB") else 1 for name in values]
    for (name, cl), sign in zip(values.items(), signs, strict=True):
        assert np.array_equal(result.values[name], sign * cl)
    assert (result.units, result.frame, result.file_polcconv) == (units, "galactic", "IAU")
    assert result.history == ("by D_l of a code", f"spherekit {spherekit.__version__}")
    assert result.notes == () and np.loadtxt(path).shape == (9, 7)
    with pytest.raises(FileExistsError):
        io.write_cl(path, values)
    io.write_cl(path, values["TT"], overwrite=True)
    assert np.array_equal(io.read_cl(path)["TEMPERATURE"], values["TT"])


def test_tables_of_fits_that_contain_dl(tmp_path):
    """By the names of their columns, or by the argument; multipoles in a column ELL."""
    dl = np.array([4.0, 6.0])
    io.write_cl(tmp_path / "a.fits", {"ELL": np.array([2.0, 3.0]), "D_ELL": dl, "ERR": dl})
    result = io.read_spectra(tmp_path / "a.fits")
    assert list(result.values) == ["ELL", "C_ELL", "ERR"]
    assert np.array_equal(result.values["ELL"], np.arange(4.0))
    assert np.allclose(result.values["C_ELL"], [0, 0, 4 * np.pi / 3, np.pi])
    assert "D_ELL are D_l" in result.notes[1] and "begins at l = 2" in result.notes[0]
    io.write_cl(tmp_path / "b.fits", np.array([0.0, 1.0]))
    assert io.read_cl(tmp_path / "b.fits", kind="dl")["TEMPERATURE"][1] == np.pi
    assert io.read_cl(tmp_path / "b.fits", kind="cl")["TEMPERATURE"][1] == 1
    with pytest.raises(ValueError, match='D_ELL denotes D_l, but kind="cl"'):
        io.read_cl(tmp_path / "a.fits", kind="cl")
    with pytest.raises(ValueError, match="columns defines the names of a text"):
        io.read_cl(tmp_path / "b.fits", columns=("l", "TT"))
    io.write_cl(tmp_path / "c.fits", {"ELL": np.array([47.7, 76.6]), "D_ELL": dl})
    with pytest.raises(ValueError, match="c.fits: the multipoles are not integers"):
        io.read_cl(tmp_path / "c.fits")


def test_the_measured_spectrum_of_planck():
    path = real_file("cmb_spectra", "COM_PowerSpect_CMB-TT-full_R3.01.txt")
    result = io.read_spectra(path)
    rows = np.loadtxt(path)
    assert list(result.values) == ["Cl", "-dCl", "+dCl"]
    for cl, column in zip(result.values.values(), rows.T[1:], strict=True):
        assert cl.size == 2509 and np.allclose(cl[2:], of_dl(column, rows[:, 0]), rtol=1e-15)
    theory = io.read_cl(path.parent / "planck2018_lcdm_cl_v3.fits")["TEMPERATURE"]
    ratio = result.values["Cl"][30:1500].sum() / theory[30:1500].sum()
    assert ratio == pytest.approx(1, abs=0.02)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.binary(max_size=60),
    source=st.sampled_from([CAMB, CLASS, PLANCK, "# l C_l\n0 1\n1 2\n"]),
    cut=st.none() | st.integers(0, 900),
    at=st.integers(0, 900),
    packed=st.booleans(),
)
def test_damaged_text(tmp_path_factory, content, source, cut, at, packed):
    """Truncated text, random bytes in it or in the compressed file: spectra, or a proper error."""
    path = tmp_path_factory.mktemp("t") / "cl.txt"
    data = source.encode()
    data = gzip.compress(data, mtime=0) if packed else data
    path.write_bytes((data[:at] + content + data[at + len(content) :])[:cut])
    try:
        result = io.read_spectra(path)
    except (ValueError, MemoryError) as error:
        assert "cl.txt" in str(error) or isinstance(error, MemoryError)
        return
    assert all(np.isfinite(cl).all() for cl in result.values.values())


def test_the_memory_of_text(tmp_path, monkeypatch):
    """Also of a small compressed file with a long text."""
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e6")
    path = tmp_path / "cl.txt"
    for data in (b"# l C_l\n" + b"0 1\n" * 50000, gzip.compress(b"# l C_l\n" + b"0 1\n" * 50000)):
        path.write_bytes(data)
        with pytest.raises(MemoryError, match="cl.txt needs about .* SPHEREKIT_MAX_MEMORY"):
            io.read_cl(path)


def test_long_headers_are_read_in_time(tmp_path):
    """Blanks, brackets and words without end: the patterns take time proportional to the header."""
    for part in (" ", "\t", "l(l+1)", "l (", "[ ", "d_l = ", "k ", "C_l ", "ell*"):
        path = text(tmp_path / "cl.txt", f"# {part * 200_000} C_l\n# l TT\n0 1\n")
        start = time.perf_counter()
        try:
            io.read_spectra(path)
        except ValueError as error:
            assert "cl.txt" in str(error)
        assert time.perf_counter() - start < 5
