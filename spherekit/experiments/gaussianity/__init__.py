"""Gaussian skies against others of the same spectrum.

`skies` simulates them, `features` measures them and stores the features on disk, `probes` are linear
classifiers of few features, `model` is a small network with scattering and without, `experiment` makes the
table and `plots` its figures. For the commands ``train`` and ``predict``: `config` reads the configuration,
`data` prepares its skies and features, `classifier` is a trained network and its preprocessing in one file.
"""

from spherekit.experiments.gaussianity.experiment import Result, Row, folder_name, table, threshold

__all__ = ["Result", "Row", "folder_name", "table", "threshold"]
