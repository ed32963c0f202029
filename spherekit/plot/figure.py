"""New figures, and how they are written."""

import os


def figure(width, height):
    """A matplotlib Figure, in inches, that needs no screen and leaves pyplot's state alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(figure, path, **look):
    """Write a figure, whole or not at all, in the format that the suffix of ``path`` names.

    Parameters
    ----------
    figure : matplotlib Figure
    path : str or path
    **look
        As of `matplotlib.figure.Figure.savefig`.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "empty.png")
    >>> save(figure(1, 1), path, dpi=50)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from spherekit._core.atomic_files import replacing

    suffix = os.path.splitext(os.fsdecode(path))[1]
    with replacing(path, True) as temporary, open(temporary, "wb") as file:
        figure.savefig(file, format=suffix[1:].lower() or None, **look)
