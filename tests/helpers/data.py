"""Stored values of other codes, in the folder ``oracles``, and real data beside the checkout."""

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
ORACLES = TESTS / "oracles"

#: Folder of the real data sets, or that which SPHEREKIT_DATA names; it may not exist, and tests skip it then.
SHARED = Path(os.environ.get("SPHEREKIT_DATA") or ROOT.parent / "shared" / "data")


def real_file(*parts):
    """The path of a file of the real data sets; without it the test is skipped."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there; SPHEREKIT_DATA names the folder of real data")
    return path


@cache
def oracle(name):
    """Arrays of oracles/<name>.npz, which holds the script that made them."""
    with np.load(ORACLES / f"{name}.npz") as stored:
        return {key: stored[key] for key in stored.files}


def rows(path):
    """Rows of a table of stored values in CSV."""
    with open(path, newline="") as file:
        yield from csv.DictReader(file)
