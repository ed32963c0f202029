"""Damaged files of coefficients: each is read or refused with a clear error, whatever its bytes are."""

import contextlib

import numpy as np
import pytest
from helpers.data import oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.coefficients import contains_coefficients
from spherekit.testing import random_flm

L = 5
FORMATS = ("npz", "fits", "sh", "sh.gz", "shc", "mat", "nc", "tab", "gfc", "msl", "iaga", "netcdf4")
#: Words that a header or a row may contain by mistake.
WORDS = ("1000000000", "99999999999999999999", "-1", "0", "nan", "inf", "1e400", "x", "", "2.5")
WORDS += ("1 2", "#", '"', "9" * 400, "1e9", "0x10", "1_0", "\N{ARABIC-INDIC DIGIT THREE}")


def rows(cilm, separator=" "):
    """The rows l, m, C_lm, S_lm of a triangle of coefficients."""
    size = cilm.shape[-1]
    pairs = [(ell, m) for ell in range(size) for m in range(ell + 1)]
    return "".join(
        separator.join([str(ell), str(m), *(f"{x:.16e}" for x in cilm[:, ell, m])]) + "\n"
        for ell, m in pairs
    )


def content(name, folder):
    """The bytes of a valid file of a format."""
    rng = np.random.default_rng(3)
    cilm = rng.standard_normal((2, L, L))
    if name == "tab":
        header = (
            " 3.3960E+03, 0.4282837285418775E+05, 0.238E+04,    4,    4,    1, 0.0E+00, 0.0E+00\n"
        )
        return (header + rows(cilm, ", ")).encode()
    if name == "gfc":
        header = "modelname test\nradius 6.4e6\nearth_gravity_constant 0.39D+15\nmax_degree 4\n"
        body = "".join(f"gfc {line}\n" for line in rows(cilm).splitlines())
        return f"{header}norm fully_normalized\nend_of_head ====\n{body}".encode()
    if name == "msl":
        return rows(cilm).encode()
    if name == "iaga":
        lines = [f"g {ell} {m} 1.5 2.5 0.1" for ell in (1, 2) for m in range(ell + 1)]
        lines += [f"h {ell} {m} -1.5 -2.5 0.1" for ell in (1, 2) for m in range(1, ell + 1)]
        return "\n".join(["c/s deg ord", "g/h n m 2015.0 2020.0 2020-25", *lines, ""]).encode()
    if name == "netcdf4":
        return oracle("coefficient_files")["file/netcdf4"].tobytes()
    flm = random_flm(L, rng, reality=True)
    axes = {"time": [2015.0, 2020.0]} if name == "shc" else {}
    flm = flm if name != "shc" else np.stack([flm, 2 * flm])
    model = io.Coefficients(flm, "g", "nT", axes, attributes={"": {"radius": 1.5}})
    path = folder / f"valid.{name}"
    io.write_coefficients(model, path, overwrite=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The bytes of a valid file, by the name of its format."""
    folder = tmp_path_factory.mktemp("valid")
    contents = {name: content(name, folder) for name in FORMATS}
    return lambda name: contents[name]


def damaged(data, kind, fraction, block, word):
    """Bytes with one change at a fraction of their length."""
    position = int(fraction * len(data))
    if kind == "cut":
        return data[:position]
    if kind == "bytes":
        return data[:position] + block + data[position + len(block) :]
    if kind == "word":
        return with_word(data, fraction, word.encode())
    if kind == "swap":
        return b"\n".join(reversed(data.split(b"\n")))
    return with_line(data, fraction, 2 if kind == "line twice" else 0)


KINDS = ("cut", "bytes", "word", "line", "line twice", "swap")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
        st.sampled_from(WORDS),
    ),
    min_size=1,
    max_size=2,
)


def with_word(data, fraction, word):
    """Bytes with another word in place of one of theirs."""
    words = data.split(b" ")
    words[int(fraction * (len(words) - 1))] = word
    return b" ".join(words)


def with_line(data, fraction, count):
    """Bytes in which a line occurs ``count`` times."""
    lines = data.split(b"\n")
    number = int(fraction * (len(lines) - 1))
    return b"\n".join(lines[:number] + lines[number : number + 1] * count + lines[number + 1 :])


@pytest.mark.parametrize("name", FORMATS)
@given(changes=CHANGES)
@settings(
    max_examples=60,
    deadline=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damaged_files_are_refused_or_read(name, valid, tmp_path, monkeypatch, changes):
    if name == "netcdf4":
        pytest.importorskip("h5netcdf", reason="netCDF-4 needs h5netcdf or netCDF4")
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e8")
    path = tmp_path / "damaged"
    changed = valid(name)
    for change in changes:
        changed = damaged(changed, *change)
    path.write_bytes(changed)
    try:
        contains_coefficients(path)
        model = io.read_coefficients(path)
    except ValueError as error:
        assert str(path) in str(error), error
    except MemoryError as error:
        assert "SPHEREKIT_MAX_MEMORY" in str(error), error
    else:
        assert np.isfinite(model.flm).all() and model.flm.nbytes < 1e8


@given(content=st.binary(max_size=300))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize(
    "start", [b"", b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM", b"CDF\x01"]
)
def test_random_bytes(start, tmp_path, content):
    path = tmp_path / "random"
    path.write_bytes(start + content)
    with pytest.raises(ValueError, match="random"):
        io.read_coefficients(path)
    with contextlib.suppress(ValueError):
        assert not contains_coefficients(path)
