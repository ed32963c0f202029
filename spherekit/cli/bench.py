"""Measure the transforms on this machine, beside the peers that are installed.

Each code runs in processes of its own, in turns; the least time counts. Grids gl, mw, mwss, cc, dh, dhpole
and healpix are spherekit's; on gl a ring has 2L samples (glodd: 2L-1); on HEALPix nside is L/2, with one
quadrature and no iteration. Options that are lists are combined with each other.
"""

import itertools
from pathlib import Path

from spherekit.bench.layer_tables import TRANSFORMS
from spherekit.cli import options, output


def arguments(parser):
    parser.add_argument(
        "--transform",
        default="harmonic",
        help="list of harmonic, wigner, rotate, matrices, cg, wavelets, scattering, covariances, product, "
        "relu, relu-so3; or layers, models, equivariance, cost: of spherekit.nn alone",
    )
    parser.add_argument("--peers", help="names, as ducc0,healpy,shtns,s2fft,spherical, or none")
    parser.add_argument(
        "--python",
        metavar="PEER=PYTHON",
        action="append",
        default=[],
        help="interpreter of a peer that has an environment of its own, as s2scat=/opt/s2scat/bin/python",
    )
    parser.add_argument(
        "--grid", help="list, as gl,mw,mwss,cc,healpix (harmonic: gl,mw,healpix; wigner: mw)"
    )
    parser.add_argument("--L", default="64,128,256,512,1024", help="list of band-limits")
    parser.add_argument("--spin", default="0", help="list of spins; 0: real maps")
    parser.add_argument("--N", default="3", help="list of azimuthal band-limits; L: that of l")
    parser.add_argument("--signal", default="real", help="list of real, complex (not of harmonic)")
    parser.add_argument("--batch", default="1", help="list of numbers of maps in one call")
    parser.add_argument("--dtype", default="float64", help="list: float64,float32")
    parser.add_argument("--threads", default="1", help="list of numbers of threads")
    parser.add_argument("--rounds", type=int, default=2, help="starts of each code")
    parser.add_argument(
        "--patience", type=float, default=300, help="seconds after which one start is given up"
    )
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    parser.add_argument("--plot", metavar="FILE", help="draw time and memory against L")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(args):
    from tqdm import tqdm

    from spherekit import bench

    for path, suffixes in ((args.json, (".json",)), (args.plot, (".png", ".pdf", ".svg"))):
        if path:
            options.writable(path, args.force, suffixes)
    if args.rounds < 1 or args.patience <= 0:
        raise options.Usage("--rounds is at least 1, and --patience above 0")
    if set(_words(args.transform)) & set(TRANSFORMS):
        _layers(args)
        return
    cases = _cases(args)
    peers = None if args.peers is None else [name for name in _words(args.peers) if name != "none"]
    pythons = dict(_pair(text) for text in args.python)
    with tqdm(disable=None, leave=False, unit="start") as bar:

        def progress(done, total, words):
            bar.total = total
            bar.set_postfix_str(words, refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        results = bench.measure(
            cases,
            peers,
            rounds=args.rounds,
            patience=args.patience,
            progress=progress,
            pythons=pythons,
        )
    facts = bench.machine()
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print("\n".join(bench.table(results)))
    figure = bench.figure(results) if args.plot else None
    with output.together(args.force):
        if args.json:
            output.write_json(args.json, {"machine": facts, "results": results})
        output.save(figure, args.plot)
    for path in filter(None, (args.json, args.plot)):
        print(f"wrote {path}")


def _cases(args):
    from spherekit.bench import SHAPES
    from spherekit.bench.cases.wigner import CODES

    grids = None if args.grid is None else _known("grid", args.grid, tuple(SHAPES))
    dtypes = _known("dtype", args.dtype, ("float64", "float32"))
    transforms = _known("transform", args.transform, ("harmonic", *CODES))
    signals = _known("signal", args.signal, ("real", "complex"))
    spins = _numbers("spin", args.spin, None, "whole numbers, as 0,2")
    above = max(map(abs, spins)) + 1
    limits = _numbers("L", args.L, above, "whole numbers above the spin, as 64,128")
    batches = _numbers("batch", args.batch, 1, "whole numbers of maps, as 1,64")
    threads = _numbers("threads", args.threads, 1, "whole numbers, as 1,2")
    names = ("transform", "grid", "spin", "N", "signal", "batch", "dtype", "threads", "L")
    orders = _words(args.N)
    if any(
        word != "L" and (not word.isdigit() or not 0 < int(word) <= min(limits)) for word in orders
    ):
        raise options.Usage(f"--N {args.N}: whole numbers from 1 to the least L, or L, as 3,5,L")
    lists = dict(spin=spins, N=orders, signal=signals, batch=batches, dtype=dtypes)
    cases = []
    for transform in transforms:  # what a transform does not have is not varied
        free = {"harmonic": ("grid", "spin", "batch", "dtype"),
                "wigner": ("grid", "N", "signal", "batch", "dtype"),
                "rotate": ("signal", "batch", "dtype"),
                "wavelets": ("N", "signal", "batch", "dtype"),
                "scattering": ("N", "signal", "batch", "dtype"),
                "covariances": ("N", "batch", "dtype"),
                "product": ("batch", "dtype"),
                "relu": ("batch", "dtype"),
                "relu-so3": ("batch", "dtype")}.get(transform, ())  # fmt: skip
        fixed = dict(grid="", spin=0, N=0, signal="real", batch=1, dtype="float64")
        lists["grid"] = grids or {"wigner": ["mw"]}.get(transform, ["gl", "mw", "healpix"])
        choices = [lists[name] if name in free else [fixed[name]] for name in names[1:-2]]
        for values in itertools.product([transform], *choices, threads, sorted(limits)):
            case = dict(zip(names, values, strict=True))
            case["N"] = case["L"] if case["N"] == "L" else int(case["N"])
            cases.append(case)
    return cases


def _layers(args):
    """The tables of `bench.layer_tables`: time and equivariance at the least L, cost at all."""
    from spherekit import bench
    from spherekit.bench import layer_tables

    transforms = _known("transform", args.transform, TRANSFORMS)
    limits = sorted(_numbers("L", args.L, 2, "whole numbers from 2 on, as 4,8,16"))
    threads = _numbers("threads", args.threads, 1, "whole numbers, as 1,2")[0]
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
                with output.together(args.force):
                    output.save(layer_tables.cost_figure(costs), args.plot)
                print(f"wrote {args.plot}")


def _pair(text):
    """ "s2scat=/opt/python" -> ("s2scat", "/opt/python"), a file that is there."""
    name, _, path = text.partition("=")
    if not Path(path).is_file():
        raise options.Usage(
            f"--python {text}: expected PEER=PYTHON, the interpreter that has the peer"
        )
    return name, path


def _known(name, text, known):
    """The words of a list, each one of those known."""
    for word in _words(text):
        if word not in known:
            raise options.Usage(f"--{name} {word}: known are {', '.join(known)}")
    return _words(text)


def _words(text):
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _numbers(name, text, least, expected):
    """The whole numbers of a list, each at least ``least``."""
    try:
        values = [int(word) for word in _words(text)]
    except ValueError:
        values = []
    if not values or (least is not None and min(values) < least):
        raise options.Usage(f"--{name} {text}: {expected}")
    return values
