"""The benchmark command on a tiny case, and the warm-up: what they say, not how fast they are."""

import json

import pytest
from tolerances import IDENTITY

from spherekit import bench
from spherekit.bench import worker
from spherekit.cli import main

#: Options for tests that do not read the times.
SHORT = "--seconds", "0.01"


def test_bench_alone(tmp_path, capsys):
    files = ["--json", f"{tmp_path}/b.json", "--plot", f"{tmp_path}/b.png"]
    command = [
        "bench",
        "--L",
        "8",
        "--grid",
        "gl",
        "--peers",
        "none",
        "--rounds",
        "1",
        *SHORT,
        *files,
    ]
    assert main(command) == 0
    assert "spherekit" in capsys.readouterr().out
    written = json.loads((tmp_path / "b.json").read_text())
    assert {"processor", "numpy", "numba"} <= written["machine"].keys()
    (result,) = written["results"]
    assert result["error"] < IDENTITY and result["L"] == 8
    for way in ("inverse", "forward"):
        assert {"first", "least", "median", "memory"} <= result[way].keys()
    assert (tmp_path / "b.png").stat().st_size > 5000
    assert main(command) == 1 and "--force" in capsys.readouterr().err


def test_cases_that_cannot_be_compared_are_said_in_words():
    case = dict(grid="gl", L=8, spin=0, batch=1, dtype="float64", threads=1, code="healpy")
    case |= dict(transform="harmonic", N=0, signal="real")
    lines = bench.table([{**case, "incomparable": "measured on HEALPix"}])
    assert lines[-1] == "healpy: measured on HEALPix (gl, real maps, 1 thread)"


def test_tables_of_pixel_functions():
    """They have an nside instead of L, and no round trip."""
    times = {name: {"least": 1.0, "first": 1.0} for name in ("inverse", "forward")}
    case = dict(transform="pixels", grid="", N=0, spin=0, signal="real", batch=1, threads=1)
    case |= dict(dtype="float64", code="spherekit", setup=0.0, error=None, one_way=True, **times)
    lines = bench.table([case | {"L": L} for L in (64, 128, 300)])
    text = "\n".join(lines)
    assert [line.split()[0] for line in lines[2:7]] == ["nside", "ms", "32", "64", "128"]
    assert "nside^p" in text and "operations in the heading" in text
    assert not any(word in text for word in ("error", "round trip", "synthesis", "inverse"))
    harmonic = case | dict(transform="harmonic", grid="gl", L=8, error=1e-9, one_way=False)
    text = "\n".join(bench.table([harmonic, case | {"L": 64}]))
    assert "synthesis and of an analysis; ms:" in text and "error: maximum" in text


def test_headings_of_the_lines_below_a_table():
    times = {name: {"least": 1.0, "first": 1.0} for name in ("inverse", "forward")}
    case = dict(transform="rotate", grid="", L=8, N=0, spin=0, signal="real", batch=1)
    case |= dict(dtype="float64", code="spherekit", setup=0.0, error=0.0, vjp=times, **times)
    lines = bench.table([case | {"threads": 1}, case | {"threads": 2}])
    assert sum("(rotation/inverse rot.): L=8 1.00/1.00" in line for line in lines) == 3
    assert not any("inverse/forward" in line for line in lines)


@pytest.mark.parametrize(
    "transform",
    [
        "wigner",
        "rotate",
        "matrices",
        "cg",
        "wavelets",
        "scattering",
        "smooth",
        "mode-coupling",
        "pixels",
        "interpolate",
        "polygons",
        "resolution",
    ],
)
def test_the_rotation_group(transform, tmp_path, capsys):
    command = [
        "bench",
        "--transform",
        transform,
        "--L",
        "6",
        "--N",
        "2,L",
        "--signal",
        "real,complex",
    ]
    command += ["--rounds", "1", *SHORT, "--peers", "none", "--json", f"{tmp_path}/b.json"]
    assert main([*command, "--plot", f"{tmp_path}/b.png"]) == 0
    assert "spherekit" in capsys.readouterr().out
    results = json.loads((tmp_path / "b.json").read_text())["results"]
    assert len(results) == {"wigner": 4, "rotate": 2, "wavelets": 4, "scattering": 4}.get(
        transform, 1
    )
    for result in results:
        assert result["one_way"] == (result["error"] is None)
        assert result["one_way"] or result["error"] < IDENTITY


@pytest.mark.parametrize(
    "options, word",
    [
        (["--peers", "fftw"], "ducc0"),
        (["--grid", "igloo"], "healpix"),
        (["--L", "x"], "64,128"),
        (["--transform", "fourier"], "wigner"),
        (["--N", "9", "--transform", "wigner"], "smallest L"),
        (["--timeout", "0"], "--timeout > 0"),
        (["--seconds", "nan"], "--seconds >= 0"),
    ],
)
def test_wrong_words_name_the_right_ones(options, word, capsys):
    size = [] if "--L" in options else ["--L", "8"]
    assert main(["bench", *size, *options]) in (1, 2)
    assert word in capsys.readouterr().err


def test_help_lists_all_grids(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["bench", "--help"])
    words = set(capsys.readouterr().out.replace(",", " ").replace(";", " ").split())
    assert set(bench.SHAPES) <= words


def test_interpreters_of_peers(capsys):
    assert main(["bench", "--transform", "covariances", "--L", "8", "--python", "s2scat=no"]) == 2
    assert "PEER=PYTHON" in capsys.readouterr().err
    assert main(["bench", "--transform", "covariances", "--L", "8", "--peers", "s2scat"]) == 1
    assert "--python s2scat=PYTHON" in capsys.readouterr().err


def test_layers(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SECONDS", 0.01)
    line = f"bench --transform layers,equivariance,cost --L 4,6 --plot {tmp_path / 'cost.png'}"
    assert main(line.split()) == 0
    said = capsys.readouterr().out
    assert "tensor product, MST" in said and "relu on the sphere" in said and "C L^4" in said
    assert (tmp_path / "cost.png").stat().st_size > 1e4
