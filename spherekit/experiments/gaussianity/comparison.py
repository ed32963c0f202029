"""Comparison of the accuracy of several methods on Gaussian and non-Gaussian skies, with a null test.

Pipeline: skies, features cached in a folder (`features`), probes and networks, a table or figures
(`plots`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit import train
from spherekit._core import checks
from spherekit.conventions import band_limit_of
from spherekit.experiments.gaussianity import features, probes
from spherekit.experiments.gaussianity.data import folder_name
from spherekit.experiments.gaussianity.model import low_network
from spherekit.experiments.standardization import standardize, statistics


class Row(NamedTuple):
    """Accuracy of one method.

    Attributes
    ----------
    name : str
        A key of `probes.PROBES`, "network-low" or "network".
    title : str
    accuracy : probes.Accuracy
        Accuracy of the classification of Gaussian and non-Gaussian skies, in percent.
    null : probes.Accuracy, optional
        Accuracy for Gaussian skies and those of strength 0: chance is expected.

    Examples
    --------
    >>> from spherekit.experiments import gaussianity
    >>> accuracy = gaussianity.probes.Accuracy(97.5, 0.4, (97, 98))
    >>> gaussianity.Row("scattering", "scattering", accuracy, None).accuracy.mean
    97.5
    """

    name: str
    title: str
    accuracy: probes.Accuracy
    null: probes.Accuracy | None


class Comparison(NamedTuple):
    """Result of `compare`.

    Attributes
    ----------
    settings : features.Settings
        Parameters of the non-Gaussian skies and of the scattering.
    n : int
        Skies of each class.
    rows : tuple of Row
        One for each method.
    band : tuple of float
        Range of accuracies of random guesses, 2 standard deviations to either side, in percent.
    seconds : tuple of float
        Median time for one sky: for the simulation, the moments and the scattering.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit.experiments import gaussianity
    >>> options = dict(L=16, J0=2, n=16, strength=0.9, null=False, methods=["cl"])
    >>> result = gaussianity.compare(tempfile.mkdtemp(), **options)
    >>> result.n, result.row("cl").title
    (16, 'realized spectrum, 24 bins')
    """

    settings: features.Settings
    n: int
    rows: tuple
    band: tuple
    seconds: tuple

    def row(self, name: str) -> Row:
        """The row of a method.

        Parameters
        ----------
        name : str

        Returns
        -------
        Row

        Raises
        ------
        ValueError
            If the comparison has no such method.
        """
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise ValueError(f"no method {name!r}; the comparison has {names}")


def compare(
    folder: str | os.PathLike,
    recipe: str = "strings",
    L: int = 256,
    *,
    strength: float | None = None,
    n: int = 400,
    J0: int = 5,
    depth: int = 2,
    oversample: float = 2.0,
    seed: int = 0,
    equalised: bool = True,
    null: bool = True,
    methods: Sequence[str] | None = None,
    networks: dict | None = None,
    workers: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> Comparison:
    """Simulate ``n`` Gaussian and ``n`` non-Gaussian skies, and classify them by each of the `probes.PROBES`.

    Half of the skies train a probe and the other half tests it; the accuracies are means over five splits.

    Parameters
    ----------
    folder : str or path
        Cache, with a subfolder for each set of skies. A call with the same skies reads their features from
        it, and an interrupted call is continued.
    recipe : str
        Kind of the non-Gaussian skies, one of `skies.RECIPES`.
    L : int
        Band-limit, 3 to 3000.
    strength : float, optional
        Strength of the non-Gaussianity, as in `skies`; by default that of this kind of sky at this L.
    n : int
        Skies of each class.
    J0, depth : int
    oversample : float
        As for `spherekit.scattering.Scattering`.
    seed : int
        Seed of the skies.
    equalised : bool
        Replace the realized power spectrum of each sky by that of an independent Gaussian draw.
    null : bool
        Also compare with skies of the same recipe at strength 0, where each method must stay at chance level.
    methods : sequence of str, optional
        Names of `probes.PROBES`; by default all.
    networks : dict, optional
        If given, also train the small network, without and with scattering; the options of
        `network_accuracy`, such as {"epochs": 20}.
    workers : int
        Number of skies that are processed in parallel.
    progress : callable, optional
        Called with (number of skies processed, total number of skies).

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If a method or recipe is unknown, a parameter is out of range, or a subfolder has other settings.
    TypeError
        If a parameter is not a number.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit.experiments import gaussianity
    >>> options = dict(n=32, null=False, methods=["cl", "scattering"])
    >>> result = gaussianity.compare(tempfile.mkdtemp(), L=16, strength=0.9, J0=2, **options)
    >>> len(result.rows), [round(x, 1) for x in result.band]
    (2, [32.3, 67.7])
    """
    methods = list(probes.PROBES) if methods is None else list(methods)
    for name in methods:
        if name not in probes.PROBES:
            raise ValueError(f"methods must be among {', '.join(probes.PROBES)}; got {name!r}")
    n = checks.integer(n, "n", 4, hint="skies of a class, to train and to test")
    options = dict(seed=seed, equalised=equalised, J0=J0, depth=depth, oversample=oversample)
    tested = features.Settings(L, recipe, strength, **options).validate()
    settings_by_class = {
        "gaussian": features.Settings(L, "gaussian", 0.0, **options).validate(),
        "class": tested,
    }
    if null:
        settings_by_class["null"] = tested._replace(strength=0.0)
    total = len(settings_by_class) * n
    skies = {}
    for number, (kind, settings) in enumerate(settings_by_class.items()):

        def step(count, number=number):
            if progress is not None:
                progress(number * n + count, total)

        path = Path(folder) / folder_name(settings)
        skies[kind] = features.collect(path, settings, n, workers=workers, progress=step)
    S = tested.scattering()
    rows = tuple(_row(name, skies, S) for name in methods)
    if networks is not None:
        rows += tuple(_network(*kind, skies, S, networks) for kind in _NETWORKS)
    band = probes.chance_band(2 * (n - n // 2))
    seconds = np.median(skies["class"]["seconds"], axis=0)
    return Comparison(tested, n, rows, band, tuple(seconds.tolist()))


def _row(name, skies, S):
    probe = probes.PROBES[name]
    x = {kind: probe.features(arrays, S) for kind, arrays in skies.items()}
    accuracy = probes.accuracy(x["gaussian"], x["class"])
    null = probes.accuracy(x["gaussian"], x["null"]) if "null" in x else None
    return Row(name, probe.title, accuracy, null)


#: Name, title, and whether with scattering.
_NETWORKS = (
    ("network-low", "small network, map of degrees < {L0}", False),
    ("network", "small network, scattering", True),
)


def _network(name, title, scattered, skies, S, options):
    accuracy = network_accuracy(skies["gaussian"], skies["class"], scattered=scattered, **options)
    return Row(name, title.format(L0=S.L0), accuracy, None)


def network_accuracy(skies_0, skies_1, *, scattered=True, count=5, progress=None, **options):
    """`probes.Accuracy` of `model.low_network`, trained once for each split into training and test skies.

    Parameters
    ----------
    skies_0, skies_1 : dict
        Statistics of the two classes, as `features.collect` returns them.
    scattered : bool
        Use all scattering channels; otherwise only the empty path.
    count : int
        Number of splits, the first of `probes.splits`. The number of a split is the seed of its network.
    progress : callable, optional
        Called with (number of the split, `spherekit.train.Step`).
    **options
        ``epochs``, ``batch_size``, ``learning_rate``, ``weight_decay`` and ``threads`` of `split_accuracy`.

    Returns
    -------
    probes.Accuracy
    """
    x = np.concatenate([skies["scattering"] for skies in (skies_0, skies_1)])
    labels = np.arange(len(x)) >= len(skies_0["scattering"])
    x = x if scattered else x[:, :1]
    percents = []
    splits = probes.splits(len(skies_0["cl"]), len(skies_1["cl"]), count)
    for seed, (training, test) in enumerate(splits):
        step = None if progress is None else lambda s, seed=seed: progress(seed, s)
        arguments = x, labels.astype(int), training, test, seed
        percents.append(100 * split_accuracy(*arguments, progress=step, **options))
    return probes.summarize(percents)


def split_accuracy(
    x,
    labels,
    training,
    test,
    seed,
    *,
    epochs=40,
    batch_size=25,
    learning_rate=0.01,
    weight_decay=0.01,
    threads=None,
    progress=None,
):
    """Fraction of the test skies that a network trained on the training skies classifies correctly.

    The test skies select nothing: the parameters are those after the last epoch.
    """
    x = standardize(x, *statistics(x[training]))
    net = low_network(band_limit_of(x), x.shape[1])
    initial = net.init(np.random.default_rng([78, seed]), dtype=np.float32)
    steps = epochs * -(-len(training) // batch_size)
    optimizer = train.adamw(train.schedules.cosine(learning_rate, steps), weight_decay)
    options = dict(optimizer=optimizer, epochs=epochs, batch_size=batch_size, max_norm=1.0)
    data = x[training], labels[training]
    for last in train.fit(net, initial, data, **options, seed=seed, threads=threads):
        if progress is not None:
            progress(last)
    outputs = train.predict(net, last.params, x[test], state=last.state, threads=threads)
    return float(np.mean(outputs.argmax(axis=1) == labels[test]))


def table(result: Comparison) -> Iterator[str]:
    """Format a comparison as text: the accuracy of each method, its standard error, and the null test.

    Parameters
    ----------
    result : Comparison

    Returns
    -------
    iterator of str
        Lines.

    Raises
    ------
    TypeError
        If ``result`` is not a `Comparison`.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit.experiments import gaussianity
    >>> options = dict(L=16, J0=2, n=16, strength=0.9, null=False, methods=["cl"])
    >>> result = gaussianity.compare(tempfile.mkdtemp(), **options)
    >>> print(next(gaussianity.table(result)))
    strings, strength 0.9, L = 16, 16 skies of each class, half to train
    """
    if not isinstance(result, Comparison):
        raise TypeError(f"result is {result!r}; expected a Comparison")
    return _table_lines(result)


def _table_lines(result):
    s, width = result.settings, max(len(row.title) for row in result.rows)
    low, high = result.band
    simulate, moments, scatter = (1e3 * t for t in result.seconds)
    yield f"{s.recipe}, strength {s.strength:g}, L = {s.L}, {result.n} skies of each class, half to train"
    yield f"scattering: J0 = {s.J0}, depth = {s.depth}, oversample = {s.oversample:g}"
    yield f"time per sky: simulation {simulate:.0f} ms, moments {moments:.0f} ms, scattering {scatter:.0f} ms"
    yield f"{'method':{width}}  accuracy, %     null test (strength 0), %"
    for row in result.rows:
        null = f"{row.null.mean:5.1f} +- {row.null.error:.1f}" if row.null else ""
        yield f"{row.title:{width}}  {row.accuracy.mean:5.1f} +- {row.accuracy.error:.1f}    {null}".rstrip()
    count = 2 * (result.n - result.n // 2)
    yield f"random guesses: {low:.1f} to {high:.1f} (2 standard deviations, {count} test skies)"


def threshold(strengths: ArrayLike, accuracies: ArrayLike, level: float) -> float:
    """The smallest strength at which the accuracy reaches a level, by linear interpolation.

    Parameters
    ----------
    strengths, accuracies : array_like [shape=(n,)]
        In any order of the strengths; the accuracies in percent.
    level : float
        Percent.

    Returns
    -------
    float
        NaN if no accuracy reaches the level; the smallest strength if its accuracy does.

    Raises
    ------
    ValueError
        If the numbers of strengths and accuracies differ.

    Examples
    --------
    >>> from spherekit.experiments import gaussianity
    >>> gaussianity.threshold([0.1, 0.2, 0.3], [50, 70, 90], 75)
    0.225
    """
    strengths, accuracies = np.asarray(strengths, float), np.asarray(accuracies, float)
    if strengths.size != accuracies.size:
        raise ValueError(
            f"strengths has {strengths.size} entries and accuracies {accuracies.size}; expected the same "
            "number"
        )
    order = np.argsort(strengths)
    s, a = strengths[order], accuracies[order]
    above = np.flatnonzero(a >= level)
    if not above.size:
        return float("nan")
    k = above[0]
    if k == 0:
        return float(s[0])
    return float(round(s[k - 1] + (s[k] - s[k - 1]) * (level - a[k - 1]) / (a[k] - a[k - 1]), 12))
