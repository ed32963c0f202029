"""Own maps with labels: classes or numbers, listed in a CSV file with the columns ``path,label``.

`labels` reads the list; `data` splits the maps and computes their coefficients, in one of `units`; `model`
builds networks from TOML; `report` is on the test maps; `experiment` is the experiment that
``spherekit train --maps train.csv`` runs.
"""

from spherekit.experiments.maps.experiment import Maps

__all__ = ["Maps"]
