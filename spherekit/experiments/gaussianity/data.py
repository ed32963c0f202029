"""Load the skies of a configuration, simulated or from a folder, and compute and cache their features."""

import csv
import json
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit._core.parallel import thread_count
from spherekit.experiments import blocks
from spherekit.experiments.gaussianity import features
from spherekit.experiments.signals import Analysis, coefficients

CLASSES = ("gaussian", "non-gaussian")
#: Parameters of the scattering.
SCATTERING = ("J0", "depth", "oversample")


class Skies(NamedTuple):
    """Features of the skies of a training.

    Attributes
    ----------
    settings : features.Settings
        Of the scattering.
    classes : tuple of str
    features : tuple of dict
        The arrays of each class, as `features.collect` returns them.
    counts : tuple of int
        Number of (training, validation, test) skies of each class; the skies are in this order.
    """

    settings: features.Settings
    classes: tuple
    features: tuple
    counts: tuple

    def subset(self, number):
        """Slice of the training (0), validation (1) or test (2) skies of a class."""
        start = sum(self.counts[:number])
        return slice(start, start + self.counts[number])


def gather(config, folder, *, read=None, analysis=None, progress=None):
    """The `Skies` of a configuration; features that the folder contains are not computed again.

    Parameters
    ----------
    config : spherekit.train.config.Config
    folder : path
        Cache of the features, unless the configuration has [features] folder.
    read : callable, optional
        ``read(path)`` returns the `experiments.Signal` of a file of [data] folder.
    analysis : experiments.Analysis, optional
        Parameters of the least-squares analysis. Its number of threads is the number of skies that are
        processed in parallel, which does not affect the results.
    progress : callable, optional
        Called with (number of skies processed, total number of skies).

    Returns
    -------
    Skies
    """
    values = config.values
    analysis = Analysis() if analysis is None else analysis
    data = values["data"]
    folder = Path(values["features"]["folder"] or folder)
    counts = tuple(data[name] for name in ("train", "validation", "test"))
    n = sum(counts)
    if "folder" in data:
        settings, classes, sources = _listed_sources(values, n, folder, read, analysis)
    else:
        settings, classes = simulated(values)[1].validate(), CLASSES
        sources = []
        for class_settings in simulated(values):
            path = folder / folder_name(class_settings.validate())
            sources.append(partial(features.collect, path, class_settings, n))
    arrays = []
    for number, collect in enumerate(sources):

        def step(count, number=number):
            if progress is not None:
                progress(number * n + count, len(sources) * n)

        arrays.append(collect(workers=thread_count(analysis.threads), progress=step))
    return Skies(settings, tuple(classes), tuple(arrays), counts)


def simulated(values):
    """The `features.Settings` of both classes of simulated skies."""
    data, section = values["data"], values["features"]
    options = {name: section[name] for name in SCATTERING} | {"seed": data["seed"]}
    return [
        features.Settings(data["L"], "gaussian", 0.0, **options),
        features.Settings(data["L"], data["recipe"], data["strength"], **options),
    ]


def folder_name(settings):
    """A folder name that is unique to the settings."""
    s = settings
    suffix = "" if s.equalised else "-plain"
    scattering = f"J{s.J0}-d{s.depth}-o{s.oversample:g}"
    return f"L{s.L}-{s.recipe}-{s.strength:g}-{scattering}-seed{s.seed}{suffix}"


def _listed_sources(values, n, folder, read, analysis):
    """(settings, classes, functions that compute the features) of the skies in a folder."""
    source = Path(values["data"]["folder"])
    L, rows = read_list(source)
    classes = sorted({row["class"] for row in rows})
    options = {name: values["features"][name] for name in SCATTERING}
    settings = features.Settings(L, **options).validate()
    S = settings.scattering()
    sources = []
    checksum = zlib.crc32((source / "manifest.json").read_bytes())
    for kind in classes:
        files = [source / row["file"] for row in rows if row["class"] == kind]
        if len(files) < n:
            raise ValueError(
                f"{source} contains {len(files)} skies of the class {kind}; expected at least {n}, the sum "
                "of [data] train, validation and test: simulate more, or lower these"
            )
        manifest = {
            "source": str(source.resolve()),
            "checksum": f"crc32 {checksum:08x}",
            "L": L,
            **options,
        }

        def measure(indices, files=files):
            one_thread = analysis._replace(threads=1)
            flms = [coefficients(read(files[i]), L, one_thread) for i in indices]
            return features.measure_batch(np.stack(flms), S)

        path = folder / f"{source.name}-{kind}"
        options = dict(batch=features.batch_size(L))
        sources.append(partial(blocks.fill, path, manifest, n, measure, **options))
    if len(classes) != 2:
        raise ValueError(f"{source} contains skies of {len(classes)} classes; expected two")
    return settings, classes, sources


def read_list(source):
    """(L, rows of skies.csv) of a folder written by ``spherekit simulate``."""
    try:
        L = int(json.loads((source / "manifest.json").read_text("utf-8"))["L"])
        with open(
            source / "skies.csv", newline="", encoding="utf-8", errors="surrogateescape"
        ) as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"[data] folder {source} contains no {Path(error.filename).name}; write it by spherekit simulate "
            f"cmb --L 256 --n 880 -o {source}"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"[data] folder {source}: manifest.json is damaged: {error}") from None
    if not rows or not {"file", "class"} <= set(rows[0]):
        raise ValueError(f"{source}/skies.csv lists no skies; expected the columns file, class")
    return L, rows
