"""Train a network: an experiment that comes with spherekit, or one on own maps.

FILE is a configuration in TOML, or the name of an example: --list-examples lists them, --show-example prints
one, to be copied and changed. With --maps the network learns the labels of own maps, classes or numbers, that
a CSV file lists (columns path,label); no FILE is needed then. What is computed of the data is cached; a
training that was stopped continues with --resume, to the same numbers and the epochs that it was to have; a
finished one is lengthened by --resume --epochs N. At the end there are model.npz, for `spherekit predict`,
and a report on data that the training has not seen. Two trainings in one folder are refused, by a lock file.

Experiments of installed packages are found by their entry points; one that a script registers is trained by
that script: spherekit.experiments.run.
"""

import sys
from pathlib import Path

from spherekit.cli import options, output


def arguments(parser):
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a .toml file, or an example's name"
    )
    parser.add_argument(
        "--list-examples", action="store_true", help="list what comes with spherekit"
    )
    parser.add_argument("--show-example", metavar="NAME", help="print one")
    parser.add_argument("--epochs", type=int, help="in place of those of FILE")
    parser.add_argument("--seed", type=int, help="in place of that of FILE; of the split too")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="default: the name of FILE or CSV, here; created if missing",
    )
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--plot", metavar="PICTURE", help="draw the learning curves")
    parser.add_argument(
        "--profile", action="store_true", help="print where the time of one step goes, and stop"
    )
    options.common(parser)
    own = parser.add_argument_group("own maps")
    own.add_argument("--maps", metavar="CSV", help="columns path,label; relative to its folder")
    own.add_argument(
        "--network", metavar="TOML", help="network and training; default: a small network"
    )
    options.band_limit(own)
    own.add_argument("--validation", type=float, help="share of the maps; default 0.2")
    own.add_argument("--test", type=float, help="share of the maps; default 0.2")
    own.add_argument("--classes", action="store_true", help="labels that are numbers are classes")
    options.source(own)
    options.least_squares(own)


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
        print(f"{net!r}\n{config.values['fit']['batch_size']} signals of random numbers\n")
        print(profile)
        return
    folder = Path(args.output or Path(args.maps or config.source).stem)
    options.writable(args.plot, args.force or args.resume, options.PICTURES)
    _refuse_mixing(folder, args)
    options.folder(folder)
    tune_allocator()  # this process is the command's own
    with output.bar("data") as draw:
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
            log=say,
        )
    if args.plot:
        from spherekit.train import curves

        with output.together(args.force or args.resume):
            title = Path(config.source).name
            output.save(curves(result.checkpoints[0].history, title=title), args.plot)
        print(f"wrote {args.plot}")
    print("", *result.report, sep="\n")


def _show(name):
    from spherekit.experiments import common

    known = common.recipes()
    if name is None:
        for example, path in known.items():
            print(f"{example:28} {common.title(path)}")
        return
    name = name if name.endswith(".toml") else f"{name}.toml"
    if name not in known:
        raise options.Usage(f"no example {name}; there are {', '.join(known)}")
    print(known[name].read_text("utf-8"), end="")


def _configuration(args):
    """(experiment, configuration) of the command."""
    from spherekit import experiments

    fit = _given(args, "epochs", "seed")
    changes = {"fit": fit} if fit else {}
    own = _given(args, "validation", "test", "field", "grid", "hdu", "ordering")
    own |= {
        "L": options.band_limit_option(args, required=False),
        "labels": "classes" if args.classes else None,
    }
    own = {name: value for name, value in own.items() if value is not None}
    if args.maps is not None:
        file = args.file or args.network
        if args.file is not None and args.network is not None:
            raise options.Usage(f"both {file} and --network {args.network}; name one of them")
        changes["data"] = own | {"maps": args.maps} | _given(args, "seed")
        if file is None:
            return experiments.parse({"experiment": "maps"}, args.maps, changes)
        return experiments.read(file, changes, "maps")
    if args.network is not None:
        raise options.Usage("--network is of own maps: --maps train.csv")
    if args.file is None:
        raise options.Usage(
            "name a configuration, an example of --list-examples, or own maps: --maps train.csv"
        )
    experiment, config = experiments.read(args.file, changes)
    if experiment.name != "maps":
        if own:
            given = ", ".join(f"--{name}" for name in own)
            raise options.Usage(f"{given}: of own maps, --maps train.csv")
        return experiment, config
    if config.values["data"]["maps"] is None:
        raise options.Usage(f"{args.file} is of own maps; pass --maps train.csv")
    return experiments.read(args.file, changes | {"data": own})


def _given(args, *names):
    """{name: value} of the options that were given."""
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _refuse_mixing(folder, args):
    from spherekit.train import checkpoints

    checkpoint = checkpoints.latest(folder / "checkpoints")
    if checkpoint is not None and not args.resume:
        forced = ", which --force does not replace" if args.force else ""
        raise options.Usage(
            f"{folder} holds a training ({checkpoint.name}){forced}: continue it by --resume, choose another "
            "folder by -o, or remove this one first"
        )


def gather(experiment, config, folder, read, analysis):
    """The data of a configuration, with a bar on standard error, if a terminal."""
    with output.bar("data") as draw:
        return experiment.gather(config, folder, read=read, analysis=analysis, progress=draw)


def say(line):
    """Print a line of text; above bars, where there are any."""
    from tqdm.auto import tqdm

    tqdm.write(str(line), file=sys.stdout)
    sys.stdout.flush()


def follow(steps, title):
    """Drive a training to its end: a line for each epoch, and a bar where standard error is a terminal."""
    from spherekit.experiments.running import epoch_values
    from spherekit.train import progress

    say(title)
    for step in progress(steps, desc=title, leave=False, disable=None):
        if step.checkpoint.epoch == step.epoch:
            say(f"   epoch {step.epoch:3d}: {epoch_values(step.checkpoint)}")
