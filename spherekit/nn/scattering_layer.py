"""The scattering transform as a layer without parameters."""

import math
from collections.abc import Iterable
from functools import lru_cache

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.types import SignalType, Sphere, expect_type, oversampling, set_fields
from spherekit.scattering import Scattering as ScatteringTransform


class Scattering(Layer):
    r"""Scattering coefficients; each path becomes a channel: Sphere -> Sphere.

    .. math:: S[p] f = U[p] f * \Phi, \qquad
              U[j_1, \ldots, j_d] f = |\cdots |f * \Psi^{j_1}| \cdots * \Psi^{j_d}|

    with wavelets Psi and a scaling function Phi (McEwen, Wallis and Mavor-Parker 2022, arXiv:2102.02828),
    computed by `spherekit.scattering.Scattering`. The coefficients are stable to small deformations, and have
    the low band-limit ceil(lam^J0), at which expensive layers can follow.

    Parameters
    ----------
    lam : float
        Dilation factor of the wavelets, above 1.
    J0 : int
        Scale of invariance: the band-limit of the output is ceil(lam^J0).
    depth : int
        Largest number of successive moduli.
    N : int
        Azimuthal band-limit of the wavelets; 1 for axisymmetric wavelets.
    paths : str or sequence of tuple of int
        ``"descending"``, ``"neighbour"``, ``"all"``, or the tuples (j_1, ..., j_d) of scales.
    oversample : float
        Oversampling factor of the samples on which moduli are computed, from 1 to 16, relative to the
        band-limit of their scale.

    Notes
    -----
    * Input: `Sphere`, complex array [shape=(batch, channels, L*L)]. A spin other than 0 requires ``paths``
      without (), which has the spin of the input.
    * Output: `Sphere` of spin 0, [shape=(batch, channels*paths, L0*L0)], with the paths of a channel
      adjacent; complex if the input is complex and () is a path, otherwise real.
    * Parameters and state: none. Wavelets are computed once for each type of input and number of threads, and
      are neither compared nor pickled.
    * Equivariance: approximate. The modulus is not band-limited; its aliases cause a relative error of 6 % at
      ``oversample=2`` and 2.2 % at 3 (white signals, L = 64, J0 = 2).

    Examples
    --------
    Eleven paths of each of two channels, at the band-limit 2:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(16, 2), nn.Scattering(J0=1)).out_type()
    Sphere(2, 22)
    """

    lam: float = 2
    J0: int = 2
    depth: int = 2
    N: int = 1
    paths: str | tuple[tuple[int, ...], ...] = "descending"
    oversample: float = 2

    def __post_init__(self):
        expected = "a dilation > 1"
        lam = checks.real_number(
            self.lam, "lam", expected, lambda dilation: 1 < dilation < math.inf
        )
        J0, N = checks.integer(self.J0, "J0", 0), checks.integer(self.N, "N", 1)
        depth = checks.integer(self.depth, "depth", 0)
        factor = oversampling(self.oversample)
        paths = self.paths if isinstance(self.paths, str) else _path_tuples(self.paths)
        set_fields(self, lam=lam, J0=J0, depth=depth, N=N, paths=paths, oversample=factor)

    def out_type(self, in_type: SignalType) -> Sphere:
        expect_type(in_type, Sphere)
        transform = self._transforms(in_type)(thread_count())
        channels = in_type.channels * len(transform.paths)
        has_order_0 = any(path.order == 0 for path in transform.paths)
        if has_order_0 and in_type.spin:
            raise ValueError(
                f"the path () of a field of spin {in_type.spin} has that spin, and all others have spin 0; "
                "pass paths= without ()"
            )
        return Sphere(transform.L0, channels, in_type.real or not has_order_0)

    @cached_by_type
    def _transforms(self, in_type):
        """Function from the number of threads to the transform."""

        @lru_cache(maxsize=4)
        def transform(threads):
            parameters = self.lam, self.J0, self.depth, self.N, self.paths
            options = dict(oversample=self.oversample, spin=in_type.spin, reality=in_type.real)
            return ScatteringTransform(in_type.L, *parameters, **options, threads=threads)

        return transform

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        transform = self._transforms(in_type)(context.threads)
        channels = in_type.channels * len(transform.paths)
        return anp.reshape(transform.from_flm(x), (len(x), channels, transform.L0**2))


def _path_tuples(paths):
    """Paths as hashable tuples; values that are not paths are left to the checks of the transform."""
    if not isinstance(paths, Iterable):
        return paths
    return tuple(
        path
        if isinstance(path, str) or not isinstance(path, Iterable)
        else tuple(checks.integer(scale, "a scale of paths", -math.inf) for scale in path)
        for path in paths
    )
