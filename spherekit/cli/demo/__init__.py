"""Run all transforms on a WMAP map and train a small network, without downloads.

The WMAP 7-year W-band map (nside 32, part of the package) is analyzed to degree 64 and synthesized on two
grids. The power spectrum of its unmasked part is compared with the Planck 2018 best fit. The map is
decomposed into wavelets, and its scattering coefficients are compared with those of Gaussian maps of the
same spectrum. Finally a small network is trained to classify simulated Gaussian and non-Gaussian skies. The
results are written to one folder; running the demo again overwrites them.
"""

import time
from contextlib import contextmanager

import numpy as np

from spherekit.cli import analysis, options, output
from spherekit.cli.stokes import Component

L = 65
J0 = 2  # lowest wavelet scale: the scaling function covers the degrees below 4
_COLUMNS = ("TEMPERATURE",)
TRAINING = "cmb-gaussianity-small"
#: The percentages are those of the mean over a pixel of nside 32.
CAPTION = (
    "{C} is not corrected for the pixel window (-4 % at {l} = 20, -14 % at 40, -32 % at 64),",
    "the beam and the noise, which adds power at high {l}.",
)


def arguments(parser):
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        default="spherekit-demo",
        help="output folder; default spherekit-demo",
    )
    options.threads(parser)


def run(args):
    from spherekit import datasets
    from spherekit.cli import wavelets
    from spherekit.cli.demo import pictures
    from spherekit.warmup.completion import is_complete

    folder = options.folder(args.output)
    start = time.perf_counter()
    compiled = not is_complete("demo")
    if compiled:
        with _step("Compiling kernels, once for this machine"):
            _compile_kernels(args.threads)
    sky = 1e3 * datasets.wmap_w().astype(float)
    mask = datasets.wmap_mask()
    with _step("1. Analysis: harmonic coefficients of the WMAP 7-year W-band map"):
        flm = _analyze(folder / "alm.fits", sky, args.threads)
    with _step("2. Synthesis: the map of these coefficients on two grids"):
        pixels = _synthesize(folder, flm, args.threads)
    with _step("3. Power spectrum of the unmasked sky"):
        cl, theory, f_sky = _spectrum(folder / "cl.fits", sky, mask, args.threads)
    with _step("4. Wavelets: the map scale by scale"):
        decomposition = _decompose(flm, args.threads)
    with _step("5. Scattering coefficients, compared with Gaussian maps of the same spectrum"):
        S, comparisons = _scatter(flm, sky, mask, args.threads)
    with _step("6. Plots"):
        pictures.maps(folder / "map.png", flm, L, sky, pixels, mask, args.threads)
        pictures.spectrum(folder / "spectrum.png", cl, theory, f_sky, CAPTION)
        output.save(wavelets.panel(*decomposition, "uK"), folder / "wavelets.png")
        pictures.scattering(folder / "scattering.png", S, comparisons)
    with _step("7. A network that classifies simulated Gaussian and non-Gaussian skies"):
        _classify(folder, args.threads)
    elapsed = time.perf_counter() - start
    including = ", including compilation" if compiled else ""
    print(f"\nDone in {elapsed:.1f} s{including}. Results in {folder}/:")
    print(f"   alm.fits        coefficients of degrees < {L}, uK")
    print(f"   map_mw.npz      the map of these coefficients on the grid mw:{L}")
    print("   map.fits        the same on HEALPix nside 32")
    print("   cl.fits         C_l / f_sky of the unmasked sky, uK^2")
    print("   map.png         the maps")
    print("   spectrum.png    the power spectrum")
    print("   wavelets.png    the map scale by scale")
    print("   scattering.png  scattering coefficients of the map and of Gaussian maps")
    print("   skies.png       a sky of each class, and the accuracy of each method")
    print("   model.npz       the network, for spherekit predict")
    print("For step 7 at L = 256, run: spherekit train cmb-gaussianity")


@contextmanager
def _step(title):
    print(title, flush=True)
    start = time.perf_counter()
    yield
    print(f"   ({time.perf_counter() - start:.1f} s)", flush=True)


def _compile_kernels(processes):
    """Compile the kernels in several processes, or later in this one where they cannot be cached."""
    from spherekit.cli import warmup
    from spherekit.warmup.processes import NotCachedError

    try:
        warmup.compile_kernels(["demo"], processes)
    except NotCachedError as error:
        _print_indented(error, "they are compiled in the steps below, and again in other processes")


def _print_indented(*lines):
    for line in lines:
        print(f"   {line}")


def _analyze(path, sky, threads):
    flags = dict(sampling="healpix:32", reality=True, threads=threads)
    flm, residual = analysis.fit(sky, L, **flags)
    output.write_coefficients(path, [Component(flm, 0, _COLUMNS, "uK")], L, "galactic")
    _print_indented(
        f"HEALPix nside 32, {sky.size} pixels, rms {sky.std():.0f} uK including the Galaxy",
        f"least-squares fit of degrees < {L} ({L * L} unknowns): {residual.iterations} iterations",
        f"residual {100 * residual.relative:.1f} % of the rms: noise and sharp features of the Galactic "
        f"plane beyond degree {L - 1}",
    )
    return flm


def _synthesize(folder, flm, threads):
    import spherekit
    from spherekit.sampling import MW, HEALPix

    flags = dict(reality=True, threads=threads)
    f = spherekit.inverse(flm, L, sampling=MW(L), **flags)
    recovered = spherekit.forward(f, L, sampling=MW(L), **flags)
    pixels = spherekit.inverse(flm, L, sampling="healpix:32", **flags)
    for name, values, grid in (("map_mw.npz", f, MW(L)), ("map.fits", pixels, HEALPix(32))):
        component = Component(values, 0, _COLUMNS, "uK")
        output.write_map(folder / name, [component], grid, "galactic")
    error = np.abs(recovered - flm).max() / np.abs(flm).max()
    _print_indented(
        f"McEwen-Wiaux grid, {f.shape[0]} x {f.shape[1]} samples, with a sampling theorem:",
        f"forward(inverse(flm)) equals flm to {error:.0e} of its largest coefficient",
        "HEALPix nside 32, without a sampling theorem: hence the least-squares fit of step 1",
    )
    return pixels


def _spectrum(path, sky, mask, threads):
    from spherekit import datasets
    from spherekit.cli.fsky_spectra import harmonics, remove_low
    from spherekit.sampling import HEALPix
    from spherekit.spectra import power

    weights = mask.astype(float)
    sky, removed = remove_low(sky, HEALPix(32), weights, dipole=True)
    flm, f_sky, method = harmonics(sky, HEALPix(32), L, weights, threads=threads)
    cl = power(flm) / f_sky
    theory = datasets.planck2018_cl(L)["TT"]
    name = _COLUMNS[0]
    output.write_spectra(path, {name: cl}, {name: "uK^2"}, "galactic")
    ratio = np.sum(cl[10:40]) / np.sum(theory[10:40])
    _print_indented(
        f"{removed} uK",
        method,
        f"sum of C_l, l = 10..39: {ratio:.2f} of the Planck 2018 best fit",
        *(line.format(C="C_l", l="l") for line in CAPTION),
    )
    return cl, theory, f_sky


def _decompose(flm, threads):
    """(Wavelets, scaling map, list of the maps of each scale)."""
    from spherekit.wavelets import Wavelets

    w = Wavelets(L, J0=J0, reality=True, threads=threads)
    scaling, maps = w.analysis_flm(flm)
    error = np.abs(w.synthesis_flm(scaling, maps) - flm).max() / np.abs(flm).max()
    fractions = w.energies(flm) / np.sum(np.abs(flm) ** 2)
    degrees = [(0, w.scaling_limit - 1), *w.bands.values()]
    _print_indented(
        "fraction of the map's energy by degrees (scales overlap; the sum is 1):",
        ", ".join(f"{a}-{b}: {x:.1%}" for (a, b), x in zip(degrees, fractions, strict=True)),
        f"synthesis(analysis(flm)) equals flm to {error:.0e} of its largest coefficient",
    )
    return w, scaling, maps


def _scatter(flm, sky, mask, threads):
    """The `Scattering`, and a `Comparison` each for the whole map and the unmasked sky."""
    from spherekit.cli.demo.scattering import COUNT, L_PIXELS, unmasked_sky, whole_map
    from spherekit.scattering import Scattering

    S = Scattering(L, J0=J0, depth=2, reality=True, threads=threads)
    rng = np.random.default_rng(0)
    comparisons = whole_map(S, flm, rng), unmasked_sky(S, sky, mask, rng)
    _print_indented(
        f"the whole map and the unmasked sky are compared with {COUNT} Gaussian maps each",
        f"those for the unmasked sky have its C_l / f_sky up to l = {L_PIXELS - 1}, and its mask",
        "order 1: mean modulus of a scale / its rms; low for energy concentrated in few places",
        "order 2: mean second modulus / mean first modulus; high for a first modulus that varies",
    )
    for comparison in comparisons:
        deviations = comparison.deviations()
        bands = [S.first.bands[j] for j in comparison.paths[deviations.argmax()].scales]
        scales = ", then ".join(f"{low}-{high}" for low, high in bands)
        _print_indented(
            f"{comparison.title}: {np.sum(deviations > 3)} of {deviations.size} paths differ from the "
            "Gaussian mean by more than 3 standard deviations;",
            f"   the largest deviation is {deviations.max():.1f} standard deviations (degrees {scales})",
        )
    _print_indented(
        "conclusion: the non-Gaussianity that these coefficients detect in the map is due to the Galaxy"
    )
    return S, comparisons


def _classify(folder, threads):
    from spherekit import experiments
    from spherekit.cli.demo import gaussianity
    from spherekit.experiments.gaussianity.experiment import report

    experiment, config = experiments.read(TRAINING)
    data = config.values["data"]
    count = sum(data[name] for name in ("train", "validation", "test"))
    _print_indented(
        f"{count} skies of each class, degrees < {data['L']}: Gaussian skies, and skies of caps with sharp "
        "edges",
        "their C_l have the same distribution, so that no function of the C_l distinguishes the classes",
        f"{data['train']} skies of each class are used for training",
    )
    skies, networks, controls, trained = gaussianity.compare(config, threads)
    _print_indented(*report(skies, networks, controls))
    L0 = trained.training.net.in_type.L
    _print_indented(
        f"the input of the network has degrees < {L0}, to which scattering transfers the signature of edges "
        "at all scales"
    )
    experiments.save(folder / "model.npz", experiment, trained)
    gaussianity.picture(folder / "skies.png", config, skies, networks, controls)
