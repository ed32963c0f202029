"""The common part of operations on fields: analysis, an operation on coefficients, synthesis."""

from spherekit._core import checks
from spherekit.fields.analysis import (
    analyze,
    analyze_with_residual,
    is_real,
    issue,
    note_on_gaps,
    synthesize,
)
from spherekit.fields.labels import is_xarray, labeled
from spherekit.fields.signals import signals_of, with_samples


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
    if is_xarray(f):
        from spherekit.io.xarray_conversion import with_fields

        arguments = operation, target, L, spin, sampling, options, default_band_limit

        def of_record(record):
            result = apply(record, *arguments)
            issue(result.notes[len(record.notes) :], stacklevel=5)
            return result

        return with_fields(f, of_record)
    values, source, labels = labeled(f, sampling, L)
    if labels.kind == "map":
        return _of_map(f, operation, target, L, spin, options, default_band_limit)
    L = checks.band_limit(default_band_limit(source) if L is None else L)
    spin = checks.spin_number(0 if spin is None else spin, L)
    issue([note_on_gaps(source, L)], stacklevel=3)
    flm, _ = analyze(values, L, source, spin, options)
    samples = _synthesis(values, flm, operation, target or source, L, spin, options)
    return samples if target else labels.in_its_order(samples)


def _synthesis(f, flm, operation, grid, L, spin, options):
    """Samples from the coefficients of ``f``, real if it is, and of its precision."""
    flm = flm if operation is None else operation(flm, L, spin)
    flags = dict(reality=is_real(f, spin), is_single=checks.is_single(f), threads=options.threads)
    return synthesize(flm, L, grid, spin, **flags)


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
