"""The skies of a configuration: simulated, or those of a folder; measured, and cached."""

import csv
import json
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from spherekit._core.parallel import thread_count
from spherekit.experiments import blocks
from spherekit.experiments.gaussianity import features
from spherekit.experiments.signals import Analysis, coefficients

CLASSES = ("gaussian", "non-gaussian")
#: Keys of the scattering.
SCATTERING = ("J0", "depth", "oversample")


class Skies(NamedTuple):
    """What is measured of the skies of a training.

    settings : `features.Settings` of the scattering
    classes : names
    measured : for each class a dict of arrays, as `features.collect` returns
    counts : (training, validation, test) skies of each class, in this order of their numbers
    """

    settings: features.Settings
    classes: tuple
    measured: tuple
    counts: tuple

    def subset(self, number):
        """Of each class the skies of training (0), validation (1) or test (2), as a slice."""
        start = sum(self.counts[:number])
        return slice(start, start + self.counts[number])


def gather(config, folder, *, read=None, analysis=None, progress=None):
    """`Skies` of a configuration: measured, or from the folder where an earlier call has cached them.

    Parameters
    ----------
    config : spherekit.train.config.Config
    folder : path
        Of the features, unless [features] folder names another.
    read : callable, optional
        ``read(path)`` is the `experiments.Signal` of a file of [data] folder.
    analysis : experiments.Analysis, optional
        How maps are fitted. So many skies as it has threads are measured at once; the results do not depend
        on that.
    progress : callable, optional
        Called with (skies that are measured, skies in total).
    """
    values, analysis = config.values, Analysis() if analysis is None else analysis
    data, folder = values["data"], Path(values["features"]["folder"] or folder)
    counts = tuple(data[name] for name in ("train", "validation", "test"))
    n = sum(counts)
    if "folder" in data:
        settings, classes, sources = _listed_sources(values, n, folder, read, analysis)
    else:
        settings, classes, sources = simulated(values)[1].checked(), CLASSES, []
        for one_class in simulated(values):
            path = folder / folder_name(one_class.checked())
            sources.append(partial(features.collect, path, one_class, n))
    measured = []
    for number, collect in enumerate(sources):

        def step(count, number=number):
            if progress is not None:
                progress(number * n + count, len(sources) * n)

        measured.append(collect(workers=thread_count(analysis.threads), progress=step))
    return Skies(settings, tuple(classes), tuple(measured), counts)


def simulated(values):
    """`features.Settings` of both classes."""
    data, section = values["data"], values["features"]
    options = {name: section[name] for name in SCATTERING} | {"seed": data["seed"]}
    return [
        features.Settings(data["L"], "gaussian", 0.0, **options),
        features.Settings(data["L"], data["recipe"], data["strength"], **options),
    ]


def folder_name(settings):
    """A name that differs between settings."""
    s = settings
    plain = "" if s.equalised else "-plain"
    scattering = f"J{s.J0}-d{s.depth}-o{s.oversample:g}"
    return f"L{s.L}-{s.recipe}-{s.strength:g}-{scattering}-seed{s.seed}{plain}"


def _listed_sources(values, n, folder, read, analysis):
    """(settings, classes, functions that measure) of the skies in a folder."""
    source = Path(values["data"]["folder"])
    L, rows = listed(source)
    classes = sorted({row["class"] for row in rows})
    options = {name: values["features"][name] for name in SCATTERING}
    settings = features.Settings(L, **options).checked()
    S, measurements = settings.scattering(), []
    checksum = zlib.crc32((source / "manifest.json").read_bytes())
    for kind in classes:
        files = [source / row["file"] for row in rows if row["class"] == kind]
        if len(files) < n:
            raise ValueError(
                f"{source} holds {len(files)} skies of the class {kind}; [data] train + validation + test "
                f"asks for {n}"
            )
        manifest = {
            "source": str(source.resolve()),
            "checksum": f"crc32 {checksum:08x}",
            "L": L,
            **options,
        }

        def measure(i, files=files):
            flm = coefficients(read(files[i]), L, analysis._replace(threads=1))
            return features.measure(flm, S)

        path = folder / f"{source.name}-{kind}"
        measurements.append(partial(blocks.fill, path, manifest, n, measure))
    if len(classes) != 2:
        raise ValueError(f"{source} has skies of {len(classes)} classes; expected two")
    return settings, classes, measurements


def listed(source):
    """(L, rows of skies.csv) of a folder that ``spherekit simulate`` has written."""
    try:
        L = int(json.loads((source / "manifest.json").read_text("utf-8"))["L"])
        with open(
            source / "skies.csv", newline="", encoding="utf-8", errors="surrogateescape"
        ) as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"[data] folder {source} has no {Path(error.filename).name}; write it: spherekit simulate cmb "
            f"--L 256 --n 880 -o {source}"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"[data] folder {source}: manifest.json is damaged: {error}") from None
    if not rows or not {"file", "class"} <= set(rows[0]):
        raise ValueError(f"{source}/skies.csv lists no skies: expected columns file, class")
    return L, rows
