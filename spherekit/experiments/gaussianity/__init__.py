"""Gaussian skies against others of the same spectrum.

`skies` simulates them, `features` measures them and caches the features on disk, `probes` are linear
classifiers of several features, `model` is a small network with scattering and without. `comparison` is the
table of all methods, `plots` its figures. `experiment` is the experiment that the commands run, with its data
in `data` and its configurations in ``recipes``.
"""

from spherekit.experiments.gaussianity.comparison import Comparison, Row, compare, table, threshold
from spherekit.experiments.gaussianity.experiment import Gaussianity

__all__ = ["Comparison", "Gaussianity", "Row", "compare", "table", "threshold"]
