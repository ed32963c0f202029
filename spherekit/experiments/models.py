"""Trainings of experiments, and the model files that they write.

A model file is a file of `spherekit.nn.save` whose header also contains the name of the experiment and the
description of its `Training`. Each checkpoint of such a training is a model file too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from spherekit.experiments import base, common
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.files import describe, network_of
from spherekit.train import checkpoints as files
from spherekit.train import fit
from spherekit.train.config import Config
from spherekit.train.loop import Step

#: Version of the descriptions of models.
VERSION = 2


def header(experiment, training):
    """Header of a model file of a `base.Training`, without the description of the network."""
    return {"experiment": experiment.name, "version": VERSION, "model": training.description}


def steps(
    experiment: base.Experiment,
    config: Config,
    training: base.Training,
    *,
    checkpoints: str | os.PathLike | None = None,
    resume: bool = False,
    threads: int | None = None,
) -> Iterator[Step]:
    """Train a network step by step: `spherekit.train.fit` with the options of a configuration.

    Parameters
    ----------
    experiment : Experiment
    config : spherekit.train.config.Config
    training : Training
    checkpoints : str or path, optional
        Folder; by default none are written.
    resume : bool
        Continue from the last checkpoint in the folder, if any.
    threads : int, optional

    Returns
    -------
    iterator of spherekit.train.Step

    Raises
    ------
    ValueError, TypeError
        As `spherekit.train.fit`; in particular if the folder has checkpoints of another training.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit import experiments, train
    >>> data = {"L": 16, "strength": 0.9, "train": 8, "validation": 0, "test": 2}
    >>> content = {"experiment": "gaussianity", "data": data, "features": {"J0": 2}}
    >>> experiment, config = experiments.parse(content, "example", {"fit": {"epochs": 2}})
    >>> data = experiment.gather(config, tempfile.mkdtemp(), read=None)
    >>> (training,) = experiment.trainings(config, data)
    >>> train.finish(experiments.steps(experiment, config, training)).epoch
    2
    """
    settings = dict(folder=checkpoints, resume=resume, description=header(experiment, training))
    options = config.options(len(training.train[1]), **settings)
    if training.metrics is not None:
        options["metrics"] = training.metrics
    data = dict(validation=training.validation, threads=threads)
    initial = training.params, training.state
    return fit(training.net, initial, training.train, **options, **data)


def selected(checkpoint: files.Checkpoint) -> tuple[list, list]:
    """Parameters and running state that a training results in.

    They are those of the best epoch by the validation data, or without validation data those of the last
    epoch.

    Parameters
    ----------
    checkpoint : spherekit.train.checkpoints.Checkpoint
        The last one of the training.

    Returns
    -------
    params, state : list

    Raises
    ------
    TypeError
        If ``checkpoint`` is not a `Checkpoint`.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import experiments, nn, train
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> x, labels = random_flm(4, rng, reality=True, shape=(20, 1)), np.arange(20) % 2
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> options = dict(optimizer=train.sgd(0.1), epochs=10, validation=(x[10:], labels[10:]))
    >>> last = train.finish(train.fit(net, net.init(1), (x[:10], labels[:10]), **options))
    >>> params, state = experiments.selected(last.checkpoint)           # those of epoch 3
    >>> trees = {"selected": params, "last": last.params}
    >>> data = x[10:], labels[10:]
    >>> for name, tree in trees.items():
    ...     loss = train.evaluate(net, tree, data, state=state, loss="cross_entropy")["loss"]
    ...     print(name, round(loss, 3))
    selected 2.13
    last 3.704
    """
    if not isinstance(checkpoint, files.Checkpoint):
        raise TypeError(f"checkpoint is {checkpoint!r}; expected a Checkpoint")
    best = checkpoint.best
    if best["value"] is None:
        return checkpoint.params, checkpoint.state
    return best["params"], best["state"]


def save(path: str | os.PathLike, experiment: base.Experiment, trained: base.Trained) -> None:
    """Write a trained network as a model file; an existing file is replaced.

    Parameters
    ----------
    path : str or path
        With the suffix .npz.
    experiment : Experiment
    trained : Trained

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError, TypeError
        If a layer of the network is not registered, or the description cannot be represented in JSON.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit import experiments, nn
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> params, state = net.init(np.random.default_rng(0))
    >>> training = experiments.Training("example", net, params, state, None, None, None, {})
    >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
    >>> trained = experiments.Trained(training, params, state)
    >>> experiments.save(path, experiments.get("maps"), trained)
    >>> nn.load(path)[0] == net
    True
    """
    training = trained.training
    tree = {"params": trained.params, "state": trained.state}
    content = {"network": describe(training.net)} | header(experiment, training)
    write_tree(path, tree, content, overwrite=True)


def load(path: str | os.PathLike) -> base.Model:
    """Read a model file or a checkpoint of an experiment. Nothing in it is unpickled or executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Model

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is damaged or not a model file, or has another version or an unknown experiment.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit import experiments
    >>> from spherekit.experiments.maps import model
    >>> net = model.small(8)
    >>> params, state = net.init(np.random.default_rng(0))
    >>> description = {"L": 8, "classes": None, "mean": [0.0], "scale": [1.0], "center": 0.0, "width": 1.0,
    ...                "unit": "", "cut": False, "has_upper_half": True}
    >>> description |= dict.fromkeys(("field", "hdu", "grid", "ordering"))
    >>> training = experiments.Training("example", net, params, state, None, None, None, description)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
    >>> trained = experiments.Trained(training, params, state)
    >>> experiments.save(path, experiments.get("maps"), trained)
    >>> experiments.load(path).experiment.name
    'maps'
    """
    tree, content = read_tree(path)
    net, params, state = network_of(path, tree, content)
    content = content if "experiment" in content else content.get("description")
    if not isinstance(content, dict) or "experiment" not in content:
        raise ValueError(
            f"{path} contains a network that is not of an experiment; expected a model of spherekit train"
        )
    try:
        if content["version"] != VERSION:
            raise ValueError(
                f"its version is {content['version']}; this version of spherekit reads {VERSION}"
            )
        experiment = common.get(content["experiment"])
        if not isinstance(content["model"], dict):
            raise ValueError(f"its description is {content['model']!r}; expected a dict")
        experiment.check_model(net, content["model"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} contains a model that cannot be used: {reason}") from None
    return base.Model(experiment, net, params, state, content["model"])


class ResumePoint(NamedTuple):
    """The state of an earlier run of a `base.Training`.

    Attributes
    ----------
    path : path
        Path of the last checkpoint.
    checkpoint : spherekit.train.checkpoints.Checkpoint
        The last one.
    epochs : int
        Number of epochs of the complete training, as last requested.
    """

    path: object
    checkpoint: object
    epochs: int


def resume_point(folder, training, config):
    """The `ResumePoint` of a folder of checkpoints, or None if it has no checkpoints.

    Raises
    ------
    ValueError
        If the checkpoint is damaged, or has another seed or other signals than ``training``.
    """
    path = files.latest(folder)
    if path is None:
        return None
    with advice_on_damage(folder):
        checkpoint, description = files.load(path)
        settings, model = description.get("training", {}), description.get("model", {})
        if not isinstance(settings, dict) or not isinstance(model, dict):
            raise ValueError(f"{path} is damaged: its description is not that of a training")
    seed = config.values["fit"]["seed"]
    if settings.get("seed", seed) != seed:
        raise ValueError(
            f"{path} belongs to another training: its seed is {settings['seed']}; expected {seed}: pass "
            f"--seed {settings['seed']}, or choose another folder with -o"
        )
    changed = [name for name, value in training.description.items() if model.get(name) != value]
    if changed:
        raise ValueError(
            f"{path} belongs to another training: {', '.join(changed)} of its signals differ; continue "
            "with the same data ([data], and options such as --maps, --L, --validation, --test), or choose "
            "another folder with -o"
        )
    steps_per_epoch = -(-len(training.train[1]) // config.values["fit"]["batch_size"])
    total_steps = settings.get("total_steps")
    total_steps = total_steps if files.is_count(total_steps) else checkpoint.step
    return ResumePoint(path, checkpoint, -(-total_steps // steps_per_epoch))


@contextmanager
def advice_on_damage(folder):
    """Context manager that adds a remedy to the errors about a damaged last checkpoint of a folder."""
    try:
        yield
    except ValueError as error:
        phrases = "is damaged", "not a checkpoint", "not a network"
        if not any(phrase in str(error) for phrase in phrases):
            raise
        numbered = files.numbered(folder)
        advice = "remove it, and --resume starts from the beginning"
        if len(numbered) > 1:
            advice = (
                f"remove it, and --resume continues from the previous one, {numbered[-2][1].name}"
            )
        raise ValueError(f"{error}; {advice}") from None
