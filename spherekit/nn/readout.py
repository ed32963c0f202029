"""Readouts: from signals to invariant features, and layers of features."""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.modulus import modulus
from spherekit.conventions import to_real
from spherekit.nn import clebsch_gordan_products
from spherekit.nn.activations import named_function
from spherekit.nn.fragment_indexing import batch_first, rows_first, sum_orders, widths
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import SO3, Features, Fragments, Sphere, expect_type, set_fields


class Invariants(Layer):
    """The coefficients of degree 0, which rotations leave as they are: Fragments, Sphere or SO3 -> Features.

    Of complex signals the features are all real parts, then all imaginary parts.

    Notes
    -----
    Input: `Fragments` with a fragment of degree 0 at least, ``(batch, channels, size)``; `Sphere`, ``(batch,
    channels, L*L)``; or `SO3`, ``(batch, channels, 2N-1, L*L)``. Output: `Features`, ``(batch,
    channels*tau_0)``, the fragments of a channel side by side, with tau_0 = 1 for the other types; twice as
    many of complex signals. Without parameters; exact.

    The invariant layer of Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Fragments((2, 1), 3), nn.Invariants()).out_type()
    Features(6)
    """

    def out_type(self, in_type):
        expect_type(in_type, Fragments, Sphere, SO3)
        count = in_type.channels
        if isinstance(in_type, Fragments):
            count *= in_type.tau[0]
            if not count:
                raise ValueError(f"accepts fragments of degree 0 at least; its input is {in_type}")
        return Features(count if in_type.real else 2 * count)

    def forward(self, params, x, context):
        in_type = context.in_type
        if isinstance(in_type, Fragments):
            values = take(x, (..., slice(in_type.tau[0])), fragments=True)
            values = anp.reshape(values, (len(x), in_type.channels * in_type.tau[0]))
        else:
            values = take(x, (..., 0) if isinstance(in_type, Sphere) else (..., in_type.N - 1, 0))
        if in_type.real:
            return anp.real(values)
        return anp.concatenate([anp.real(values), anp.imag(values)], axis=-1)


class PowerSpectrum(Layer):
    """Power of each degree: Sphere or Fragments -> Features.

    .. math:: p_{c,l} = \\sum_m |x_{c,lm}|^2

    of each channel, or of each fragment in each channel. It does not depend on the relative orientation of
    the degrees, so that very different signals share a spectrum; `Bispectrum` tells them apart.

    Notes
    -----
    Input: `Sphere`, ``(batch, channels, L*L)``, or `Fragments`, ``(batch, channels, size)``. Output:
    `Features`, ``(batch, channels*L)``, or ``(batch, channels*fragments)``: the degrees, or fragments in the
    order of the type, of a channel side by side. Without parameters. In the precision of the signals: in
    float32 moduli below 1e-19 have power 0, and those above 1e19 an infinite one, which the network refuses.

    The invariants of Kazhdan, Funkhouser and Rusinkiewicz 2003, Symposium on Geometry Processing.

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1, real=False), nn.PowerSpectrum())
    >>> net([{}], np.array([[[1j, 1, 2, 0]]])).tolist()
    [[1.0, 5.0]]
    """

    def out_type(self, in_type):
        expect_type(in_type, Fragments, Sphere)
        return Features(len(self._widths(in_type)) * in_type.channels)

    @cached_by_type
    def _widths(self, in_type):
        tau = in_type.tau if isinstance(in_type, Fragments) else 1
        return widths(np.repeat(np.arange(in_type.L), tau))

    def forward(self, params, x, context):
        rows = self._widths(context.in_type)
        power = sum_orders.forward(modulus(x) ** 2, widths=rows)
        return anp.reshape(power, (len(x), len(rows) * context.in_type.channels))


class Bispectrum(Layer):
    """Triple products of the degrees of real signals, channel by channel: Sphere -> Features.

    .. math:: b_{l_1 l_2 l} = \\sum_{m_1 m_2 m} C^{lm}_{l_1 m_1 l_2 m_2}\\, f_{l_1 m_1} f_{l_2 m_2}
        \\overline{f_{lm}}, \\quad l_1 \\le l_2 \\le l

    divided by i where l1 + l2 + l is odd, and without those that vanish identically, of two equal degrees
    with an odd sum. Unlike the power spectrum they depend on the relative orientation of the degrees.

    Parameters
    ----------
    kind : str
        ``"full"``: all O(L^3) of them. ``"selective"``: of each degree l at most 2l+2, those of the lowest
        l1, O(L^2) in all: when the lower degrees are known, they are as many equations as degree l has
        unknowns, and one more.

    Notes
    -----
    Input: `Sphere` of real signals, ``(batch, channels, L*L)``. Output: `Features`, ``(batch, channels*n)``,
    the n triple products of a channel side by side, ordered by l, l1, l2. Without parameters; exact, nothing
    aliases.

    Kakarala 2012, J. Math. Imaging Vis. 44, 341. The selection follows the idea of Mathe et al. 2026
    (arXiv:2605.07270); its choice of pairs is that of this package.

    >>> from spherekit import nn
    >>> [nn.Sequential(nn.Sphere(12, 1), nn.Bispectrum(kind)).out_type() for kind in ("full", "selective")]
    [Features(152), Features(132)]
    """

    kind: str = "full"

    def __post_init__(self):
        if self.kind not in ("full", "selective"):
            raise ValueError(f"kind is {self.kind!r}; known are full, selective")

    def out_type(self, in_type):
        expect_type(in_type, Sphere)
        if not in_type.real:
            raise ValueError(f"accepts real signals; its input is {in_type}")
        return Features(len(self._tables(in_type)[2]) * in_type.channels)

    @cached_by_type
    def _tables(self, in_type):
        """(trilinear form of the products, the entry of f that multiplies each row, rows of each product)."""
        L, products = in_type.L, []
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

    def forward(self, params, x, context):
        form, entries, rows = self._tables(context.in_type)
        f = to_real(x)
        factors = batch_first(rows_first(f)[entries])
        y = clebsch_gordan_products.contract(f, f, form, 2, context.threads) * factors
        sums = sum_orders.forward(y, widths=rows)
        return anp.reshape(sums, (len(x), len(rows) * context.in_type.channels))

    def multiplications(self, in_type):
        return 2 * self._tables(in_type)[0].cost * in_type.channels


def _vanishes(l1, l2, ell):
    """Two equal degrees with an odd sum: the triple product is antisymmetric in them, and zero."""
    return (l1 + l2 + ell) % 2 and (l1 == l2 or l2 == ell or l1 == ell)


class Dense(Layer):
    """The dense layer y = x W + b: Features -> Features.

    Parameters
    ----------
    features : int
        Of the output.

    Notes
    -----
    Input: `Features`, ``(batch, features_in)``. Output: `Features`, ``(batch, features)``. Parameters:
    ``weights [shape=(features_in, features)]``, of variance 1/features_in at the start; ``bias
    [shape=(features,)]``, 0 at the start.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, _ = net.init(0)
    >>> params[0]["weights"].shape, net(params, [[1.0, 0.0, 2.0]]).shape
    ((3, 2), (1, 2))
    """

    features: int

    def __post_init__(self):
        set_fields(self, features=checks.integer(self.features, "features", 1))

    def out_type(self, in_type):
        expect_type(in_type, Features)
        return Features(self.features)

    def init(self, in_type, rng):
        weights = rng.standard_normal((in_type.features, self.features))
        return {"weights": weights / np.sqrt(in_type.features), "bias": np.zeros(self.features)}, {}

    def forward(self, params, x, context):
        return anp.dot(x, params["weights"]) + params["bias"]

    def multiplications(self, in_type):
        return in_type.features * self.features


class Activation(Layer):
    """A function of each feature, y = function(x): Features -> Features.

    Parameters
    ----------
    function : str or callable
        ``"relu"``, max(x, 0); or another name in `spherekit.nn.activations.FUNCTIONS`: ``"leaky_relu"``,
        ``"tanh"``, ``"softplus"``, ``"square"``, ``"abs"``; or a function of an array in `autograd.numpy`,
        entry by entry.

    Notes
    -----
    Input and output: `Features`, ``(batch, features)``. Without parameters.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(2), nn.Activation("square"))([{}], [[-1.0, 2.0]]).tolist()
    [[1.0, 4.0]]
    """

    function: object = "relu"

    def __post_init__(self):
        named_function(self.function)

    def out_type(self, in_type):
        return expect_type(in_type, Features)

    def forward(self, params, x, context):
        return named_function(self.function)(x)


class SetSum(Layer):
    """Sums of features over sets of signals, side by side in the batch: Features -> Features.

    .. math:: y_b = \\sum_{k=0}^{n-1} x_{bn + k}, \\quad n = \\mathrm{set\\_size}

    Parameters
    ----------
    set_size : int
        Signals of a set.

    Notes
    -----
    Input: `Features`, ``(sets*set_size, features)``. Output: `Features`, ``(sets, features)``; it does not
    depend on the order in a set. Without parameters. A batch that is not of complete sets raises ValueError.

    Zaheer et al. 2017 (arXiv:1703.06114), theorem 2.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(1), nn.SetSum(2))([{}], [[1.0], [2.0], [3.0], [4.0]]).tolist()
    [[3.0], [7.0]]
    """

    set_size: int

    def __post_init__(self):
        set_fields(self, set_size=checks.integer(self.set_size, "set_size", 1))

    def out_type(self, in_type):
        return expect_type(in_type, Features)

    def forward(self, params, x, context):
        if len(x) % self.set_size:
            raise ValueError(
                f"a batch of {len(x)} does not divide into sets of {self.set_size}; pass complete sets"
            )
        sets = len(x) // self.set_size
        return anp.sum(anp.reshape(x, (sets, self.set_size, context.in_type.features)), axis=1)
