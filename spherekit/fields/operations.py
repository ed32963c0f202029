"""The common part of operations on fields: analysis, an operation on coefficients, synthesis."""

from spherekit import harmonic
from spherekit._core import checks
from spherekit.fields.analysis import analyze, analyze_with_residual, is_real, note_on_gaps
from spherekit.fields.signals import signals_of, with_samples
from spherekit.io import Map
from spherekit.linear import is_traced
from spherekit.sampling import grid as as_grid


def apply(f, operation, target, L, spin, sampling, options, default_band_limit):
    """Apply an operation on coefficients to a field: an array, a `Map`, a DataArray or a Dataset.

    All arguments of the public functions are checked here.

    Parameters
    ----------
    operation : callable or None
        A function of (flm, L, spin) that returns coefficients.
    target : Grid or None
        The grid of the result; None: that of the field.
    default_band_limit : callable
        A function of the grid of the field, for L = None.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
    """
    options = options._replace(max_iter=checks.integer(options.max_iter, "max_iter", 1))
    if type(f).__module__.split(".")[0] == "xarray":
        from spherekit.io.xarray_conversion import with_fields

        arguments = operation, target, L, spin, sampling, options, default_band_limit
        return with_fields(f, lambda record: apply(record, *arguments))
    if isinstance(f, Map):
        if sampling is not None:
            raise TypeError("sampling is passed with a Map, which has its grid; omit it")
        return _of_map(f, operation, target, L, spin, options, default_band_limit)
    if sampling is None:
        raise TypeError(
            'sampling is required for an array: its grid, such as sampling="healpix:64"'
        )
    source = as_grid(sampling, L)
    L = checks.band_limit(default_band_limit(source) if L is None else L)
    spin = checks.spin_number(0 if spin is None else spin, L)
    f = f if is_traced(f) else checks.as_float_array(f, "f")
    flm, _ = analyze(f, L, source, spin, options)
    return _synthesis(f, flm, operation, target or source, L, spin, options)


def _synthesis(f, flm, operation, grid, L, spin, options):
    """Samples from the coefficients of ``f``, real if it is, and of its precision."""
    flm = flm if operation is None else operation(flm, L, spin)
    if not is_traced(flm):
        flm = flm.astype(checks.result_type(False, checks.is_single(f)), copy=False)
    common = dict(spin=spin, sampling=grid, reality=is_real(f, spin), threads=options.threads)
    return harmonic.inverse(flm, L, **common)


def _of_map(record, operation, target, L, spin, options, default_band_limit):
    """Apply the operation to each signal of a map; the notes of the result state the residuals."""
    source = record.grid
    L = checks.band_limit(default_band_limit(source) if L is None else L)
    results = []
    residuals = []
    for signal in signals_of(record, spin):
        f = signal.values
        checks.spin_number(signal.spin, L)
        flm, iterations, relative = analyze_with_residual(
            f, L, source, signal.spin, options, signal.name
        )
        label = f"{signal.name} (spin {signal.spin})" if signal.spin else signal.name
        residuals.append(f"{label} {relative:.2e}{iterations}")
        samples = _synthesis(f, flm, operation, target or source, L, signal.spin, options)
        results.append((signal, samples))
    note = (
        f"degrees < {L}; the residual, which is removed, relative to the rms of the map: "
        f"{', '.join(residuals)}"
    )
    notes = filter(None, (note_on_gaps(source, L), note))
    return with_samples(record, results, target or source, tuple(notes))
