"""Mode-coupling matrices in files, which serve all maps of the same masks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from os import PathLike

import numpy as np

from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.spectra.mask import Mask
from spherekit.spectra.pseudo_cl import Coupling, has_mask_power

_KIND = "mode coupling of masked fields"


def write_coupling(
    path: str | PathLike,
    coupling: Coupling,
    *,
    masks: Sequence[Mask] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a coupling with its matrix.

    Parameters
    ----------
    path : str or path
        The file, with the suffix ``.npz``.
    coupling : Coupling
        Its matrix is computed, if it was not yet.
    masks : Mask or sequence of Mask, optional
        The masks of its two fields, or one of both, of which a hash is written, so that `read_coupling` can
        tell whether it is that of given masks without their harmonic analysis.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    TypeError
        Another type than `Coupling` or `Mask`.
    ValueError
        Another suffix; masks whose spectrum is not that of the coupling, or of another band-limit.
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
    masks = None if masks is None else _pair(masks)
    if masks is not None:
        _check_masks(coupling, masks)
    arrays = dict(mask_power=coupling.mask_power, beam=coupling.beam, matrix=coupling.matrix())
    header = dict(kind=_KIND, L=coupling.L, spins=list(coupling.spins), names=list(coupling.names))
    header["pure"] = [list(map(bool, pure)) for pure in coupling.pure]
    header["masks"] = [] if masks is None else _hashes(masks)
    write_tree(path, arrays, header, overwrite=overwrite)


def read_coupling(path: str | PathLike, *, masks: Sequence[Mask] | None = None) -> Coupling:
    """Read a coupling with its matrix.

    Parameters
    ----------
    path : str or path
        A file of `write_coupling`.
    masks : Mask or sequence of Mask, optional
        The masks, or one of both fields, of which it must be the coupling; the file must have been written
        with them.

    Returns
    -------
    Coupling

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, or a file of another kind, or of other masks. Nothing in a file is executed or
        unpickled.

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
    masks = None if masks is None else _pair(masks)
    try:
        tree, header = read_tree(path)
    except ValueError as error:
        raise ValueError(
            f"{path} is no coupling; expected a file of spherekit.spectra.write_coupling ({error})"
        ) from None
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise ValueError(
            f"{path} contains no coupling; expected a file of spherekit.spectra.write_coupling"
        )
    if masks is not None and header.get("masks") != _hashes(masks):
        problem = "of other masks" if header.get("masks") else "that does not state its masks"
        raise ValueError(
            f"{path} is a coupling {problem}; expected that of these masks, their L, grid and iterations"
        )
    try:
        return _coupling(tree, header)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def _pair(masks):
    """The masks of two fields, of which one may be that of both."""
    masks = [masks] if isinstance(masks, Mask) else masks
    if not isinstance(masks, Sequence):
        raise TypeError(
            f"masks is {type(masks).__name__}; expected spherekit.spectra.Mask, or two of them"
        )
    for mask in masks:
        if not isinstance(mask, Mask):
            raise TypeError(
                f"masks contains {type(mask).__name__}; expected spherekit.spectra.Mask"
            )
    if len(masks) not in (1, 2):
        raise ValueError(
            f"masks has {len(masks)} masks; expected those of two fields, or one of both"
        )
    return [masks[0], masks[-1]]


def _check_masks(coupling, masks):
    """Refuse masks that are not those of a coupling."""
    first, second = masks
    limits = {first.L, second.L}
    if limits != {coupling.L}:
        raise ValueError(
            f"the masks are of L = {' and '.join(map(str, sorted(limits)))}, the coupling of {coupling.L}; "
            "expected the masks of its fields"
        )
    if not has_mask_power(coupling, first, second):
        raise ValueError(
            "the coupling is that of other masks: its mask_power differs from the spectrum of the masks"
        )


def _hashes(masks):
    """The hash of the weights, L, grid and iterations of each mask."""
    hashes = []
    for mask in masks:
        digest = hashlib.sha256(f"{mask.L} {mask.grid} {mask.iterations}".encode())
        digest.update(np.ascontiguousarray(mask.values, "<f8"))
        hashes.append(digest.hexdigest())
    return hashes


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
