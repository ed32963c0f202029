"""Own maps with labels: classes or numbers, listed in a CSV file with the columns ``path,label``.

`data` reads the list, computes the coefficients of the maps and splits them; `model` builds networks from
TOML; `experiment` is the experiment that ``spherekit train --maps train.csv`` runs.
"""

from spherekit.experiments.maps.experiment import Maps

__all__ = ["Maps"]
