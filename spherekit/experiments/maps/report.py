"""Reports on the test maps, as lines of text."""

import numpy as np

from spherekit.train import losses

#: Largest number of classes for which reports show the confusion matrix.
MAX_CONFUSION_CLASSES = 12


def on_classes(classes, outputs, targets, train):
    """Accuracy, accuracy of the most frequent class as a constant prediction, and confusion matrix.

    Parameters
    ----------
    classes : list of str
    outputs : ndarray [shape=(maps, classes)]
    targets, train : int ndarray
        Class indices of the test maps, and of the training maps.

    Yields
    ------
    str
    """
    predicted = outputs.argmax(axis=1)
    n = len(targets)
    accuracy = float(np.mean(predicted == targets))
    frequent = int(np.bincount(train, minlength=len(classes)).argmax())
    chance = float(np.mean(targets == frequent))
    yield f"accuracy on {n} test maps: {_percentage(accuracy, n)}"
    yield f"   of predicting the most frequent class, {classes[frequent]}: {_percentage(chance, n)}"
    yield f"   (+-: one standard deviation of the accuracy of {n} maps, binomial)"
    if len(classes) > MAX_CONFUSION_CLASSES:
        return
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (targets, predicted), 1)
    first = max(len("true class"), *(len(name) for name in classes))
    widths = [max(len(name), len(str(counts.max()))) for name in classes]
    names = "  ".join(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))
    yield f"   {'true class':{first}}  predicted as"
    yield f"   {'':{first}}  {names}"
    for name, row in zip(classes, counts, strict=True):
        cells = "  ".join(f"{count:>{w}}" for count, w in zip(row, widths, strict=True))
        yield f"   {name:{first}}  {cells}"


def _percentage(p, n):
    """A fraction in percent and its binomial error; that of (p n + 1) / (n + 2) if the fraction is 0 or 1."""
    q = p if 0 < p < 1 else (p * n + 1) / (n + 2)
    return f"{100 * p:.1f} % +- {100 * np.sqrt(q * (1 - q) / n):.1f}"


def on_numbers(center, predicted, truth):
    """Root-mean-square error, that of predicting the mean, and correlation; in the units of the labels.

    Parameters
    ----------
    center : float
        Mean of the labels of the training maps.
    predicted, truth : float64 ndarray [shape=(maps,)]

    Yields
    ------
    str
    """
    error = losses.root_mean_square(predicted - truth)
    constant = losses.root_mean_square(center - truth)
    yield f"rms error on {len(truth)} test maps, in the units of the labels: {error:.4g}"
    yield f"   of predicting the mean of the training maps, {center:.4g}: {constant:.4g}"
    yield f"   correlation of predictions and labels: {_correlation(predicted, truth)}"


def _correlation(a, b):
    """Pearson's correlation coefficient, as text."""
    a, b = (x / (np.abs(x).max() or 1.0) for x in (a, b))
    a, b = a - a.mean(), b - b.mean()
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return (
        f"{float(a @ b / norm):.3f}" if norm > 0 else "undefined (a single map, or equal numbers)"
    )
