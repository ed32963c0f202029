"""Measure the transforms on this machine, beside the peers that are installed.

Each code runs in a process of its own, in turns; the least time counts. On Gauss-Legendre grids a ring
has 2L samples; on HEALPix nside is L/2, with one quadrature and no iteration.
"""

import itertools
import json

from spherekit.cli import options

_GRIDS = ("gl", "mw", "mwss", "cc", "dh", "healpix")


def arguments(parser):
    parser.add_argument("--peers", help="names, as ducc0,healpy,shtns,s2fft, or none")
    parser.add_argument("--grid", default="gl,mw,healpix", help=f"of {', '.join(_GRIDS)}")
    parser.add_argument("--L", default="64,128,256,512,1024", help="band-limits")
    parser.add_argument("--spin", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1, help="maps in one call")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2, help="starts of each code")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    parser.add_argument("--plot", metavar="FILE", help="draw time against L")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(args):
    from tqdm import tqdm

    from spherekit import bench

    for path, suffixes in ((args.json, (".json",)), (args.plot, (".png", ".pdf", ".svg"))):
        if path:
            options.writable(path, args.force, suffixes)
    cases = _cases(args)
    peers = args.peers.split(",") if args.peers else None
    peers = [] if peers == ["none"] else peers
    with tqdm(disable=None, leave=False, unit="run") as bar:
        results = bench.measure(cases, peers, rounds=max(args.rounds, 1), progress=bar.update)
    facts = bench.machine()
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print("\n".join(bench.table(results)))
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"machine": facts, "results": results}, file, indent=1)
        print(f"wrote {args.json}")
    if args.plot:
        bench.figure(results, args.plot)
        print(f"wrote {args.plot}")


def _cases(args):
    grids, limits = args.grid.split(","), args.L.split(",")
    for grid in grids:
        if grid not in _GRIDS:
            raise options.Usage(f"--grid {grid}: known are {', '.join(_GRIDS)}")
    if not all(text.isdigit() and int(text) > abs(args.spin) for text in limits):
        raise options.Usage(f"--L {args.L}: whole numbers above the spin, as 64,128")
    same = dict(spin=args.spin, batch=args.batch, dtype=args.dtype, threads=args.threads)
    pairs = itertools.product(grids, map(int, limits))
    return [dict(grid=grid, L=L, **same) for grid, L in pairs]
