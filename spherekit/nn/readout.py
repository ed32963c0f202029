"""Readouts: layers from signals to invariant features, and layers of features."""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.modulus import modulus
from spherekit.conventions import to_real
from spherekit.nn import clebsch_gordan_products
from spherekit.nn.activations import named_function
from spherekit.nn.fragment_indexing import batch_first, rows_first, sum_orders, widths
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.scaled_reductions import get_item
from spherekit.nn.types import SO3, Features, Fragments, SignalType, Sphere, expect_type, set_fields


class Invariants(Layer):
    """Coefficients of degree 0, which are invariant: Fragments, Sphere or SO3 -> Features.

    Notes
    -----
    * Input: `Fragments` with at least one fragment of degree 0, [shape=(batch, channels, size)]; `Sphere`,
      complex array [shape=(batch, channels, L*L)]; or `SO3`, [shape=(batch, channels, 2N-1, L*L)].
    * Output: `Features`, real array [shape=(batch, channels*tau_0)], with the fragments of a channel
      adjacent, and tau_0 = 1 for types other than `Fragments`. For complex signals there are twice as many:
      all real parts, then all imaginary parts.
    * Parameters and state: none.
    * Equivariance: the output is exactly invariant.

    This is the invariant layer of Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4.

    Examples
    --------
    Two fragments of degree 0 in each of three channels:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Fragments((2, 1), 3), nn.Invariants()).out_type()
    Features(6)
    """

    def out_type(self, in_type: SignalType) -> Features:
        expect_type(in_type, Fragments, Sphere, SO3)
        count = in_type.channels
        if isinstance(in_type, Fragments):
            count *= in_type.tau[0]
            if not count:
                raise ValueError(f"accepts fragments that include degree 0; its input is {in_type}")
        return Features(count if in_type.real else 2 * count)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        if isinstance(in_type, Fragments):
            values = get_item(x, (..., slice(in_type.tau[0])), fragments=True)
            values = anp.reshape(values, (len(x), in_type.channels * in_type.tau[0]))
        else:
            values = get_item(
                x, (..., 0) if isinstance(in_type, Sphere) else (..., in_type.N - 1, 0)
            )
        if in_type.real:
            return anp.real(values)
        return anp.concatenate([anp.real(values), anp.imag(values)], axis=-1)


class PowerSpectrum(Layer):
    r"""Power of each degree or fragment: Sphere or Fragments -> Features.

    .. math:: p_{c,l} = \sum_m |x_{c,lm}|^2

    It does not depend on the relative orientation of the degrees, so that very different signals can have the
    same power spectrum; `Bispectrum` distinguishes them.

    Notes
    -----
    * Input: `Sphere`, complex array [shape=(batch, channels, L*L)], or `Fragments`, [shape=(batch, channels,
      size)].
    * Output: `Features`, real array [shape=(batch, channels*L)] or [shape=(batch, channels*fragments)]: the
      degrees, or fragments in the order of the type, of a channel are adjacent.
    * Parameters and state: none.
    * Equivariance: the output is exactly invariant.

    The precision is that of the signals: in float32, moduli below 1e-19 have power 0, and those above 1e19
    have infinite power, for which the network raises an error. Kazhdan, Funkhouser and Rusinkiewicz
    2003, Symposium on Geometry Processing.

    Examples
    --------
    The power of the degrees 0 and 1 of a complex signal:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1, real=False), nn.PowerSpectrum())
    >>> net([{}], np.array([[[1j, 1, 2, 0]]])).tolist()
    [[1.0, 5.0]]
    """

    def out_type(self, in_type: SignalType) -> Features:
        expect_type(in_type, Fragments, Sphere)
        return Features(len(self._widths(in_type)) * in_type.channels)

    @cached_by_type
    def _widths(self, in_type):
        tau = in_type.tau if isinstance(in_type, Fragments) else 1
        return widths(np.repeat(np.arange(in_type.L), tau))

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        rows = self._widths(context.in_type)
        power = sum_orders.forward(modulus(x) ** 2, widths=rows)
        return anp.reshape(power, (len(x), len(rows) * context.in_type.channels))


class Bispectrum(Layer):
    r"""Triple products of the degrees of each channel of real signals: Sphere -> Features.

    .. math:: b_{l_1 l_2 l} = \sum_{m_1 m_2 m} C^{lm}_{l_1 m_1 l_2 m_2}\, f_{l_1 m_1} f_{l_2 m_2}
        f_{lm}^*, \quad l_1 \le l_2 \le l

    divided by i if l1 + l2 + l is odd, and without those that vanish identically: two equal degrees with an
    odd sum. Unlike the power spectrum they depend on the relative orientation of the degrees.

    Parameters
    ----------
    kind : {"full", "selective"}
        ``"full"``: all O(L^3) products. ``"selective"``: for each degree l at most 2l+2, those of the
        smallest l1, which are O(L^2) in total; with the lower degrees fixed, they are one equation more than
        degree l has unknowns.

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L*L)].
    * Output: `Features`, real array [shape=(batch, channels*n)], with the n products of a channel adjacent,
      ordered by l, l1, l2.
    * Parameters and state: none.
    * Equivariance: the output is exactly invariant; there are no aliases.

    Kakarala 2012, J. Math. Imaging Vis. 44, 341. The selection follows the idea of Mathe et al. 2026
    (arXiv:2605.07270); the choice of pairs is specific to this package.

    Examples
    --------
    The number of products of both kinds:

    >>> from spherekit import nn
    >>> [nn.Sequential(nn.Sphere(12, 1), nn.Bispectrum(kind)).out_type() for kind in ("full", "selective")]
    [Features(152), Features(132)]
    """

    kind: str = "full"

    def __post_init__(self):
        if self.kind not in ("full", "selective"):
            raise ValueError(f"kind must be one of full, selective; got {self.kind!r}")

    def out_type(self, in_type: SignalType) -> Features:
        expect_type(in_type, Sphere)
        if not in_type.real:
            raise ValueError(f"accepts real signals; its input is {in_type}")
        return Features(len(self._tables(in_type)[2]) * in_type.channels)

    @cached_by_type
    def _tables(self, in_type):
        """Trilinear form of the products, index of the factor f_lm of each row, and rows of each product."""
        L = in_type.L
        products = []
        for ell in range(L):
            triples = [
                (l1, 0, l2, 0, ell)
                for l1 in range(ell + 1)
                for l2 in range(l1, ell + 1)
                if l2 - l1 <= ell <= l1 + l2 and not _vanishes(l1, l2, ell)
            ]
            products += triples if self.kind == "full" else triples[: 2 * ell + 2]
        signal = Fragments((1,) * L, in_type.channels)
        form, tau = clebsch_gordan_products.form(signal, signal, products, True)
        blocks = [ell * ell + np.tile(np.arange(2 * ell + 1), t) for ell, t in enumerate(tau)]
        return form, np.concatenate(blocks), widths(np.repeat(np.arange(len(tau)), tau))

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        form, entries, rows = self._tables(context.in_type)
        f = to_real(x)
        factors = batch_first(rows_first(f)[entries])
        y = clebsch_gordan_products.contract(f, f, form, 2, context.threads) * factors
        sums = sum_orders.forward(y, widths=rows)
        return anp.reshape(sums, (len(x), len(rows) * context.in_type.channels))

    def multiplications(self, in_type: SignalType) -> int:
        return 2 * self._tables(in_type)[0].cost * in_type.channels


def _vanishes(l1, l2, ell):
    """Whether a triple product is antisymmetric, and thus zero: two equal degrees with an odd sum."""
    return (l1 + l2 + ell) % 2 and (l1 == l2 or l2 == ell or l1 == ell)


class Dense(Layer):
    """Dense layer: Features -> Features.

    .. math:: y = x W + b

    Parameters
    ----------
    features : int
        Number of features of the output.

    Notes
    -----
    * Input: `Features`, real array [shape=(batch, features_in)].
    * Output: `Features`, [shape=(batch, features)].
    * Parameters, real: ``weights`` [shape=(features_in, features)], of initial variance 1/features_in;
      ``bias`` [shape=(features,)], initially 0. State: none.

    Examples
    --------
    From three features to two:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> params[0]["weights"].shape, net(params, [[1.0, 0.0, 2.0]]).shape
    ((3, 2), (1, 2))
    """

    features: int

    def __post_init__(self):
        set_fields(self, features=checks.integer(self.features, "features", 1))

    def out_type(self, in_type: SignalType) -> Features:
        expect_type(in_type, Features)
        return Features(self.features)

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        weights = rng.standard_normal((in_type.features, self.features))
        return {"weights": weights / np.sqrt(in_type.features), "bias": np.zeros(self.features)}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        return anp.dot(x, params["weights"]) + params["bias"]

    def multiplications(self, in_type: SignalType) -> int:
        return in_type.features * self.features


class Activation(Layer):
    r"""A function of each feature: Features -> Features.

    .. math:: y_{bi} = \sigma(x_{bi})

    Parameters
    ----------
    function : str or callable
        ``"relu"``, ``"leaky_relu"`` (slope 0.1), ``"tanh"``, ``"softplus"``, ``"square"``, ``"abs"``; or an
        elementwise function of an array, written with ``autograd.numpy``.

    Notes
    -----
    * Input and output: `Features`, real array [shape=(batch, features)].
    * Parameters and state: none.

    Examples
    --------
    The squares of two features:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(2), nn.Activation("square"))([{}], [[-1.0, 2.0]]).tolist()
    [[1.0, 4.0]]
    """

    function: object = "relu"

    def __post_init__(self):
        named_function(self.function)

    def out_type(self, in_type: SignalType) -> Features:
        return expect_type(in_type, Features)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        return named_function(self.function)(x)


class SetSum(Layer):
    r"""Sums of features over sets of signals, which are adjacent in the batch: Features -> Features.

    .. math:: y_b = \sum_{k=0}^{n-1} x_{bn + k}, \quad n = \mathrm{set\_size}

    Parameters
    ----------
    set_size : int
        Number of signals of a set.

    Notes
    -----
    * Input: `Features`, real array [shape=(sets*set_size, features)]; another length raises ValueError.
    * Output: `Features`, [shape=(sets, features)], invariant under permutations of each set.
    * Parameters and state: none.

    Zaheer et al. 2017 (arXiv:1703.06114), theorem 2.

    Examples
    --------
    Two sets of two signals:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(1), nn.SetSum(2))([{}], [[1.0], [2.0], [3.0], [4.0]]).tolist()
    [[3.0], [7.0]]
    """

    set_size: int

    def __post_init__(self):
        set_fields(self, set_size=checks.integer(self.set_size, "set_size", 1))

    def out_type(self, in_type: SignalType) -> Features:
        return expect_type(in_type, Features)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        if len(x) % self.set_size:
            raise ValueError(
                f"the batch has {len(x)} signals; expected a multiple of set_size={self.set_size}"
            )
        count = len(x) // self.set_size
        return anp.sum(anp.reshape(x, (count, self.set_size, context.in_type.features)), axis=1)
