"""Train a network: an experiment that comes with spherekit, or one on own maps.

FILE is a configuration in TOML, or the name of an example: --list-examples lists them, --show-example prints
one, to be copied and changed. With --maps the network learns the labels of own maps, classes or numbers, that
a CSV file lists (columns path,label); no FILE is needed then. What is computed of the data is cached; a
training that was stopped continues with --resume, to the same numbers, and a finished one is lengthened by
--resume --epochs N. At the end there are model.npz, for `spherekit predict`, and a report on data that the
training has not seen.
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
    _refuse_mixing(folder, args.resume)
    options.folder(folder)
    print(f"{config.source}: results in {folder}/", flush=True)
    tune_allocator()  # this process is the command's own
    data = gather(experiment, config, folder / "features", read, analysis_of(args))
    summary = list(experiment.summary(config, data))
    if summary:
        print(*summary, sep="\n", flush=True)
    trained, last = _train(experiment, config, data, folder, args)
    if args.plot:
        from spherekit.train import curves

        with output.together(args.force or args.resume):
            title = Path(config.source).name
            output.save(curves(last.checkpoint.history, title=title), args.plot)
        print(f"wrote {args.plot}")
    report = list(experiment.report(config, data, trained, args.threads))
    lines = [config.source, *summary, *report, ""]
    output.write_text(folder / "report.txt", "\n".join(lines))
    print("", *report, sep="\n")


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
        "L": options.chosen_L(args, required=False),
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


def _refuse_mixing(folder, resume):
    from spherekit.train import checkpoints

    checkpoint = checkpoints.latest(folder / "checkpoints")
    if checkpoint is not None and not resume:
        raise options.Usage(
            f"{folder} holds a training ({checkpoint.name}): continue it by --resume, or choose another "
            "folder by -o"
        )


def gather(experiment, config, folder, read, analysis):
    """The data of a configuration, with a bar on standard error, if a terminal."""
    from tqdm import tqdm

    from spherekit.cli.predict import progress

    with tqdm(desc="data", leave=False, disable=None) as bar:
        return experiment.gather(
            config, folder, read=read, analysis=analysis, progress=progress(bar)
        )


def _train(experiment, config, data, folder, args):
    """(list of `Trained`, the last step of the first)."""
    from spherekit import experiments
    from spherekit.experiments.models import check_resumable

    results, steps = [], []
    for training in experiment.trainings(config, data):
        place = folder / training.folder
        check_resumable(place / "checkpoints", training)
        settings = dict(checkpoints=place / "checkpoints", resume=args.resume, threads=args.threads)
        last = follow(experiments.steps(experiment, config, training, **settings), training.title)
        best = last.checkpoint.best
        epoch = None if best["value"] is None else best["epoch"]
        trained = experiments.Trained(training, *experiments.selected(last.checkpoint), epoch)
        experiments.save(place / "model.npz", experiment, trained)
        print(f"wrote {place / 'model.npz'}", flush=True)
        results.append(trained)
        steps.append(last)
    return results, steps[0]


def follow(steps, title):
    """Drive a training to its end: a bar where standard error is a terminal, else a line for each epoch."""
    from spherekit.train import finish, progress

    if sys.stderr.isatty():
        return finish(progress(steps, desc=title, leave=False))
    print(title, flush=True)
    for step in steps:
        if step.checkpoint.epoch == step.epoch:
            train = step.checkpoint.history["epochs"]["train"][-1]
            names = {"loss": "validation loss"}
            metrics = [f"{names.get(name, name)} {v:.4f}" for name, v in step.metrics.items()]
            print(
                f"   epoch {step.epoch:3d}: " + ", ".join([f"loss {train:.4f}", *metrics]),
                flush=True,
            )
    return step
