"""Coefficients and spectra in files: components, units, frames, conventions of polarization."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.spectra import spectrum_of
from spherekit.testing import random_flm


def alm_table(L=3, index=None, name=None, **header):
    """A table of coefficients as healpy writes it: no name, the unit "unknown"."""
    ell, m = np.array([(ell, m) for m in range(L) for ell in range(m, L)]).T
    index = ell * ell + ell + m + 1 if index is None else np.asarray(index)
    n = index.size
    columns = [
        fits.Column("index", "J", unit="l*l+l+m+1", array=index),
        fits.Column("real", "D", unit="unknown", array=1.0 + np.arange(n)),
        fits.Column("imag", "D", unit="unknown", array=np.zeros(n)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name=name)
    hdu.header.update(header)
    return hdu


def write(path, *tables):
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path, overwrite=True)
    return path


def test_three_tables_are_t_e_and_b(tmp_path, rng):
    flm = random_flm(9, rng, reality=True, shape=(3,))
    io.write_alm(tmp_path / "teb.fits", flm, unit=["K", "uK", "nK"], coordsys="Galactic")
    alm = io.read_alms(tmp_path / "teb.fits")
    assert np.array_equal(alm.flm, flm) and alm.components == ("T", "E", "B")
    assert alm.units == ("K", "uK", "nK") and alm.hdus == (1, 2, 3)
    assert (alm.frame, alm.coordsys, alm.polcconv) == ("galactic", "G", "COSMO")
    assert np.array_equal(io.read_alm(tmp_path / "teb.fits"), flm)
    for hdu, i in ((2, 1), ("curl", 2), (np.int64(1), 0)):
        assert np.array_equal(io.read_alm(tmp_path / "teb.fits", hdu=hdu), flm[i])
    assert np.array_equal(io.read_alm(tmp_path / "teb.fits", hdu=(3, 1)), flm[[2, 0]])
    assert io.read_alms(tmp_path / "teb.fits", hdu=(3, 1)).components == ("B", "T")
    assert io.read_alm(tmp_path / "teb.fits", hdu=[2]).shape == (1, 81)
    for i, name in enumerate(("TEMPERATURE", "GRADIENT", "CURL"), 1):
        header = fits.getheader(tmp_path / "teb.fits", i)
        assert header["EXTNAME"] == name and header["COORDSYS"] == "G"
        assert header.get("POLCCONV") == (None if i == 1 else "COSMO")


def test_tables_without_names_as_healpy_writes_them(tmp_path):
    alm = io.read_alms(write(tmp_path / "a.fits", alm_table(3), alm_table(3), alm_table(3)))
    assert alm.components == ("T", "E", "B") and alm.units == ("", "", "")
    for hdu, component in ((1, "T"), (3, "B"), ((2, 3), "EB")):
        assert io.read_alms(tmp_path / "a.fits", hdu).components == tuple(component)
    path = write(tmp_path / "b.fits", alm_table(3), alm_table(3))
    with pytest.raises(ValueError, match="2 tables of coefficients"):
        io.read_alm(path)
    assert io.read_alm(path, hdu=2).shape == (9,)
    assert io.read_alms(path, hdu=(1, 2)).components == ("", "")


def test_tables_of_fewer_degrees_are_zero_above(tmp_path):
    path = write(tmp_path / "a.fits", alm_table(3), alm_table(2), alm_table(2))
    flm = io.read_alm(path)
    assert flm.shape == (3, 9) and not flm[1:, 4:].any() and flm[1, 3]


@pytest.mark.parametrize(
    ("names", "components"),
    [
        (["ANALYSED a_lms (TEMPERATURE)"], ("T",)),
        (["ALM (GRAD / ELECTRIC component)", "ALM (CURL / MAGNETIC component)"], ("E", "B")),
        (["T", "E"], ("T", "E")),
        (["KAPPA"], ("",)),
        (["KAPPA", "GRADIENT", "CURL"], ("T", "E", "B")),
        (["E", "B", "SIGNAL"], ("E", "B", "T")),
    ],
)
def test_components_by_the_names_of_tables(tmp_path, names, components):
    path = write(tmp_path / "a.fits", *(alm_table(name=name) for name in names))
    assert io.read_alms(path).components == components


def test_tables_of_other_things_are_left_out(tmp_path):
    column = fits.Column("BEAM", "D", array=np.ones(4))
    beam = fits.BinTableHDU.from_columns([column], name="BEAM")
    path = write(tmp_path / "a.fits", beam, alm_table(3))
    assert io.read_alm(path).shape == (9,) and io.read_alms(path).hdus == (2,)
    with pytest.raises(ValueError, match="not an alm file.*HDU 1: BEAM"):
        io.read_alm(path, hdu=1)


def test_b_of_an_iau_file_changes_its_sign(tmp_path):
    tables = [alm_table(name=name, POLCCONV="IAU") for name in ("T", "E", "B")]
    alm = io.read_alms(write(tmp_path / "a.fits", *tables))
    assert alm.polcconv == "COSMO" and alm.file_polcconv == "IAU"
    assert np.array_equal(alm.flm, alm.flm[0] * np.array([[1], [1], [-1]]))
    assert io.read_alms(tmp_path / "a.fits", hdu="B").flm[0, 0] == -1
    alm = io.read_alms(write(tmp_path / "a.fits", alm_table(POLCCONV="IAU")))
    assert alm.polcconv == "IAU" and alm.flm[0, 0] == 1  # which component is not known
    with pytest.raises(ValueError, match="without a change of sign with spherekit.io.read_alms"):
        io.read_alm(tmp_path / "a.fits")
    path = write(tmp_path / "b.fits", *(alm_table(POLCCONV="IAU") for _ in range(3)))
    assert [io.read_alm(path, hdu=i)[0] for i in (1, 2, 3)] == [1, 1, -1]
    path = write(tmp_path / "b.fits", *(alm_table(POLCCONV="IAU") for _ in range(2)))
    with pytest.raises(ValueError, match="does not define which table is B"):
        io.read_alms(path, hdu=(1, 2))
    tables[0].header["POLCCONV"] = "COSMO"
    with pytest.raises(ValueError, match="contradict"):
        io.read_alms(write(tmp_path / "a.fits", *tables))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([1, 2, 3], "l\\^2 \\+ l \\+ m \\+ 1"),  # 2 is l = 1, m = -1
        ([0, 1, 3], "l\\^2"),
        ([1, 3, 3, 4, 4], "2 of 5 entries of the column index are repeated"),
        ([], "l\\^2"),
    ],
)
def test_an_index_that_is_none(tmp_path, index, message):
    with pytest.raises(ValueError, match=message):
        io.read_alm(write(tmp_path / "a.fits", alm_table(index=index)))


def test_an_index_beyond_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e9")
    with pytest.raises(MemoryError, match="coefficients of L = "):
        io.read_alm(write(tmp_path / "a.fits", alm_table(index=[2**31 - 1])))


def test_files_of_coefficients_where_a_map_is_meant(tmp_path):
    io.write_alm(tmp_path / "alm.fits", np.zeros((3, 16)))
    io.write_cl(tmp_path / "cl.fits", {"EE": np.ones(12), "BB": np.ones(12)})
    io.write_map(tmp_path / "map.fits", np.ones(12))
    with pytest.raises(
        ValueError, match="coefficients.*expected a map.*read_alm.*transform --inverse"
    ):
        io.read_map(tmp_path / "alm.fits")
    with pytest.raises(ValueError, match="power spectra.*expected a map.*read_cl"):
        io.read_map(tmp_path / "cl.fits")
    with pytest.raises(ValueError, match="coefficients.*expected spectra.*read_alm"):
        io.read_cl(tmp_path / "alm.fits")
    with pytest.raises(ValueError, match="HEALPix map; expected spectra.*read_map"):
        io.read_cl(tmp_path / "map.fits")
    with pytest.raises(ValueError, match="not an alm file.*it contains HDU 1"):
        io.read_alm(tmp_path / "map.fits")
    with pytest.raises(ValueError, match="not an alm file.*it contains HDU 1"):
        io.read_alm(tmp_path / "cl.fits")


@pytest.mark.parametrize("component", [("E", "B"), "EB", ["B", "T"]])
def test_components_that_are_named(tmp_path, rng, component):
    flm = random_flm(4, rng, reality=True, shape=(2,))
    with pytest.raises(ValueError, match="specify component"):
        io.write_alm(tmp_path / "a.fits", flm)
    io.write_alm(tmp_path / "a.fits", flm, component=component)
    assert io.read_alms(tmp_path / "a.fits").components == tuple(component)
    io.write_alm(tmp_path / "b.fits", flm[0], component="B")
    assert io.read_alms(tmp_path / "b.fits").components == ("B",)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, float, np.float32])
def test_types_of_coefficients(tmp_path, rng, dtype):
    flm = random_flm(4, rng, reality=True)
    flm = (flm if np.issubdtype(dtype, np.complexfloating) else [1.0, 0, 0, 0]) * np.ones(1)
    io.write_alm(tmp_path / "a.fits", flm.astype(dtype))
    assert np.array_equal(io.read_alm(tmp_path / "a.fits"), flm.astype(dtype))


def test_spectra_by_name(tmp_path):
    named = {
        "TEMPERATURE": "TT", "GRADIENT": "EE", "CURL": "BB", "G-T": "TE", "C-T": "TB", "C-G": "EB",
        "TG": "TE", "te": "TE", "E-B": "EB", "ELL": "", "N_MODES": "",
    }  # fmt: skip
    assert {name: spectrum_of(name) for name in named} == named
    spectra = {name: np.arange(1.0, 5) for name in ("TT", "TB", "EB", "EE")}
    io.write_cl(tmp_path / "cl.fits", spectra, unit={"TT": "K^2", "EB": "uK^2"}, coordsys="E")
    result = io.read_spectra(tmp_path / "cl.fits")
    assert result.units == {"TT": "K^2", "TB": "", "EB": "uK^2", "EE": ""}
    assert (result.frame, result.file_polcconv, result.polcconv) == ("ecliptic", "COSMO", "COSMO")
    fits.setval(tmp_path / "cl.fits", "POLCCONV", value="IAU", ext=1)
    result = io.read_spectra(tmp_path / "cl.fits")
    assert {name: cl[0] for name, cl in result.values.items()} == dict(TT=1, TB=-1, EB=-1, EE=1)


@pytest.mark.parametrize(
    "style", ["*", "Cl_*", "Cl*", "*_353", "C_L *", "* (uK^2)", "Dl_*_CMB", "*_CL"]
)
@pytest.mark.parametrize("case", [str, str.lower])
def test_iau_spectra_are_converted_under_any_name(tmp_path, style, case):
    kinds = ["TT", "EE", "BB", "TE", "TB", "EB"]
    names = [case(style.replace("*", kind)) for kind in kinds]
    assert [spectrum_of(name) for name in names] == kinds
    names += ["ELL", names[4] + "_ERR", "N_MODES"]
    columns = [fits.Column(name, "D", array=np.arange(3.0)) for name in names]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["POLCCONV"] = "IAU"
    result = io.read_spectra(write(tmp_path / "cl.fits", hdu))
    assert result.polcconv == "COSMO"
    factors = [np.pi if "dl" in name.lower() else 1 for name in names]  # 2 pi / (l (l+1)) of D_1
    expected = np.array([1, 1, 1, 1, -1, -1, 1, 1, 1]) * factors
    assert [cl[1] for cl in result.values.values()] == pytest.approx(expected, rel=1e-15)
    names = [name.replace("Dl", "Cl").replace("dl", "cl") for name in names]
    assert list(io.read_cl(tmp_path / "cl.fits")) == names


def test_iau_spectra_that_nothing_tells_apart(tmp_path):
    """None is converted where one of them is not known, and what is returned says so."""
    columns = [fits.Column(name, "D", array=np.ones(3)) for name in ("TB", "SPECTRUM_7")]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["POLCCONV"] = "IAU"
    path = write(tmp_path / "cl.fits", hdu)
    result = io.read_spectra(path)
    assert result.polcconv == "IAU" and result.values["TB"][0] == 1
    with pytest.raises(ValueError, match="the name of SPECTRUM_7 does not determine"):
        io.read_cl(path)


def test_text_is_no_spectrum(tmp_path):
    columns = [
        fits.Column("NAME", "3A", array=["abc"] * 3),
        fits.Column("TT", "D", array=[1, 2, 3]),
    ]
    with pytest.raises(ValueError, match="column NAME has dtype <U3; expected real numbers"):
        io.read_cl(write(tmp_path / "cl.fits", fits.BinTableHDU.from_columns(columns)))
    with pytest.raises(ValueError, match="dtype complex128"):
        io.write_cl(tmp_path / "no.fits", np.ones(3, complex))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_spectrum_is_finite(tmp_path, bad):
    with pytest.raises(ValueError, match="expected finite values"):
        io.write_cl(tmp_path / "no.fits", np.array([1, bad]))


@pytest.mark.parametrize("component", [("E", "E"), ("E",), ("E", "C")])
def test_components_come_once(tmp_path, rng, component):
    flm = random_flm(4, rng, reality=True, shape=(2,))
    with pytest.raises(ValueError, match="expected . different ones of"):
        io.write_alm(tmp_path / "b.fits", flm, component=component)


def test_the_table_of_spectra_among_others(tmp_path):
    beam = fits.BinTableHDU.from_columns([fits.Column("BEAM", "D", array=np.ones(4))])
    columns = [fits.Column(n, "D", array=np.full(3, i)) for i, n in enumerate(("EE", "BB"))]
    spectra = fits.BinTableHDU.from_columns(columns)
    path = write(tmp_path / "cl.fits", beam, spectra)
    assert list(io.read_cl(path)) == ["EE", "BB"] and list(io.read_cl(path, hdu=1)) == ["BEAM"]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_file_of_coefficients_is_read_right_or_refused(tmp_path_factory, data):
    """Any order and number of entries, types, names of tables, conventions, nulls and repeats."""
    L = data.draw(st.integers(1, 5))
    names = data.draw(
        st.sampled_from(
            [("",), ("", "", ""), ("T", "E", "B"), ("GRAD", "CURL"), ("", ""), ("E", "E")]
        )
    )
    convention = data.draw(st.sampled_from(["COSMO", "IAU", None, "LEFT"]))
    damage = data.draw(st.sampled_from(["", "", "", "null", "repeat", "negative m", "NaN"]))
    must = names not in (("", ""), ("E", "E")) and convention != "LEFT" and not damage
    seed = data.draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    tables, expected = [], []
    for name in names:
        flm = random_flm(L, rng, reality=True).astype(np.complex64)
        table = alm_table(L, name=name or None)
        index = np.array(table.data["index"])
        order = rng.permutation(index.size)
        stored = flm[index - 1][order]
        index = index[order]
        header = {} if convention is None else dict(POLCCONV=convention)
        if damage == "null":
            header["TNULL1"] = int(index[0])
        if damage == "repeat":
            index, stored = np.append(index, index[-1]), np.append(stored, 0)
        if damage == "negative m":
            index, stored = np.append(index, L * L + 1), np.append(stored, 0)
        if damage == "NaN":
            stored[0] = np.nan
        code = data.draw(st.sampled_from(["E", "D"]))
        columns = [
            fits.Column(data.draw(st.sampled_from(["index", "INDEX"])), "K", array=index),
            fits.Column("real", code, array=stored.real, unit="unknown"),
            fits.Column("IMAG", code, array=stored.imag),
        ]
        tables.append(fits.BinTableHDU.from_columns(columns, name=name or None))
        tables[-1].header.update(header)
        flips = convention == "IAU" and (name in ("B", "CURL") or len(tables) == 3)
        expected.append(-flm if flips else flm)
    path = write(tmp_path_factory.mktemp("a") / "alm.fits", *tables)
    try:
        alm = io.read_alms(path)
    except ValueError as error:
        assert not must, error
        assert "alm.fits" in str(error)
        return
    assert must and np.array_equal(alm.flm, expected) and set(alm.units) == {""}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_file_of_spectra_is_read_right_or_refused(tmp_path_factory, data):
    names = data.draw(
        st.lists(
            st.sampled_from(["TT", "EE", "TB", "C-G", "ELL", "TEMPERATURE"]),
            min_size=1,
            unique=True,
        )
    )
    convention = data.draw(st.sampled_from(["COSMO", "IAU", None, "LEFT"]))
    null, scale = data.draw(st.sampled_from([(None, 1), (7, 1), (None, 0.5), ("7", 2.0)]))
    header = {} if convention is None else dict(POLCCONV=convention)
    values = {name: np.random.default_rng(i).integers(0, 9, 6) for i, name in enumerate(names)}
    for i in range(len(names)):
        header.update({f"TSCAL{i + 1}": scale} if scale != 1 else {})
        header.update({f"TNULL{i + 1}": null} if null is not None else {})
    hdu = fits.BinTableHDU.from_columns([fits.Column(n, "J", array=v) for n, v in values.items()])
    hdu.header.update(header)
    path = write(tmp_path_factory.mktemp("c") / "cl.fits", hdu)
    must = convention != "LEFT" and not (null and any((v == 7).any() for v in values.values()))
    try:
        result = io.read_spectra(path)
    except ValueError as error:
        assert not must and "cl.fits" in str(error), error
        return
    assert must
    for name, cl in values.items():
        sign = -1 if convention == "IAU" and name in ("TB", "C-G") else 1
        assert np.array_equal(result.values[name], sign * scale * cl)


def test_names_of_tables_are_handed_on(tmp_path):
    io.write_alm(tmp_path / "a.fits", np.zeros(4), name="KAPPA")
    alm = io.read_alms(tmp_path / "a.fits")
    assert alm.names == ("KAPPA",) and alm.components == ("",)
    with pytest.raises(ValueError, match=r"name has length 2, and flm has 1 set"):
        io.write_alm(tmp_path / "b.fits", np.zeros(4), name=["A", "B"])
    outlines = io.fits.outlines(tmp_path / "a.fits")
    assert [(t.hdu, list(t.columns)) for t in outlines] == [(1, ["index", "real", "imag"])]
