"""Benchmark the transforms on this machine against other installed packages.

The codes are measured alternately, in separate processes, and the minimum times are reported. On the grid gl
a ring has 2L samples (glodd: 2L-1). On healpix nside is L/2, with one quadrature and no iterations. Options
accept comma-separated lists; all combinations are measured.
"""

import itertools
from pathlib import Path

from spherekit.bench.layer_tables import TRANSFORMS
from spherekit.cli import options, output


def arguments(parser):
    parser.add_argument(
        "--transform",
        default="harmonic",
        help="harmonic, wigner, rotate, matrices, cg, wavelets, scattering, covariances, product, relu, "
        "relu-so3, smooth, winds, mode-coupling, pixels, nested-pixels, orders, neighbours, boundaries, "
        "interpolate, discs, nested-discs, large-regions, polygons, resolution, nested-resolution; or, for "
        "spherekit.nn only: layers, models, equivariance, cost; default harmonic",
    )
    parser.add_argument(
        "--peers",
        help="packages to compare with, e.g. ducc0,healpy,shtns,s2fft,spherical; or none; default: all that "
        "are installed",
    )
    parser.add_argument(
        "--python",
        metavar="PEER=PYTHON",
        action="append",
        default=[],
        help="interpreter of a package in a separate environment, e.g. s2scat=/opt/s2scat/bin/python",
    )
    parser.add_argument(
        "--grid",
        help="gl, glodd, mw, mwss, cc, dh, dhpole, healpix; default: gl,mw,healpix (harmonic) or mw (wigner)",
    )
    parser.add_argument(
        "--L", default="64,128,256,512,1024", help="band-limits; default 64,128,256,512,1024"
    )
    parser.add_argument("--spin", default="0", help="spins, with real maps for 0; default 0")
    parser.add_argument("--N", default="3", help="azimuthal band-limits, or L for N = L; default 3")
    parser.add_argument(
        "--signal", default="real", help="real, complex (except for harmonic); default real"
    )
    parser.add_argument("--batch", default="1", help="numbers of maps per call; default 1")
    parser.add_argument("--dtype", default="float64", help="float64, float32; default float64")
    parser.add_argument("--threads", default="1", help="numbers of threads; default 1")
    parser.add_argument(
        "--rounds", type=int, default=2, help="processes started for each code; default 2"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.6,
        help="duration of the measurement of each direction in a process; default 0.6",
    )
    parser.add_argument(
        "--timeout", type=float, default=300, help="timeout of one process in seconds; default 300"
    )
    parser.add_argument(
        "--cold",
        action="store_true",
        help="start spherekit once without compiled kernels: the column 'first' includes compilation",
    )
    parser.add_argument("--json", metavar="FILE", help="write all measurements to FILE (.json)")
    parser.add_argument(
        "--plot", metavar="PICTURE", help="plot time and memory against L (.png, .pdf, .svg)"
    )
    options.force(parser)


def run(args):
    from tqdm import tqdm

    from spherekit import bench

    for path, suffixes in ((args.json, (".json",)), (args.plot, (".png", ".pdf", ".svg"))):
        if path:
            options.writable(path, args.force, suffixes)
    if args.rounds < 1 or args.timeout <= 0 or not args.seconds >= 0:
        raise options.Usage(
            f"--rounds is {args.rounds}, --timeout {args.timeout:g} and --seconds {args.seconds:g}; expected "
            "--rounds >= 1, --timeout > 0 and --seconds >= 0"
        )
    if set(_items(args.transform)) & set(TRANSFORMS):
        _layers(args)
        return
    cases = _cases(args)
    peers = None if args.peers is None else [name for name in _items(args.peers) if name != "none"]
    pythons = dict(_interpreter(text) for text in args.python)
    with tqdm(disable=None, leave=False, unit="process") as progress_bar:

        def progress(completed, total, description):
            progress_bar.total = total
            progress_bar.set_postfix_str(description, refresh=False)
            progress_bar.update(completed - progress_bar.n)
            progress_bar.refresh()

        results = bench.measure(
            cases,
            peers,
            rounds=args.rounds,
            seconds=args.seconds,
            timeout=args.timeout,
            cold=args.cold,
            progress=progress,
            pythons=pythons,
        )
    facts = bench.machine()
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print("\n".join(bench.table(results)))
    figure = bench.figure(results) if args.plot else None
    with output.atomic(args.force):
        if args.json:
            output.write_json(args.json, {"machine": facts, "results": results})
        output.save(figure, args.plot)
    for path in filter(None, (args.json, args.plot)):
        print(f"wrote {path}")


def _cases(args):
    from spherekit.bench import SHAPES
    from spherekit.bench.cases.wigner import CODES

    grids = None if args.grid is None else _choices("grid", args.grid, tuple(SHAPES))
    dtypes = _choices("dtype", args.dtype, ("float64", "float32"))
    transforms = _choices("transform", args.transform, ("harmonic", *CODES, *TRANSFORMS))
    signals = _choices("signal", args.signal, ("real", "complex"))
    spins = _integers("spin", args.spin, None, "integers, e.g. 0,2")
    minimum = max(map(abs, spins)) + 1
    limits = _integers("L", args.L, minimum, "integers greater than the spin, e.g. 64,128")
    batches = _integers("batch", args.batch, 1, "positive integers, e.g. 1,64")
    threads = _integers("threads", args.threads, 1, "positive integers, e.g. 1,2")
    names = ("transform", "grid", "spin", "N", "signal", "batch", "dtype", "threads", "L")
    orders = _items(args.N)
    if any(
        item != "L" and (not item.isdigit() or not 0 < int(item) <= min(limits)) for item in orders
    ):
        raise options.Usage(
            f"--N is {args.N}; expected L, or integers from 1 to {min(limits)} (the smallest L), e.g. 3,5,L"
        )
    lists = dict(spin=spins, N=orders, signal=signals, batch=batches, dtype=dtypes)
    cases = []
    for transform in transforms:  # with the parameters that apply to it
        varied = {"harmonic": ("grid", "spin", "batch", "dtype"),
                "wigner": ("grid", "N", "signal", "batch", "dtype"),
                "rotate": ("signal", "batch", "dtype"),
                "wavelets": ("N", "signal", "batch", "dtype"),
                "scattering": ("N", "signal", "batch", "dtype"),
                "covariances": ("N", "batch", "dtype"),
                "product": ("batch", "dtype"),
                "relu": ("batch", "dtype"),
                "relu-so3": ("batch", "dtype"),
                "smooth": ("dtype",),
                "winds": ("batch", "dtype")}.get(transform, ())  # fmt: skip
        fixed = dict(grid="", spin=0, N=0, signal="real", batch=1, dtype="float64")
        lists["grid"] = grids or {"wigner": ["mw"]}.get(transform, ["gl", "mw", "healpix"])
        choices = [lists[name] if name in varied else [fixed[name]] for name in names[1:-2]]
        for values in itertools.product([transform], *choices, threads, sorted(limits)):
            case = dict(zip(names, values, strict=True))
            case["N"] = case["L"] if case["N"] == "L" else int(case["N"])
            cases.append(case)
    return cases


def _layers(args):
    """Print the tables of `bench.layer_tables`: times and equivariance at the smallest L, costs at all."""
    from spherekit import bench
    from spherekit.bench import layer_tables

    transforms = _choices("transform", args.transform, TRANSFORMS)
    limits = sorted(_integers("L", args.L, 2, "integers >= 2, e.g. 4,8,16"))
    threads = _integers("threads", args.threads, 1, "positive integers, e.g. 1,2")[0]
    print("; ".join(f"{name} {value}" for name, value in bench.machine().items()))
    for transform in transforms:
        print()
        if transform == "layers":
            print("\n".join(layer_tables.layer_times(limits[0], threads=threads)))
        elif transform == "models":
            print("\n".join(layer_tables.model_times(threads=threads)))
        elif transform == "equivariance":
            print("\n".join(layer_tables.equivariance(limits[0])))
        else:
            costs = layer_tables.costs(limits, threads=threads)
            print("\n".join(layer_tables.cost_table(costs)))
            if args.plot:
                with output.atomic(args.force):
                    output.save(layer_tables.cost_figure(costs), args.plot)
                print(f"wrote {args.plot}")


def _interpreter(text):
    """("s2scat", "/opt/python") from "s2scat=/opt/python", the path of an existing file."""
    name, _, path = text.partition("=")
    if not Path(path).is_file():
        raise options.Usage(
            f"--python is {text}; expected PEER=PYTHON, with the path of the peer's Python interpreter"
        )
    return name, path


def _choices(name, text, allowed):
    """The items of a list, each of which must be allowed."""
    items = _items(text)
    for item in items:
        if item not in allowed:
            raise options.Usage(f"--{name} must be one of {', '.join(allowed)}; got {item}")
    return items


def _items(text):
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _integers(name, text, minimum, expected):
    """The integers of a list, each of which must be at least ``minimum``."""
    try:
        values = [int(item) for item in _items(text)]
    except ValueError:
        values = []
    if not values or (minimum is not None and min(values) < minimum):
        raise options.Usage(f"--{name} is {text}; expected {expected}")
    return values
