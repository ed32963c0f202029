"""Train a network on simulated data or on labeled maps.

FILE is a TOML configuration or the name of an example (--list-examples, --show-example). With --maps, the
network learns the labels (classes or numbers) of the maps that a CSV file lists, in columns path,label; FILE
is then optional. The results are model.npz, for `spherekit predict`, and a report on held-out test data.

Features computed from the data are cached. --resume continues an interrupted run, with the same results as
without the interruption; --resume --epochs N extends a finished one. A lock file prevents two runs in one
folder.

Experiments of installed packages are found through their entry points. An experiment registered in a script
is trained by that script, with spherekit.experiments.run.
"""

import sys
from pathlib import Path

from spherekit._core import progress
from spherekit.cli import options, output

ADVICE_WHEN_STOPPED = "The same command with --resume goes on from the last checkpoint"


def arguments(parser):
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a .toml file or the name of an example"
    )
    parser.add_argument(
        "--list-examples", action="store_true", help="list the example configurations, and exit"
    )
    parser.add_argument(
        "--show-example", metavar="NAME", help="print an example configuration, and exit"
    )
    parser.add_argument("--epochs", type=int, help="number of epochs; default: that of FILE")
    parser.add_argument(
        "--seed", type=int, help="random seed, also of the data split; default: that of FILE"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="output folder, created if missing; default: the name of FILE or CSV",
    )
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--plot", metavar="PICTURE", help="plot the learning curves")
    parser.add_argument(
        "--profile", action="store_true", help="print a time profile of one step, and exit"
    )
    options.common(parser)
    labeled = parser.add_argument_group("options for labeled maps")
    labeled.add_argument(
        "--maps", metavar="CSV", help="table with columns path,label; paths relative to its folder"
    )
    labeled.add_argument(
        "--network",
        metavar="TOML",
        help="configuration of network and training; default: a small network",
    )
    options.band_limit(labeled)
    labeled.add_argument(
        "--validation", type=float, help="fraction of the maps for validation; default 0.2"
    )
    labeled.add_argument("--test", type=float, help="fraction of the maps for testing; default 0.2")
    labeled.add_argument("--classes", action="store_true", help="treat numeric labels as classes")
    options.source(labeled)
    options.least_squares(labeled)


def run(args):
    from spherekit import experiments
    from spherekit.cli.predict import Reader, analysis_of
    from spherekit.train import tune_allocator

    if args.list_examples or args.show_example:
        _show(args.show_example)
        return
    experiment, config = _configuration(args)
    read = Reader(args)
    if args.profile:
        net, profile = experiments.profile(experiment, config, read, args.threads)
        print(f"{net!r}\n{config.values['fit']['batch_size']} random input signals\n")
        print(profile)
        return
    folder = Path(args.output or Path(args.maps or config.source).stem)
    options.writable(args.plot, args.force or args.resume, options.PICTURES)
    _refuse_mixing(folder, args)
    options.folder(folder)
    tune_allocator()  # a process-wide setting, safe in a command
    with progress.progress_bar("data", unit="maps") as draw:
        result = experiments.run(
            (experiment, config),
            folder,
            epochs=args.epochs,
            resume=args.resume,
            read=read,
            analysis=analysis_of(args),
            threads=args.threads,
            follow=follow,
            progress=draw,
            log=write_line,
        )
    if args.plot:
        from spherekit.train import curves

        with output.atomic(args.force or args.resume):
            title = Path(config.source).name
            output.save(curves(result.checkpoints[0].history, title=title), args.plot)
        print(f"wrote {args.plot}")
    print("", *result.report, sep="\n")


def _show(name):
    from spherekit.experiments import common

    examples = common.recipes()
    if name is None:
        for example, path in examples.items():
            print(f"{example:28} {common.title(path)}")
        return
    name = name if name.endswith(".toml") else f"{name}.toml"
    if name not in examples:
        raise options.Usage(f"no example {name}; expected one of {', '.join(examples)}")
    print(examples[name].read_text("utf-8"), end="")


def _configuration(args):
    """(experiment, configuration) from the command line."""
    from spherekit import experiments

    fit = _present(args, "epochs", "seed")
    changes = {"fit": fit} if fit else {}
    data = _present(args, "validation", "test", "field", "grid", "hdu", "ordering")
    data |= {
        "L": options.band_limit_option(args, required=False),
        "labels": "classes" if args.classes else None,
    }
    data = {name: value for name, value in data.items() if value is not None}
    if args.maps is not None:
        file = args.file or args.network
        if args.file is not None and args.network is not None:
            raise options.Usage(
                f"got both FILE {file} and --network {args.network}; expected at most one of them"
            )
        changes["data"] = data | {"maps": args.maps} | _present(args, "seed")
        if file is None:
            return experiments.parse({"experiment": "maps"}, args.maps, changes)
        return experiments.read(file, changes, "maps")
    if args.network is not None:
        raise options.Usage("--network: applicable with --maps only; pass --maps train.csv")
    if args.file is None:
        raise options.Usage(
            "no data to train on; expected a configuration, an example (--list-examples) or --maps train.csv"
        )
    experiment, config = experiments.read(args.file, changes)
    if experiment.name != "maps":
        if data:
            names = ", ".join(f"--{name}" for name in data)
            raise options.Usage(f"{names}: applicable with --maps only; pass --maps train.csv")
        return experiment, config
    if config.values["data"]["maps"] is None:
        raise options.Usage(f"{args.file} has no key maps in [data]; pass --maps train.csv")
    return experiments.read(args.file, changes | {"data": data})


def _present(args, *names):
    """{name: value} of the options on the command line."""
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _refuse_mixing(folder, args):
    from spherekit.train import checkpoints

    checkpoint = checkpoints.latest(folder / "checkpoints")
    if checkpoint is not None and not args.resume:
        forced = ", which --force does not overwrite" if args.force else ""
        raise options.Usage(
            f"{folder} contains a training run ({checkpoint.name}){forced}; continue it with --resume, "
            "choose another folder with -o, or remove this folder"
        )


def gather(experiment, config, folder, read, analysis):
    """The data of a configuration, with their progress on standard error."""
    with progress.progress_bar("data", unit="maps") as draw:
        return experiment.gather(config, folder, read=read, analysis=analysis, progress=draw)


def write_line(line):
    """Print a line of text, above any progress bars."""
    from tqdm.auto import tqdm

    tqdm.write(str(line), file=sys.stdout)
    sys.stdout.flush()


def follow(steps, title):
    """Run a training: print a line per epoch, and show a progress bar if standard error is a terminal."""
    from spherekit.experiments.running import epoch_values
    from spherekit.train import progress

    write_line(title)
    for step in progress(steps, desc=title, leave=False, disable=None):
        if step.checkpoint.epoch == step.epoch:
            write_line(f"   epoch {step.epoch:3d}: {epoch_values(step.checkpoint)}")
