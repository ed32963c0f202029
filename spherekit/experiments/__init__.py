"""Experiments from data to accuracy, a folder each, which ``spherekit train`` and ``spherekit predict`` run.

==============  ==============================================================================================
`gaussianity`   Gaussian skies against others of the same spectrum, by every probe and with controls
`maps`          own maps with labels, listed in a CSV file: classes or numbers
==============  ==============================================================================================

An own experiment is a subclass of `Experiment`, of which an object is registered::

    experiments.register(MyExperiment())

`read` reads its configurations, `steps` trains, `save` and `load` are its model files.
"""

from spherekit.experiments import gaussianity, maps
from spherekit.experiments.common import (
    Experiment,
    Table,
    Trained,
    Training,
    get,
    names,
    parse,
    profile,
    read,
    recipes,
    register,
)
from spherekit.experiments.models import Model, load, save, selected, steps
from spherekit.experiments.signals import Analysis, Signal

__all__ = [
    "Analysis", "Experiment", "Model", "Signal", "Table", "Trained", "Training", "gaussianity", "get", "load",
    "maps", "names", "parse", "profile", "read", "recipes", "register", "save", "selected", "steps",
]  # fmt: skip

register(gaussianity.Gaussianity())
register(maps.Maps())
