"""Spectra of every format in the commands that read them: simulate, convert and info."""

import json
import shlex
import shutil

import numpy as np
import pytest
from astropy.io import fits
from helpers.commands import refused, run
from helpers.fits_tables import table

from spherekit import io
from spherekit.cli import main

L = 13
ELL = np.arange(L)
TT = 1 / (ELL + 1.0) ** 2
EE = TT / 4

HEADER = "# C_l in uK^2\n"
#: (file, what a command has to be told, the names of the spectra)
FILES = [
    ("healpy.fits", "", ["TEMPERATURE"]),
    ("two.fits", "", ["TT", "EE"]),
    ("dl.fits", "", ["Cl_TT"]),
    ("table.fits", "--kind cl", ["COLUMN"]),
    ("own.txt", "", ["TT", "EE"]),
    ("own.npz", "", ["TT", "EE"]),
    ("named.npz", "--kind cl", ["TT", "EE"]),
    ("rows.npy", "--kind cl", ["TT"]),
    ("rows2.npy", "--kind cl --columns TT,EE", ["TT", "EE"]),
    ("column.txt", "--kind cl", ["TT"]),
    ("plain.txt", "--kind cl", ["TT"]),
    ("camb_scalCls.dat", "", ["TT", "EE", "TE"]),
    ("names.csv", "--kind cl", ["TT", "EE"]),
    ("header.csv", "", ["TT"]),
    ("many.txt", "--kind dl --columns l,TT,EE", ["TT", "EE"]),
]


@pytest.fixture
def spectra(here):
    dl = ELL * (ELL + 1) / (2 * np.pi)
    table("healpy.fits", [fits.Column("TEMPERATURE", "D", array=TT)], CREATOR="healpy")
    io.write_cl("two.fits", {"TT": TT, "EE": EE}, unit="uK^2")
    table("dl.fits", [fits.Column("Dl_TT", "D", array=dl * TT)])
    table("table.fits", [fits.Column("COLUMN", "D", array=TT)])
    io.write_cl("own.txt", {"TT": TT, "EE": EE}, unit="uK^2")
    io.write_cl("own.npz", {"TT": TT, "EE": EE}, unit="uK^2")
    np.savez("named.npz", ell=ELL, TT=TT, EE=EE)
    np.save("rows.npy", TT)
    np.save("rows2.npy", [TT, EE])
    np.savetxt("column.txt", TT)
    np.savetxt("plain.txt", np.c_[ELL, TT])
    np.savetxt("camb_scalCls.dat", np.c_[ELL, dl * TT, dl * EE, 0 * TT][2:])
    np.savetxt("names.csv", np.c_[ELL, TT, EE], delimiter=",", header="l,TT,EE", comments="")
    np.savetxt("header.csv", np.c_[ELL, TT], delimiter=",", header="C_l of\nell,TT")
    np.savetxt("many.txt", np.c_[ELL, dl * TT, dl * EE])


def facts_of(capsys, words):
    capsys.readouterr()
    assert main(["info", *words.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("name", "options", "names"), FILES)
def test_every_command_reads_the_same_spectra(spectra, capsys, name, options, names):
    """And a command that needs to be told says by which option."""
    run(f"convert {name} out.txt {options}")
    run(f"convert {name} out.npz {options}")
    run(f"simulate {name} --n 1 -o skies {options}")
    expected = dict(TT=TT, EE=EE, TE=0 * TT)
    for path in ("out.txt", "out.npz"):
        values = io.read_cl(path)
        assert list(values) == names
        for column, cl in values.items():
            wanted = expected.get(column, TT)
            np.testing.assert_allclose(cl[2:], wanted[2:], rtol=1e-14, atol=0)
    facts = facts_of(capsys, f"{name} {options}")
    assert facts["kind"] == "spectrum" and facts["L"] == L
    assert [entry["name"] for entry in facts["columns"]] == names
    for line in facts["next"]:
        assert main(shlex.split(line)[1:]) == 0, line
    assert [shlex.split(line)[1] for line in facts["next"]] == ["simulate", "convert"]
    kind = io.describe(name)
    if options and name not in ("table.fits", "rows2.npy", "many.txt", "rows.npy"):
        assert "--kind cl" in refused(capsys, f"convert {name} no.fits", 1)
    if options and "FITS" not in kind:
        said = refused(capsys, f"simulate {name} --n 1 -o no", 1)
        assert "--kind cl" in said or "--columns" in said
        assert "=" not in said.replace("D_l =", "")


def test_simulate_continues_with_a_copy_of_the_spectrum(spectra, capsys):
    run("simulate own.npz --n 1 -o skies")
    shutil.copy("own.npz", "other.npz")
    run("simulate other.npz --n 2 -o skies")
    assert "(1 already present)" in capsys.readouterr().out
    io.write_cl("other.npz", TT * 2, column="TT", unit="uK^2", overwrite=True)
    assert "spectrum_sha256" in refused(capsys, "simulate other.npz --n 2 -o skies", 1)
    io.write_cl("other.npz", TT, column="TT", unit="mK^2", overwrite=True)
    assert "unit = mK" in refused(capsys, "simulate other.npz --n 2 -o skies", 1)


def test_spectrum_writes_npz(spectra, capsys):
    run("simulate two.fits --n 1 --pol --grid healpix:8 -o skies")
    run("spectrum skies/map-00000.fits --field I,Q,U -o cl.npz")
    run("spectrum skies/map-00000.fits --field I,Q,U -o cl.fits")
    of_npz, of_fits = io.read_spectra("cl.npz"), io.read_spectra("cl.fits")
    assert of_npz.units == of_fits.units and set(of_npz.units.values()) == {"uK^2"}
    for name, cl in of_fits.values.items():
        assert np.array_equal(of_npz.values[name], cl)
    assert "spherekit spectrum" in of_npz.history[-1] and "simulate" in of_npz.history[-2]
    run("simulate cl.npz --n 1 --pol -o again")


def test_selected_spectra(spectra, capsys):
    run("convert own.npz ee.txt --field EE")
    run("convert own.npz both.fits --field 1,TT")
    assert list(io.read_cl("ee.txt")) == ["EE"] and list(io.read_cl("both.fits")) == ["EE", "TT"]
    said = refused(capsys, "convert own.npz no.txt --field BB", 2)
    assert "contains the spectra TT, EE" in said


def test_maps_and_coefficients_stay_what_they_are(spectra, capsys):
    io.write_map("map.fits", np.ones(12))
    io.write(io.Map(np.ones(12), "healpix:1"), "map.npz")
    io.write_coefficients(io.Coefficients(np.ones(4)), "flm.npz")
    for name in ("map.fits", "map.npz"):
        assert "contains a map" in refused(capsys, f"convert {name} x.npz --kind cl", 2)
    assert "contains coefficients" in refused(capsys, "convert flm.npz x.npz --kind cl", 2)
    np.savetxt("lats", [45.0, -45.0])
    np.savetxt("lons", [0.0, 90.0, 180.0, 270.0])
    np.savetxt("grid.txt", np.c_[[0.0, 1.0], np.ones((2, 3))])  # its first column is 0, 1
    run("convert grid.txt map.nc --lat lats --lon lons")
    assert io.read("map.nc").values[1, 0] == 1


def test_commands_of_maps_name_the_spectra(spectra, capsys):
    for name in ("own.npz", "healpy.fits"):
        assert "spherekit simulate" in refused(capsys, f"smooth {name} --fwhm 1deg -o no.npz", 1)
    with pytest.raises(ValueError, match=r"own.npz contains power spectra, .*read_spectra"):
        io.read("own.npz")


def test_declared_spectra_are_no_coefficients(here, capsys):
    np.savetxt("rows.txt", [[0, 0, 1, 0], [1, 0, 0.5, 0], [2, 1, 0.2, 0.3]])
    run("convert rows.txt cl.npz --kind cl --columns l,TT,EE,BB")
    names = [
        entry["name"]
        for entry in facts_of(capsys, "rows.txt --kind cl --columns l,TT,EE,BB")["columns"]
    ]
    assert names == ["TT", "EE", "BB"] == list(io.read_cl("cl.npz"))
