"""Classification of Gaussian and non-Gaussian skies that have the same power spectrum.

`skies` simulates the skies, `features` computes their features and caches them on disk, `probes` are linear
classifiers of these, and `model` is a small network with or without scattering. `comparison` computes the
table of all methods, and `plots` its figures. `experiment` is the experiment that the commands run; `data`
loads its data, and ``recipes`` contains its configurations.
"""

from spherekit.experiments.gaussianity.comparison import Comparison, Row, compare, table, threshold
from spherekit.experiments.gaussianity.experiment import Gaussianity

__all__ = ["Comparison", "Gaussianity", "Row", "compare", "table", "threshold"]


def __dir__():
    return sorted(__all__)
