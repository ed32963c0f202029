"""Trainings of experiments, and the model files that they write.

A model file is one of `spherekit.nn.save` whose header also names the experiment and has the description of
its `Training`; every checkpoint of such a training is a model file too.
"""

from contextlib import contextmanager
from typing import NamedTuple

from spherekit import nn
from spherekit.experiments import common
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.files import describe, network_of
from spherekit.train import checkpoints as files
from spherekit.train import fit

#: Version of the descriptions of models.
VERSION = 2


class Model(NamedTuple):
    """A trained network of an experiment, as its file has it."""

    experiment: object
    net: nn.Sequential
    params: list
    state: list
    description: dict


def header(experiment, training):
    """What a model file says of a `common.Training` of an experiment, beside its network."""
    return {"experiment": experiment.name, "version": VERSION, "model": training.description}


def steps(experiment, config, training, *, checkpoints=None, resume=False, threads=None):
    """The generator of `spherekit.train.fit` for a training.

    Parameters
    ----------
    experiment : common.Experiment
    config : spherekit.train.config.Config
    training : common.Training
    checkpoints : path, optional
        Folder.
    resume : bool
        Go on from the last checkpoint there, if any.
    threads : int, optional
    """
    settings = dict(folder=checkpoints, resume=resume, description=header(experiment, training))
    options = config.options(len(training.train[1]), **settings)
    if training.metrics is not None:
        options["metrics"] = training.metrics
    data = dict(validation=training.validation, threads=threads)
    initial = training.params, training.state
    return fit(training.net, initial, training.train, **options, **data)


def selected(checkpoint):
    """(params, state) of a training: the best by its validation data, or without these the last."""
    best = checkpoint.best
    if best["value"] is None:
        return checkpoint.params, checkpoint.state
    return best["params"], best["state"]


def save(path, experiment, trained):
    """Write a `common.Trained` as a model file, in place of one that exists."""
    training = trained.training
    tree = {"params": trained.params, "state": trained.state}
    content = {"network": describe(training.net)} | header(experiment, training)
    write_tree(path, tree, content, overwrite=True)


def load(path):
    """`Model` of a file, or of a checkpoint. Nothing in it is unpickled or executed.

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file; one of another version or of an unknown experiment.
    """
    tree, content = read_tree(path)
    net, params, state = network_of(path, tree, content)
    content = content if "experiment" in content else content.get("description")
    if not isinstance(content, dict) or "experiment" not in content:
        raise ValueError(
            f"{path} holds a network, but not of an experiment: train one with spherekit train"
        )
    try:
        if content["version"] != VERSION:
            raise ValueError(f"version {content['version']}; this spherekit reads {VERSION}")
        experiment = common.get(content["experiment"])
        if not isinstance(content["model"], dict):
            raise ValueError(f"its description is {content['model']!r}")
        experiment.check_model(net, content["model"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} holds a model that cannot be used: {reason}") from None
    return Model(experiment, net, params, state, content["model"])


class Begun(NamedTuple):
    """What a folder holds of a `common.Training`.

    Attributes
    ----------
    path : path
        The last checkpoint.
    checkpoint : spherekit.train.checkpoints.Checkpoint
        That.
    epochs : int
        Of the whole training, as it was begun or lengthened.
    """

    path: object
    checkpoint: object
    epochs: int


def begun(folder, training, config):
    """The `Begun` of a folder of checkpoints, or None where it has none.

    Raises
    ------
    ValueError
        A damaged checkpoint; one of another seed, or of other signals than those of ``training``.
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
            f"{path} is of another training: its seed was {settings['seed']}, now {seed}; pass --seed "
            f"{settings['seed']}, or choose another folder by -o"
        )
    changed = [name for name, value in training.description.items() if model.get(name) != value]
    if changed:
        raise ValueError(
            f"{path} is of another training: {', '.join(changed)} of its signals differ; go on with the data "
            "that it began with ([data], and options such as --maps, --L, --validation, --test), or choose "
            "another folder by -o"
        )
    steps_per_epoch = -(-len(training.train[1]) // config.values["fit"]["batch_size"])
    total_steps = settings.get("total_steps")
    total_steps = total_steps if files.is_count(total_steps) else checkpoint.step
    return Begun(path, checkpoint, -(-total_steps // steps_per_epoch))


@contextmanager
def advice_on_damage(folder):
    """Add to errors about a damaged last checkpoint of a folder what can be done."""
    try:
        yield
    except ValueError as error:
        words = "is damaged", "not a checkpoint", "not a network"
        if not any(word in str(error) for word in words):
            raise
        numbered = files.numbered(folder)
        advice = "remove it, and --resume starts from the beginning"
        if len(numbered) > 1:
            advice = (
                f"remove it, and --resume continues from the one before, {numbered[-2][1].name}"
            )
        raise ValueError(f"{error}; {advice}") from None
