"""Layers and networks that several tests walk, and the signals that they take."""

from spherekit import nn
from spherekit.testing import random_flm

F = nn.fragments()

#: Parts that are equivariant to rounding, from real signals of four channels, L = 6.
STRICT = {
    "fragments": [F],
    "fragments of SO(3)": [nn.lift(3, 3), F],
    "signals": [F, nn.convolution(3), nn.signals()],
    "convolution": [F, nn.convolution(3, 2)],
    "constrained": [F, nn.tensor_product("mst"), nn.constrained(3, 2)],
    "tensor_product full": [F, nn.tensor_product()],
    "tensor_product rmst": [F, nn.convolution(2, 2), nn.tensor_product("rmst")],
    "tensor_product lower": [F, nn.tensor_product(L=3)],
    "fragment_norm": [F, nn.tensor_product("mst"), nn.fragment_norm()],
    "zonal": [nn.zonal(3, 4)],
    "lift": [nn.lift(3, 2, L=5)],
    "lift near_identity": [nn.lift(3, kind="near_identity")],
    "lift equatorial": [nn.lift(3, kind="equatorial")],
    "correlate": [nn.lift(3, 3), nn.correlate(2, 4, L=5)],
    "correlate near_identity": [nn.lift(3), nn.correlate(2, kind="near_identity")],
    "spin_convolution": [nn.spin_convolution(3, (0, 1, -2), 4), nn.spin_convolution(2, L=5)],
    "scalars": [nn.spin_convolution(3), nn.scalars()],
    "products": [nn.products()],
    "products lower": [nn.products(L=4)],
    "products higher": [nn.products(L=9)],
    "brackets": [nn.brackets()],
    "batch_norm": [nn.batch_norm()],
    "batch_norm SO(3)": [nn.lift(3, 3), nn.batch_norm()],
    "batch_norm spins": [nn.spin_convolution(3), nn.batch_norm()],
    "spectral_pool": [nn.spectral_pool(4)],
    "spectral_pool SO(3)": [nn.lift(3), nn.spectral_pool(4, 2)],
    "mean": [nn.mean()],
    "mean SO(3)": [nn.lift(3), nn.mean()],
    "invariants": [F, nn.tensor_product("mst"), nn.invariants()],
    "power": [nn.power()],
    "power of fragments": [F, nn.tensor_product("rmst"), nn.power()],
    "bispectrum": [nn.bispectrum()],
    "dense": [nn.mean(), nn.dense(5), nn.relu(), nn.dense(2)],
}

#: Parts that alias.
POINTWISE = {
    "relu": lambda k: [nn.pointwise("relu", k)],
    "tanh SO(3)": lambda k: [nn.lift(3, 3), nn.pointwise("tanh", k)],
    "modulus_phase": lambda k: [nn.spin_convolution(3), nn.modulus_phase(k)],
    "phase_collapse": lambda k: [nn.spin_convolution(3), nn.phase_collapse(k)],
    "scattering": lambda k: [nn.scattering(J0=1, oversample=k)],
}

SMALL = {
    "tapped": [F, nn.tapped(nn.invariants(), nn.tensor_product("mst"), nn.constrained(2))],
    "fragment_norm": [F, nn.tensor_product(), nn.fragment_norm(), nn.convolution(1), nn.power()],
    "zonal": [nn.zonal(2, 2), nn.pointwise("tanh", 2)],
    "group": [nn.lift(2), nn.pointwise("square"), nn.correlate(2, 2, L=2), nn.batch_norm()],
    "grids": [nn.lift(1, kind="near_identity"), nn.correlate(1, kind="near_identity")],
    "spins": [nn.spin_convolution(2, (0, 1), 2), nn.batch_norm(), nn.modulus_phase()],
    "phase_collapse": [nn.spin_convolution(2), nn.phase_collapse(), nn.scalars(), nn.mean()],
    "quadratic": [nn.products(), nn.brackets(), nn.power(), nn.dense(2)],
    "bispectrum": [nn.bispectrum(), nn.dense(2)],
    # not J0=0 before a norm: of one number a channel and two signals it makes +1 and -1, whose derivatives
    # are the rounding of zero
    "scattering": [nn.scattering(J0=1), nn.batch_norm(), nn.power()],
    "scattering to means": [nn.scattering(J0=0), nn.mean(), nn.dense(2)],
    "pool": [nn.spectral_pool(2), nn.sample_pool(), nn.batch_norm()],
}

MODELS = {
    "cohen": dict(L=6, channels=(6, 40), limits=(4, 3), outputs=1),
    "esteves": dict(L=8, channels=(8, 8, 8), anchors=4, outputs=1),
    "spin": dict(L=8, channels=(8, 8, 8), anchors=(4, 4, 4), outputs=1),
    "kondor": dict(L=5, tau=4, depth=2, outputs=1, hidden=32),
    "cobb": dict(L=5, channels=6, depth=2),
    "hybrid": dict(L=16, J0=2, channels=6, depth=1, outputs=1),
}


def sphere(L, channels, rng, batch=3, real=True, dtype=complex):
    return random_flm(L, rng, reality=real, shape=(batch, channels), dtype=dtype)


def leaves(params):
    if isinstance(params, dict):
        for name in sorted(params):
            if not name.startswith("running"):
                yield from leaves(params[name])
    elif isinstance(params, list | tuple):
        for some in params:
            yield from leaves(some)
    else:
        yield params
