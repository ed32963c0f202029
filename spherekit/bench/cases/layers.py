"""Layers that others have too, 16 channels of real signals, forward; and as "forward" with their gradient.

Products: every ordered path (l1, l2, l) below L of two signals, channel by channel, each path for itself.
Activations: relu on the least grid that carries the band-limit; on SO(3) the grid that e3nn takes by itself
is twice as fine in alpha and gamma (aspect_ratio=2; with 1 it takes a quarter of the time).
"""

import numpy as np

from spherekit.bench.cases.harmonic import Prepared, require

CHANNELS = 16
_REMARK = "layers: the first column is the layer, the second the layer and its gradient; 16 channels a map"


def product_spherekit(case):
    """Clebsch-Gordan products of two signals, as in `nn.TensorProduct`."""
    from spherekit.nn import clebsch_gordan_products
    from spherekit.nn.fragment_indexing import batch_first
    from spherekit.nn.types import Fragments

    L = case["L"]
    signals = Fragments((1,) * L, CHANNELS)
    form, _ = clebsch_gordan_products.form(
        signals, signals, [(a, 0, b, 0, c) for a, b, c in _paths(L)], True
    )
    shape = signals.size, case["batch"], CHANNELS

    def start(rng):
        arrays = (rng.standard_normal(shape).astype(case["dtype"]) for _ in range(2))
        return [batch_first(x) for x in arrays]

    return _with_gradient(
        lambda u, v: clebsch_gordan_products.contract(u, v, form, 2, case["threads"]), start
    )


def product_e3nn(case):
    """e3nn's TensorProduct, "uuu" without weights, as many outputs as paths."""
    from e3nn import o3

    L, paths = case["L"], _paths(case["L"])
    signal = o3.Irreps([(CHANNELS, (ell, 1)) for ell in range(L)])
    out = o3.Irreps([(CHANNELS, (ell, 1)) for _, _, ell in paths])
    instructions = [(a, b, k, "uuu", False) for k, (a, b, _) in enumerate(paths)]
    layer = o3.TensorProduct(signal, signal, out, instructions)
    return _torch(case, layer, [(case["batch"], signal.dim)] * 2)


def sphere_spherekit(case):
    """relu of the samples on the sphere."""
    from spherekit import nn
    from spherekit.testing import random_flm

    kind, shape = _complex(case), (case["batch"], CHANNELS)
    layer = nn.Pointwise("relu")
    context = nn.Context(threads=case["threads"], in_type=nn.Sphere(case["L"], CHANNELS))

    def start(rng):
        return [random_flm(case["L"], rng, reality=True, shape=shape, dtype=kind)]

    return _with_gradient(lambda x: layer.forward({}, x, context), start)


def sphere_e3nn(case):
    """e3nn's S2Activation; its grid needs 2 L rings."""
    import torch
    from e3nn import nn, o3

    L = case["L"]
    irreps = o3.Irreps([(1, (ell, 1)) for ell in range(L)])
    layer = nn.S2Activation(irreps, torch.relu, (2 * L, 2 * L - 1))
    return _torch(case, layer, [(case["batch"] * CHANNELS, irreps.dim)])


def group_spherekit(case):
    """relu of the samples on SO(3), all orders n."""
    from spherekit import nn
    from spherekit.testing import random_flmn

    L, kind, shape = case["L"], _complex(case), (case["batch"], CHANNELS)
    layer = nn.Pointwise("relu")
    context = nn.Context(threads=case["threads"], in_type=nn.SO3(L, L, CHANNELS))

    def start(rng):
        return [random_flmn(L, L, rng, reality=True, shape=shape, dtype=kind)]

    return _with_gradient(lambda x: layer.forward({}, x, context), start)


def group_e3nn(case):
    """e3nn's SO3Activation as it comes: 2 L samples of beta, 4 L of alpha and gamma."""
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
    triples = np.ndindex(L, L, L)
    return sorted(
        (p for p in triples if abs(p[0] - p[1]) <= p[2] <= p[0] + p[1]), key=lambda p: p[2]
    )


def _complex(case):
    return np.result_type(case["dtype"], np.complex64)


def _with_gradient(layer, start):
    from autograd import make_vjp

    from spherekit.train import tune_allocator

    tune_allocator()

    args = start(np.random.default_rng(0))
    g = np.ones_like(layer(*args))

    def both(_):
        return make_vjp(lambda arrays: layer(*arrays))(args)[0](g)

    return Prepared(lambda arrays: layer(*arrays), both, start, _REMARK, one_way=True)


def _torch(case, layer, shapes):
    import torch

    require(case["dtype"] == "float32", "measured in float32 only")
    torch.set_num_threads(case["threads"])

    def start(rng):
        tensors = [torch.tensor(rng.standard_normal(shape, np.float32)) for shape in shapes]
        return [x.requires_grad_() for x in tensors]

    args = start(np.random.default_rng(0))
    g = torch.ones_like(layer(*args))

    def forward(tensors):
        with torch.no_grad():
            return layer(*tensors)

    def both(_):
        return torch.autograd.grad(layer(*args), args, g)

    return Prepared(forward, both, start, "e3nn: compiled as it compiles itself", one_way=True)
