"""Compute vorticity, divergence, potentials and the rotational and divergent part of a wind.

The wind is that of one file with both components, or of two files, u and v. They are found by standard_name
of the CF conventions (eastward_wind and northward_wind), else by names such as u and v, u10 and v10, uwnd and
vwnd in a unit of velocity; --field names others. Times and levels stay; --level, --time and --select select.

Results are in SI units: vorticity and divergence (s-1), streamfunction and velocity_potential (m2 s-1), the
rotational wind u_psi, v_psi and the divergent wind u_chi, v_chi (m s-1), and kinetic_energy (m2 s-2). They
are exact for winds of the band-limit, also at the poles.
"""

from spherekit.cli import analysis, options, output, planets, records, report, wind_files

#: Several files are computed two at a time.
OVERLAPS = True
#: The quantities by default, in the order of the output.
QUANTITIES = (
    ("vorticity", "divergence", "streamfunction", "velocity_potential")
    + ("u_psi", "v_psi", "u_chi", "v_chi", "kinetic_energy")
)  # fmt: skip


def arguments(parser):
    options.files(parser, "a file with both components; u and v in two files: U V", "WIND")
    options.further(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="the results: .nc, .npz, .fits (HEALPix), .npy or .csv",
    )
    parser.add_argument(
        "--radius",
        default="earth",
        help="of the planet, as a length, e.g. 6371.2km, or its name, e.g. mars; default: earth",
    )
    options.band_limit(parser)
    options.source(parser, default="the only wind")
    options.least_squares(parser)
    options.common(parser)


def prepare(args):
    """Take two files with a file as the output as those of u and v."""
    wind_files.prepare(args)


def run(args):
    from spherekit import fields

    options.writable(args.output, args.force, output.MAPS)
    L = options.band_limit_option(args, required=False)
    radius = planets.radius(args.radius)
    u, v, notes = wind_files.read(args, L)
    records.check_output(args.output, u.grid, u.axes)
    analysis.require_band_limit(args, u.grid)
    wind = fields.Wind(u, v, radius=radius, L=L)
    result = _quantities(wind)
    with output.atomic(args.force):
        records.write(args.output, result)
        report.wrote(args.output)
    report.add_map(result)
    print(*notes, *result.notes, sep="\n")
    print(f"wrote {args.output}: {', '.join(result.names)}, {analysis.grid_label(result.grid)}")


def _quantities(wind):
    """One map of all quantities."""
    from dataclasses import replace

    import numpy as np

    u_chi, v_chi, u_psi, v_psi = wind.helmholtz()
    maps = [*wind.vrtdiv(), *wind.sfvp(), u_psi, v_psi, u_chi, v_chi]
    attributes = {}
    for part in maps:
        attributes |= part.attributes
    return replace(
        maps[0],
        values=np.stack([part.values for part in maps]),
        names=tuple(part.names[0] for part in maps),
        units=tuple(part.units[0] for part in maps),
        attributes=attributes,
    )
