"""Mode-coupling matrices in files, which serve all maps of the same masks."""

from __future__ import annotations

from os import PathLike

import numpy as np

from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.spectra.pseudo_cl import Coupling

_KIND = "mode coupling of masked fields"


def write_coupling(path: str | PathLike, coupling: Coupling, *, overwrite: bool = False) -> None:
    """Write a coupling with its matrix.

    Parameters
    ----------
    path : str or path
        The file, with the suffix ``.npz``.
    coupling : Coupling
        Its matrix is computed, if it was not yet.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    TypeError
        Another type than `Coupling`.
    ValueError
        Another suffix.
    FileExistsError
        The file exists, and ``overwrite`` is False.

    See Also
    --------
    read_coupling : the inverse.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.spectra import Coupling, masked_field, read_coupling, write_coupling
    >>> T = masked_field(np.ones(192), 8, np.arange(192) < 90, sampling="healpix:4")
    >>> path = os.path.join(tempfile.mkdtemp(), "coupling.npz")
    >>> write_coupling(path, Coupling.of(T))
    >>> bool(np.array_equal(read_coupling(path).matrix(), Coupling.of(T).matrix()))
    True
    """
    if not isinstance(coupling, Coupling):
        raise TypeError(
            f"coupling is {type(coupling).__name__}; expected spherekit.spectra.Coupling"
        )
    arrays = dict(mask_power=coupling.mask_power, beam=coupling.beam, matrix=coupling.matrix())
    header = dict(kind=_KIND, L=coupling.L, spins=list(coupling.spins), names=list(coupling.names))
    header["pure"] = [list(map(bool, pure)) for pure in coupling.pure]
    write_tree(path, arrays, header, overwrite=overwrite)


def read_coupling(path: str | PathLike) -> Coupling:
    """Read a coupling with its matrix.

    Parameters
    ----------
    path : str or path
        A file of `write_coupling`.

    Returns
    -------
    Coupling

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, or a file of another kind. Nothing in a file is executed or unpickled.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.spectra import Coupling, masked_field, read_coupling, write_coupling
    >>> P = masked_field(np.ones(192) + 0j, 8, spin=2, sampling="healpix:4")
    >>> path = os.path.join(tempfile.mkdtemp(), "coupling.npz")
    >>> write_coupling(path, Coupling.of(P))
    >>> read_coupling(path).names
    ('EE', 'EB', 'BE', 'BB')
    """
    tree, header = read_tree(path)
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise ValueError(
            f"{path} contains no coupling; expected a file of spherekit.spectra.write_coupling"
        )
    try:
        return _coupling(tree, header)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def _coupling(tree, header):
    L, names = int(header["L"]), tuple(header["names"])
    spins = tuple(map(int, header["spins"]))
    pure = tuple(tuple(map(bool, signals)) for signals in header["pure"])
    coupling = Coupling(tree["mask_power"], L, spins, pure, tree["beam"], names)
    n, matrix = len(names), tree["matrix"]
    shapes = dict(beam=(n, L), matrix=(n, n, L, L), mask_power=(coupling.mask_power.size,))
    for name, shape in shapes.items():
        if tree[name].shape != shape or tree[name].dtype != float:
            raise ValueError(
                f"the array {name} has shape {tree[name].shape} and dtype {tree[name].dtype}; expected "
                f"{shape}, float64"
            )
        if not np.isfinite(tree[name]).all():
            raise ValueError(f"the array {name} contains NaN or infinite values")
    return coupling.with_matrix(matrix)
