"""Experiments from data to accuracy, a folder each, which ``spherekit train`` and ``spherekit predict`` run.

==============  ==============================================================================================
`gaussianity`   Gaussian skies against others of the same spectrum, by every probe and with controls
`maps`          own maps with labels, listed in a CSV file: classes or numbers
==============  ==============================================================================================

An own experiment is a subclass of `Experiment`, of which an object is registered. `register` does not reach
beyond its Python process: a script trains its experiment by `run`, and is the command, ``python script.py``::

    noise = experiments.register(Noise())
    experiments.run({"experiment": "noise", "fit": {"epochs": 20}}, "results", tell=print)

``spherekit train`` finds the experiments of installed packages, by entry points: `register` shows the lines
of ``pyproject.toml``.

`run` trains and reports; `read` reads configurations, `reader` returns a reader of maps, `steps` trains,
`save` and `load` are model files.
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
from spherekit.experiments.reading import reader
from spherekit.experiments.running import Run, run
from spherekit.experiments.signals import Analysis, Signal

__all__ = [
    "Analysis", "Experiment", "Model", "Run", "Signal", "Table", "Trained", "Training", "gaussianity", "get",
    "load", "maps", "names", "parse", "profile", "read", "reader", "recipes", "register", "run", "save",
    "selected", "steps",
]  # fmt: skip

register(gaussianity.Gaussianity())
register(maps.Maps())
