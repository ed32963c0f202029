"""Learning curves of a training."""

import numpy as np

from spherekit.plot.figure import figure, save


def curves(history, target=None, *, title=None):
    """Learning curves: the loss of each batch and its mean of each epoch, validation loss, and metrics.

    Parameters
    ----------
    history : dict
        ``step.checkpoint.history`` of a `Step`, or that of a stored checkpoint.
    target : path, or matplotlib Axes or a sequence of them, optional
        A file to write; or one Axes for the loss, or one for it and one for each metric. By default a new
        figure.
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        No steps; another number of Axes than there are panels.

    >>> steps = {"loss": [2.0, 1.0, 0.5, 0.4], "learning_rate": [0.1] * 4, "gradient_norm": [1.0] * 4}
    >>> epochs = {"step": [2, 4], "train": [1.5, 0.45], "loss": [1.2, 0.6], "accuracy": [0.5, 1.0]}
    >>> len(curves({"steps": steps, "epochs": epochs}).axes)
    2
    """
    losses, epochs = history["steps"]["loss"], history["epochs"]
    if not losses:
        raise ValueError("the history has no steps; take at least one step of the training")
    names = [name for name in epochs if name not in ("step", "train", "loss") and epochs["step"]]
    drawing, axes = _axes(target, names)
    first = axes[0]
    first.plot(np.arange(1, len(losses) + 1), losses, color="0.75", lw=0.7, label="batch")
    dots = dict(marker="o", ms=3, lw=1.4)
    if epochs["step"]:
        first.plot(epochs["step"], epochs["train"], color="#1f4e79", label="epoch", **dots)
        if epochs.get("loss"):
            first.plot(epochs["step"], epochs["loss"], color="#c0504d", label="validation", **dots)
    if min(losses) > 0 and max(losses) > 30 * min(losses):
        first.set_yscale("log")
    first.set(xlabel="step", ylabel="loss")
    first.legend(frameon=False, fontsize="small")
    for ax, name in zip(axes[1:], names, strict=False):
        ax.plot(epochs["step"], epochs[name], color="#c0504d", **dots)
        ax.set(xlabel="step", ylabel=f"{name}, validation")
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(True, lw=0.4, alpha=0.35)
        ax.set_axisbelow(True)
    if title:
        first.set_title(title, fontsize="medium")
    if isinstance(target, str) or hasattr(target, "__fspath__"):
        save(drawing, target, dpi=150)
    return drawing


def _axes(target, names):
    """(Figure, Axes of the loss and of the metrics)."""
    if target is None or isinstance(target, str) or hasattr(target, "__fspath__"):
        drawing = figure(5.2 * (1 + len(names)), 3.6)
        return drawing, list(drawing.subplots(1, 1 + len(names), squeeze=False)[0])
    axes = list(np.atleast_1d(target))
    if len(axes) not in (1, 1 + len(names)):
        panels = ", ".join(["loss", *names])
        raise ValueError(f"target has {len(axes)} Axes; expected 1, or {1 + len(names)}: {panels}")
    return axes[0].figure, axes
