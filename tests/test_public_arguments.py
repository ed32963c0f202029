"""What every public function does with arguments of the wrong kind: one rule, walked over all of them.

`CALLS` holds one valid call of each function; arguments are known by their names. An integer that is
none is a TypeError and one out of range a ValueError, both with the name and the value; an angle takes
its unit along; data with a unit or with masked entries are refused; lists serve as arrays.
"""

import importlib
import inspect

import astropy.units as u
import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from tolerances import IDENTITY, SHORT_SUM, SINGLE_VALUES

from spherekit import harmonic, nn, wigner
from spherekit.sampling import Grid, Rings
from spherekit.sampling import grid as sampling_grid
from spherekit.scattering import Covariances, Scattering
from spherekit.spectra import gaussian_flm
from spherekit.testing import random_flm, random_flmn
from spherekit.wavelets import Wavelets

#: Types of integers, of which the small ones overflow in products.
INTEGERS = (np.int8, np.uint8, np.int16, np.uint64, np.int64)

ROOMS = (
    "sampling",
    "harmonic",
    "wigner",
    "spectra",
    "fields",
    "wavelets",
    "scattering",
    "conventions",
)
WHOLE = {
    "L",
    "N",
    "J0",
    "depth",
    "nside",
    "mmax",
    "l1",
    "l2",
    "l3",
    "m1",
    "m2",
    "m3",
    "ell",
    "m",
    "n",
}
WHOLE |= {"spin", "threads", "L_lower", "max_iter", "iterations", "n_theta", "batch", "directions"}
ANGLES = {"alpha", "beta", "gamma", "theta", "phi", "phi0", "fwhm"}
ARRAYS = {
    "f",
    "flm",
    "flm2",
    "flmn",
    "glmn",
    "psi",
    "blm",
    "kl",
    "alm",
    "cilm",
    "E",
    "B",
    "x",
    "cl",
}
ARRAYS |= {"values", "T"}
#: Types of results and of parameters, which nobody calls; what takes none of the above; `Wind`, whose
#: arguments are those of fields.kinetic_energy_spectrum; what takes spectra as a dict of pairs only.
OTHERS = {
    "KineticEnergySpectrum",
    "Wind",
    "Realizations",
    "Residual",
    "SignalDeviation",
    "WienerFit",
    "Fit",
    "Diffusion",
    "ConstrainedFill",
    "Path",
    "Statistics",
    "generate",
    "grid",
    "frame_angles",
    "table",
    "modulus",
    "Rings",
    "Grid",
    "Mask",
    "MaskedField",
    "Coupling",
    "Bandpowers",
    "gaussian_covariance",
    "deprojection_bias",
}

#: Functions of maps or masks: of a mask, which is boolean, they make a mask.
OF_MASKS = {"fields.degrade", "fields.upgrade"}

#: Arguments that must be complex.
OF_COMPLEX = {("spectra.pure_coefficients", "f")}

#: Functions of a dict of spectra.
OF_DICTS = {
    "spectra.constrained_realization",
    "spectra.correlated_flm",
    "spectra.gaussian_sky",
    "fields.fill",
}
OF_DICTS |= {"spectra.wiener_filter"}

RNG = np.random.default_rng(5)
FLM, FLMN = random_flm(4, RNG, reality=True), random_flmn(4, 2, RNG)
SAMPLES, POINTS = RNG.standard_normal((4, 7)), dict(theta=[0.3, 1.0], phi=[0.1, 2.0])
PIXELS, EULER = RNG.standard_normal(12), dict(alpha=0.1, beta=0.2, gamma=0.3)
MANY = {name: [angle, angle] for name, angle in EULER.items()}
HALF = np.arange(10) + 0j

CALLS = {
    **{f"sampling.{kind}": dict(L=4, n_phi=8, phi0=0.1) for kind in ("MW", "DHPole", "GL")},
    "sampling.MWSS": dict(L=4, n_phi=8, phi0=0.1),
    "sampling.DH": dict(L=4, n_phi=8, n_theta=7, phi0=0.1),
    "sampling.CC": dict(L=4, n_theta=7, phi0=0.1),
    "sampling.HEALPix": dict(nside=2),
    "sampling.RotationGrid": dict(L=4, N=2),
    "harmonic.analyse": dict(f=PIXELS, L=2, sampling="healpix:1", spin=0, max_iter=9, threads=1),
    "harmonic.estimate_memory": dict(L=4, spin=1, batch=2, threads=1),
    "harmonic.evaluate": dict(flm=FLM, **POINTS, spin=1, threads=1),
    "harmonic.evaluate_adjoint": dict(values=[1.0, 2.0], **POINTS, L=4, spin=1, threads=1),
    "harmonic.forward": dict(f=SAMPLES, L=4, spin=1, threads=1),
    "harmonic.forward_adjoint": dict(flm=FLM, L=4, spin=1, threads=1),
    "harmonic.inverse": dict(flm=FLM, L=4, spin=1, threads=1),
    "harmonic.inverse_adjoint": dict(f=SAMPLES, L=4, spin=1, threads=1),
    "harmonic.synthesis_operator": dict(L=2, sampling="healpix:1", spin=1, threads=1),
    "wigner.D": dict(**EULER, L=4),
    "wigner.clebsch_gordan": dict(l1=1, l2=1, l=1),
    "wigner.clebsch_gordan_blocks": dict(L=3),
    "wigner.clebsch_gordan_by_order": dict(l1=1, l2=1, l=1),
    "wigner.correlate": dict(flmn=FLMN, glmn=FLMN, N=2),
    "wigner.d": dict(beta=0.2, L=4),
    "wigner.d_column": dict(m=1, n=0, beta=0.2, L=4),
    "wigner.estimate_memory": dict(L=4, N=2, batch=2, threads=1),
    "wigner.evaluate": dict(flmn=FLMN, **MANY, threads=1),
    "wigner.forward": dict(f=RNG.standard_normal((3, 4, 7)), L=4, N=2, L_lower=0, threads=1),
    "wigner.forward_adjoint": dict(flmn=FLMN, L=4, N=2, L_lower=0, threads=1),
    "wigner.inverse": dict(flmn=FLMN, L=4, N=2, L_lower=0, threads=1),
    "wigner.inverse_adjoint": dict(f=RNG.standard_normal((3, 4, 7)), L=4, N=2, threads=1),
    "wigner.lift": dict(flm=FLM, psi=FLM, N=2),
    "wigner.real_basis": dict(ell=1),
    "wigner.rotate": dict(flm=FLM, **EULER, threads=1),
    "wigner.rotate_map": dict(f=SAMPLES, L=4, **EULER, spin=1, threads=1),
    "wigner.total_convolution": dict(flm=FLM, blm=FLM, **MANY, N=2, threads=1),
    "wigner.wigner_3j": dict(l1=1, l2=1, l3=1, m1=0, m2=0, m3=0),
    "wigner.zonal": dict(flm=FLM, kl=np.ones(4)),
    "spectra.Bins": dict(first=[1], stop=[3], L=4),
    "spectra.apodize": dict(mask=np.arange(12), width=0.5, sampling="healpix:1", threads=1),
    "spectra.beam_window": dict(beam=0.1, L=4, spin=1, nside=2),
    "spectra.constrained_realization": dict(
        f=PIXELS,
        L=2,
        spin=0,
        cl=np.ones(2),
        noise=1.0,
        rng=0,
        n=1,
        sampling="healpix:1",
        max_iter=9,
        threads=1,
    ),
    "spectra.correlated_flm": dict(cl=np.ones((2, 2, 4)), L=4, rng=0),
    "spectra.mode_fraction": dict(mask=np.ones(12), sampling="healpix:1"),
    "spectra.noise_power": dict(mask=np.ones(12), L=2, sampling="healpix:1", level=1.0, spin=1),
    "spectra.split_power": dict(signals={"T": np.array([FLM, FLM])}),
    "spectra.knox_errors": dict(spectra={"TT": np.ones(4)}),
    "spectra.coupling_matrix": dict(mask_power=np.ones(4), L=4, spin=1, spin2=2, threads=1),
    "spectra.cross_power": dict(signals={"T": FLM, ("E", "B"): (FLM, 2)}),
    "spectra.deproject": dict(
        f=PIXELS, mask=np.ones(12), templates=np.ones((1, 12)), sampling="healpix:1", spin=0
    ),
    "spectra.gaussian_beam": dict(fwhm=0.1, L=4, spin=1),
    "spectra.gaussian_flm": dict(cl=np.ones(4), L=4, rng=0),
    "spectra.gaussian_sky": dict(cl=np.ones(4), L=4, index=0, seed=0, sampling="mw", threads=1),
    "spectra.masked_field": dict(
        f=PIXELS, L=2, sampling="healpix:1", spin=0, iterations=1, threads=1
    ),
    "spectra.masked_flm": dict(
        f=PIXELS, L=2, mask=np.ones(12), sampling="healpix:1", spin=0, threads=1
    ),
    "spectra.masked_power": dict(f=PIXELS, L=2, mask=np.ones(12), sampling="healpix:1", threads=1),
    "spectra.pixel_window": dict(nside=2, L=4, spin=1),
    "spectra.polarization_power": dict(flm=FLM, T=FLM, spin=1),
    "spectra.power": dict(flm=FLM, flm2=FLM),
    "spectra.pure_coefficients": dict(
        f=np.ones(48, complex), L=3, mask=np.ones(48), sampling="healpix:2", iterations=1, threads=1
    ),
    "spectra.remove_monopole_dipole": dict(f=PIXELS, sampling="healpix:1"),
    "spectra.remove_templates": dict(f=PIXELS, templates=[PIXELS**2], sampling="healpix:1"),
    "spectra.wiener_filter": dict(
        f=PIXELS, L=2, spin=0, cl=np.ones(2), noise=1.0, sampling="healpix:1", max_iter=9, threads=1
    ),
    "spectra.sky_fraction": dict(mask=np.ones(12), sampling="healpix:1"),
    **{
        f"fields.{name}": dict(f=SAMPLES, L=4, spin=0, sampling="mw:4", max_iter=9, threads=1)
        for name in ("gradient", "inverse_laplacian", "laplacian")
    },
    "fields.kinetic_energy_spectrum": dict(
        u=SAMPLES, v=SAMPLES + 1, grid="gl:4", L=4, max_iter=9, threads=1
    ),
    "fields.lower_spin": dict(f=SAMPLES, spin=1, L=4, sampling="mw:4", max_iter=9, threads=1),
    "fields.raise_spin": dict(f=SAMPLES, spin=1, L=4, sampling="mw:4", max_iter=9, threads=1),
    "fields.along": dict(
        f=SAMPLES, path=[(0.1, 0.2), (1, 2)], L=4, spin=0, sampling="mw:4", max_iter=9, threads=1
    ),
    "fields.fill": dict(
        f=np.where(np.arange(28) == 3, np.nan, np.arange(28.0)).reshape(4, 7),
        method="constrained",
        cl=np.ones(2),
        noise=1.0,
        n=2,
        rng=0,
        L=2,
        spin=0,
        sampling="mw:4",
        max_iter=99,
        threads=1,
    ),
    "fields.regrid": dict(
        f=SAMPLES, grid="gl:4", L=4, spin=0, sampling="mw:4", max_iter=9, threads=1
    ),
    "fields.smooth": dict(f=SAMPLES, fwhm=0.1, L=4, spin=0, sampling="mw:4", max_iter=9, threads=1),
    "fields.degrade": dict(f=PIXELS, nside=1, sampling="healpix:1", threads=1),
    "fields.upgrade": dict(f=PIXELS, nside=1, sampling="healpix:1", threads=1),
    "fields.truncate": dict(f=SAMPLES, L=3, spin=0, sampling="mw:4", max_iter=9, threads=1),
    "wavelets.Wavelets": dict(L=8, J0=0, N=1, spin=0, threads=1),
    "scattering.Covariances": dict(L=8, J0=1, N=3, directions=5, threads=1),
    "scattering.Scattering": dict(L=8, J0=1, depth=1, N=1, spin=0, threads=1),
    "conventions.band_limit_of": dict(flm=FLM),
    "conventions.degrees": dict(L=4),
    "conventions.eb_to_spin": dict(E=FLM, B=FLM, spin=1),
    "conventions.from_ducc": dict(alm=HALF, L=4, spin=0, mmax=3),
    "conventions.from_healpy": dict(alm=HALF, L=4, mmax=3),
    "conventions.from_real": dict(x=np.arange(16.0)),
    "conventions.from_s2fft": dict(flm=np.ones((4, 7))),
    "conventions.from_shtools": dict(cilm=np.zeros((2, 4, 4))),
    "conventions.orders": dict(L=4),
    "conventions.spin_to_eb": dict(flm=FLM, spin=1),
    "conventions.to_ducc": dict(flm=FLM, spin=0, mmax=3),
    "conventions.to_healpy": dict(flm=FLM, mmax=3),
    "conventions.to_real": dict(flm=FLM),
    "conventions.to_s2fft": dict(flm=FLM),
    "conventions.to_shtools": dict(flm=FLM),
}


class Labelled:
    """An array inside another object, as xarray has it: its unit is that of ``data``."""

    def __init__(self, data):
        self.data = data

    def __array__(self, dtype=None, copy=None):
        return np.array(self.data.value, dtype)


def resolve(path):
    room, name = path.split(".")
    return getattr(importlib.import_module(f"spherekit.{room}"), name)


def arguments(names):
    return [(path, name) for path, call in CALLS.items() for name in call if name in names]


def call_with(path, **changes):
    return resolve(path)(**{**CALLS[path], **changes})


def leaves(result):
    """The arrays of a result, to compare it."""
    if isinstance(result, dict):
        return leaves(list(result.values()))
    if isinstance(result, list | tuple):
        return [leaf for item in result for leaf in leaves(item)]
    if isinstance(result, Grid):
        return [result.theta, result.phi]
    return [np.asarray(result)]


def public_names(room):
    module = importlib.import_module(f"spherekit.{room}")
    for name in getattr(module, "__all__", None) or dir(module):
        value = getattr(module, name)
        if callable(value) and getattr(value, "__module__", "").startswith("spherekit"):
            yield name, value


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_is_walked(room):
    """A new function, or a new argument of a known name, must be entered in `CALLS`."""
    known = WHOLE | ANGLES | ARRAYS
    for name, function in public_names(room):
        if name in OTHERS:
            continue
        required = set(inspect.signature(function).parameters) & known
        missing = required - set(CALLS.get(f"{room}.{name}", {})) - {"n_phi", "L_lower", "n_theta"}
        assert not missing, f"{room}.{name} is called nowhere with {missing}"


@pytest.mark.parametrize("path", CALLS)
def test_the_calls_are_valid(path):
    call_with(path)


@pytest.mark.parametrize("bad", [2.0, "2", True, np.True_, [2], 1j, np.float64(1)])
@pytest.mark.parametrize("path, name", arguments(WHOLE | {"n_phi"}))
def test_what_is_not_a_whole_number(path, name, bad):
    with pytest.raises(TypeError, match=rf"\b{name} is .*integer"):
        call_with(path, **{name: bad})


@pytest.mark.parametrize("path, name", arguments(WHOLE - {"ell", "l1", "l2", "l3", "l"}))
def test_whole_numbers_out_of_range(path, name):
    with pytest.raises(ValueError, match=rf"\b{name}\b.*-99"):
        call_with(path, **{name: -99})


@pytest.mark.parametrize("path, name", arguments(WHOLE))
def test_whole_numbers_of_numpy(path, name):
    """The same bits, and the same objects: what is checked is stored as an int of Python."""
    value = CALLS[path][name]
    plain = call_with(path)
    for kind in INTEGERS:
        result = call_with(path, **{name: kind(value)})
        for a, b in zip(leaves(result), leaves(plain), strict=True):
            assert np.array_equal(a, b) and a.dtype == b.dtype
        if hasattr(result, "__dict__"):
            assert result == plain and hash(result) == hash(plain) and repr(result) == repr(plain)
            held = {k: v for k, v in vars(result).items() if isinstance(v, np.generic)}
            assert not held, f"{path} keeps {held}"


@pytest.mark.parametrize("kind", [*INTEGERS, np.float16, np.float32])
@pytest.mark.parametrize("name, value", dict(lam=2, oversample=3).items())
def test_real_numbers_of_numpy(name, value, kind):
    """As those of Python: a product with float16 is rounded to it."""
    one, two = (Covariances(16, N=1, **{name: some}) for some in (value, kind(value)))
    assert one == two and hash(one) == hash(two) and repr(one) == repr(two)


@pytest.mark.parametrize("kind", [*INTEGERS, np.float16, np.float32])
@pytest.mark.parametrize("oversample", [1.1, 1.7])
def test_products_with_numbers_of_numpy(oversample, kind):
    narrow = np.float16(oversample)
    one, two = (nn.Pointwise("relu", factor) for factor in (float(narrow), narrow))
    assert one == two and hash(one) == hash(two) and repr(one) == repr(two)
    assert one.out_type(nn.Sphere(500, 1)) == two.out_type(nn.Sphere(500, 1))


@pytest.mark.parametrize("kind", INTEGERS)
def test_numbers_of_directions(kind, rng):
    """Covariances of any type of the number are those of the int."""
    flm = random_flm(8, rng, reality=True)
    one, two = (Covariances(8, N=3, directions=n).from_flm(flm) for n in (5, kind(5)))
    for a, b in zip(one, two, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("kind", INTEGERS)
def test_paths_of_numpy(kind):
    one, two = (Scattering(8, paths=[(), (s(2),), (s(2), s(1))]) for s in (int, kind))
    assert one == two and hash(one) == hash(two)
    assert all(type(j) is int for path in two.paths for j in path.scales)


@pytest.mark.parametrize("bad", [True, 1.0, 1 + 0j, "1", None, [1]])
def test_paths_hold_whole_numbers(bad):
    with pytest.raises(TypeError, match="a scale of paths is .*integer"):
        Scattering(8, paths=[(1, bad)])


@pytest.mark.parametrize("paths", [3, None, [1, 2], ["12"]])
def test_paths_are_sequences_of_scales(paths):
    with pytest.raises(TypeError, match="paths (is|contains) .*expected"):
        Scattering(8, paths=paths)


@pytest.mark.parametrize("family", ["scale-discretised", "needlet", "curvelet"])
@pytest.mark.parametrize("bad", [True, 8.0, np.float32(8), 8 + 0j, [8], "8"])
def test_the_directions_of_every_family_are_whole_numbers(bad, family):
    with pytest.raises(TypeError, match="N is .*integer"):
        Wavelets(8, N=bad, family=family)


@pytest.mark.parametrize("family", ["scale-discretised", "needlet", "curvelet"])
@pytest.mark.parametrize("kind", INTEGERS)
def test_directions_of_numpy_in_every_family(kind, family):
    assert Wavelets(8, N=kind(8), family=family) == Wavelets(8, N=8, family=family)


@pytest.mark.parametrize("bad", ["foo", None, 3, np.int32, "M8[s]", object, np.float16, [("a",)]])
@pytest.mark.parametrize(
    "call",
    [
        lambda bad: nn.Sequential(nn.Features(3), nn.Dense(2)).init(0, dtype=bad),
        lambda bad: random_flm(4, 0, dtype=bad),
        lambda bad: random_flmn(4, 2, 0, dtype=bad),
        lambda bad: harmonic.estimate_memory(4, dtype=bad),
        lambda bad: wigner.estimate_memory(4, 2, dtype=bad),
    ],
)
def test_types_of_results(call, bad):
    """One check of what is a dtype, and which."""
    with pytest.raises(TypeError, match="dtype.* is .*; expected (float32|complex64) or "):
        call(bad)


def test_byte_order_of_results():
    assert random_flm(4, 0, dtype=">c8").dtype == np.complex64


def test_shapes_of_random_coefficients():
    assert random_flm(4, 0, shape=3).shape == random_flm(4, 0, shape=(np.uint8(3),)).shape


@pytest.mark.parametrize("bad", [(2.0,), "2", 2.5, None, (True,)])
def test_shapes_are_whole_numbers(bad):
    with pytest.raises(TypeError, match="shape is .*integer"):
        random_flm(4, 0, shape=bad)


@pytest.mark.parametrize("bad", [(-3,), -3])
def test_shapes_below_zero(bad):
    with pytest.raises(ValueError, match="shape is -3"):
        random_flm(4, 0, shape=bad)


def test_a_degree_that_no_memory_holds():
    with pytest.raises(MemoryError, match="real basis of degree 1000000000"):
        wigner.real_basis(10**9)


@pytest.mark.parametrize("path, name", arguments(ANGLES))
def test_the_unit_of_an_angle_is_taken(path, name):
    degrees = np.degrees(CALLS[path][name])
    plain = leaves(call_with(path))
    quantity = degrees * u.deg
    nested = np.ma.masked_array(quantity), Labelled(quantity)
    for angle in (quantity, quantity.to(u.arcmin), np.radians(degrees) * u.rad, *nested):
        for a, b in zip(leaves(call_with(path, **{name: angle})), plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=IDENTITY, atol=SHORT_SUM)


@pytest.mark.parametrize("path, name", arguments(ANGLES))
def test_what_is_no_angle(path, name):
    value = np.array(CALLS[path][name], float)
    masked = np.ma.masked_array(value, mask=np.ones(value.shape, bool))
    refusals = [
        (value * u.K, "unit K"),
        (value * np.nan, "NaN"),
        (value + np.inf, "infinite"),
        (value + 1j, "complex"),
        (masked, "mask"),
        (np.full(value.shape, "0.1"), "dtype"),
    ]
    for bad, words in refusals:
        with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b.*{words}"):
            call_with(path, **{name: bad})


@pytest.mark.parametrize("path, name", arguments(ARRAYS))
def test_data_with_a_unit_or_a_mask(path, name):
    value = np.asarray(CALLS[path][name])
    mask = np.zeros(value.shape, bool)
    mask.flat[0] = True
    for bad, words in [
        (value * u.K, "unit K"),
        (np.ma.masked_array(value, mask), "mask"),
        ([row * u.K for row in value], "unit K"),
        (np.ma.masked_array(value * u.K), "unit K"),
        (Labelled(value * u.K), "unit K"),
        ({"TT": value}, "dict"),
        (value.astype("U9"), "dtype"),
        (value.astype(object), "object"),
    ]:
        if isinstance(bad, dict) and path in OF_DICTS:
            continue
        with pytest.raises(TypeError, match=rf"\b{name}\b.*{words}"):
            call_with(path, **{name: bad})


@pytest.mark.parametrize("path, name", arguments(ARRAYS))
def test_all_that_holds_the_same_numbers(path, name):
    """Lists, read-only, Fortran-ordered, byte-swapped arrays, and masked ones without a masked entry."""
    value = np.asarray(CALLS[path][name])
    plain = leaves(call_with(path))
    frozen = value.copy()
    frozen.flags.writeable = False
    same = [value.tolist(), frozen, np.asfortranarray(value), np.ma.masked_array(value)]
    same += [value.astype(value.dtype.newbyteorder()), np.repeat(value, 2, axis=-1)[..., ::2]]
    for other in same:
        for a, b in zip(leaves(call_with(path, **{name: other})), plain, strict=True):
            assert np.array_equal(a, b) and a.dtype == b.dtype


@pytest.mark.parametrize("path, name", arguments(ARRAYS))
def test_whole_numbers_in_floating_point_out(path, name):
    """No result takes an integer or boolean type from what came in."""
    value = np.zeros(np.shape(CALLS[path][name]), int)
    if (path, name) in OF_COMPLEX:
        with pytest.raises(TypeError, match="are complex"):
            call_with(path, **{name: value})
        return
    for dtype in (np.int32, np.uint8, *([] if path in OF_MASKS else [bool])):
        for array in leaves(call_with(path, **{name: value.astype(dtype)})):
            assert array.dtype.kind in "fc" or array.ndim == 0  # of counts beside the result


@pytest.mark.parametrize("rng", [None, 1.5, "0", True, -1, np.random.RandomState(0)])
@pytest.mark.parametrize(
    "call", [lambda rng: gaussian_flm(np.ones(3), 3, rng), lambda rng: random_flm(3, rng)]
)
def test_what_is_no_generator(call, rng):
    with pytest.raises((TypeError, ValueError), match="rng is"):
        call(rng)


@pytest.mark.parametrize("seed", [3, np.int64(3), np.random.SeedSequence(3)])
def test_seeds_serve_as_generators(seed):
    assert np.array_equal(random_flm(3, seed), random_flm(3, np.random.default_rng(3)))


@pytest.mark.parametrize(
    "path, name", [("harmonic.evaluate", "theta"), ("harmonic.evaluate_adjoint", "theta")]
)
def test_the_largest_colatitude_of_single_precision(path, name):
    """float32 pi exceeds pi: within the rounding of its type an angle lies on the pole."""
    at_pole = leaves(call_with(path, theta=[0.3, np.pi]))
    for a, b in zip(leaves(call_with(path, theta=np.float32([0.3, np.pi]))), at_pole, strict=True):
        np.testing.assert_allclose(a, b, rtol=SINGLE_VALUES, atol=SINGLE_VALUES)


def test_the_largest_beta_of_single_precision():
    beta = np.float32([np.pi, 0.2])
    assert np.isfinite(call_with("wigner.evaluate", beta=beta)).all()
    assert np.isfinite(call_with("wigner.total_convolution", beta=beta)).all()


@pytest.mark.parametrize("path", ["harmonic.evaluate", "harmonic.evaluate_adjoint"])
def test_derivatives_at_the_largest_colatitude_of_single_precision(path):
    def total(theta):
        return anp.sum(anp.abs(call_with(path, theta=theta)) ** 2)

    slope = grad(total)(np.float32([0.3, np.pi]))
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, grad(total)(np.array([0.3, np.pi])), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("reality", [True, False])
def test_operators_check_their_vectors(reality):
    """By every name that SciPy gives to the product."""
    operator = call_with("harmonic.synthesis_operator", spin=0, reality=reality)
    x, y = np.ones(4), np.ones(12)
    products = [
        (operator.matvec, x),
        (operator.rmatvec, y),
        (operator.dot, x),
        (lambda v: operator @ v, x),
        (lambda v: operator * v, x),
        (lambda v: operator.H @ v, y),
        (operator.H.matvec, y),
        (operator.H.rmatvec, x),
        (operator.H.H.dot, x),
    ]
    for product, vector in products:
        plain = product(vector)
        assert plain.dtype == (float if reality else complex)
        for same in (vector.tolist(), vector.astype(np.float32), vector.astype(int)):
            assert np.array_equal(product(same), plain)
        mask = np.arange(vector.size) == 1
        bad = [vector * u.K, np.ma.masked_array(vector, mask), vector.astype(np.longdouble)]
        for wrong in [*bad, *([vector + 1j] if reality else [])]:
            with pytest.raises(TypeError, match=r"\bx\b"):
                product(wrong)


def test_rings_take_lists_with_units_and_counts_that_are_whole():
    plain = Rings([1.0, 2.0], 4, [0.1, 0.2], [0.5, 0.6])
    assert (
        Rings([1.0 * u.rad, 2.0 * u.rad], [4, 4], [0.1 * u.rad, 0.2 * u.rad], [0.5, 0.6]) == plain
    )
    with pytest.raises(TypeError, match="weights.*unit sr"):
        Rings([1.0, 2.0], 4, weights=[1 * u.sr, 2 * u.sr])


@pytest.mark.parametrize(
    "n_phi, error",
    [
        ([True, 4], TypeError),
        ([4.0, 4], TypeError),
        (2**70, ValueError),
        (np.array([[4, 4], [4, 4]]), TypeError),
    ],
)
def test_counts_of_rings_that_are_refused(n_phi, error):
    with pytest.raises(error, match="n_phi is"):
        Rings([1.0, 2.0], n_phi)


@pytest.mark.parametrize("name, digits", [("mw", 5000), ("healpix", 30), ("mw", 15)])
def test_grid_names_with_numbers_of_any_length(name, digits):
    with pytest.raises(ValueError, match="integer"):
        sampling_grid(f"{name}:{'9' * digits}")
