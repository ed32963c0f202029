"""The training loop, a generator of steps, and the evaluation of networks."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.nn import Context, Sequential
from spherekit.train import checkpoints as store
from spherekit.train import divergence, losses
from spherekit.train import job as jobs
from spherekit.train import metrics as metric_functions
from spherekit.train.autodiff import loss_and_gradients
from spherekit.train.job import Checkpointing, EarlyStopping
from spherekit.train.optimizers import Optimizer, clip_by_global_norm, global_norm


class Step(NamedTuple):
    """Results of a training step.

    Attributes
    ----------
    step, total_steps : int
        Number of completed steps, and of all steps of the training.
    epoch : int
        Epoch to which the step belongs, from 1.
    loss : float
        Loss of the batch before the step.
    metrics : dict
        Loss and metrics of the validation data after the last step of an epoch, else empty.
    learning_rate : float
        Learning rate of the step.
    gradient_norm : float
        Global norm of the gradient before clipping.
    checkpoint : checkpoints.Checkpoint
        State of the training after the step, with ``checkpoint.best`` and ``checkpoint.history``.

    Examples
    --------
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(2), nn.Dense(2))
    >>> data = np.eye(2), np.array([0, 1])
    >>> for step in fit(net, net.init(0), data, epochs=2, batch_size=1):
    ...     print(step.step, step.total_steps, step.epoch)
    1 4 1
    2 4 1
    3 4 2
    4 4 2
    """

    step: int
    total_steps: int
    epoch: int
    loss: float
    metrics: dict
    learning_rate: float
    gradient_norm: float
    checkpoint: store.Checkpoint

    @property
    def params(self) -> Any:
        """Parameters after the step."""
        return self.checkpoint.params

    @property
    def state(self) -> Any:
        """Running state of the network after the step."""
        return self.checkpoint.state


def fit(
    net: Sequential,
    initial: tuple[Any, Any],
    data: tuple[Any, Any],
    *,
    loss: str | Callable = "cross_entropy",
    optimizer: Optimizer | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Iterable[str | Callable] | dict[str, str | Callable] = (),
    epochs: int = 10,
    batch_size: int = 32,
    seed: int = 0,
    max_norm: float | None = None,
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    set_size: int = 1,
    early_stopping: EarlyStopping | None = None,
    checkpoints: str | os.PathLike | Checkpointing | None = None,
    threads: int | None = None,
) -> Iterator[Step]:
    """Train a network with minibatches; the returned generator yields a `Step` for each batch.

    Results are bit-identical for the same seed, for any number of threads, and whether or not the training
    was interrupted and resumed. Nothing is printed. On Linux, calling `tune_allocator` once before makes the
    steps of large networks a quarter to a third faster.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        Network, with the type of its input.
    initial : (params, state)
        Initial parameters and running state, from ``net.init`` or a previous training, of one precision,
        which is preserved.
    data : (signals, targets)
        Training data. Signals are an array of the shape that the network accepts, or an object that is
        indexed like an array (`numpy.memmap`). Targets are labels ``[shape=(n,)]``, or an array of the shape
        of the outputs.
    loss : str or callable
        Name of a loss of `spherekit.train.losses`, or a function of (outputs, targets) in autograd.numpy.
    optimizer : Optimizer, optional
        `sgd`, `adam` or `adamw`; by default ``adam(1e-3)``.
    validation : (signals, targets), optional
        Validation data, of which the loss and the metrics are computed after each epoch.
    metrics : sequence of str or callable, or dict
        Metrics, as in `spherekit.train.metrics.resolve`.
    epochs : int
        Number of passes over the data.
    batch_size : int
        Number of targets in a batch; the last batch of an epoch may be smaller.
    seed : int
        Seed of the order of the signals in each epoch, of dropout and of ``augment``.
    max_norm : float, optional
        Gradients are scaled down to this global norm if they exceed it; by default they are not clipped.
    augment : callable, optional
        Function of (signals, rng) that returns signals; applied to each batch.
    set_size : int
        Number of consecutive signals that share a target (`spherekit.nn.SetSum`).
    early_stopping : EarlyStopping, optional
        Monitored value and patience; by default the validation loss, without early stopping.
    checkpoints : str, path or Checkpointing, optional
        Folder for checkpoints; a `Checkpointing` with ``resume=True`` continues from the last checkpoint in
        the folder. A finished training is extended by resuming it with more ``epochs``, also with another
        schedule of the learning rate.
    threads : int, optional
        Number of threads; by default ``SPHEREKIT_NUM_THREADS``, else the CPUs that the process may use.

    Yields
    ------
    Step
        Results of a step. A finished training that is resumed yields its last step again.

    Raises
    ------
    TypeError, ValueError
        When called: the arguments do not fit, or the folder contains checkpoints of another training, or any
        checkpoints without ``resume=True``. During the training: the loss or a metric is not a real scalar,
        or a user-defined layer raises the error.
    Diverged
        The loss, a gradient or a parameter is NaN or infinite, or a layer fails because its input is too
        large; the message names the layer.

    Warns
    -----
    UserWarning
        The checkpoints do not include the network, because a layer or function is not registered.

    Examples
    --------
    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> x, labels = random_flm(4, rng, reality=True, shape=(20, 1)), np.arange(20) % 2
    >>> x[labels == 1] *= 0.2
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> from spherekit.train import adam
    >>> options = dict(optimizer=adam(0.1), epochs=50, validation=(x, labels), metrics=["accuracy"])
    >>> last = finish(fit(net, net.init(rng), (x, labels), **options))
    >>> last.step, last.metrics["accuracy"]
    (50, 1.0)
    """
    job = jobs.Job(
        net=net,
        initial=initial,
        data=data,
        validation=validation,
        loss=loss,
        metrics=metrics,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        max_norm=max_norm,
        augment=augment,
        set_size=set_size,
        early_stopping=early_stopping,
        checkpoints=checkpoints,
        threads=threads,
    )
    if job.checkpoints is not None and (reasons := job.unregistered):
        warnings.warn(
            f"the checkpoints include the parameters without the network, which nn.load needs: "
            f"{'; '.join(reasons)}",
            stacklevel=2,
        )
    return _steps(job, jobs.start(job))


def finish(steps: Iterable[Step]) -> Step | None:
    """Run a training to its end, and return the last step.

    Parameters
    ----------
    steps : iterable of Step
        Steps, from `fit` or `progress`.

    Returns
    -------
    Step or None
        Last step; None if there are no steps.

    Raises
    ------
    Diverged
        As in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(1), nn.Dense(1))
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> options = dict(loss="mse", optimizer=train.adam(0.1), epochs=100)
    >>> last = train.finish(train.fit(net, net.init(0), (x, 3 * x), **options))
    >>> last.step, last.loss < 1e-3
    (100, True)
    """
    last = deque(steps, maxlen=1)
    return last[0] if last else None


def progress(steps: Iterable[Step], **options: Any) -> Iterator[Step]:
    """Show a progress bar (tqdm) on the standard error while iterating over steps.

    Parameters
    ----------
    steps : iterable of Step
        Steps, from `fit`.
    **options : dict
        Keyword arguments of tqdm.

    Yields
    ------
    Step
        The steps, unchanged.

    Raises
    ------
    Diverged
        As in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(1), nn.Dense(1))
    >>> data = np.ones((8, 1)), np.ones((8, 1))
    >>> steps = fit(net, net.init(0), data, loss="mse", epochs=2, batch_size=4)
    >>> [step.epoch for step in progress(steps, disable=True)]
    [1, 1, 2, 2]
    """
    from tqdm.auto import tqdm

    with tqdm(unit="step", **options) as progress_bar:
        values = {}
        for step in steps:
            progress_bar.total = step.total_steps
            progress_bar.update(step.step - progress_bar.n)
            values |= {f"val {name}": f"{value:.4g}" for name, value in step.metrics.items()}
            progress_bar.set_postfix({"epoch": step.epoch, "loss": f"{step.loss:.4g}"} | values)
            yield step


def predict(
    net: Sequential,
    params: Any,
    signals: Any,
    *,
    state: Any = None,
    batch_size: int = 256,
    threads: int | None = None,
) -> np.ndarray:
    """Compute the outputs of a network for all signals, batch by batch, in inference mode.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        Network, with the type of its input.
    params : tree of arrays
        Parameters, from ``net.init`` or a training.
    signals : array [shape=(n, ...)]
        Signals as in `fit`; ``n`` may be 0.
    state : tree of arrays, optional
        Running state; required by networks that have one.
    batch_size : int
        Number of signals that are processed together; a multiple of the size of sets.
    threads : int, optional
        Number of threads; by default ``SPHEREKIT_NUM_THREADS``, else the CPUs that the process may use.

    Returns
    -------
    ndarray
        Outputs, with the batch axis first.

    Raises
    ------
    TypeError, ValueError
        The signals or parameters do not fit the network, the running state is missing, or results are not
        finite.

    Examples
    --------
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> predict(net, params, np.zeros((1000, 3))).shape
    (1000, 2)
    """
    jobs.check_network(net)
    jobs.check_single_tree(net, params)
    signals, count = jobs.check_signals(net, signals, "predict")
    batch_size = checks.integer(batch_size, "batch_size", 1)
    return _outputs(net, params, state, signals, count, batch_size, Context(threads=threads))


def _outputs(net, params, state, signals, count, batch_size, context):
    batches = []
    with single_threaded():
        for first in range(0, max(count, 1), batch_size):
            x = jobs.select(signals, slice(first, first + batch_size))
            batches.append(net.apply(params, state, x, context)[0])
    return np.concatenate(batches)


def evaluate(
    net: Sequential,
    params: Any,
    data: tuple[Any, Any],
    *,
    state: Any = None,
    loss: str | Callable,
    metrics: Iterable[str | Callable] | dict[str, str | Callable] = (),
    batch_size: int = 256,
    threads: int | None = None,
) -> dict[str, float]:
    """Compute the loss and the metrics of a data set.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        Network, with the type of its input.
    params : tree of arrays
        Parameters, from ``net.init`` or a training.
    data : (signals, targets)
        Data set, not empty.
    state : tree of arrays, optional
        Running state; required by networks that have one.
    loss : str or callable
        As in `fit`.
    metrics : sequence of str or callable, or dict
        As in `fit`.
    batch_size : int
        As in `predict`.
    threads : int, optional
        Number of threads; by default ``SPHEREKIT_NUM_THREADS``, else the CPUs that the process may use.

    Returns
    -------
    dict of str to float
        ``"loss"``, and each metric by its name.

    Raises
    ------
    TypeError, ValueError
        The data or parameters do not fit the network, or there are no signals.

    Examples
    --------
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> evaluate(net, params, (np.zeros((4, 3)), np.zeros((4, 2))), loss="mse", metrics=["mae"])
    {'loss': 0.0, 'mae': 0.0}
    """
    functions = metric_functions.resolve(metrics)
    jobs.check_network(net)
    if not jobs.check_signals(net, data[0], "evaluate")[1]:
        raise ValueError("evaluate: no signals; expected at least one signal")
    targets = jobs.check_targets(data[1], "evaluate")
    outputs = predict(net, params, data[0], state=state, batch_size=batch_size, threads=threads)
    return _values(outputs, targets, losses.resolve(loss), functions)


def _values(outputs, targets, loss, functions):
    values = {"loss": losses.as_scalar(loss(outputs, targets), "the loss", loss)}
    for name, function in functions.items():
        value = function(outputs, targets)
        values[name] = losses.as_scalar(value, f"the metric {name!r}", function)
    return values


def _steps(job, checkpoint):
    total_steps = job.total_steps
    checkpointing = job.checkpoints
    if checkpoint.step >= total_steps or job.patience_exhausted(checkpoint):
        if checkpoint.step:
            yield _last_step(checkpoint, total_steps)
        return
    while checkpoint.step < total_steps and not job.patience_exhausted(checkpoint):
        epoch, first = divmod(checkpoint.step, job.steps_per_epoch)
        order = np.random.default_rng([job.seed, epoch]).permutation(job.count)
        for number in range(first, job.steps_per_epoch):
            rows = order[number * job.batch_size : (number + 1) * job.batch_size]
            checkpoint, *values = advance(job, checkpoint, rows)
            is_last = number == job.steps_per_epoch - 1
            metrics = {}
            improved = False
            if is_last:
                checkpoint, metrics, improved = _after_epoch(job, checkpoint)
            if checkpointing is not None:
                interval = checkpointing.checkpoint_every
                if is_last or (interval and checkpoint.step % interval == 0):
                    job.save(checkpoint, improved)
            loss, learning_rate, gradient_norm = values
            yield Step(
                step=checkpoint.step,
                total_steps=total_steps,
                epoch=epoch + 1,
                loss=loss,
                metrics=metrics,
                learning_rate=learning_rate,
                gradient_norm=gradient_norm,
                checkpoint=checkpoint,
            )


def advance(job, checkpoint, rows):
    """Perform one step on the given rows; return (checkpoint, loss, learning rate, gradient norm)."""
    x, y = job.batch(rows)
    rng = generator(checkpoint.random_state)
    if job.augment is not None:
        x = job.augment(x, rng)
    random_state = rng.bit_generator.state
    # Results that are not finite raise an error below, with the step and the checkpoint in the message.
    context = Context(training=True, rng=rng, threads=job.threads, check_finite=False)
    with single_threaded(), np.errstate(all="ignore"):
        try:
            loss, gradients, state = loss_and_gradients(
                job.net, job.loss, checkpoint.params, checkpoint.state, x, y, context
            )
        except (MemoryError, OSError):
            raise
        # Results of a previous layer that are not finite may cause the error.
        except Exception as error:
            rng = generator(random_state)
            explanation = divergence.explain_error(job, checkpoint, x, y, rng)
            if explanation is None:
                raise
            raise explanation from error
        if job.max_norm:
            gradients, norm = clip_by_global_norm(gradients, job.max_norm)
        else:
            norm = global_norm(gradients)
        params, optimizer_state = job.optimizer.step(
            checkpoint.params, gradients, checkpoint.optimizer_state
        )
    finite = np.isfinite(loss) and np.isfinite(norm)
    if not (finite and all(map(divergence.is_finite, (params, state, optimizer_state)))):
        raise divergence.divergence_error(job, checkpoint, x, y, generator(random_state), loss)
    learning_rate = float(job.optimizer.learning_rate(checkpoint.step))
    columns = checkpoint.history["steps"]
    columns["loss"].append(loss)
    columns["learning_rate"].append(learning_rate)
    columns["gradient_norm"].append(norm)
    checkpoint = checkpoint._replace(
        params=params,
        state=state,
        optimizer_state=optimizer_state,
        step=checkpoint.step + 1,
        random_state=rng.bit_generator.state,
    )
    return checkpoint, loss, learning_rate, norm


def generator(random_state):
    """Return a random generator that continues from the state of a checkpoint."""
    bits = np.random.PCG64()
    bits.state = random_state
    return np.random.Generator(bits)


def _after_epoch(job, checkpoint):
    """Validate after an epoch; return (checkpoint, metrics, whether the monitored value improved)."""
    sizes = np.full(job.steps_per_epoch, job.batch_size)
    sizes[-1] = job.count - job.batch_size * (job.steps_per_epoch - 1)
    batch_losses = checkpoint.history["steps"]["loss"][-job.steps_per_epoch :]
    train_loss = float(np.average(batch_losses, weights=sizes))
    epoch = checkpoint.epoch + 1
    metrics = {}
    improved = False
    best = {
        "params": checkpoint.params,
        "state": checkpoint.state,
        "value": None,
        "epoch": epoch,
    }
    if job.validation is not None:
        metrics = _validate(job, checkpoint)
        value = metrics[job.monitor]
        previous = checkpoint.best["value"]
        is_better = previous is None or job.sign * (value - previous) > 0
        improved = bool(np.isfinite(value)) and is_better
        best = best | {"value": value} if improved else checkpoint.best
    columns = checkpoint.history["epochs"]
    for name, value in ({"step": checkpoint.step, "train": train_loss} | metrics).items():
        columns[name].append(value)
    return checkpoint._replace(epoch=epoch, best=best), metrics, improved


def _validate(job, checkpoint):
    """Return loss and metrics of the validation data; a NaN loss is recorded, but is never the best."""
    signals, targets = job.validation

    def outputs(around=None):
        context = Context(threads=job.threads, check_finite=False, around=around)
        return _outputs(
            job.net,
            checkpoint.params,
            checkpoint.state,
            signals,
            signals.shape[0],
            job.batch_size * job.set_size,
            context,
        )

    with np.errstate(all="ignore"):
        try:
            return _values(outputs(), targets, job.loss, job.metrics)
        except (MemoryError, OSError):
            raise
        except Exception as error:
            explanation = divergence.explain_validation_error(job, checkpoint, outputs)
            if explanation is None:
                raise
            raise explanation from error


def _last_step(checkpoint, total_steps):
    """Return the last step of a finished training."""
    steps = checkpoint.history["steps"]
    epochs = checkpoint.history["epochs"]
    return Step(
        step=checkpoint.step,
        total_steps=total_steps,
        epoch=checkpoint.epoch,
        loss=steps["loss"][-1],
        metrics={name: v[-1] for name, v in epochs.items() if name not in ("step", "train") and v},
        learning_rate=steps["learning_rate"][-1],
        gradient_norm=steps["gradient_norm"][-1],
        checkpoint=checkpoint,
    )
