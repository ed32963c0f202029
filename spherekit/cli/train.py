"""Train a small network to tell skies that are not Gaussian from those that are.

FILE is a configuration in TOML, or the name of an example: --list-examples lists them, --show-example prints
one, to be copied and changed. Its skies are simulated, or those of a folder that `spherekit simulate` has
written; what is measured of them is kept, and a training that was stopped goes on with --resume, to the
same numbers. At the end stand model.npz, for `spherekit predict`, and the accuracy on skies that the training
has not seen, beside that of simpler methods.
"""

import sys
from pathlib import Path

from spherekit.cli import options, output


def arguments(parser):
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a .toml file, or an example's name"
    )
    parser.add_argument("--list-examples", action="store_true", help="what comes with spherekit")
    parser.add_argument("--show-example", metavar="NAME", help="print one")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="default: the name of FILE, here; made if missing"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--plot", metavar="PICTURE", help="draw the learning curves")
    parser.add_argument(
        "--profile", action="store_true", help="print where the time of one step goes, and stop"
    )
    options.common(parser)


def run(args):
    from spherekit.experiments.gaussianity import config as experiment_config

    if args.list_examples or args.show_example:
        _show(args.show_example)
        return
    if args.file is None:
        raise options.Usage("name a configuration, or an example of --list-examples")
    config = experiment_config.read(args.file)
    if args.profile:
        net, profile = experiment_config.profile(config, args.threads)
        print(f"{net}, {config.values['fit']['batch']} signals: random numbers of the same shape\n")
        print(profile)
        return
    folder = Path(args.output or Path(config.source).stem)
    options.writable(args.plot, args.force or args.resume, options.PICTURES)
    _refuse_mixing(folder, args.resume)
    options.folder(folder)
    print(f"{config.source}: results in {folder}/", flush=True)
    data = gather(config, folder / "features", args.threads)
    rows, last = _train(config, data, folder, args)
    if args.plot:
        from spherekit.train import curves

        with output.together(args.force or args.resume):
            title = Path(config.source).name
            output.save(curves(last.state.history, title=title), args.plot)
        print(f"wrote {args.plot}")
    lines = list(experiment_config.report(data, rows, experiment_config.controls(data)))
    output.write_text(folder / "report.txt", "\n".join([config.source, *lines, ""]))
    print("", *lines, sep="\n")


def _show(name):
    from spherekit.experiments.gaussianity import config as experiment_config

    known = experiment_config.examples()
    if name is None:
        for example, path in known.items():
            print(f"{example:28} {experiment_config.title(path)}")
        return
    name = name if name.endswith(".toml") else f"{name}.toml"
    if name not in known:
        raise options.Usage(f"no example {name}; there are {', '.join(known)}")
    print(known[name].read_text("utf-8"), end="")


def _refuse_mixing(folder, resume):
    from spherekit.train import checkpoints

    checkpoint = checkpoints.latest(folder / "checkpoints")
    if checkpoint is not None and not resume:
        raise options.Usage(
            f"{folder} holds a training ({checkpoint.name}): go on with it by --resume, or choose another "
            "folder by -o"
        )


def gather(config, folder, threads):
    """The skies of a configuration, with a bar on standard error, if a terminal."""
    from tqdm import tqdm

    from spherekit._core.parallel import thread_count
    from spherekit.cli.predict import read_flm
    from spherekit.experiments.gaussianity import data

    with tqdm(desc="skies", leave=False, disable=None) as bar:

        def progress(done, total):
            bar.total = total
            bar.update(done - bar.n)

        def read(path, L):
            return read_flm(path, L, threads=1)

        settings = dict(read=read, workers=thread_count(threads), progress=progress)
        return data.gather(config, folder, **settings)


def _train(config, data, folder, args):
    """([(title, accuracy)] of the networks, the last step of the first)."""
    from spherekit.experiments.gaussianity import classifier
    from spherekit.experiments.gaussianity import config as experiment_config

    network = config.values["network"]
    first = "network, with scattering" if network["scattering"] else "network, without scattering"
    kinds = [(first, network["scattering"], folder)]
    if network["compare"]:
        kinds.append(("the same network, without scattering", False, folder / "without-scattering"))
    rows, lasts = [], []
    for title, scattering, where in kinds:
        training = experiment_config.training(config, data, scattering=scattering)
        classifier.same_training(where / "checkpoints", training.model)
        settings = dict(checkpoints=where / "checkpoints", resume=args.resume, threads=args.threads)
        last = follow(experiment_config.steps(config, training, **settings), title)
        params = classifier.save(where / "model.npz", last.state, training.model)
        print(f"wrote {where / 'model.npz'}", flush=True)
        rows.append((title, experiment_config.accuracy(training, params, args.threads)))
        lasts.append(last)
    return rows, lasts[0]


def follow(steps, title):
    """Drive a training to its end: a bar where standard error is a terminal, else a line for each epoch."""
    from spherekit.train import finish, progress

    if sys.stderr.isatty():
        return finish(progress(steps, desc=title, leave=False))
    print(title, flush=True)
    for step in steps:
        if step.state.epoch == step.epoch:
            train = step.state.history["epochs"]["train"][-1]
            names = {"loss": "validation loss"}
            metrics = [f"{names.get(name, name)} {v:.4f}" for name, v in step.metrics.items()]
            print(
                f"   epoch {step.epoch:3d}: " + ", ".join([f"loss {train:.4f}", *metrics]),
                flush=True,
            )
    return step
