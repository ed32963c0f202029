"""Experiments from simulation to accuracy, a folder each.

`gaussianity`: Gaussian skies against others of the same spectrum, by every probe and with controls;
`experiment` makes its whole table.
"""

from spherekit.experiments import gaussianity
from spherekit.experiments.gaussianity import features, probes, skies
from spherekit.experiments.gaussianity import model as network
from spherekit.experiments.gaussianity import plots as figures
from spherekit.experiments.gaussianity.experiment import experiment

__all__ = ["experiment", "features", "figures", "gaussianity", "network", "probes", "skies"]
