"""Run the notebooks of the book and store their outputs: ``python tutorials/execute.py [NOTEBOOK ...]``.

Figures become PNG files of at most 128 colors, which are small. Nothing that names the machine is stored.
"""

import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
#: Options of the kernel: resolution of the figures, dots per inch.
KERNEL = ["--InlineBackend.rc={'figure.dpi': 80}"]
COLORS = 128


def with_fewer_colors(png):
    """A base64 PNG with a palette in place of true colors."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    stream = io.BytesIO()
    image = image.quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    image.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def merge_streams(outputs):
    """Join what a cell prints in several pieces."""
    merged = []
    for output in outputs:
        if output.output_type == "stream" and merged and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, record_timing=False, extra_arguments=KERNEL)
    with tempfile.TemporaryDirectory() as folder:  # for the files that it writes
        client.execute(cwd=folder)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = with_fewer_colors(output.data["image/png"])
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(HERE.parent)  # the sources beside this book
    for name in sys.argv[1:] or sorted(HERE.glob("*.ipynb")):
        execute(Path(name))
