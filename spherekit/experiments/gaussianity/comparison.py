"""Accuracy of every method on Gaussian skies against others of the same spectrum, and of a null run.

skies -> features (a folder) -> probes and networks -> a table, and pictures of it
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit import train
from spherekit._core import checks
from spherekit.conventions import band_limit_of
from spherekit.experiments.gaussianity import features, probes
from spherekit.experiments.gaussianity.data import folder_name
from spherekit.experiments.gaussianity.model import low_network
from spherekit.experiments.standardization import standardize, statistics


class Row(NamedTuple):
    """One method: `probes.Accuracy` on the two classes; and on Gaussian skies against strength 0, or None."""

    name: str
    title: str
    accuracy: probes.Accuracy
    null: probes.Accuracy | None


class Comparison(NamedTuple):
    """Result of `compare`. ``seconds``: of one sky of the class to simulate, compute moments, scatter."""

    settings: features.Settings
    n: int
    rows: tuple
    band: tuple
    seconds: tuple

    def row(self, name):
        """The row of a method."""
        for row in self.rows:
            if row.name == name:
                return row
        raise ValueError(
            f"no method {name!r}; the table has {', '.join(r.name for r in self.rows)}"
        )


def compare(
    folder,
    recipe="strings",
    L=256,
    *,
    strength=None,
    n=400,
    J0=5,
    depth=2,
    oversample=2.0,
    seed=0,
    equalised=True,
    null=True,
    methods=None,
    networks=None,
    workers=1,
    progress=None,
):
    """Simulate, scatter, and classify ``n`` Gaussian skies and ``n`` others, by each of the `probes.PROBES`.

    Half of the skies train a probe and half test it; the accuracies are means of five splits.

    Parameters
    ----------
    folder : path
        Cache of what is measured, a folder for each set of skies: another call with the same skies reads
        them there, and one that was stopped continues.
    recipe, L, strength, seed, equalised
        As `skies.sky`.
    n : int
        Skies of each class.
    J0, depth, oversample
        As `spherekit.scattering.Scattering`.
    null : bool
        Also against the same recipe at strength 0, on which every method must stay at chance.
    methods : sequence of str, optional
        Names of `probes.PROBES`; all by default.
    networks : dict, optional
        Train the small network too, without and with scattering, by these options of `network_accuracy`, as
        {"epochs": 20}.
    workers : int
        Skies measured at once.
    progress : callable, optional
        Called with (skies that are measured, skies in total).

    Returns
    -------
    Comparison

    >>> import tempfile
    >>> options = dict(n=32, null=False, methods=["cl", "scattering"])
    >>> result = compare(tempfile.mkdtemp(), L=16, strength=0.9, J0=2, **options)
    >>> len(result.rows), [round(x, 1) for x in result.band]
    (2, [32.3, 67.7])
    """
    methods = list(probes.PROBES) if methods is None else list(methods)
    unknown = [name for name in methods if name not in probes.PROBES]
    if unknown:
        raise ValueError(f"no methods {unknown}; known are {', '.join(probes.PROBES)}")
    n = checks.integer(n, "n", 4, hint="skies of a class, to train and to test")
    options = dict(seed=seed, equalised=equalised, J0=J0, depth=depth, oversample=oversample)
    tested = features.Settings(L, recipe, strength, **options).checked()
    sets = {"gaussian": features.Settings(L, "gaussian", 0.0, **options).checked(), "class": tested}
    if null:
        sets["null"] = tested._replace(strength=0.0)
    skies = {}
    for number, (kind, settings) in enumerate(sets.items()):

        def step(count, number=number):
            if progress is not None:
                progress(number * n + count, len(sets) * n)

        path = Path(folder) / folder_name(settings)
        skies[kind] = features.collect(path, settings, n, workers=workers, progress=step)
    S = tested.scattering()
    rows = tuple(_row(name, skies, S) for name in methods)
    if networks is not None:
        rows += tuple(_network(*kind, skies, S, networks) for kind in _NETWORKS)
    band = probes.chance_band(2 * (n - n // 2))
    return Comparison(
        tested, n, rows, band, tuple(np.median(skies["class"]["seconds"], axis=0).tolist())
    )


def _row(name, skies, S):
    probe = probes.PROBES[name]
    x = {kind: probe.features(measured, S) for kind, measured in skies.items()}
    accuracy = probes.accuracy(x["gaussian"], x["class"])
    null = probes.accuracy(x["gaussian"], x["null"]) if "null" in x else None
    return Row(name, probe.title, accuracy, null)


#: Name, title, with scattering or not.
_NETWORKS = (
    ("network-low", "small network, map of degrees < {L0}", False),
    ("network", "small network, scattering", True),
)


def _network(name, title, scattered, skies, S, options):
    accuracy = network_accuracy(skies["gaussian"], skies["class"], scattered=scattered, **options)
    return Row(name, title.format(L0=S.L0), accuracy, None)


def network_accuracy(skies_0, skies_1, *, scattered=True, count=5, progress=None, **options):
    """`probes.Accuracy` of `model.low_network`, trained anew for each of the splits into training and test.

    Parameters
    ----------
    skies_0, skies_1 : dict
        The two classes, as `features.collect` returns them.
    scattered : bool
        With all channels, or that of the empty path only.
    count : int
        Splits, the first ones of `probes.splits`; each is the seed of its network too.
    progress : callable, optional
        Called with (number of the split, `spherekit.train.Step`).
    options
        ``epochs``, ``batch_size``, ``learning_rate``, ``weight_decay``, ``threads`` of `split_accuracy`.

    Returns
    -------
    Accuracy
    """
    x = np.concatenate([skies["scattering"] for skies in (skies_0, skies_1)])
    labels = np.arange(len(x)) >= len(skies_0["scattering"])
    x = x if scattered else x[:, :1]
    percents, splits = [], probes.splits(len(skies_0["cl"]), len(skies_1["cl"]), count)
    for seed, (training, test) in enumerate(splits):
        step = None if progress is None else lambda s, seed=seed: progress(seed, s)
        arguments = x, labels.astype(int), training, test, seed
        percents.append(100 * split_accuracy(*arguments, progress=step, **options))
    return probes.summarise(percents)


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
    """Share of the test skies that a network of the training skies classifies correctly.

    Nothing is chosen by the test skies: the network is the last one.
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


def table(result):
    """Lines of text of a `Comparison`: accuracy and its error in percent, and those of the null run."""
    s, width = result.settings, max(len(row.title) for row in result.rows)
    low, high = result.band
    simulate, moments, scatter = (1e3 * t for t in result.seconds)
    yield f"{s.recipe}, strength {s.strength:g}, L = {s.L}, {result.n} skies of each class, half to train"
    yield f"scattering J0 = {s.J0}, depth {s.depth}, oversample {s.oversample:g}"
    yield f"a sky takes {simulate:.0f} ms to simulate, {moments:.0f} for moments, {scatter:.0f} to scatter"
    yield f"{'method':{width}}  accuracy %      strength 0"
    for row in result.rows:
        null = f"{row.null.mean:5.1f} +- {row.null.error:.1f}" if row.null else ""
        yield f"{row.title:{width}}  {row.accuracy.mean:5.1f} +- {row.accuracy.error:.1f}   {null}".rstrip()
    yield f"chance is {low:.1f} to {high:.1f} (2 sigma, for {2 * (result.n - result.n // 2)} test skies)"


def threshold(strengths, accuracies, level):
    """The strength at which the accuracy first passes ``level`` percent, linear in between; NaN if nowhere.

    >>> threshold([0.1, 0.2, 0.3], [50, 70, 90], 75)
    0.225
    """
    order = np.argsort(strengths)
    s, a = np.asarray(strengths, float)[order], np.asarray(accuracies, float)[order]
    above = np.flatnonzero(a >= level)
    if not above.size:
        return float("nan")
    k = above[0]
    if k == 0:
        return float(s[0])
    return float(round(s[k - 1] + (s[k] - s[k - 1]) * (level - a[k - 1]) / (a[k] - a[k - 1]), 12))
