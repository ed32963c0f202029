"""Provenance: what is written into files, and how it is read back."""

import hashlib
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spherekit import __version__, io
from spherekit.io import provenance

VERSION = f"spherekit {__version__}"


def test_files_written_from_python_name_the_version(tmp_path):
    io.write_map(tmp_path / "map.fits", np.zeros(12))
    with provenance.recording("other command"):
        io.read_map(tmp_path / "map.fits")
        assert provenance.history()[0] == VERSION
    assert provenance.history() == (VERSION,)
    assert provenance.history(["a", "b"]) == ("a", "b", VERSION)


def test_a_command_names_seed_and_inputs_once(tmp_path):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(12))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with provenance.recording(["spherekit", "x", str(path), "--threads", "3", "--force"], seed=4):
        io.read_map(path)
        io.read_map(path)
        line = f"{VERSION}: spherekit x map.fits; seed 4; input map.fits sha256:{digest}"
        assert provenance.history() == (VERSION, line)


def test_a_command_within_another_has_the_inputs_of_both(tmp_path):
    for name in ("mask", "map"):
        io.write_arrays(tmp_path / f"{name}.npz", values=np.zeros(2), history=[f"made {name}"])
    with provenance.recording("all"):
        io.read_arrays(tmp_path / "mask.npz")
        with provenance.recording("one"):
            io.read_arrays(tmp_path / "mask.npz")
            io.read_arrays(tmp_path / "map.npz")
            *previous, line = provenance.history()
        assert "map.npz" not in provenance.history()[-1]
    assert previous == ["made mask", "made map"]
    assert line.startswith(f"{VERSION}: one; input mask.npz sha256:")
    assert line.count("sha256") == 2


def test_threads_belong_to_the_command():
    lines = []
    with provenance.recording("command"):
        thread = threading.Thread(target=lambda: lines.extend(provenance.history()))
        thread.start()
        thread.join()
    assert lines == [f"{VERSION}: command"]
    assert provenance.history() == (VERSION,)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["a", "--output=/x/b.npz", "-o", "/x/y/"], "a --output=b.npz -o y"),
        (["a", "--unit", "m/s", "--threads=4", "--json", "b"], "a --unit m/s b"),
        (["/"], "/"),
    ],
)
def test_command_line(words, line):
    assert provenance.command_line(words) == line


def test_text_that_headers_cannot_have_is_escaped(tmp_path):
    with provenance.recording(["spherekit", "M\N{LATIN SMALL LETTER U WITH DIAERESIS}n\n\udcff"]):
        io.write_map(tmp_path / "map.fits", np.zeros(12))
        line = provenance.history()[0]
    assert r"M\xfcn\n\udcff" in line
    with provenance.recording("next"):
        io.read_map(tmp_path / "map.fits")
        assert provenance.history()[0] == line


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), max_size=4))
def test_cards_are_at_most_72_characters_and_can_be_joined_again(texts):
    lines = tuple(f"{VERSION}: {text}".rstrip() for text in texts)
    cards = provenance.to_cards(lines)
    assert all(len(card) <= 72 for card in cards)
    joined = provenance.from_cards(card.rstrip() for card in cards)
    assert [line.split() for line in joined] == [line.split() for line in lines]


def test_a_foreign_history_is_preserved(tmp_path):
    from astropy.io import fits

    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(12))
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["HISTORY"] = "observed in 2009"
        hdus[1].header["HISTORY"] = "  by hand"
    with provenance.recording("next"):
        io.read_map(path)
        assert provenance.history()[:3] == (VERSION, "observed in 2009", "  by hand")


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.npz", "a.nc", "a.txt"])
def test_truncated_files_have_no_history(tmp_path, name):
    path = tmp_path / name
    if name == "a.txt":
        io.write_cl(path, np.ones(40))
    else:
        io.write(io.Map(np.random.default_rng(0).normal(size=768), "healpix:8"), path)
    assert provenance.of_file(path) == (VERSION,)
    content = path.read_bytes()
    sizes = len(content) - 1, len(content) // 2, 100
    for size in sizes[:1] if name == "a.txt" else sizes:  # text may end at the end of any line
        path.write_bytes(content[:size])
        with pytest.raises((ValueError, OSError)):
            provenance.of_file(path)
