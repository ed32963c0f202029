"""Reports on the test maps."""

import numpy as np

from spherekit.train import losses

#: Most classes of which reports list the counts.
CONFUSIONS = 12


def on_classes(classes, outputs, targets, train):
    """Accuracy beside chance, and confusions.

    Parameters
    ----------
    classes : names
    outputs : ndarray [shape=(maps, classes)]
    targets, train : class indices of the test maps, and of the training maps
    """
    predicted = outputs.argmax(axis=1)
    n, share = len(targets), float(np.mean(predicted == targets))
    frequent = int(np.bincount(train, minlength=len(classes)).argmax())
    chance = float(np.mean(targets == frequent))
    yield f"accuracy on {n} test maps: {_share(share, n)}"
    yield f"   always the most frequent class, {classes[frequent]}: {_share(chance, n)}"
    yield f"   (+-: one standard deviation of the share right among {n} maps, binomial)"
    if len(classes) > CONFUSIONS:
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


def _share(p, n):
    """A share in %, with its binomial error; of none or all right, that of one map more on either side."""
    q = p if 0 < p < 1 else (p * n + 1) / (n + 2)
    return f"{100 * p:.1f} % +- {100 * np.sqrt(q * (1 - q) / n):.1f}"


def on_numbers(center, predicted, truth):
    """Root-mean-square error beside that of predicting the mean, and correlation; in units of the labels.

    Parameters
    ----------
    center : float
        Mean of the labels of the training maps.
    predicted, truth : float64 ndarray [shape=(maps,)]
    """
    error = losses.root_mean_square(predicted - truth)
    constant = losses.root_mean_square(center - truth)
    yield f"rms error on {len(truth)} test maps, in the units of the labels: {error:.4g}"
    yield f"   of predicting the mean of the training maps, {center:.4g}: {constant:.4g}"
    yield f"   correlation of predictions and labels: {_correlation(predicted, truth)}"


def _correlation(a, b):
    """Pearson's, as text."""
    a, b = (x / (np.abs(x).max() or 1.0) for x in (a, b))
    a, b = a - a.mean(), b - b.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return f"{float(a @ b / size):.3f}" if size > 0 else "none, of one map or of equal numbers"
