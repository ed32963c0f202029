"""The training loop: a generator of steps, which command line, notebook and script drive alike."""

import warnings
from collections import deque
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.nn import Context
from spherekit.train import checkpoints as store
from spherekit.train import divergence, losses
from spherekit.train import job as jobs
from spherekit.train import metrics as metric_functions
from spherekit.train.autodiff import loss_and_gradients
from spherekit.train.optimizers import clip_by_global_norm, global_norm


class Step(NamedTuple):
    """Results of a training step.

    Attributes
    ----------
    step, total_steps : int
        Number of steps done, and of all steps.
    epoch : int
        The pass over the data that the step belongs to, from 1.
    loss : float
        Of the batch, before the step.
    metrics : dict
        Of the validation data after the last step of an epoch, else empty.
    learning_rate, gradient_norm : float
        The global norm is that of the gradient before it is clipped.
    checkpoint : checkpoints.Checkpoint
        After the step: ``checkpoint.best``, ``checkpoint.history``.

    >>> Step._fields[:4]
    ('step', 'total_steps', 'epoch', 'loss')
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
    def params(self):
        """Parameters after the step."""
        return self.checkpoint.params

    @property
    def state(self):
        """Running state of the network after the step."""
        return self.checkpoint.state


def fit(
    net,
    initial,
    data,
    *,
    loss="cross_entropy",
    optimizer=None,
    validation=None,
    metrics=(),
    epochs=10,
    batch_size=32,
    seed=0,
    max_norm=None,
    augment=None,
    set_size=1,
    early_stopping=None,
    checkpoints=None,
    threads=None,
):
    """Train a network: a generator of `Step`, one for each batch.

    The same seed gives the same numbers, bit for bit, for any number of threads, and whether or not the
    training was interrupted and resumed. Nothing is printed. On Linux `tune_allocator`, called once before,
    makes the steps of large networks a quarter to a third faster.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        With the type of its input.
    initial : (params, state)
        From ``net.init``, or trained; their precision is preserved.
    data : (signals, targets)
        Signals as the network accepts them: arrays, or what is indexed as one (`numpy.memmap`). Targets:
        labels ``[shape=(n,)]``, or an array of the shape of the outputs.
    loss : str or callable
        One of `losses`, or a function of (outputs, targets) in autograd.numpy.
    optimizer : Optimizer, optional
        `sgd`, `adam` or `adamw`; by default ``adam(1e-3)``.
    validation : (signals, targets), optional
        Loss and metrics are computed of it after each epoch.
    metrics : sequence of str or callable, or dict
        As in `spherekit.train.metrics`.
    epochs, batch_size : int
        Passes over the data, and targets in a batch; the last batch of an epoch may be smaller.
    seed : int
        Of the order of the signals in each epoch, of dropout and of ``augment``.
    max_norm : float, optional
        The gradient is scaled down where its global norm is larger.
    augment : callable, optional
        (signals, rng) -> signals, applied to each batch.
    set_size : int
        Signals of one target, side by side (`spherekit.nn.SetSum`).
    early_stopping : EarlyStopping, optional
        Which value is the best, and when to stop; by default the validation loss, and never.
    checkpoints : path or Checkpointing, optional
        Folder for checkpoints; a `Checkpointing` with ``resume=True`` continues from the last one there. A
        finished training is lengthened by more ``epochs``; the schedule of its learning rate may then differ.
    threads : int, optional

    Yields
    ------
    Step
        A finished training that is resumed yields its last step once more.

    Raises
    ------
    ValueError, TypeError
        At the call: what does not fit. A folder with checkpoints, without ``resume``; checkpoints of another
        training. During the training: a loss or metric that is not one real number; errors of own layers.
    Diverged
        The loss, a gradient or a parameter is NaN or infinite, or a layer refuses its numbers; the message
        names the layer.

    Warns
    -----
    UserWarning
        Checkpoints without the network, of which a layer or function is not registered.

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
            f"the checkpoints hold the parameters without the network, which nn.load needs: "
            f"{'; '.join(reasons)}",
            stacklevel=2,
        )
    return _steps(job, jobs.start(job))


def finish(steps):
    """Run a training to its end.

    Parameters
    ----------
    steps : iterator of Step
        From `fit` or `progress`.

    Returns
    -------
    Step or None
        The last one.

    >>> finish(iter([1, 2, 3]))
    3
    """
    last = deque(steps, maxlen=1)
    return last[0] if last else None


def progress(steps, **options):
    """The same steps, with a progress bar (tqdm) on the standard error.

    Parameters
    ----------
    steps : iterator of Step
        From `fit`.
    **options
        Of tqdm.

    Yields
    ------
    Step

    >>> list(progress(iter([]), disable=True))
    []
    """
    from tqdm.auto import tqdm

    with tqdm(unit="step", **options) as bar:
        values = {}
        for step in steps:
            bar.total = step.total_steps
            bar.update(step.step - bar.n)
            values |= {f"val {name}": f"{value:.4g}" for name, value in step.metrics.items()}
            bar.set_postfix({"epoch": step.epoch, "loss": f"{step.loss:.4g}"} | values)
            yield step


def predict(net, params, signals, *, state=None, batch_size=256, threads=None):
    """The outputs of all signals, batch by batch, as the network is used, not in training.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        With the type of its input.
    params : tree of arrays
        From ``net.init``, or trained.
    signals : array
        As in `fit`; there may be none.
    state : tree of arrays, optional
        Running state; may be left out of networks without.
    batch_size : int
        Signals at a time; a multiple of the size of sets.
    threads : int, optional

    Returns
    -------
    array
        Batch axis first.

    Raises
    ------
    ValueError, TypeError
        Signals or parameters that do not fit the network; results that are not finite.

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


def evaluate(net, params, data, *, state=None, loss, metrics=(), batch_size=256, threads=None):
    """Loss and metrics of a data set.

    Parameters
    ----------
    net, params, state, batch_size, threads : as in `predict`
    data : (signals, targets)
        Not empty.
    loss, metrics : as in `fit`

    Returns
    -------
    dict of str to float
        ``"loss"``, and each metric by its name.

    Raises
    ------
    ValueError, TypeError
        What does not fit; no signals.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> evaluate(net, params, (np.zeros((4, 3)), np.zeros((4, 2))), loss="mse", metrics=["mae"])
    {'loss': 0.0, 'mae': 0.0}
    """
    functions = metric_functions.resolve(metrics)
    jobs.check_network(net)
    if not jobs.check_signals(net, data[0], "evaluate")[1]:
        raise ValueError("evaluate: no signals, and the mean loss of no signals is not a number")
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
    total_steps, folder = job.total_steps, job.checkpoints
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
            is_last, metrics, improved = number == job.steps_per_epoch - 1, {}, False
            if is_last:
                checkpoint, metrics, improved = _after_epoch(job, checkpoint)
            if folder is not None:
                every = folder.checkpoint_every
                if is_last or (every and checkpoint.step % every == 0):
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
    """(checkpoint, loss, learning rate, gradient norm) after one step on the signals of these rows."""
    x, y = job.batch(rows)
    rng = generator(checkpoint.random_state)
    if job.augment is not None:
        x = job.augment(x, rng)
    random_state = rng.bit_generator.state
    # Not finite results are named below, with what the training knows.
    context = Context(training=True, rng=rng, threads=job.threads, check_finite=False)
    with single_threaded(), np.errstate(all="ignore"):
        try:
            loss, gradients, state = loss_and_gradients(
                job.net, job.loss, checkpoint.params, checkpoint.state, x, y, context
            )
        except (MemoryError, OSError):
            raise
        except Exception as error:  # perhaps a layer that refuses what another one has lost
            rng = generator(random_state)
            explained = divergence.explained(job, checkpoint, x, y, rng)
            if explained is None:
                raise
            raise explained from error
        if job.max_norm:
            gradients, norm = clip_by_global_norm(gradients, job.max_norm)
        else:
            norm = global_norm(gradients)
        params, optimizer_state = job.optimizer.step(
            checkpoint.params, gradients, checkpoint.optimizer_state
        )
    finite = np.isfinite(loss) and np.isfinite(norm)
    if not (finite and all(map(divergence.is_finite, (params, state, optimizer_state)))):
        raise divergence.diverged(job, checkpoint, x, y, generator(random_state), loss)
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
    """The random numbers that continue from a stored state."""
    bits = np.random.PCG64()
    bits.state = random_state
    return np.random.Generator(bits)


def _after_epoch(job, checkpoint):
    """(checkpoint with the epoch in its history, validation metrics, whether they are the best)."""
    sizes = np.full(job.steps_per_epoch, job.batch_size)
    sizes[-1] = job.count - job.batch_size * (job.steps_per_epoch - 1)
    batch_losses = checkpoint.history["steps"]["loss"][-job.steps_per_epoch :]
    train_loss = float(np.average(batch_losses, weights=sizes))
    epoch, metrics, improved = checkpoint.epoch + 1, {}, False
    best = {
        "params": checkpoint.params,
        "state": checkpoint.state,
        "value": None,
        "epoch": epoch,
    }
    if job.validation is not None:
        metrics = _validated(job, checkpoint)
        value, previous = metrics[job.monitor], checkpoint.best["value"]
        is_better = previous is None or job.sign * (value - previous) > 0
        improved = bool(np.isfinite(value)) and is_better
        best = best | {"value": value} if improved else checkpoint.best
    columns = checkpoint.history["epochs"]
    for name, value in ({"step": checkpoint.step, "train": train_loss} | metrics).items():
        columns[name].append(value)
    return checkpoint._replace(epoch=epoch, best=best), metrics, improved


def _validated(job, checkpoint):
    """Loss and metrics of the validation data; a loss that is NaN is recorded, and never the best."""
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
            explained = divergence.explained_validation(job, checkpoint, outputs)
            if explained is None:
                raise
            raise explained from error


def _last_step(checkpoint, total_steps):
    """The last step of a finished training."""
    steps, epochs = checkpoint.history["steps"], checkpoint.history["epochs"]
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
