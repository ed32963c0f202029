"""Complete experiments, from data to accuracy, as run by ``spherekit train`` and ``spherekit predict``.

==============  ==============================================================================================
`gaussianity`   Gaussian and non-Gaussian skies with the same power spectrum
`maps`          labeled maps, listed in a CSV file: classification or regression
==============  ==============================================================================================

`run` trains the networks of an experiment and reports on the test data; `read` and `parse` check
configurations; `reader` returns a function that reads maps; `steps` is the training step by step; `save` and
`load` write and read model files.

New experiments are subclasses of `Experiment`, of which an instance is registered. A registration by
`register` is valid in one Python process only, so that a script trains its experiment by `run`::

    noise = experiments.register(Noise())
    experiments.run({"experiment": "noise", "fit": {"epochs": 20}}, "results", log=print)

``spherekit train`` finds experiments of installed packages by entry points; see `register`.
"""

from spherekit.experiments import gaussianity, maps
from spherekit.experiments.base import Experiment, Model, Table, Trained, Training
from spherekit.experiments.common import get, names, parse, profile, read, recipes, register
from spherekit.experiments.models import load, save, selected, steps
from spherekit.experiments.reading import reader
from spherekit.experiments.running import Run, run
from spherekit.experiments.signals import Analysis, Signal

__all__ = [
    "Analysis", "Experiment", "Model", "Run", "Signal", "Table", "Trained", "Training", "gaussianity", "get",
    "load", "maps", "names", "parse", "profile", "read", "reader", "recipes", "register", "run", "save",
    "selected", "steps",
]  # fmt: skip


def __dir__():
    return sorted(__all__)


register(gaussianity.Gaussianity())
register(maps.Maps())
