"""From signals to invariant numbers, and what is made of numbers."""

import autograd.numpy as anp
import numpy as np

from spherekit.nn.net import Layer, expect, named
from spherekit.nn.signals import Features, Generalized, Group, Sphere


def invariants():
    """The fragments of degree 0: a feature each; of complex signals real and imaginary part."""

    def bind(takes):
        expect(takes, Generalized, Sphere, Group)
        if isinstance(takes, Generalized):
            if not takes.tau[0]:
                raise ValueError(f"no fragment of degree 0 comes: {takes}")

            def read(x):
                return anp.reshape(anp.moveaxis(x[: takes.tau[0]], 0, -1), (x.shape[1], -1))

            count = takes.tau[0] * takes.channels
        else:

            def read(x):
                return x[..., 0] if isinstance(takes, Sphere) else x[..., takes.N - 1, 0]

            count = takes.channels
        if takes.real:
            return named("invariants", takes, Features(count), lambda x, mode: anp.real(read(x)))

        def both(x, mode):
            values = read(x)
            return anp.concatenate([anp.real(values), anp.imag(values)], axis=-1)

        return named("invariants", takes, Features(2 * count), both)

    return bind


def dense(features):
    """Features -> features: x W + b, W of variance 1/(features that come)."""

    def bind(takes):
        expect(takes, Features)
        shape = takes.features, features

        def init(rng):
            W = rng.standard_normal(shape) / np.sqrt(takes.features)
            return {"weights": W, "bias": np.zeros(features)}

        def apply(params, x, mode):
            return anp.dot(x, params["weights"]) + params["bias"]

        return Layer("dense", takes, Features(features), init, apply, shape[0] * shape[1])

    return bind


def relu():
    """max(x, 0) of features."""

    def bind(takes):
        expect(takes, Features)
        return named("relu", takes, takes, lambda x, mode: anp.maximum(x, 0))

    return bind
