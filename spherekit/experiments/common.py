"""The registry of experiments, and their configurations.

An experiment is an instance of a subclass of `base.Experiment`, registered by name. A configuration in TOML
selects it by a top-level key, ``experiment = "gaussianity"``; in addition to the sections of
`spherekit.train.config` it has those of the experiment. A model file contains the name too, so that
``spherekit predict`` finds the experiment.
"""

import inspect
import os
import tomllib
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spherekit import nn
from spherekit.experiments.base import Experiment, Table
from spherekit.experiments.reading import reader
from spherekit.train import config as configurations
from spherekit.train import profile as profile_step
from spherekit.train.schema import Key, check_kind, nearest

if TYPE_CHECKING:
    from spherekit.train.profiling import Profile

#: Group of entry points by which other packages add experiments.
ENTRY_POINTS = "spherekit.experiments"
_registered = {}


# --- the registry ------------------------------------------------------------------------------------


def register(experiment: Experiment) -> Experiment:
    """Add an experiment, so that `get`, `read` and `run` find it by its name.

    The registration is valid in this Python process only: a script registers its experiment and trains it by
    `run`. The command ``spherekit train`` finds experiments of installed packages by their entry points, in
    ``pyproject.toml``::

        [project.entry-points."spherekit.experiments"]
        noise = "my_package.noise:experiment"     # experiment = Noise(), in my_package/noise.py

    Such an experiment is loaded at first use and does not need `register`.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Experiment
        The argument.

    Raises
    ------
    TypeError
        If the argument is not an instance of a subclass of `Experiment`, does not define ``gather`` or
        ``trainings``, or has sections whose keys are not described by `spherekit.train.schema.Key`.
    ValueError
        If the name is empty or belongs to another experiment, or a `Key` has an unknown kind.

    Examples
    --------
    >>> from spherekit import experiments
    >>> class Noise(experiments.Experiment):
    ...     name = "white-noise"
    ...
    ...     def gather(self, config, folder, *, read, analysis=None, progress=None): ...
    ...     def trainings(self, config, data): ...
    >>> noise = experiments.register(Noise())
    >>> experiments.parse({"experiment": "white-noise"}, "example")[0] is noise
    True
    """
    if not isinstance(experiment, Experiment):
        hint = "; pass an instance, Class()" if isinstance(experiment, type) else ""
        raise TypeError(f"experiment is {experiment!r}; expected an Experiment{hint}")
    name, kind = experiment.name, type(experiment)
    if not name or not isinstance(name, str):
        raise ValueError(f"{kind.__name__}.name is {name!r}; expected text")
    for method in ("gather", "trainings"):
        if getattr(kind, method) is getattr(Experiment, method):
            parameters = inspect.signature(getattr(kind, method)).parameters.values()
            plain = inspect.Signature([p.replace(annotation=p.empty) for p in parameters])
            raise TypeError(f"{kind.__name__} does not define {method}{plain}")
    _check_sections(kind.__name__, experiment.sections)
    previous = _registered.get(name)
    if previous is not None and type(previous).__qualname__ != kind.__qualname__:
        raise ValueError(f"the name {name!r} belongs to {type(previous).__qualname__}")
    _registered[name] = experiment
    return experiment


def _check_sections(owner, sections):
    """Raise TypeError unless the sections are {name: {key: Key}}, or {name: function}."""
    location = f"{owner}.sections"
    if not isinstance(sections, dict):
        raise TypeError(f'{location} is {sections!r}; expected {{"data": {{"n": {_example(40)}}}}}')
    for name, table in sections.items():
        if name in ("fit", "optimizer", "schedule", "experiment"):
            raise TypeError(
                f"{location}: {name!r} is a section of all experiments; choose another name"
            )
        if callable(table):
            continue
        if not isinstance(table, dict):
            raise TypeError(
                f'{location}["{name}"] is {table!r}; expected {{key: Key}}, as {{"n": {_example(40)}}}, with '
                "Key of spherekit.train.schema"
            )
        for key, value in table.items():
            if not isinstance(value, Key):
                raise TypeError(
                    f'{location}["{name}"]["{key}"] is {value!r}; expected a Key, as {_example(value)}: from '
                    "spherekit.train.schema import Key"
                )
            check_kind(f'{location}["{name}"]["{key}"]', value)


def _example(value):
    """Source text of the `Key` with this default."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text"}
    kind = kinds.get(type(value))
    if kind is None:
        return 'Key("integer", 40)'
    return f'Key("{kind}", {value!r})'


def names() -> list[str]:
    """Names of all experiments.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiments.names()[:2]
    ['gaussianity', 'maps']
    """
    return list(_all())


def get(name: str) -> Experiment:
    """The experiment with this name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Experiment

    Raises
    ------
    ValueError
        If there is no such experiment.

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiments.get("gaussianity").title
    'Gaussian and non-Gaussian skies with the same power spectrum'
    """
    experiments = _all()
    if name not in experiments:
        hint = "(the registration by experiments.register is valid in one Python process only)"
        raise ValueError(f"there is no experiment {name!r}{nearest(name, experiments)} {hint}")
    return experiments[name]


def _all():
    """{name: experiment}, including those of other packages, which are loaded."""
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name in _registered:
            continue
        try:
            register(entry.load())
        except Exception as error:  # a broken package must not affect other experiments
            warnings.warn(f"the experiment {entry.name} cannot be loaded: {error!r}", stacklevel=2)
    return _registered


# --- configurations ----------------------------------------------------------------------------------


def recipes() -> dict[str, Path]:
    """Examples of configurations, of all experiments.

    Returns
    -------
    dict
        {file name: path}.

    Examples
    --------
    >>> from spherekit import experiments
    >>> list(experiments.recipes())[-1]
    'maps.toml'
    """
    return {
        name: path for experiment in _all().values() for name, path in experiment.recipes().items()
    }


def title(path):
    """The title of a configuration: its first line, a comment."""
    return path.read_text("utf-8").split("\n")[0].lstrip("# ")


def read(
    name: str | os.PathLike,
    changes: dict | None = None,
    experiment: str | None = None,
) -> tuple[Experiment, configurations.Config]:
    """Read and check a configuration: a file, or one of the examples.

    Parameters
    ----------
    name : str or path
        A TOML file, or the name of one of the examples (`recipes`).
    changes : dict, optional
        {section: {key: value}}, which replace values of the file.
    experiment : str, optional
        Name of the expected experiment; then the file need not have the key ``experiment``.

    Returns
    -------
    experiment : Experiment
    config : spherekit.train.config.Config

    Raises
    ------
    FileNotFoundError
        If there is no such file or example.
    ValueError
        If the file is not TOML, or has an unknown section or key or a value of another type or range.

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiment, config = experiments.read("cmb-gaussianity")
    >>> experiment.name, config.values["data"]["L"]
    ('gaussianity', 256)
    """
    path = Path(name)
    examples = recipes()
    if not path.is_file():
        file_name = path.name if path.suffix else f"{path.name}.toml"
        if file_name not in examples or len(path.parts) > 1:
            raise FileNotFoundError(
                f"no configuration {name}; the examples of spherekit are {', '.join(examples)}"
            )
        path = examples[file_name]
    source = path.name if path in examples.values() else os.fspath(name)
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{source} is not encoded in UTF-8: {error}") from None
    except (ValueError, RecursionError) as error:  # also of long numbers and deep lists
        raise ValueError(f"{source} is not TOML: {error}") from None
    return parse(content, source, changes, experiment)


def parse(
    content: dict,
    source: str,
    changes: dict | None = None,
    experiment: str | None = None,
) -> tuple[Experiment, configurations.Config]:
    """Check a configuration that is given as a dict.

    Parameters
    ----------
    content : dict
        {"experiment": name, section: {key: value}}, as in a TOML file.
    source : str
        Name of the configuration in messages.
    changes, experiment : optional
        As for `read`.

    Returns
    -------
    experiment : Experiment
    config : spherekit.train.config.Config

    Raises
    ------
    ValueError
        If the content has no experiment, an unknown section or key, or a value of another type or range.

    Examples
    --------
    >>> from spherekit import experiments
    >>> content = {"experiment": "gaussianity", "data": {"L": 64}}
    >>> _, config = experiments.parse(content, "example", {"fit": {"epochs": 3}})
    >>> config.values["data"]["strength"] is None, config.values["fit"]["epochs"]
    (True, 3)
    """
    content = dict(content)
    name = content.pop("experiment", experiment)
    try:
        if name is None:
            raise ValueError(
                f'it has no key experiment; add experiment = "..." at the top, one of {", ".join(names())}'
            )
        if experiment not in (None, name):
            raise ValueError(f"its experiment is {name}; expected {experiment}")
        selected = get(name)
        for section, replacements in (changes or {}).items():
            if isinstance(content.get(section, {}), dict):
                content[section] = content.get(section, {}) | replacements
        content = selected.defaults(content)
        values = configurations.check_sections(content, selected.sections)
        selected.check(values)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(source) else f"{source}: {error}") from None
    return selected, configurations.Config(values, source)


def profile(
    experiment: Experiment,
    config: configurations.Config,
    read: Callable | None = None,
    threads: int | None = None,
) -> tuple[nn.Sequential, "Profile"]:
    """Profile a training step on random signals with the shapes of the data.

    Parameters
    ----------
    experiment : Experiment
    config : spherekit.train.config.Config
    read : callable, optional
        As for `Experiment.gather`; by default `reader()`.
    threads : int, optional

    Returns
    -------
    net : spherekit.nn.Sequential
    profile : spherekit.train.profiling.Profile
        As returned by `spherekit.train.profile`; its ``str`` is a table.

    Raises
    ------
    ValueError
        If the experiment does not define ``example_batch``.

    Examples
    --------
    >>> from spherekit import experiments
    >>> content = {"experiment": "gaussianity", "data": {"L": 16}, "features": {"J0": 2}}
    >>> experiment, config = experiments.parse(content, "example", {"fit": {"batch_size": 4}})
    >>> net, profile = experiments.profile(experiment, config, threads=1)
    >>> net.in_type
    Sphere(4, 7)
    """
    read = reader() if read is None else read
    net, initial, batch = experiment.example_batch(config, read)
    options = config.options(len(batch[1]))
    profiled = {name: options[name] for name in ("loss", "optimizer")}
    return net, profile_step(net, initial, batch, threads=threads, **profiled)


def initial(net, config):
    """Initialize the (params, state) of a network with the seed and the precision of [fit]."""
    fit = config.values["fit"]
    return net.init(np.random.default_rng([fit["seed"], 78]), dtype=np.dtype(fit["dtype"]))


# --- predictions -------------------------------------------------------------------------------------


def class_row(classes, probabilities, path):
    """Cells of a row: the most probable class, and the probability of each class."""
    if not np.isfinite(probabilities).all():
        raise ValueError(
            f"{path}: the probabilities are NaN or infinite; check the units of its samples"
        )
    return [classes[probabilities.argmax()], *(f"{p:.6f}" for p in probabilities)]


def class_table(classes, rows):
    """The `Table` of rows [file, *`class_row`]."""
    head = ["file", "class", *(f"p_{name}" for name in classes)]
    predicted = [row[1] for row in rows]
    counts = ", ".join(f"{predicted.count(name)} {name}" for name in classes)
    return Table(head, rows, f"{len(rows)} map{'s' * (len(rows) != 1)}, {counts}")
