"""Experiments from simulation to accuracy: Gaussian skies, and those that are not.

Files: `skies` (simulation), `features` (what is measured of a sky, on disk), `probes` (how well it tells the
classes apart), `network` (a small one, with and without scattering), `gaussianity` (the experiment and its
table), `figures`; and for the commands ``train`` and ``predict``: `task` (a configuration and what is made of
it), `gathered` (its skies and features), `models` (a trained network and all that it needs, in one file).
"""

from spherekit.experiments import features, figures, gaussianity, network, probes, skies
from spherekit.experiments.gaussianity import experiment

__all__ = ["experiment", "features", "figures", "gaussianity", "network", "probes", "skies"]
