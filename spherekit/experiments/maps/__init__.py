"""Classification and regression of labeled maps, listed in a CSV file (columns ``path,label``).

`labels` reads the list; `data` splits the maps and computes their coefficients, in the units of the first map
(`units`); `model` builds networks from TOML; `report` evaluates the test maps; `experiment` is the experiment
that ``spherekit train --maps train.csv`` runs.
"""

from spherekit.experiments.maps.experiment import Maps

__all__ = ["Maps"]


def __dir__():
    return sorted(__all__)
