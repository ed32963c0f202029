"""Every line of the tables of `tutorials/coming_from.md` runs, and agrees with the other code.

A section has blocks of Python, which prepare the variables of its lines, and tables of three columns: an
expression of the other code, one of spherekit, and a remark, which begins with "equal" where both give
the same numbers, and with "equal (single)" where the other code computes in single precision. Lines of the
other code, and blocks that import it, run where it is installed.
"""

import importlib.util
import pathlib
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tolerances import CHAIN, SINGLE_VALUES

PAGE = pathlib.Path(__file__).parent.parent / "tutorials" / "coming_from.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
ROW = re.compile(r"^\| `(.+?)` \| `(.+?)` \|(.*)\|$", re.M)


def sections():
    """(title, blocks, rows) of each section; the blocks before the first section come with every one."""
    first, *others = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)
    for text in others:
        title = text.split("\n", 1)[0]
        rows = ROW.findall(text)
        if rows:
            yield title, BLOCK.findall(first), BLOCK.findall(text), rows


SECTIONS = list(sections())


def imported(block):
    return re.findall(r"^(?:import|from) (\w+)", block, re.M)


def is_installed(blocks):
    modules = {module for block in blocks for module in imported(block)}
    return all(importlib.util.find_spec(module) is not None for module in modules)


def prepared(blocks):
    """The variables of blocks that are run one after the other."""
    names = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    return names


@pytest.mark.parametrize("title, first, blocks, rows", SECTIONS, ids=[s[0] for s in SECTIONS])
def test_every_line_runs(title, first, blocks, rows, monkeypatch):
    names = prepared(first + [block for block in blocks if not imported(block)])
    for _, ours, remark in rows:
        result = eval(ours, names)
        assert not remark.strip().startswith("equal") or np.all(np.isfinite(np.asarray(result))), (
            ours
        )
    plt.close("all")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("title, first, blocks, rows", SECTIONS, ids=[s[0] for s in SECTIONS])
def test_every_line_agrees(title, first, blocks, rows):
    # The tests do not require the other codes, which are large or under the GPL. The lines of spherekit are
    # run in any case, by the test above.
    if not is_installed(blocks):
        pytest.skip(f"compares with {title}, which is not installed here and not required")
    names = prepared(first + blocks)
    for theirs, ours, remark in rows:
        result = eval(theirs, names)
        if remark.strip().startswith("equal"):
            expected, result = np.asarray(result), np.asarray(eval(ours, names))
            assert expected.shape == result.shape, theirs
            tolerance = SINGLE_VALUES if remark.strip().startswith("equal (single)") else CHAIN
            atol = tolerance * np.abs(expected).max()
            np.testing.assert_allclose(result, expected, rtol=0, atol=atol, err_msg=theirs)
    plt.close("all")


def test_there_are_enough_lines():
    assert len(SECTIONS) == 10 and sum(len(rows) for *_, rows in SECTIONS) > 75
