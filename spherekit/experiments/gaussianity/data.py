"""The skies of a training's configuration: simulated, or those of a folder; measured, and kept."""

import csv
import json
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from spherekit.experiments.gaussianity import classifier, experiment, features

CLASSES = ("gaussian", "non-gaussian")


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

    def part(self, number):
        """Of each class the skies of training (0), validation (1) or test (2), as a slice."""
        start = sum(self.counts[:number])
        return slice(start, start + self.counts[number])


def gather(config, folder, *, read=None, workers=1, progress=None):
    """`Skies` of a configuration: measured, or taken from where an earlier call has kept them.

    Parameters
    ----------
    config : of `read`
    folder : path
        Where the features are kept, unless [features] folder says.
    read : callable, optional
        (path, L) -> coefficients, of the files of [data] folder.
    workers : int
        Skies at work at once. The numbers do not depend on it.
    progress : callable, optional
        Called with (skies held, skies in all).
    """
    values = config.values
    data, folder = values["data"], Path(values["features"]["folder"] or folder)
    counts = tuple(data[name] for name in ("train", "validation", "test"))
    n = sum(counts)
    if "folder" in data:
        settings, classes, sources = _stored(values, n, folder, read)
    else:
        settings, classes, sources = simulated(values)[1].checked(), CLASSES, []
        for one in simulated(values):
            where = folder / experiment.folder_name(one.checked())
            sources.append(partial(features.collect, where, one, n))
    measured = []
    for number, collect in enumerate(sources):

        def step(held, number=number):
            if progress is not None:
                progress(number * n + held, len(sources) * n)

        measured.append(collect(workers=workers, progress=step))
    return Skies(settings, tuple(classes), tuple(measured), counts)


def simulated(values):
    """`features.Settings` of both classes."""
    data, section = values["data"], values["features"]
    options = {name: section[name] for name in classifier.FEATURES} | {"seed": data["seed"]}
    return [
        features.Settings(data["L"], "gaussian", 0.0, **options),
        features.Settings(data["L"], data["recipe"], data["strength"], **options),
    ]


def _stored(values, n, folder, read):
    """(settings, classes, functions that measure) of the skies in a folder."""
    source = Path(values["data"]["folder"])
    L, rows = listed(source)
    classes = sorted({row["class"] for row in rows})
    options = {name: values["features"][name] for name in classifier.FEATURES}
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
            "made": f"crc32 {checksum:08x}",
            "L": L,
            **options,
        }

        def make(i, files=files):
            return features.measure(read(files[i], L), S)

        measurements.append(
            partial(features.fill, folder / f"{source.name}-{kind}", manifest, n, make)
        )
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
