"""Several files in one call: names of the outputs, provenance, failures, and commands that go on."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.commands import refused, run

from spherekit import io
from spherekit.cli import main, overlapping, stopping
from spherekit.io import provenance

#: Each verb that takes several files, with the suffix of its outputs.
VERBS = {
    "transform": ("--L 6", ".fits"),
    "spectrum": ("--L 6", ".fits"),
    "rotate": ("--euler 10,20,30 --L 6", ".fits"),
    "wavelets": ("--L 6", ".npz"),
    "scatter": ("--L 6 --J0 1", ".npz"),
    "plot": ("", ".png"),
}
NAMES = ("a", "b", "c")
FILES = "maps/a.fits maps/b.fits maps/c.fits"


@pytest.fixture
def maps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("maps")
    for seed, name in enumerate(NAMES):
        values = np.random.default_rng(seed).normal(size=192)
        io.write_map(f"maps/{name}.fits", values, unit="K", column="T")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("threads", ["--threads 1", "--threads 2"])
@pytest.mark.parametrize("verb", VERBS)
def test_several_files_are_those_of_single_runs(maps, capsys, verb, threads):
    options, suffix = VERBS[verb]
    run(f"{verb} {FILES} {options} -o several/ {threads if verb != 'plot' else ''}")
    said = capsys.readouterr().out
    os.mkdir("single")
    for name in NAMES:
        run(f"{verb} maps/{name}.fits {options} -o single/{name}{suffix}")
    assert contents("several") == contents("single")
    assert said == capsys.readouterr().out.replace("single/", "several/")


def test_items_overlap_in_order(monkeypatch):
    begun = threading.Barrier(2, timeout=60)
    first = []

    def square(x):
        if first:
            begun.wait()  # two are in work at once
        first.append(x)
        if x == 3:
            raise ValueError(f"no {x}")
        return x * x

    results = list(overlapping.outcomes(square, [1, 2, 3], [0, 0, 0], 2))
    assert [(item, result) for item, result, _ in results] == [(1, 1), (2, 4), (3, None)]
    assert str(results[2][2]) == "no 3"


@pytest.mark.parametrize(("sizes", "threads"), [([0, 0, 0], 1), ([0, 0, 2**40], 8), ([0, 0], 8)])
def test_items_of_one_thread_and_large_ones_follow_each_other(sizes, threads):
    names = []
    items = list(range(len(sizes)))
    run_here = lambda _: names.append(threading.current_thread())  # noqa: E731
    assert len(list(overlapping.outcomes(run_here, items, sizes, threads))) == len(items)
    assert set(names) == {threading.current_thread()}


def test_an_interrupt_stops_the_items_in_work():
    begun = threading.Event()

    def work(x):
        begun.set()
        while x:
            stopping.check()
            time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt), stopping.handling():
        for _ in overlapping.outcomes(work, [0, 1, 2], [0] * 3, 2):
            begun.wait()
            raise KeyboardInterrupt


def test_one_file_into_a_folder(maps):
    os.mkdir("present")
    run("transform maps/a.fits --L 6 -o present")
    run("transform maps/a.fits --L 6 -o new/ --suffix npz")
    assert os.listdir("present") == ["a.fits"]
    assert os.listdir("new") == ["a.npz"]


def test_pictures_of_several_files(maps):
    run(f"spectrum {FILES} --L 6 -o cl/ --plot pictures/")
    assert sorted(os.listdir("pictures")) == ["a.png", "b.png", "c.png"]


def test_the_same_command_goes_on(maps, capsys):
    line = f"transform {FILES} --L 6 -o alms/"
    run(line)
    expected = contents("alms")
    os.remove("alms/b.fits")
    times = {path: os.stat(path).st_mtime_ns for path in Path("alms").iterdir()}
    capsys.readouterr()
    run(f"{line} --threads 1")
    said = capsys.readouterr().out
    assert said.count("wrote") == 1 and "2 of 3 files were complete" in said
    assert contents("alms") == expected
    assert all(os.stat(path).st_mtime_ns == time for path, time in times.items())
    run(f"{line} --force")
    assert capsys.readouterr().out.count("wrote") == 3


def test_complete_files_are_reported_to_machines(maps, capsys):
    line = f"transform {FILES} --L 6 -o alms/ --json"
    run(line)
    capsys.readouterr()
    run(line)
    reports = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [x["outputs"] for x in reports] == [["alms/a.fits"], ["alms/b.fits"], ["alms/c.fits"]]
    assert all(x["complete"] and x["command"] == "transform" for x in reports)


def test_a_truncated_output_is_not_complete(maps, capsys):
    line = f"transform {FILES} --L 6 -o alms/"
    run(line)
    whole = Path("alms/b.fits").read_bytes()
    Path("alms/b.fits").write_bytes(whole[:-2880])
    assert "alms/b.fits exist, and are not complete" in refused(capsys, line)
    run(f"{line} --force")
    assert Path("alms/b.fits").read_bytes() == whole


def test_files_after_an_option(maps, capsys):
    run("transform maps/a.fits --L 6 maps/b.fits -o alms/ maps/c.fits")
    assert sorted(os.listdir("alms")) == ["a.fits", "b.fits", "c.fits"]
    run("convert maps/a.fits --hdu 1 a.npz")
    assert "unrecognized arguments: --nonsense" in refused(
        capsys, "convert a.npz --nonsense b.nc", 2
    )


def test_outputs_of_other_commands_and_inputs_are_not_replaced(maps, capsys):
    run(f"transform {FILES} --L 6 -o alms/")
    before = contents("alms")
    said = refused(capsys, f"transform {FILES} --L 5 -o alms/")
    assert (
        "alms/a.fits and 2 others exist, and are not complete outputs of this command" in said
        and "--force" in said
    )
    io.write_map("maps/b.fits", np.ones(192), overwrite=True)
    assert "alms/b.fits exist" in refused(capsys, f"transform {FILES} --L 6 -o alms/")
    assert contents("alms") == before


@pytest.mark.parametrize("mask", ["same", "other"])
def test_a_changed_mask_is_another_command(maps, capsys, mask):
    io.write_map("mask.fits", np.ones(192))
    line = f"spectrum {FILES} --L 6 --mask mask.fits -o cl/"
    run(line)
    if mask == "other":
        io.write_map("mask.fits", np.r_[0.0, np.ones(191)], overwrite=True)
        assert "--force" in refused(capsys, line)
    else:
        run(line)
        assert "3 of 3 files were complete" in capsys.readouterr().out


def test_a_file_that_fails_is_reported_and_the_others_go_on(maps, capsys):
    Path("maps/b.fits").write_text("no map")
    assert main(f"transform {FILES} --L 6 -o alms/".split()) == 1
    said = capsys.readouterr()
    first, last = said.err.splitlines()
    assert first.startswith("spherekit: error: maps/b.fits") and "text" in first
    assert last == "spherekit: error: 1 of 3 files failed: maps/b.fits"
    assert said.out.count("wrote") == 2
    assert sorted(os.listdir("alms")) == ["a.fits", "c.fits"]


def test_wrong_usage_stops_at_the_first_file(maps, capsys):
    assert "--L" in refused(capsys, f"transform {FILES} --L 50 -o alms/", 2)
    assert "--suffix" in refused(capsys, f"transform {FILES} --L 6 -o alms/ --suffix", 2)
    assert ".png" in refused(capsys, f"transform {FILES} --L 6 -o alms/ --suffix .png", 2)


def test_outputs_of_the_same_name_are_refused(maps, capsys):
    os.mkdir("other")
    os.rename("maps/b.fits", "other/a.fits")
    said = refused(capsys, "transform maps/a.fits other/a.fits --L 6 -o alms/", 2)
    assert "maps/a.fits and other/a.fits have the same name a" in said
    assert "replace its input" in refused(capsys, "rotate maps/a.fits --euler 1,2,3 -o maps/", 2)
    said = refused(capsys, f"transform {FILES} --L 6 -o maps/a.fits", 2)
    assert "-o is maps/a.fits, the name of a file, and there are 3 inputs" in said
    os.rename("other/a.fits", "plain")
    assert "is a file" in refused(capsys, f"transform {FILES} --L 6 -o plain", 2)


def test_json_has_a_line_for_each_file(maps, capsys):
    Path("maps/b.fits").write_text("no map")
    assert main(f"transform {FILES} --L 6 -o alms/ --json".split()) == 1
    a, b, c = map(json.loads, capsys.readouterr().out.splitlines())
    assert a["command"] == "transform" and a["outputs"] == ["alms/a.fits"]
    assert a["inputs"] == [{"file": "maps/a.fits", "sha256": a["inputs"][0]["sha256"]}]
    assert a["L"] == 6 and a["grid"] == "healpix:4"
    assert a["fits"][0]["converged"] and 0 < a["fits"][0]["residual"] < 1
    assert a["signals"] == [{"name": "T", "spin": 0, "unit": "K"}]
    assert b["inputs"] == [{"file": "maps/b.fits"}] and "text" in b["error"]
    assert c["messages"][-1].startswith("wrote alms/c.fits")


@pytest.mark.parametrize("verb", VERBS)
def test_json_of_each_verb(maps, capsys, verb):
    options, suffix = VERBS[verb]
    run(f"{verb} maps/a.fits {options} -o out{suffix} --json")
    (line,) = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    assert facts["outputs"] == [f"out{suffix}"] and facts["grid"] == "healpix:4"
    assert facts["inputs"][0]["file"] == "maps/a.fits"


def test_the_default_band_limit_is_printed(maps, capsys):
    run("transform maps/a.fits -o alm.fits")
    assert "L = 8 (lmax 7), the default for healpix:4" in capsys.readouterr().out
    run("transform alm.fits --inverse --grid mw:8 -o map.npz")
    run("spectrum map.npz -o cl.fits")
    assert "L = 8 (lmax 7), the default for mw:8" in capsys.readouterr().out


def test_history_names_each_step(maps):
    run("transform maps/a.fits --L 6 -o alm.fits")
    run("transform alm.fits --inverse --grid mw:6 -o map.npz --threads 1")
    version, first, second = provenance.of_file("map.npz")
    assert version.startswith("spherekit ")
    assert ": spherekit transform a.fits --L 6 -o alm.fits; input a.fits sha256:" in first
    assert ": spherekit transform alm.fits --inverse --grid mw:6 -o map.npz; input alm.f" in second


@pytest.mark.parametrize("suffix", ["png", "jpg", "svg", "pdf"])
def test_pictures_have_a_history_and_the_same_bytes(maps, suffix):
    run(f"plot maps/a.fits -o one.{suffix}")
    os.mkdir("again")
    run(f"plot maps/a.fits -o again/one.{suffix}")
    assert Path(f"one.{suffix}").read_bytes() == Path(f"again/one.{suffix}").read_bytes()
    if suffix in ("png", "jpg"):
        assert "spherekit plot a.fits -o one" in provenance.of_file(f"one.{suffix}")[-1]
    if suffix == "svg":
        assert "spherekit plot a.fits -o one" in Path("one.svg").read_text()
