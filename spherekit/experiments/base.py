"""The base class of experiments, and the trainings and tables of predictions that they return."""

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from spherekit import nn
from spherekit.experiments.signals import Analysis
from spherekit.train import evaluate
from spherekit.train.config import Config


class Training(NamedTuple):
    """A network to be trained, and its data.

    Attributes
    ----------
    title : str
        Text of its progress bar, and of its line in the report.
    net : spherekit.nn.Sequential
    params, state : list
        Initial parameters and running state, as returned by ``net.init``.
    train, validation, test : tuple, optional
        (signals, targets); None if there are none.
    description : dict
        What a model file contains in addition to the network; must be serializable as JSON. A training can be
        resumed only with the same description.
    folder : str
        Subfolder of its results in the folder of the run; "" for the first training.
    metrics : sequence or dict, optional
        Metrics of the validation data, as for `spherekit.train.fit`; by default those of [fit].

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import experiments, nn
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> params, state = net.init(np.random.default_rng(0))
    >>> data = np.zeros((6, 1, 16), complex), np.arange(6) % 2
    >>> training = experiments.Training("noise", net, params, state, data, None, data, {"unit": "K"})
    >>> training.folder, training.metrics
    ('', None)
    """

    title: str
    net: nn.Sequential
    params: list
    state: list
    train: tuple | None
    validation: tuple | None
    test: tuple | None
    description: dict
    folder: str = ""
    metrics: Sequence[str | Callable] | dict[str, str | Callable] | None = None


class Trained(NamedTuple):
    """A `Training` with its results.

    Attributes
    ----------
    training : Training
    params, state : list
        Final parameters and running state of the network, as returned by `selected`.
    epoch : int, optional
        Epoch of the parameters, if validation data selected them.

    Examples
    --------
    >>> from spherekit import experiments
    >>> import numpy as np
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(2), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> data = np.eye(2), np.array([0, 1])
    >>> training = experiments.Training("noise", net, params, state, data, None, data, {})
    >>> last = train.finish(train.fit(net, (params, state), data, epochs=20))
    >>> trained = experiments.Trained(training, *experiments.selected(last.checkpoint))
    >>> outputs = train.predict(trained.training.net, trained.params, data[0], state=trained.state)
    >>> outputs.shape
    (2, 2)
    """

    training: Training
    params: list
    state: list
    epoch: int | None = None


class Table(NamedTuple):
    """A table of predictions.

    Attributes
    ----------
    head : list of str
        Names of the columns.
    rows : list
        A list of cells for each file.
    summary : str
        One line of text.

    Examples
    --------
    >>> from spherekit import experiments
    >>> table = experiments.Table(["file", "class"], [["a.fits", "red"]], "1 map, 1 red")
    >>> dict(zip(table.head, table.rows[0]))
    {'file': 'a.fits', 'class': 'red'}
    """

    head: list
    rows: list
    summary: str


class Model(NamedTuple):
    """A trained network of an experiment, as read from its file.

    Attributes
    ----------
    experiment : Experiment
    net : spherekit.nn.Sequential
    params, state : list
        Parameters and running state of the network.
    description : dict
        Description of its `Training`: what predictions need in addition to the network.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import experiments
    >>> from spherekit.experiments.maps import model
    >>> net = model.small(8, outputs=3)
    >>> params, state = net.init(np.random.default_rng(0))
    >>> experiments.Model(experiments.get("maps"), net, params, state, {}).net.out_type()
    Features(3)
    """

    experiment: object
    net: nn.Sequential
    params: list
    state: list
    description: dict


class Experiment:
    """Base class of experiments: data, networks to train on them, a report, and predictions.

    A subclass defines ``name``, ``title``, ``gather`` and ``trainings``. Without ``report`` the loss and the
    metrics of the test data are reported. ``predict`` enables ``spherekit predict``, and ``example_batch``
    enables ``spherekit train --profile``. An instance is added by `register`. A run calls ``check``,
    ``gather``, ``summary``, ``trainings`` and ``report``, in this order; a model file requires
    ``check_model`` and ``predict``.

    Attributes
    ----------
    name : str
        Name in configurations and model files.
    title : str
        Title, one line.
    sections : dict
        Additional sections in TOML: {section: {key: spherekit.train.schema.Key}}, or instead of the keys a
        function, as for `spherekit.train.config.read`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
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
    >>> result = experiments.run(content, tempfile.mkdtemp())
    >>> result.checkpoints[0].epoch, len(result.report)
    (20, 1)
    """

    name = ""
    title = ""
    sections = {}

    def recipes(self) -> dict[str, Path]:
        """Examples of configurations of the experiment: ``recipes/*.toml`` beside its module.

        Returns
        -------
        dict
            {file name: path}.
        """
        try:
            folder = Path(inspect.getfile(type(self))).parent / "recipes"
        except (TypeError, OSError):  # a class that is defined in a notebook
            return {}
        return {path.name: path for path in sorted(folder.glob("*.toml"))}

    def defaults(self, content: dict) -> dict:
        """Add defaults to the content of a configuration, before it is checked.

        Parameters
        ----------
        content : dict
            {section: {key: value}}, without defaults.

        Returns
        -------
        dict
        """
        return content

    def check(self, values: dict) -> None:
        """Raise ValueError if sections are inconsistent with each other.

        Parameters
        ----------
        values : dict
            {section: {key: value}}, with defaults.
        """

    def gather(
        self,
        config: Config,
        folder: str | os.PathLike,
        *,
        read: Callable,
        analysis: Analysis | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> object:
        """Load or compute the data.

        Parameters
        ----------
        config : spherekit.train.config.Config
        folder : str or path
            Cache for what is computed from the data.
        read : callable
            ``read(path)`` returns the `Signal` of a file; its options field, grid, hdu and ordering select
            the signal in the file. `reader` returns such a function.
        analysis : Analysis, optional
            Parameters of the least-squares analysis of maps, and the number of threads.
        progress : callable, optional
            Called with (number of signals processed, total number of signals).

        Returns
        -------
        object
            Passed to ``summary``, ``trainings`` and ``report``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define gather")

    def summary(self, config: Config, data: object) -> Iterable[str]:
        """Describe the data before the training.

        Parameters
        ----------
        config : spherekit.train.config.Config
        data : object
            As returned by `gather`.

        Returns
        -------
        iterable of str
            Lines of text.
        """
        return ()

    def trainings(self, config: Config, data: object) -> list[Training]:
        """Create the networks to train, with their data.

        Parameters
        ----------
        config : spherekit.train.config.Config
        data : object
            As returned by `gather`.

        Returns
        -------
        list of Training
        """
        raise NotImplementedError(f"{type(self).__name__} does not define trainings")

    def report(
        self,
        config: Config,
        data: object,
        trained: Sequence[Trained],
        threads: int | None = None,
    ) -> Iterable[str]:
        """Evaluate the trained networks on the test data.

        By default the loss of the test data and the metrics of [fit]; for classes also the accuracy.

        Parameters
        ----------
        config : spherekit.train.config.Config
        data : object
            As returned by `gather`.
        trained : sequence of Trained
            In the order of `trainings`.
        threads : int, optional

        Returns
        -------
        iterable of str
            Lines of text.
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
            text = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
            yield f"{training.title}: {len(test[1])} test signals, {text}"

    def example_batch(self, config: Config, read: Callable) -> tuple:
        """Create a network and a batch of random signals with the shapes of the data, for a profile.

        Parameters
        ----------
        config : spherekit.train.config.Config
        read : callable
            As for `gather`.

        Returns
        -------
        net : spherekit.nn.Sequential
        initial : tuple
            (params, state).
        batch : tuple
            (signals, targets).
        """
        raise ValueError(
            f"the experiment {self.name} has no profile: its class {type(self).__name__} does not define "
            "example_batch"
        )

    def check_model(self, net: nn.Sequential, description: dict) -> None:
        """Raise ValueError, TypeError or KeyError if a model file is not one of this experiment.

        Parameters
        ----------
        net : spherekit.nn.Sequential
        description : dict
            Description of the `Training`.
        """

    def predict(
        self,
        model: Model,
        paths: Sequence[str],
        *,
        read: Callable,
        analysis: Analysis | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Table:
        """Predict for files, with a row of the table for each.

        Parameters
        ----------
        model : Model
        paths : sequence of str
        read : callable
        analysis : Analysis, optional
        progress : callable, optional
            As for `gather`.

        Returns
        -------
        Table
        """
        raise ValueError(
            f"the experiment {self.name} has no predictions: its class {type(self).__name__} does not define "
            "predict; spherekit.nn.load reads the network of its model files"
        )
