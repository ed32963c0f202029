"""Experiments from a configuration to a report, in a folder: what ``spherekit train`` runs, from Python."""

import os
from pathlib import Path
from typing import NamedTuple

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.experiments import common, models
from spherekit.experiments.folder_lock import locked
from spherekit.experiments.reading import reader
from spherekit.experiments.signals import Analysis
from spherekit.nn import count_parameters
from spherekit.train import checkpoints as files
from spherekit.train import finish


class Run(NamedTuple):
    """Results of `run`.

    Attributes
    ----------
    experiment : common.Experiment
    config : spherekit.train.config.Config
    data : object
        What ``experiment.gather`` returned.
    trained : list of common.Trained
        The parameters that ``model.npz`` holds.
    checkpoints : list of spherekit.train.checkpoints.Checkpoint
        The last of each training: ``checkpoint.history``, for `spherekit.train.curves`.
    report : list of str
    """

    experiment: object
    config: object
    data: object
    trained: list
    checkpoints: list
    report: list


def run(
    configuration,
    folder,
    *,
    epochs=None,
    resume=False,
    read=None,
    analysis=None,
    threads=None,
    follow=None,
    progress=None,
    tell=None,
):
    """Train the networks of an experiment, write their model files, and report on the test data.

    The folder then has ``model.npz`` and ``report.txt``, with ``checkpoints/`` and ``features/``. While the
    run lasts it holds a lock file: two runs in one folder are refused.

    Parameters
    ----------
    configuration : str, path, dict or (Experiment, Config)
        A TOML file or the name of an example, as for `read`; its content as a dict; or what `read` or `parse`
        returned.
    folder : str or path
        It is created where it does not exist.
    epochs : int, optional
        In place of those of the configuration; with ``resume``, by default those of the training in the
        folder.
    resume : bool
        Continue the training in the folder, from the last checkpoint. A finished one is lengthened by more
        ``epochs``.
    read : callable, optional
        As of `Experiment.gather`; by default `reader()`.
    analysis : Analysis, optional
        How maps are fitted.
    threads : int, optional
    follow : callable, optional
        ``follow(steps, title)`` has to exhaust the iterator of `spherekit.train.Step`; by default
        `spherekit.train.finish`.
    progress : callable, optional
        Of `Experiment.gather`: called with (signals that are ready, signals in total).
    tell : callable, optional
        Called with lines of text, as ``print``; by default nothing is printed.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        A configuration that does not fit; a folder that holds a training, without ``resume``, or in which
        another run is going on; checkpoints that are damaged or of another training.

    >>> import tempfile
    >>> import numpy as np
    >>> from spherekit import experiments, io
    >>> from spherekit.testing import random_flm
    >>> folder, rng = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> rows = ["path,label"]
    >>> for i in range(12):
    ...     flm = (1 + i % 2) * random_flm(8, rng, reality=True)
    ...     io.write_arrays(folder / f"{i}.npz", flm=flm)
    ...     rows.append(f"{i}.npz,{('weak', 'strong')[i % 2]}")
    >>> _ = (folder / "train.csv").write_text("\\n".join(rows))
    >>> content = {"experiment": "maps", "data": {"maps": str(folder / "train.csv")}}
    >>> done = experiments.run(content, folder / "run", epochs=2)
    >>> done.checkpoints[0].epoch
    2
    >>> model = experiments.load(folder / "run/model.npz")
    >>> table = model.experiment.predict(model, [folder / "0.npz"], read=experiments.reader())
    >>> table.head
    ['file', 'class', 'p_strong', 'p_weak']
    """
    tell = _quiet if tell is None else tell
    experiment, config = _configured(configuration, epochs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        last = files.latest(folder / "checkpoints")
        if last is not None and not resume:
            raise ValueError(
                f"{folder} holds a training ({last.name}); continue it by resume=True, choose another "
                "folder, or remove this one first"
            )
        tell(f"{config.source}: results in {folder}/")
        data = experiment.gather(
            config,
            folder / "features",
            read=reader() if read is None else read,
            analysis=Analysis(threads=threads) if analysis is None else analysis,
            progress=_quiet if progress is None else progress,
        )
        summary = list(experiment.summary(config, data))
        for line in summary:
            tell(line)
        trainings = list(experiment.trainings(config, data))
        started = [None] * len(trainings)
        if resume:
            folders = [folder / training.folder / "checkpoints" for training in trainings]
            started = [
                models.begun(place, training, config)
                for place, training in zip(folders, trainings, strict=True)
            ]
            if not any(started):
                tell(f"{folder} holds no training yet: it starts from the beginning")
            elif epochs is None:
                config = _with_former_epochs(config, started, folder, tell)
        trained, checkpoints, facts = [], [], []
        for training, start in zip(trainings, started, strict=True):
            settings = dict(resume=resume, threads=threads, follow=follow or _follow, tell=tell)
            checkpoint = _train(experiment, config, training, start, folder, **settings)
            best = checkpoint.best
            epoch = None if best["value"] is None else best["epoch"]
            result = common.Trained(training, *models.selected(checkpoint), epoch)
            path = folder / training.folder / "model.npz"
            models.save(path, experiment, result)
            tell(f"   {_outcome(config, training, checkpoint)}")
            tell(f"wrote {path}")
            trained.append(result)
            checkpoints.append(checkpoint)
            facts.extend(_facts(config, training, checkpoint))
        report = list(experiment.report(config, data, trained, threads))
        lines = [config.source, *summary, *report, "", *facts, ""]
        _write_text(folder / "report.txt", "\n".join(lines))
    return Run(experiment, config, data, trained, checkpoints, report)


def _quiet(*values):
    pass


def _follow(steps, title):
    finish(steps)


def _configured(configuration, epochs):
    """(experiment, config), with these epochs."""
    changes = None if epochs is None else {"fit": {"epochs": epochs}}
    if isinstance(configuration, str | os.PathLike):
        return common.read(configuration, changes)
    if isinstance(configuration, dict):
        return common.parse(configuration, "the configuration", changes)
    if not (
        isinstance(configuration, tuple)
        and len(configuration) == 2
        and isinstance(configuration[0], common.Experiment)
    ):
        raise TypeError(
            f"configuration is {configuration!r}; expected a TOML file, the name of an example, a dict, or "
            "what experiments.read returns"
        )
    experiment, config = configuration
    if epochs is not None:
        config = _with_epochs(config, checks.integer(epochs, "epochs", 1))
    return experiment, config


def _with_epochs(config, epochs):
    fit = config.values["fit"] | {"epochs": epochs}
    return config._replace(values=config.values | {"fit": fit})


def _with_former_epochs(config, started, folder, tell):
    """The configuration with the epochs that the training in the folder was begun or lengthened with."""
    former = max(start.epochs for start in started if start is not None)
    now = config.values["fit"]["epochs"]
    if former == now:
        return config
    tell(
        f"{folder} holds a training of {former} epochs, which is continued; {config.source} has {now}: for "
        f"those pass --epochs {now}"
    )
    return _with_epochs(config, former)


def _train(experiment, config, training, start, folder, *, resume, threads, follow, tell):
    """The last checkpoint of a training."""
    done, epochs = 0 if start is None else start.checkpoint.step, config.values["fit"]["epochs"]
    place = folder / training.folder / "checkpoints"
    options = dict(checkpoints=place, resume=resume, threads=threads)
    if start is not None and epochs <= start.checkpoint.epoch:
        former = _with_epochs(config, max(start.epochs, 1))
        with models.advice_on_damage(place):
            models.steps(
                experiment, former, training, **options
            ).close()  # refuses another training
        tell(training.title)
        tell(f"   already has {_epochs(start.checkpoint.epoch)}; nothing to train")
        return start.checkpoint
    if start is not None:
        _check_schedule(config, training, start)
    last = [None]
    with models.advice_on_damage(place):
        steps = models.steps(experiment, config, training, **options)
    follow(_new(steps, done, last), training.title)
    checkpoint = last[0].checkpoint
    if done and checkpoint.step == done:
        tell(f"   already has {_epochs(checkpoint.epoch)} and stopped early; nothing to train")
    return checkpoint


def _new(steps, done, last):
    """The steps after those that are done; the last one of all is put into ``last``."""
    for step in steps:
        last[0] = step
        if step.step > done:
            yield step


def _check_schedule(config, training, start):
    """Refuse other epochs of an unfinished training, where its learning rate depends on them."""
    count, epochs = len(training.train[1]), config.values["fit"]["epochs"]
    exhausted = config.values["fit"]["patience"] is not None
    unfinished = start.checkpoint.epoch < start.epochs and not exhausted
    if not unfinished or epochs == start.epochs:
        return
    texts = {
        _with_epochs(config, number).options(count)["optimizer"].schedule_text
        for number in (epochs, start.epochs)
    }
    if len(texts) > 1:
        raise ValueError(
            f"{start.path} is of an unfinished training, {start.checkpoint.epoch} of {start.epochs} epochs, "
            f"whose learning rate depends on their number; resume it without --epochs {epochs}, and lengthen "
            "it once it is finished"
        )


def _epochs(number):
    return f"{number} epoch{'s' * (number != 1)}"


# --- what is told of a training ----------------------------------------------------------------------


def epoch_values(checkpoint, epoch=None):
    """Text on the losses and metrics after an epoch, by default the last one."""
    columns = checkpoint.history["epochs"]
    number = len(columns["train"]) - 1 if epoch is None else epoch - 1
    names = {"train": "loss", "loss": "validation loss"}
    return ", ".join(
        f"{names.get(name, name)} {values[number]:.4f}"
        for name, values in columns.items()
        if name != "step"
    )


def _best(config, checkpoint):
    """The epoch of the parameters in the model file, as text."""
    best = checkpoint.best
    if best["value"] is None:
        return f"{checkpoint.epoch}, the last"
    monitor = config.values["fit"]["monitor"]
    return f"{best['epoch']}, the best by validation {monitor} ({best['value']:.4f})"


def _outcome(config, training, checkpoint):
    """A line on a training that has ended."""
    count = count_parameters(training.params)
    return (
        f"{count} parameters, {_epochs(checkpoint.epoch)}; model.npz is of epoch "
        f"{_best(config, checkpoint)}"
    )


def _facts(config, training, checkpoint):
    """Lines on a training, for the report."""
    optimizer = config.options(len(training.train[1]))["optimizer"]
    yield training.title
    yield from (f"   {line}" for line in repr(training.net).splitlines())
    yield f"   parameters: {count_parameters(training.params)}"
    yield f"   optimizer: {optimizer.settings_text}"
    yield f"   schedule: {optimizer.schedule_text}"
    yield f"   epochs: {checkpoint.epoch}, at last {epoch_values(checkpoint)}"
    yield f"   epoch of model.npz: {_best(config, checkpoint)}"


def _write_text(path, text):
    with replacing(path, True) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
