"""What to type next for a file: commands that work on exactly this file."""

import os
import shlex

from spherekit.cli.names import join
from spherekit.cli.options import stem
from spherekit.cli.wind_files import pair_of_files
from spherekit.io.winds import is_velocity, is_wind_component, winds


def commands(facts, declared=()):
    """Up to three commands for a file with these facts of `spherekit info`.

    ``declared`` are the words of options that tell how spectra are read.
    """
    if "problem" in facts:
        return _for_text(facts["file"]) if facts["kind"] == "text of numbers" else []
    tables = facts.get("tables", [facts])
    kinds = {"HEALPix map": _for_map, "map": _for_map, "coefficients": _for_coefficients}
    kinds |= {"wavelet maps": _for_wavelets, "array": _for_array}
    kinds |= {"bandpowers": _for_bandpowers}
    if facts["kind"] == "spectrum":
        return _for_spectra(facts["file"], tables[0], declared)
    step = kinds.get(facts["kind"])
    return step(facts["file"], tables[0]) if step else []


def _line(*words):
    return shlex.join(["spherekit", *map(str, words)])


def _picture(path):
    """The name of a picture of a file, which is not that of the file.

    >>> _picture("sky.fits"), _picture("data/pano.png")
    ('sky.png', 'pano_map.png')
    """
    name = f"{stem(path)}.png"
    return name if name != os.path.basename(path) else f"{stem(path)}_map.png"


def _described(columns):
    """Names, units and standard names of columns."""
    described = ((x["name"], x["unit"] or "", x.get("standard_name")) for x in columns)
    return [list(values) for values in zip(*described, strict=True)]


def _options_of_wind(columns):
    """Options for the analysis of a map whose first column is a component of a wind, or none."""
    names, units, standard_names = _described(columns)
    for pair in winds(names, units, standard_names).items():
        if 0 in pair:
            return ["--field", join([names[i] for i in pair])]
    if not is_wind_component(names[0], units[0], standard_names[0]):
        return []
    return [*(["--field", names[0]] if len(names) > 1 else []), "--spin", "0"]


def _for_wind(path, facts, selected):
    """A command for the first wind of a full map, or for one in two files; none for results of winds.

    The file of v is beside that of u, and has its name with a v, such as vwnd_mean.nc and uwnd_mean.nc.
    """
    names, units, standard_names = _described(facts["columns"])
    if "vorticity" in names or not _covers_the_sphere(facts.get("grid")):
        return []
    pairs = winds(names, units, standard_names)
    options = []
    if pairs:
        u, v = pair = next(iter(pairs.items()))
        options = ["--field", join([names[i] for i in pair])] if len(pairs) > 1 else []
        paths = [path]
    else:
        u = v = 0
        paths = pair_of_files(path, names[0]) if len(names) == 1 else []
        is_component = is_wind_component(names[0], units[0], standard_names[0])
        paths = paths if is_component else []
    columns = [facts["columns"][i] for i in (u, v)]
    if not paths or any(x["missing"] or "min" not in x for x in columns):
        return []
    suffix = {"HEALPix map": "fits"}.get(
        facts["kind"], "npz" if path.lower().endswith(".npz") else "nc"
    )
    name = f"{stem(paths[0])}_flow"
    outputs = ["-o", f"{name}.{suffix}", "--plot", f"{name}.png"]
    return [_line("wind", *paths, *options, *selected, *outputs)]


def _covers_the_sphere(text):
    """Whether a grid does so, by its text in a file, which may be that of no grid."""
    from spherekit.sampling import grid
    from spherekit.sampling.coverage import band_limit_problem

    try:
        return not band_limit_problem(grid(text))
    except (ValueError, TypeError):
        return False


def _for_map(path, facts):
    columns = facts["columns"]
    if not columns:
        return []
    first = columns[0]
    name = stem(path)
    is_fits = facts["kind"] == "HEALPix map"
    field = ["--field", first["name"]] if len(columns) > 1 and not is_fits else []
    axes = facts.get("axes", {}).items()
    selected = [f"--select={axis}={values[0]}" for axis, values in axes if values]
    part = ["--part", "abs"] if first["type"].startswith("complex") else []
    lines = [_line("plot", path, *field, *selected, *part, "-o", _picture(path))]
    is_lone_component = is_fits and facts["stokes"][:1] in (["Q"], ["U"]) and not facts["spin"]
    is_lone_component &= not is_velocity(first["unit"] or "")
    if "min" in first and not first.get("infinite") and not is_lone_component:
        mask = ["--mask", "missing"] if first["missing"] else []
        wind = _options_of_wind(columns)
        field = wind or field
        suffix = "fits" if is_fits and not part and not facts.get("spin") and not wind else "npz"
        position = selected if "part" in first else []
        lines.append(
            _line("transform", path, *field, *position, *mask, "-o", f"{name}_alm.{suffix}")
        )
        if not part:
            lines += _for_wind(path, facts, selected)
    return lines


def _for_coefficients(path, facts):
    if facts["power"][0] is None:
        return []
    name = stem(path)
    L = facts["L"]
    spectrum = _line(
        "spectrum", path, "-o", f"{name}_cl.npy" if facts.get("axes") else f"{name}_cl.fits"
    )
    synthesis = _line("transform", path, "--inverse", "--grid", f"mw:{L}", "-o", f"{name}_map.npz")
    return [spectrum, synthesis]


def _for_spectra(path, facts, declared):
    suffix = "txt" if path.lower().endswith((".fits", ".fit", ".gz")) else "fits"
    noun = "energy" if "quantity" in facts else "cl"
    lines = [_line("convert", path, f"{stem(path)}_{noun}.{suffix}", *declared)]
    if _is_temperature(facts):
        nside = 1
        while 3 * nside < facts["L"]:
            nside *= 2
        grid = f"healpix:{nside}"
        skies = f"{stem(path)}_skies"
        lines.insert(0, _line("simulate", path, *declared, "--n", 1, "--grid", grid, "-o", skies))
    return lines


def _for_bandpowers(path, facts):
    suffix = "txt" if path.lower().endswith((".fits", ".fit", ".gz", ".npz")) else "fits"
    converted = f"{stem(path)}_bandpowers.{suffix}"
    return [_line("plot", path, "-o", _picture(path)), _line("convert", path, converted)]


def _is_temperature(facts):
    """Whether `spherekit simulate` makes a sky of these spectra without further options."""
    from spherekit.cli.noise import root_of_unit
    from spherekit.io.multipoles import is_multipole
    from spherekit.io.spectra import spectrum_of

    spectra = [entry for entry in facts["columns"] if not is_multipole(entry["name"])]
    matches = [entry for entry in spectra if spectrum_of(entry["name"]) == "TT"]
    if not matches and len(spectra) == 1 and len(facts["columns"]) == 1:
        matches = [entry for entry in spectra if not spectrum_of(entry["name"])]
    is_unknown = facts.get("polcconv") == "IAU" and "shown" not in facts
    if not matches or is_unknown:
        return False
    first = matches[0]
    return first.get("min", -1) >= 0 and root_of_unit(first["unit"] or "") is not None


def _for_wavelets(path, facts):
    grid = f"mw:{facts['L']}"
    return [_line("wavelets", path, "--inverse", "--grid", grid, "-o", f"{stem(path)}_map.npz")]


def _for_array(path, facts):
    """A command with the only grid that has the shape of the first array."""
    from spherekit.sampling import grids_of_shape

    columns = [x for x in facts["columns"] if len(x["shape"]) in (1, 2) and "min" in x]
    grids = grids_of_shape(tuple(columns[0]["shape"])) if columns else []
    if len(grids) != 1 or columns[0].get("infinite"):
        return []
    field = ["--field", columns[0]["name"]] if path.lower().endswith(".npz") else []
    part = ["--part", "abs"] if columns[0]["type"].startswith("complex") else []
    return [_line("plot", path, *field, "--grid", grids[0][0], *part, "-o", _picture(path))]


def _for_text(path):
    """A command with the latitudes and longitudes beside a text, as etopo20lats.gz for etopo20data.gz."""
    folder, name = os.path.split(path)
    axes = [os.path.join(folder, name.replace("data", word)) for word in ("lats", "lons")]
    if "data" not in name or not all(map(os.path.exists, axes)):
        return []
    lat, lon = axes
    output = f"{stem(name)}.npz"
    return [_line("convert", path, output, "--lat", lat, "--lon", lon)]
