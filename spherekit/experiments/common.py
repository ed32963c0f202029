"""What an experiment is, the registry of experiments, and their configurations.

An experiment is an object of a subclass of `Experiment`, registered by name. A configuration in TOML names it
by a key outside of all sections, ``experiment = "gaussianity"``; beside the sections of
`spherekit.train.config` it has those of the experiment. A model file names it too, so that ``spherekit
predict`` finds it.
"""

import inspect
import os
import tomllib
import warnings
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit.experiments.reading import reader
from spherekit.train import config as configurations
from spherekit.train import evaluate
from spherekit.train import profile as profile_step
from spherekit.train.schema import Key, nearest

#: Group of entry points by which other packages add experiments.
ENTRY_POINTS = "spherekit.experiments"
_registered = {}


class Training(NamedTuple):
    """A network to train, and its data.

    Attributes
    ----------
    title : str
        Of its progress bar, and of its line in the report.
    net : spherekit.nn.Sequential
    params, state : list
        As ``net.init`` returned them.
    train, validation, test : (signals, targets)
        ``validation`` is None where there is none.
    description : dict
        What a model file needs beside the network, as JSON can hold it. The description of a training that is
        resumed must be the same.
    folder : str
        Of its results, below that of the experiment; "" of the first training.
    metrics : sequence or dict, optional
        Of the validation data, for `spherekit.train.fit`, in place of those of [fit].
    """

    title: str
    net: object
    params: list
    state: list
    train: tuple
    validation: tuple | None
    test: tuple
    description: dict
    folder: str = ""
    metrics: object = None


class Trained(NamedTuple):
    """A `Training` with its results.

    Attributes
    ----------
    training : Training
    params, state : list
        Parameters and running state of the network, `models.selected` of its last checkpoint.
    epoch : int, optional
        Whose parameters they are, where validation data selected them.
    """

    training: Training
    params: list
    state: list
    epoch: int | None = None


class Table(NamedTuple):
    """Predictions.

    Attributes
    ----------
    head : list of str
        Names of the columns.
    rows : list
        A list of cells for each file.
    summary : str
        In words, of one line.
    """

    head: list
    rows: list
    summary: str


class Experiment:
    """Base of experiments: data, networks to train on them, a report, and predictions.

    A subclass defines ``name``, ``title``, ``gather`` and ``trainings``; without ``report`` the loss and the
    metrics of the test data are reported; with ``predict`` it has ``spherekit predict``, with
    ``example_batch`` ``spherekit train --profile``. `register` adds an object of it. The order of calls is
    ``check``, ``gather``, ``summary``, ``trainings``, ``report``; of a model file ``check_model`` and
    ``predict``.

    Attributes
    ----------
    name : str
        In configurations and model files.
    title : str
        One line.
    sections : dict
        {section: {key: spherekit.train.schema.Key}} of its own sections in TOML; or in place of the keys a
        function, as `spherekit.train.config.read` expects it.

    >>> import tempfile
    >>> from spherekit import experiments, nn
    >>> from spherekit.experiments import common
    >>> from spherekit.testing import random_flm
    >>> from spherekit.train.schema import Key
    >>> class Noise(experiments.Experiment):
    ...     name = "noise"
    ...     title = "strong noise and weak noise"
    ...     sections = {"data": {"n": Key("integer", 40, minimum=20), "factor": Key("number", 2.0)}}
    ...
    ...     def gather(self, config, folder, *, read=None, analysis=None, progress=None):
    ...         n, factor = (config.values["data"][name] for name in ("n", "factor"))
    ...         x = random_flm(4, np.random.default_rng(0), reality=True, shape=(n, 1))
    ...         labels = np.arange(n) % 2
    ...         return x * np.where(labels, factor, 1.0)[:, None, None], labels
    ...
    ...     def trainings(self, config, data):
    ...         x, labels = data
    ...         net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    ...         train, test = ((x[part], labels[part]) for part in (slice(10, None), slice(10)))
    ...         params, state = common.initial(net, config)
    ...         return [experiments.Training("noise", net, params, state, train, None, test, {})]
    >>> noise = experiments.register(Noise())
    >>> content = {"experiment": "noise", "data": {"n": 60}, "fit": {"epochs": 20}}
    >>> done = experiments.run(content, tempfile.mkdtemp())
    >>> done.checkpoints[0].epoch, len(done.report)
    (20, 1)
    """

    name = ""
    title = ""
    sections = {}

    def recipes(self):
        """{name: path} of the configurations that come with it: ``recipes/*.toml`` beside its module."""
        try:
            folder = Path(inspect.getfile(type(self))).parent / "recipes"
        except (TypeError, OSError):  # of a class in a notebook
            return {}
        return {path.name: path for path in sorted(folder.glob("*.toml"))}

    def defaults(self, content):
        """The content of a configuration, a dict by section, with what is by default beside it."""
        return content

    def check(self, values):
        """Refuse sections that do not fit each other; ``values`` are {section: {key: value}}."""

    def gather(self, config, folder, *, read, analysis=None, progress=None):
        """The data.

        Parameters
        ----------
        config : spherekit.train.config.Config
        folder : path
            For what is computed of the data, so that another call finds it there.
        read : callable
            ``read(path)`` is the `signals.Signal` of a file; options field, grid, hdu and ordering choose in
            the file. `reading.reader` returns one.
        analysis : signals.Analysis, optional
            How maps are fitted, and with how many threads.
        progress : callable, optional
            Called with (signals that are ready, signals in total).
        """
        raise NotImplementedError(f"{type(self).__name__} does not define gather")

    def summary(self, config, data):
        """Lines of text on the data, of what `gather` returned, before the training."""
        return ()

    def trainings(self, config, data):
        """A list of `Training`, of what `gather` returned."""
        raise NotImplementedError(f"{type(self).__name__} does not define trainings")

    def report(self, config, data, trained, threads=None):
        """Lines of text on a list of `Trained`, in the order of `trainings`.

        By default the loss of the test data and the metrics of [fit], of classes the accuracy too.
        """
        fit = config.values["fit"]
        names = list(fit["metrics"])
        if fit["loss"] == "cross_entropy" and "accuracy" not in names:
            names.append("accuracy")
        for network in trained:
            training, test = network.training, network.training.test
            if test is None or not len(test[1]):
                yield f"{training.title}: no test data, nothing to report"
                continue
            values = evaluate(
                training.net,
                network.params,
                test,
                state=network.state,
                loss=fit["loss"],
                metrics=names if training.metrics is None else training.metrics,
                threads=threads,
            )
            words = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
            yield f"{training.title}: {len(test[1])} test signals, {words}"

    def example_batch(self, config, read):
        """(network, (params, state), (signals, targets)) of one batch, of random numbers, for a profile."""
        raise ValueError(
            f"the experiment {self.name} has no profile: its class {type(self).__name__} does not define "
            "example_batch"
        )

    def check_model(self, net, description):
        """Refuse, by ValueError, TypeError or KeyError, a network and a description of another origin."""

    def predict(self, model, paths, *, read, analysis=None, progress=None):
        """`Table` of predictions for files, a row for each.

        Parameters
        ----------
        model : models.Model
        paths : sequence of str
        read, analysis, progress : as in `gather`
        """
        raise ValueError(
            f"the experiment {self.name} has no predictions: its class {type(self).__name__} does not define "
            "predict; spherekit.nn.load reads the network of its model files"
        )


# --- the registry ------------------------------------------------------------------------------------


def register(experiment):
    """Add an experiment, so that `get`, `read` and `run` find it by its name.

    That is of this Python process: a script registers its experiment and trains it by `run`. The command
    ``spherekit train`` is another process; it finds experiments of installed packages by their entry points,
    in ``pyproject.toml``::

        [project.entry-points."spherekit.experiments"]
        noise = "my_package.noise:experiment"     # experiment = Noise(), in my_package/noise.py

    The object is loaded at first use; then it needs no `register`.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Experiment
        The same.

    Raises
    ------
    TypeError
        Not an object of a subclass of `Experiment`; one without ``gather`` or ``trainings``; sections whose
        keys are not described by `spherekit.train.schema.Key`.
    ValueError
        A name that is empty or belongs to another experiment.
    """
    if not isinstance(experiment, Experiment):
        hint = "; pass an object, Class()" if isinstance(experiment, type) else ""
        raise TypeError(f"{experiment!r} is not an Experiment{hint}")
    name, kind = experiment.name, type(experiment)
    if not name or not isinstance(name, str):
        raise ValueError(f"{kind.__name__}.name is {name!r}; expected text")
    for method in ("gather", "trainings"):
        if getattr(kind, method) is getattr(Experiment, method):
            parameters = inspect.signature(getattr(kind, method))
            raise TypeError(f"{kind.__name__} does not define {method}{parameters}")
    _check_sections(kind.__name__, experiment.sections)
    previous = _registered.get(name)
    if previous is not None and type(previous).__qualname__ != kind.__qualname__:
        raise ValueError(f"the name {name!r} is that of {type(previous).__qualname__}")
    _registered[name] = experiment
    return experiment


def _check_sections(owner, sections):
    """Refuse sections that are not {name: {key: Key}}, or functions in place of the keys."""
    place = f"{owner}.sections"
    if not isinstance(sections, dict):
        raise TypeError(f'{place} is {sections!r}; expected {{"data": {{"n": {_example(40)}}}}}')
    for name, keys in sections.items():
        if name in ("fit", "optimizer", "schedule", "experiment"):
            raise TypeError(f"{place}: {name!r} is of all experiments; choose another name")
        if callable(keys):
            continue
        if not isinstance(keys, dict):
            raise TypeError(
                f'{place}["{name}"] is {keys!r}; expected {{key: Key}}, as {{"n": {_example(40)}}}, with '
                "Key of spherekit.train.schema"
            )
        for key, value in keys.items():
            if not isinstance(value, Key):
                raise TypeError(
                    f'{place}["{name}"]["{key}"] is {value!r}; expected a Key, as {_example(value)}: from '
                    "spherekit.train.schema import Key"
                )


def _example(value):
    """The `Key` with a default, as it is written."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text"}
    kind = kinds.get(type(value))
    if kind is None:
        return 'Key("integer", 40)'
    return f'Key("{kind}", {value!r})'


def names():
    """Names of all experiments.

    >>> from spherekit import experiments
    >>> experiments.names()[:2]
    ['gaussianity', 'maps']
    """
    return list(_all())


def get(name):
    """The experiment of a name.

    Raises
    ------
    ValueError
        There is none.

    >>> from spherekit import experiments
    >>> experiments.get("gaussianity").name
    'gaussianity'
    """
    known = _all()
    if name not in known:
        hint = "(one that a script registers is known in that script alone: experiments.register)"
        raise ValueError(f"there is no experiment {name!r}{nearest(name, known)} {hint}")
    return known[name]


def _all():
    """{name: experiment}, those of other packages loaded."""
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name in _registered:
            continue
        try:
            register(entry.load())
        except Exception as error:  # of a package that others do not need
            warnings.warn(f"the experiment {entry.name} cannot be loaded: {error!r}", stacklevel=2)
    return _registered


# --- configurations ----------------------------------------------------------------------------------


def recipes():
    """{name: path} of the configurations that come with all experiments."""
    return {
        name: path for experiment in _all().values() for name, path in experiment.recipes().items()
    }


def title(path):
    """The first line of a configuration, a comment."""
    return path.read_text("utf-8").split("\n")[0].lstrip("# ")


def read(name, changes=None, experiment=None):
    """(experiment, checked configuration) of a file, or of a recipe by its name.

    Parameters
    ----------
    name : str or path
    changes : dict, optional
        {section: {key: value}} in place of what the file says.
    experiment : str, optional
        The one expected; of a file without the key ``experiment`` too.

    Raises
    ------
    FileNotFoundError, ValueError

    >>> from spherekit import experiments
    >>> experiment, config = experiments.read("cmb-gaussianity")
    >>> experiment.name, config.values["data"]["L"]
    ('gaussianity', 256)
    """
    path, known = Path(name), recipes()
    if not path.is_file():
        recipe = path.name if path.suffix else f"{path.name}.toml"
        if recipe not in known or len(path.parts) > 1:
            raise FileNotFoundError(
                f"no configuration {name}; recipes that come with spherekit: {', '.join(known)}"
            )
        path = known[recipe]
    source = path.name if path in known.values() else os.fspath(name)
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{source} is not text in UTF-8: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source} is not TOML: {error}") from None
    return parse(content, source, changes, experiment)


def parse(content, source, changes=None, experiment=None):
    """As `read`, of the content of a configuration, a dict; ``source`` is its name in messages."""
    content = dict(content)
    name = content.pop("experiment", experiment)
    try:
        if name is None:
            raise ValueError(
                f'it names no experiment; add experiment = "..." at its top: {", ".join(names())}'
            )
        if experiment not in (None, name):
            raise ValueError(f"it is of the experiment {name}; expected {experiment}")
        selected = get(name)
        for section, keys in (changes or {}).items():
            if isinstance(content.get(section, {}), dict):
                content[section] = content.get(section, {}) | keys
        content = selected.defaults(content)
        values = configurations.checked_sections(content, selected.sections)
        selected.check(values)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(source) else f"{source}: {error}") from None
    return selected, configurations.Config(values, source)


def profile(experiment, config, read=None, threads=None):
    """(network, `spherekit.train.profile` of one step) on random numbers of the shapes of the data."""
    read = reader() if read is None else read
    net, initial, batch = experiment.example_batch(config, read)
    options = config.options(len(batch[1]))
    used = {name: options[name] for name in ("loss", "optimizer")}
    return net, profile_step(net, initial, batch, threads=threads, **used)


def initial(net, config):
    """(params, state) of a network, by the seed and the precision of [fit]."""
    fit = config.values["fit"]
    return net.init(np.random.default_rng([fit["seed"], 78]), dtype=np.dtype(fit["dtype"]))


# --- predictions -------------------------------------------------------------------------------------


def class_row(classes, probabilities, path):
    """Cells of the likeliest class and of the probability of each, of the file ``path``."""
    if not np.isfinite(probabilities).all():
        raise ValueError(
            f"{path}: the probabilities are NaN or infinite; are its samples too large (scale them)?"
        )
    return [classes[probabilities.argmax()], *(f"{p:.6f}" for p in probabilities)]


def class_table(classes, rows):
    """`Table` of rows [file, *`class_row`]."""
    head = ["file", "class", *(f"p_{name}" for name in classes)]
    predicted = [row[1] for row in rows]
    counts = ", ".join(f"{predicted.count(name)} {name}" for name in classes)
    return Table(head, rows, f"{len(rows)} map{'s' * (len(rows) != 1)}, {counts}")
