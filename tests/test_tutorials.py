"""The notebooks: their code runs, and they are stored with outputs that are complete, small and portable.

`tutorials/execute.py` stores the outputs.
"""

import base64
import json
import pathlib
import re

import matplotlib.pyplot as plt
import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).parent.parent / "tutorials").glob("*.ipynb"))

#: Bytes of one figure, and of a notebook.
FIGURE_BYTES, NOTEBOOK_BYTES = 60_000, 400_000
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.])(?:/(?:home|root|tmp|usr|opt|var|work|Users|private)/|[A-Z]:\\\w)"
)


def code_cells(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def texts(output):
    """Every text of a stored output."""
    data = output.get("data", {})
    values = [output.get("text", ""), *(data[kind] for kind in data if kind != "image/png")]
    return ["".join(value) for value in values]


def faults_of_output(output):
    """What a stored output must not have."""
    if output["output_type"] == "error":
        return ["an error"]
    faults = ["text on stderr"] if output.get("name") == "stderr" else []
    for text in texts(output):
        faults += ["a warning"] if "Warning" in text else []
        faults += ["an absolute path"] if ABSOLUTE_PATH.search(text) else []
    figure = output.get("data", {}).get("image/png", "")
    if len(base64.b64decode("".join(figure))) > FIGURE_BYTES:
        faults.append(f"a figure of more than {FIGURE_BYTES} bytes")
    return faults


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_has_its_outputs(path, tmp_path, monkeypatch, capsys):
    """In process, in a folder of its own; what prints or draws now has a stored output."""
    monkeypatch.chdir(tmp_path)
    variables = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(path)):
        exec(compile("".join(cell["source"]), path.name, "exec"), variables)
        stored = {
            key
            for output in cell["outputs"]
            for key in [output.get("name"), *output.get("data", {})]
        }
        if capsys.readouterr().out:
            assert "stdout" in stored, f"cell {number} prints; run tutorials/execute.py"
        if plt.get_fignums():
            assert "image/png" in stored, f"cell {number} draws; run tutorials/execute.py"
        plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs(path):
    assert path.stat().st_size <= NOTEBOOK_BYTES
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for number, cell in enumerate(cells):
        assert "execution" not in cell["metadata"], f"cell {number} has times of execution"
        faults = [fault for output in cell["outputs"] for fault in faults_of_output(output)]
        assert not faults, f"cell {number} has {', '.join(faults)}"


def test_what_counts_as_a_fault():
    """The rule itself: what it refuses, and what it lets pass."""
    large = base64.b64encode(bytes(FIGURE_BYTES + 1)).decode()
    refused = [
        ({"output_type": "error"}, "an error"),
        ({"output_type": "stream", "name": "stderr", "text": "x"}, "text on stderr"),
        (
            {"output_type": "stream", "name": "stdout", "text": ["a\n", "UserWarning: x"]},
            "a warning",
        ),
        ({"output_type": "stream", "name": "stdout", "text": "wrote /usr/x"}, "an absolute path"),
        (
            {"output_type": "display_data", "data": {"text/plain": r"C:\Users\x"}},
            "an absolute path",
        ),
        (
            {"output_type": "display_data", "data": {"image/png": large}},
            "a figure of more than 60000 bytes",
        ),
    ]
    for output, fault in refused:
        assert faults_of_output(output) == [fault]
    for text in ("ms/step", "1 / 2", "kB/s", "../usr/x", "A: 1"):
        assert not faults_of_output({"output_type": "stream", "name": "stdout", "text": text})
