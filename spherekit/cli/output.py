"""Where commands write: nothing that is not finite gets into a file.

Files are written whole or not at all.
"""

import csv
from pathlib import Path

import numpy as np


def refuse_not_finite(path, **arrays):
    """Refuse numbers that are NaN or infinite, before ``path`` is written."""
    for name, values in arrays.items():
        values = np.asarray(values)
        if values.dtype.kind not in "fc":
            continue
        count = values.size - np.count_nonzero(np.isfinite(values))
        if count:
            raise ValueError(
                f"{path} is not written: {count} of {values.size} numbers of its {name} are NaN or "
                "infinite; the input is too large (scale it), or too little of it is known"
            )


def write_arrays(path, **arrays):
    """Write a .npz file, or one array ``values`` to .npy."""
    from spherekit import io

    refuse_not_finite(path, **arrays)
    io.write_arrays(path, **arrays, overwrite=True)


def write_table(path, head, rows):
    """Write a .csv file."""
    from spherekit.io._replace import replacing

    columns = zip(*rows, strict=True)
    refuse_not_finite(path, **{name: np.array(x) for name, x in zip(head, columns, strict=False)})
    with replacing(path, True) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
