"""What a command writes is put in place together, or not at all."""

import ast
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.commands import READERS, refused, run

import spherekit
from spherekit import io
from spherekit._core.atomic_files import replacing, replacing_together
from spherekit.cli import main, output

WITH_PICTURE = [verb for verb in READERS if "--plot" in READERS[verb][0]]
PACKAGE = Path(spherekit.__file__).parent


def failed(capsys, line):
    """What a command that fails prints on standard error; some have printed results before."""
    capsys.readouterr()
    assert main(line.split()) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def everything():
    return {name for name in os.listdir() if name.startswith("out") or name.endswith(".tmp")}


@pytest.fixture
def small_pictures(monkeypatch):
    """Pictures of nothing, which are drawn at once."""
    from spherekit.cli import generate, options, rotate, scatter, spectrum_picture, wavelets

    def empty(*args, **look):
        return options.figure(1, 1)

    for verb, name in (
        (generate, "_picture"),
        (rotate, "_picture"),
        (scatter, "_tree"),
        (spectrum_picture, "picture"),
        (wavelets, "panel"),
    ):
        monkeypatch.setattr(verb, name, empty)
    monkeypatch.setattr("spherekit.plot.show", empty)


@pytest.mark.parametrize("verb", WITH_PICTURE)
def test_nothing_is_left_where_a_picture_cannot_be_written(
    kappa, capsys, monkeypatch, small_pictures, verb
):
    line = READERS[verb][0].format(map="map.fits")

    def full(*args, **options):
        raise OSError(28, "No space left on device", "out.png")

    with monkeypatch.context() as patch:
        patch.setattr("spherekit.plot.figure.save", full)
        assert failed(capsys, line) == "spherekit: error: out.png: No space left on device\n"
    assert everything() == set()
    run(line)  # what was wrong is put right: nothing stands in the way
    assert everything() == {"out.png", READERS[verb][1]}


@pytest.mark.parametrize("verb", READERS)
def test_a_file_that_appears_meanwhile_is_not_replaced(
    kappa, capsys, monkeypatch, small_pictures, verb
):
    line, name = READERS[verb]
    line = line.format(map="map.fits")
    together = output.atomic

    def late(force):
        Path(name).write_text("of somebody")
        return together(force)

    monkeypatch.setattr(output, "atomic", late)
    assert "--force" in failed(capsys, line)
    assert Path(name).read_text() == "of somebody" and everything() == {name}
    run(f"{line} --force")
    assert Path(name).read_bytes() != b"of somebody"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_one_is_first(tmp_path, monkeypatch, overwrite, links):
    """Both files of the one that was first, and the others are told so; also without hard links."""

    def refuse(*args):
        raise OSError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    done, start = [], threading.Barrier(8)

    def write(number):
        start.wait()
        try:
            with replacing_together(overwrite):
                for name in ("a", "b"):
                    with replacing(tmp_path / name, True) as temporary:
                        Path(temporary).write_text(str(number))
            done.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == (8 if overwrite else 1)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    if not overwrite:
        assert [(tmp_path / name).read_text() for name in "ab"] == [str(done[0])] * 2


def test_a_group_of_which_a_later_file_exists(tmp_path):
    with pytest.raises(FileExistsError), replacing_together(False):
        for name in ("a", "b"):
            with replacing(tmp_path / name, False) as temporary:
                Path(temporary).write_text("new")
        (tmp_path / "b").write_text("old")
    assert os.listdir(tmp_path) == ["b"] and (tmp_path / "b").read_text() == "old"


@pytest.mark.parametrize("more", ["", " --force"])
def test_links_that_lead_nowhere(kappa, capsys, more):
    os.symlink("out.fits", "out.fits")
    os.symlink("target.fits", "dangling.fits")
    line = "rotate map.fits --euler 1,2,3 -o {}" + more
    assert "leads to itself" in refused(capsys, line.format("out.fits"))
    assert os.path.islink("out.fits")
    run(line.format("dangling.fits"))
    assert os.path.islink("dangling.fits") and os.path.isfile("target.fits")


def test_text_does_not_depend_on_the_locale(tmp_path):
    """Names of files that are no UTF-8 go through byte by byte."""
    names = ["k\xe4rte \u2603.fits", "\udce4.fits", "plain"]
    output.write_table(tmp_path / "a.csv", ["file"], [[name] for name in names])
    assert (
        tmp_path / "a.csv"
    ).read_bytes() == b"file\nk\xc3\xa4rte \xe2\x98\x83.fits\n\xe4.fits\nplain\n"
    output.write_json(tmp_path / "a.json", {"file": names})
    output.write_text(tmp_path / "a.txt", "\n".join(names))


def _is_text(call):
    """Whether a call opens a file as text."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("read_text", "write_text"):
        return isinstance(call.func, ast.Attribute) and name == "read_text"
    if name != "open" or (isinstance(call.func, ast.Attribute) and call.func.value.id == "os"):
        return False
    modes = [arg.value for arg in call.args[1:2] if isinstance(arg, ast.Constant)]
    modes += [word.value.value for word in call.keywords if word.arg == "mode"]
    return "b" not in (modes or ["r"])[0]


def test_every_file_of_text_names_its_encoding():
    lacking = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_text(node):
                named = any(word.arg == "encoding" for word in node.keywords)
                if not (named or (getattr(node.func, "attr", "") == "read_text" and node.args)):
                    lacking.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    system = {name for name in lacking if name.startswith("bench/")}  # files of the kernel, ASCII
    packed = {name for name in lacking if name.startswith("io/")}  # gzip.open, which reads bytes
    assert set(lacking) == system | packed


UNITS = [r"$K_{CMB$ \frac", "$uK$", "a$b", r"$\unknown$", "$$", "$", "uK_CMB", r"\frac{1}{2}"]


@pytest.mark.parametrize("unit", UNITS)
def test_units_that_are_no_formula_are_drawn_as_they_stand(kappa, unit):
    f = io.read_map("map.fits").values
    io.write_map("unit.fits", f, unit=unit)
    run("spectrum unit.fits --L 6 -o out.fits --plot out.png")


def test_titles_that_are_no_formula(kappa):
    assert (
        main(["plot", "map.fits", "-o", "out.png", "--title", r"$\frac$", "--unit", "$a_{$"]) == 0
    )


def test_debug_stands_anywhere_and_keeps_the_exit_code(here, capsys):
    for line in ("--debug plot a -o b", "plot --debug a -o b", "plot a -o b --debug"):
        assert main(line.split()) == 2
        said = capsys.readouterr().err
        assert "Traceback" in said and said.splitlines()[-1].startswith(
            "spherekit: error: the output b"
        )
    for line in ("--debug info no.fits", "info no.fits --debug"):
        with pytest.raises(FileNotFoundError):
            main(line.split())


@pytest.mark.parametrize("verb", ["simulate cmb --L 8 --n 2", "demo", "train cmb-gaussianity"])
@pytest.mark.parametrize("name", ["taken", "taken/within"])
def test_folders_that_are_files(name, here, capsys, verb):
    Path("taken").touch()
    said = refused(capsys, f"{verb} -o {name}", 2)
    assert said == f"spherekit: error: {name} or one of its parents is a file; expected a folder\n"


@pytest.mark.parametrize(
    "columns, names",
    [
        ({}, ("SIGNAL_1", "SIGNAL_2", "SIGNAL_3")),
        (dict(columns=["T", "t", "A"]), ("T_1", "t_2", "A")),
    ],
)
def test_signals_of_one_name_are_numbered(columns, names, here, rng):
    """Signals without names, and names that differ in case alone, which FITS takes for one."""
    from spherekit.testing import random_flm

    flm = np.stack([random_flm(4, rng, reality=True) for _ in range(3)])
    io.write_arrays("three.npz", flm=flm, spin=0, **columns, overwrite=True)
    run("transform three.npz --inverse --grid healpix:2 -o out.fits --force")
    assert io.read_map("out.fits", field=None).columns == names
