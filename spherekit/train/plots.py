"""Learning curves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spherekit.plot.figure import figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def curves(
    history: dict,
    target: str | os.PathLike | Axes | Sequence[Axes] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Plot learning curves: the loss of each batch, its mean over each epoch, validation loss and metrics.

    Parameters
    ----------
    history : dict
        ``step.checkpoint.history`` of a `Step`, or ``history`` of a loaded checkpoint.
    target : path, matplotlib Axes or sequence of Axes, optional
        File to write; or Axes for the loss, or for the loss and each metric. By default a new figure is
        created.
    title : str, optional
        Title of the first panel.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        The history is empty, or the number of Axes differs from the number of panels.

    Examples
    --------
    >>> steps = {"loss": [2.0, 1.0, 0.5, 0.4], "learning_rate": [0.1] * 4, "gradient_norm": [1.0] * 4}
    >>> epochs = {"step": [2, 4], "train": [1.5, 0.45], "loss": [1.2, 0.6], "accuracy": [0.5, 1.0]}
    >>> len(curves({"steps": steps, "epochs": epochs}).axes)
    2
    """
    losses = history["steps"]["loss"]
    epochs = history["epochs"]
    if not losses:
        raise ValueError("the history has no steps; expected at least one training step")
    names = [name for name in epochs if name not in ("step", "train", "loss") and epochs["step"]]
    fig, axes = _axes(target, names)
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
        save(fig, target, dpi=150)
    return fig


def _axes(target, names):
    """Return the figure, and the Axes of the loss and of the metrics."""
    if target is None or isinstance(target, str) or hasattr(target, "__fspath__"):
        fig = figure(5.2 * (1 + len(names)), 3.6)
        return fig, list(fig.subplots(1, 1 + len(names), squeeze=False)[0])
    axes = list(np.atleast_1d(target))
    if len(axes) not in (1, 1 + len(names)):
        panels = ", ".join(["loss", *names])
        raise ValueError(f"target has {len(axes)} Axes; expected 1, or {1 + len(names)}: {panels}")
    return axes[0].figure, axes
