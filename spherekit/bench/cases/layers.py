"""Layers of spherekit and e3nn, with 16 channels of real signals, prepared for timing.

"inverse" is the evaluation of a layer, "forward" its evaluation with the gradient. Products: all ordered
paths (l1, l2, l) below L of two signals, channel by channel, with a separate output for each path.
Activations: ReLU on the smallest grid for the band-limit; on SO(3) the default grid of e3nn is twice as fine
in alpha and gamma (aspect_ratio=2; with 1 it takes a quarter of the time).
"""

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase, require

CHANNELS = 16
_REMARK = "layers: evaluation, and evaluation with gradient; 16 channels per map"


def product_spherekit(case):
    """Clebsch-Gordan products of two signals, as in `nn.TensorProduct`."""
    from spherekit.nn import clebsch_gordan_products
    from spherekit.nn.fragment_indexing import batch_first
    from spherekit.nn.types import Fragments

    L = case["L"]
    signals = Fragments((1,) * L, CHANNELS)
    paths = [(l1, 0, l2, 0, l3) for l1, l2, l3 in _paths(L)]
    form, _ = clebsch_gordan_products.form(signals, signals, paths, True)
    shape = signals.size, case["batch"], CHANNELS

    def random_input(rng):
        arrays = (rng.standard_normal(shape).astype(case["dtype"]) for _ in range(2))
        return [batch_first(x) for x in arrays]

    return _with_gradient(
        lambda u, v: clebsch_gordan_products.contract(u, v, form, 2, case["threads"]), random_input
    )


def product_e3nn(case):
    """TensorProduct of e3nn, mode "uuu" without weights, with one output for each path."""
    from e3nn import o3

    L, paths = case["L"], _paths(case["L"])
    signal = o3.Irreps([(CHANNELS, (ell, 1)) for ell in range(L)])
    out = o3.Irreps([(CHANNELS, (ell, 1)) for _, _, ell in paths])
    instructions = [(a, b, k, "uuu", False) for k, (a, b, _) in enumerate(paths)]
    layer = o3.TensorProduct(signal, signal, out, instructions)
    return _torch(case, layer, [(case["batch"], signal.dim)] * 2)


def sphere_spherekit(case):
    """ReLU of samples on the sphere."""
    from spherekit import nn
    from spherekit.testing import random_flm

    dtype, shape = _complex(case), (case["batch"], CHANNELS)
    layer = nn.Pointwise("relu")
    context = nn.Context(threads=case["threads"], in_type=nn.Sphere(case["L"], CHANNELS))

    def random_input(rng):
        return [random_flm(case["L"], rng, reality=True, shape=shape, dtype=dtype)]

    return _with_gradient(lambda x: layer.forward({}, x, context), random_input)


def sphere_e3nn(case):
    """S2Activation of e3nn, whose grid requires 2 L rings."""
    import torch
    from e3nn import nn, o3

    L = case["L"]
    irreps = o3.Irreps([(1, (ell, 1)) for ell in range(L)])
    layer = nn.S2Activation(irreps, torch.relu, (2 * L, 2 * L - 1))
    return _torch(case, layer, [(case["batch"] * CHANNELS, irreps.dim)])


def group_spherekit(case):
    """ReLU of samples on SO(3), with all orders n."""
    from spherekit import nn
    from spherekit.testing import random_flmn

    L, dtype, shape = case["L"], _complex(case), (case["batch"], CHANNELS)
    layer = nn.Pointwise("relu")
    context = nn.Context(threads=case["threads"], in_type=nn.SO3(L, L, CHANNELS))

    def random_input(rng):
        return [random_flmn(L, L, rng, reality=True, shape=shape, dtype=dtype)]

    return _with_gradient(lambda x: layer.forward({}, x, context), random_input)


def group_e3nn(case):
    """SO3Activation of e3nn with its default grid: 2 L samples of beta, 4 L of alpha and gamma."""
    import torch
    from e3nn import nn

    L = case["L"]
    layer = nn.SO3Activation(L - 1, L - 1, torch.relu, L)
    size = sum((2 * ell + 1) ** 2 for ell in range(L))
    return _torch(case, layer, [(case["batch"] * CHANNELS, size)])


CODES = {
    "product": {"spherekit": product_spherekit, "e3nn": product_e3nn},
    "relu": {"spherekit": sphere_spherekit, "e3nn": sphere_e3nn},
    "relu-so3": {"spherekit": group_spherekit, "e3nn": group_e3nn},
}


# --- preparation ------------------------------------------------------------------------------------


def _paths(L):
    """Ordered paths (l1, l2, l3) that satisfy the triangle inequality, sorted by l3."""
    triples = np.ndindex(L, L, L)
    paths = ((l1, l2, l3) for l1, l2, l3 in triples if abs(l1 - l2) <= l3 <= l1 + l2)
    return sorted(paths, key=lambda path: path[2])


def _complex(case):
    return np.result_type(case["dtype"], np.complex64)


def _with_gradient(layer, random_input):
    from autograd import make_vjp

    from spherekit.train import tune_allocator

    tune_allocator()

    args = random_input(np.random.default_rng(0))
    g = np.ones_like(layer(*args))

    def with_gradient(_):
        return make_vjp(lambda arrays: layer(*arrays))(args)[0](g)

    return PreparedCase(
        lambda arrays: layer(*arrays), with_gradient, random_input, _REMARK, one_way=True
    )


def _torch(case, layer, shapes):
    import torch

    require(case["dtype"] == "float32", "compared in float32 only")
    torch.set_num_threads(case["threads"])

    def random_input(rng):
        tensors = [torch.tensor(rng.standard_normal(shape, np.float32)) for shape in shapes]
        return [x.requires_grad_() for x in tensors]

    args = random_input(np.random.default_rng(0))
    g = torch.ones_like(layer(*args))

    def forward(tensors):
        with torch.no_grad():
            return layer(*tensors)

    def with_gradient(_):
        return torch.autograd.grad(layer(*args), args, g)

    return PreparedCase(
        forward, with_gradient, random_input, "compiled by its default settings", one_way=True
    )
