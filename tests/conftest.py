"""All fixtures that several files take, ids of cases, and what holds in every run.

Figures need no screen, and random numbers are the same in every test, whatever ran before it.
"""

import os

import numpy as np
import pytest
from helpers import commands
from hypothesis import settings

import spherekit
from spherekit import io
from spherekit.conventions import eb_to_spin
from spherekit.sampling import HEALPix
from spherekit.sampling.base import Grid
from spherekit.testing import random_flm

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["SPHEREKIT_QUIET"] = "1"  # tests read what programs write to standard error

SEED = 20260

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_make_parametrize_id(val):
    """Ids that say the case: items of a dict, entries of a sequence, what a lambda calls."""
    if isinstance(val, dict):
        text = ",".join(f"{key}={value}" for key, value in val.items()) or "{}"
    elif isinstance(val, list | tuple | set | Grid):
        text = str(val)
    elif getattr(val, "__name__", "") == "<lambda>":
        text = ".".join(val.__code__.co_names)
    else:
        return None
    changes = " at 0x" in text or "set({" in text  # from process to process
    return text if len(text) < 60 and text.isprintable() and not changes else None


@pytest.fixture
def rng():
    """A generator that starts from the same seed in every test."""
    return np.random.default_rng(SEED)


# --- files for the commands -----------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sky(here, rng):
    """Coefficients, L = 8, of map.fits (nside 8, mK), with mask.fits beside it."""
    flm = random_flm(8, rng, reality=True)
    f = spherekit.inverse(flm, 8, sampling="healpix:8", reality=True)
    io.write_map("map.fits", f, unit="mK")
    io.write_map("mask.fits", (HEALPix(8).theta > 0.8).astype(float))
    return flm


@pytest.fixture
def polarized(here, rng):
    """E and B, L = 8, of map.fits, whose columns are I, Q, U; nside 8."""
    E, B = (random_flm(8, rng, reality=True) for _ in range(2))
    E[:4] = B[:4] = 0
    f = spherekit.inverse(eb_to_spin(E, B, spin=2), 8, spin=2, sampling="healpix:8")
    io.write_map("map.fits", np.stack([0 * f.real, f.real, f.imag]), column=["I", "Q", "U"])
    return E, B


@pytest.fixture
def kappa(here, rng):
    """Coefficients of map.fits, on the grid of `helpers.commands`: one column KAPPA in mK, galactic."""
    flm = random_flm(commands.L, rng, reality=True)
    f = spherekit.inverse(flm, commands.L, sampling=commands.GRID, reality=True)
    io.write_map("map.fits", f, column="KAPPA", unit="mK", coordsys="galactic")
    return flm


@pytest.fixture
def iqu(here, rng):
    """T, E, B of iqu.fits, on the same grid: its columns are those of WMAP, equatorial."""
    T, E, B = (random_flm(commands.L, rng, reality=True) for _ in range(3))
    E[:4] = B[:4] = 0
    f = spherekit.inverse(T, commands.L, sampling=commands.GRID, reality=True)
    p = spherekit.inverse(eb_to_spin(E, B, spin=2), commands.L, spin=2, sampling=commands.GRID)
    names = ["TEMPERATURE", "Q_POLARISATION", "U_POLARISATION"]
    fields = np.stack([f, p.real, p.imag])
    io.write_map("iqu.fits", fields, column=names, unit=["mK", "uK", "uK"], coordsys="C")
    return T, E, B
