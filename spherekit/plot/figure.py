"""Creation and saving of figures."""

import os


def figure(width, height):
    """A matplotlib Figure of this size in inches, without a display and independent of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    result = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(result)
    return result


def save(figure, path, **options):
    """Write a figure atomically, in the format of the suffix of ``path``.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path
    **options
        Keyword arguments of `matplotlib.figure.Figure.savefig`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "empty.png")
    >>> save(figure(1, 1), path, dpi=50)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from spherekit._core.atomic_files import replacing

    suffix = os.path.splitext(os.fsdecode(path))[1]
    with replacing(path, True) as temporary, open(temporary, "wb") as file:
        figure.savefig(file, format=suffix[1:].lower() or None, **options)
