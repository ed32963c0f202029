"""Run an experiment from its configuration to a report, as ``spherekit train`` does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.experiments import base, common, models
from spherekit.experiments.folder_lock import locked
from spherekit.experiments.reading import reader
from spherekit.experiments.signals import Analysis
from spherekit.nn import count_parameters
from spherekit.train import checkpoints as files
from spherekit.train import finish
from spherekit.train.config import Config


class Run(NamedTuple):
    """Results of `run`.

    Attributes
    ----------
    experiment : Experiment
    config : spherekit.train.config.Config
    data : object
        As returned by ``experiment.gather``.
    trained : list of Trained
        With the parameters of ``model.npz``.
    checkpoints : list of spherekit.train.checkpoints.Checkpoint
        The last one of each training; ``checkpoint.history`` is the argument of `spherekit.train.curves`.
    report : list of str
        Lines of text.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit import experiments
    >>> data = {"L": 16, "strength": 0.9, "train": 8, "validation": 4, "test": 4}
    >>> content = {"experiment": "gaussianity", "data": data, "features": {"J0": 2}}
    >>> result = experiments.run(content, tempfile.mkdtemp(), epochs=2)
    >>> result.trained[0].training.title, result.checkpoints[0].epoch
    ('network, with scattering', 2)
    """

    experiment: object
    config: object
    data: object
    trained: list
    checkpoints: list
    report: list


def run(
    configuration: str | os.PathLike | dict | tuple[base.Experiment, Config],
    folder: str | os.PathLike,
    *,
    epochs: int | None = None,
    resume: bool = False,
    read: Callable | None = None,
    analysis: Analysis | None = None,
    threads: int | None = None,
    follow: Callable | None = None,
    progress: Callable[[int, int], object] | None = None,
    log: Callable[[str], object] | None = None,
) -> Run:
    """Train the networks of an experiment, write their model files, and report on the test data.

    The results in the folder are ``model.npz``, ``report.txt``, ``checkpoints/`` and the cache ``features/``.
    During the run the folder has a lock file, so that a second run in the same folder raises ValueError.

    Parameters
    ----------
    configuration : str, path, dict or tuple
        A TOML file or the name of an example, as for `read`; its content as a dict; or (experiment, config)
        as returned by `read` or `parse`.
    folder : str or path
        Created if missing.
    epochs : int, optional
        Replaces that of the configuration. With ``resume`` the default is that of the training in the folder.
    resume : bool
        Continue the training in the folder from its last checkpoint. With a larger number of ``epochs`` a
        finished training is extended.
    read : callable, optional
        As for `Experiment.gather`; by default `reader()`.
    analysis : Analysis, optional
        Parameters of the least-squares analysis of maps.
    threads : int, optional
    follow : callable, optional
        ``follow(steps, title)`` consumes the iterator of `spherekit.train.Step`; by default
        `spherekit.train.finish`.
    progress : callable, optional
        Called by `Experiment.gather` with (number of signals processed, total number of signals).
    log : callable, optional
        Called with each line of text, for example ``print``; by default nothing is printed.

    Returns
    -------
    Run

    Raises
    ------
    FileNotFoundError
        If there is no such configuration, or a file that it lists does not exist.
    TypeError
        If ``configuration`` is none of the types above.
    ValueError
        If the configuration is invalid; if the folder contains a training and ``resume`` is False; if another
        run uses the folder; if the checkpoints are damaged or belong to another training.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from spherekit import experiments, io
    >>> from spherekit.testing import random_flm
    >>> folder, rng = pathlib.Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> rows = ["path,label"]
    >>> for i in range(12):
    ...     flm = (1 + i % 2) * random_flm(8, rng, reality=True)
    ...     io.write_arrays(folder / f"{i}.npz", flm=flm)
    ...     rows.append(f"{i}.npz,{('weak', 'strong')[i % 2]}")
    >>> _ = (folder / "train.csv").write_text("\\n".join(rows))
    >>> content = {"experiment": "maps", "data": {"maps": str(folder / "train.csv")}}
    >>> result = experiments.run(content, folder / "run", epochs=2)
    >>> result.checkpoints[0].epoch
    2
    >>> model = experiments.load(folder / "run/model.npz")
    >>> table = model.experiment.predict(model, [folder / "0.npz"], read=experiments.reader())
    >>> table.head
    ['file', 'class', 'p_strong', 'p_weak']
    """
    log = _ignore if log is None else log
    experiment, config = _configured(configuration, epochs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        last = files.latest(folder / "checkpoints")
        if last is not None and not resume:
            raise ValueError(
                f"{folder} contains a training ({last.name}); continue it with resume=True, choose another "
                "folder, or remove this one first"
            )
        log(f"{config.source}: results in {folder}/")
        data = experiment.gather(
            config,
            folder / "features",
            read=reader() if read is None else read,
            analysis=Analysis(threads=threads) if analysis is None else analysis,
            progress=_ignore if progress is None else progress,
        )
        summary = list(experiment.summary(config, data))
        for line in summary:
            log(line)
        trainings = list(experiment.trainings(config, data))
        resume_points = [None] * len(trainings)
        if resume:
            folders = [folder / training.folder / "checkpoints" for training in trainings]
            resume_points = [
                models.resume_point(checkpoints, training, config)
                for checkpoints, training in zip(folders, trainings, strict=True)
            ]
            if not any(resume_points):
                log(f"{folder} contains no training: it starts from the beginning")
            elif epochs is None:
                config = _with_previous_epochs(config, resume_points, folder, log)
        trained, checkpoints, facts = [], [], []
        for training, resume_point in zip(trainings, resume_points, strict=True):
            settings = dict(resume=resume, threads=threads, follow=follow or _follow, log=log)
            checkpoint = _train(experiment, config, training, resume_point, folder, **settings)
            best = checkpoint.best
            epoch = None if best["value"] is None else best["epoch"]
            result = base.Trained(training, *models.selected(checkpoint), epoch)
            path = folder / training.folder / "model.npz"
            models.save(path, experiment, result)
            log(f"   {_outcome(config, training, checkpoint)}")
            log(f"wrote {path}")
            trained.append(result)
            checkpoints.append(checkpoint)
            facts.extend(_facts(config, training, checkpoint))
        report = list(experiment.report(config, data, trained, threads))
        lines = [config.source, *summary, *report, "", *facts, ""]
        _write_text(folder / "report.txt", "\n".join(lines))
    return Run(experiment, config, data, trained, checkpoints, report)


def _ignore(*arguments):
    pass


def _follow(steps, title):
    finish(steps)


def _configured(configuration, epochs):
    """(experiment, config) of any kind of configuration, with this number of epochs."""
    changes = None if epochs is None else {"fit": {"epochs": epochs}}
    if isinstance(configuration, str | os.PathLike):
        return common.read(configuration, changes)
    if isinstance(configuration, dict):
        return common.parse(configuration, "the configuration", changes)
    if not (
        isinstance(configuration, tuple)
        and len(configuration) == 2
        and isinstance(configuration[0], base.Experiment)
    ):
        raise TypeError(
            f"configuration is {configuration!r}; expected a TOML file, the name of an example, a dict, or "
            "(experiment, config) as returned by experiments.read"
        )
    experiment, config = configuration
    if epochs is not None:
        config = _with_epochs(config, checks.integer(epochs, "epochs", 1))
    return experiment, config


def _with_epochs(config, epochs):
    fit = config.values["fit"] | {"epochs": epochs}
    return config._replace(values=config.values | {"fit": fit})


def _with_previous_epochs(config, resume_points, folder, log):
    """The configuration with the number of epochs of the training in the folder."""
    previous = max(point.epochs for point in resume_points if point is not None)
    requested = config.values["fit"]["epochs"]
    if previous == requested:
        return config
    log(
        f"{folder} contains a training of {previous} epochs, which is continued; {config.source} has "
        f"{requested}: pass --epochs {requested} to use that"
    )
    return _with_epochs(config, previous)


def _train(experiment, config, training, resume_point, folder, *, resume, threads, follow, log):
    """Run a training; returns its last checkpoint."""
    first_step = 0 if resume_point is None else resume_point.checkpoint.step
    epochs = config.values["fit"]["epochs"]
    checkpoints = folder / training.folder / "checkpoints"
    options = dict(checkpoints=checkpoints, resume=resume, threads=threads)
    if resume_point is not None and epochs <= resume_point.checkpoint.epoch:
        previous = _with_epochs(config, max(resume_point.epochs, 1))
        with models.advice_on_damage(checkpoints):
            # raises an error if the checkpoints are of another training
            models.steps(experiment, previous, training, **options).close()
        log(training.title)
        log(f"   already has {_epochs(resume_point.checkpoint.epoch)}; nothing to train")
        return resume_point.checkpoint
    if resume_point is not None:
        _check_schedule(config, training, resume_point)
    last = [None]
    with models.advice_on_damage(checkpoints):
        steps = models.steps(experiment, config, training, **options)
    follow(_new_steps(steps, first_step, last), training.title)
    checkpoint = last[0].checkpoint
    if first_step and checkpoint.step == first_step:
        log(f"   already has {_epochs(checkpoint.epoch)} and stopped early; nothing to train")
    return checkpoint


def _new_steps(steps, first_step, last):
    """Iterate over the steps after ``first_step``; ``last[0]`` is set to the last step of all."""
    for step in steps:
        last[0] = step
        if step.step > first_step:
            yield step


def _check_schedule(config, training, resume_point):
    """Raise ValueError if the learning rate of an unfinished training depends on the number of epochs."""
    count, epochs = len(training.train[1]), config.values["fit"]["epochs"]
    may_stop_early = config.values["fit"]["patience"] is not None
    unfinished = resume_point.checkpoint.epoch < resume_point.epochs and not may_stop_early
    if not unfinished or epochs == resume_point.epochs:
        return
    texts = {
        _with_epochs(config, number).options(count)["optimizer"].schedule_text
        for number in (epochs, resume_point.epochs)
    }
    if len(texts) > 1:
        raise ValueError(
            f"{resume_point.path} belongs to an unfinished training, {resume_point.checkpoint.epoch} of "
            f"{resume_point.epochs} epochs, whose learning rate depends on the number of epochs; resume it "
            f"without --epochs {epochs}, and extend it when it is finished"
        )


def _epochs(number):
    return f"{number} epoch{'s' * (number != 1)}"


# --- text on a training ------------------------------------------------------------------------------


def epoch_values(checkpoint, epoch=None):
    """Text with the losses and metrics after an epoch, by default the last one."""
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
        return f"{checkpoint.epoch}, the last one"
    monitor = config.values["fit"]["monitor"]
    return f"{best['epoch']}, the one with the best validation {monitor} ({best['value']:.4f})"


def _outcome(config, training, checkpoint):
    """A line on a finished training."""
    count = count_parameters(training.params)
    return (
        f"{count} parameters, {_epochs(checkpoint.epoch)}; model.npz has the parameters of epoch "
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
    yield f"   epochs: {checkpoint.epoch}; after the last one {epoch_values(checkpoint)}"
    yield f"   epoch of model.npz: {_best(config, checkpoint)}"


def _write_text(path, text):
    with replacing(path, True) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
