"""Creation and saving of figures."""

import os
from contextlib import suppress


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
    file_format = suffix[1:].lower() or None
    with replacing(path, True) as temporary, open(temporary, "wb") as file:
        if file_format == "png" and options.get("bbox_inches") == "tight":
            _save_tight_png(figure, file, **options)
        else:
            figure.savefig(file, format=file_format, **options)


def _save_tight_png(figure, file, *, bbox_inches, dpi, pad_inches, **options):
    """The same picture as by ``savefig(file, bbox_inches="tight")``, which draws the figure twice."""
    engine, figure_dpi = figure.get_layout_engine(), figure.dpi
    try:
        figure.dpi = dpi
        if engine is not None and figure.axes:
            with suppress(ValueError):  # as in Figure.draw
                engine.execute(figure)
        bbox = figure.get_tightbbox(figure.canvas.get_renderer()).padded(pad_inches)
        figure.set_layout_engine(None)
        figure.savefig(file, format="png", dpi=dpi, bbox_inches=bbox, **options)
    finally:
        figure.dpi = figure_dpi
        if engine is not None:
            figure.set_layout_engine(engine)
