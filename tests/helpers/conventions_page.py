"""What the tests of tutorials/conventions.md share: the page, stored values of other codes, comparisons."""

import numpy as np
import tolerances

from helpers.data import ROOT, oracle

PAGE = ROOT / "tutorials" / "conventions.md"

#: What other codes give, with the script that made it under "script".
ORACLE = oracle("conventions")
ANGLES = (0.3, 1.1, -0.7)
L = 5


def section(title):
    """Marks a test as proof of a section of the page; `test_every_section_has_its_test` reads the marks."""
    return lambda test: test


def relative(got, expected):
    """Largest error over the largest value."""
    assert np.shape(got) == np.shape(expected)
    return np.abs(got - expected).max() / np.abs(expected).max()


def same(got, expected, limit=tolerances.IDENTITY):
    assert relative(got, expected) <= limit


def degree(L):
    """l of every entry of the flat layout."""
    return np.repeat(np.arange(L), 2 * np.arange(L) + 1)
