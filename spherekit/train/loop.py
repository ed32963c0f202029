"""The training loop: a generator of steps, which command line, notebook and script drive alike."""

from collections import deque
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import one_thread
from spherekit._core.workspace import keep_freed
from spherekit.nn import Mode, Training
from spherekit.train import checkpoints as store
from spherekit.train import divergence
from spherekit.train import job as jobs
from spherekit.train.autodiff import gradient
from spherekit.train.job import batch_axis
from spherekit.train.optimizers import adam, clip, global_norm


class Step(NamedTuple):
    """What is known after a step.

    step, total : int, steps done, and of how many
    epoch : int, the pass over the data that the step is of, from 1
    loss : float, of the batch, before the step
    metrics : dict, of the validation data after the last step of an epoch, else empty
    rate, norm : float, learning rate, and global norm of the gradient before it was clipped
    state : `checkpoints.State`: ``state.params``, ``state.best["params"]``, ``state.history``
    """

    step: int
    total: int
    epoch: int
    loss: float
    metrics: dict
    rate: float
    norm: float
    state: store.State


def fit(
    net,
    params,
    data,
    *,
    loss="cross_entropy",
    optimiser=None,
    validation=None,
    metrics=(),
    epochs=10,
    batch=32,
    seed=0,
    clip=None,
    patience=None,
    watch="loss",
    augment=None,
    sets=1,
    momentum=0.9,
    checkpoints=None,
    keep=3,
    every=None,
    resume=False,
    description=None,
    threads=None,
):
    """Train a network: a generator of `Step`, one for each batch.

    The same seed gives the same numbers, bit for bit, whatever the threads, and whether or not the training
    was interrupted and resumed. Nothing is printed. On Linux the process keeps the memory that arrays free
    from here on, instead of asking the system for it again in each step.

    Parameters
    ----------
    net : spherekit.nn.Net
    params : tree of arrays
        Where to start, from ``net.init``; their precision is kept.
    data : (signals, targets)
        Signals as the network takes them; arrays, or what is indexed as one (`numpy.memmap`). Targets: labels
        (n,), or an array like the outputs.
    loss : str or callable
        One of `losses`, or a function of (outputs, targets) in autograd.numpy.
    optimiser : Optimiser, optional
        `sgd`, `adam` or `adamw`; adam(1e-3) unless said.
    validation : (signals, targets), optional
        Its loss and metrics are taken after each epoch.
    metrics : sequence of str or callable, or dict
        As `spherekit.train.metrics`.
    epochs, batch : int
        Passes over the data, and signals in a batch; the last batch of an epoch may be smaller.
    seed : int
        Of the order of the signals in each epoch, of dropout and of ``augment``.
    clip : float, optional
        Largest global norm of the gradient.
    patience : int, optional
        Stop after so many epochs without a better ``watch``.
    watch : str
        "loss", or a metric: ``state.best`` has the parameters of its best value on the validation data;
        without these the last parameters.
    augment : callable, optional
        (signals, rng) -> signals, applied to each batch.
    sets : int
        Signals of one target, side by side (`nn.set_sum`).
    momentum : float
        Of running means (`nn.Training`).
    checkpoints : path, optional
        Folder for ``step-00000123.npz``, of which the last ``keep`` stay, and ``best.npz``; after each epoch,
        and after ``every`` steps where that is given.
    resume : bool
        Go on from the last checkpoint in the folder; from the start where there is none.
    description : dict, optional
        Stored with each checkpoint; what JSON can hold.
    threads : int, optional

    Yields
    ------
    Step
        A finished training that is resumed yields its last step once more.

    Raises
    ------
    ValueError, TypeError
        At once: what does not fit. A folder with checkpoints but no ``resume``; checkpoints of another
        training.
    Diverged
        The loss, a gradient or a parameter is NaN or infinite; names the layer.

    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> x, labels = random_flm(4, rng, reality=True, shape=(20, 1)), np.arange(20) % 2
    >>> x[labels == 1] *= 0.2
    >>> net = nn.Net(nn.Sphere(4, 1), nn.power(), nn.dense(2))
    >>> how = dict(optimiser=adam(0.1), epochs=50, validation=(x, labels), metrics=["accuracy"])
    >>> last = finish(fit(net, net.init(rng), (x, labels), **how))
    >>> last.step, last.metrics["accuracy"]
    (50, 1.0)
    """
    given = dict(locals())
    keep_freed()
    job = jobs.job(given | {"optimiser": adam() if optimiser is None else optimiser})
    return _steps(job, jobs.start(job, params, resume))


def finish(steps):
    """Run to the end; the last `Step`."""
    last = deque(steps, maxlen=1)
    return last[0] if last else None


def progress(steps, **options):
    """The same steps, with a progress bar (tqdm) on the standard error; ``options`` are tqdm's."""
    from tqdm.auto import tqdm

    with tqdm(unit="step", **options) as bar:
        shown = {}
        for step in steps:
            bar.total = step.total
            bar.update(step.step - bar.n)
            shown |= {f"val {name}": f"{value:.4g}" for name, value in step.metrics.items()}
            bar.set_postfix({"epoch": step.epoch, "loss": f"{step.loss:.4g}"} | shown)
            yield step


def predict(net, params, signals, *, batch=256, threads=None):
    """The outputs of all signals, batch by batch, as the network is used (not trained).

    Parameters
    ----------
    net, params : as in `fit`
    signals : as in `fit`
        They may be none at all; so are the outputs then.
    batch : int
        Signals at a time; a multiple of the size of sets.
    """
    signals, count = jobs.signals_of(net, signals, "predict")
    batch = checks.whole_number(batch, "batch", 1)
    return _outputs(net, params, signals, count, batch, Mode(threads))


def _outputs(net, params, signals, count, batch, mode):
    axis, made = batch_axis(net.takes), []
    with one_thread():
        for first in range(0, max(count, 1), batch):
            some = jobs.taken(signals, axis, slice(first, first + batch))
            made.append(net(params, some, mode))
    return np.concatenate(made, axis=batch_axis(net.gives))


def evaluate(net, params, data, *, loss, metrics=(), batch=256, threads=None):
    """{"loss": ..., and each metric} of a data set, not an empty one; arguments as in `fit`."""
    found = jobs.metrics.named(metrics)
    if not jobs.signals_of(net, data[0], "evaluate")[1]:
        raise ValueError("evaluate: no signals, whose mean loss would be no number")
    targets = jobs.targets_of(data[1], "evaluate")
    outputs = predict(net, params, data[0], batch=batch, threads=threads)
    return _values(outputs, targets, jobs.losses.named(loss), found)


def _values(outputs, targets, loss, metrics):
    values = {"loss": loss(outputs, targets)}
    values |= {name: function(outputs, targets) for name, function in metrics.items()}
    return {name: float(value) for name, value in values.items()}


def _steps(job, state):
    total = job.epochs * job.steps
    if state.step >= total or _waited(job, state):
        if state.step:
            yield _stored(job, state, total)
        return
    while state.step < total and not _waited(job, state):
        epoch, place = divmod(state.step, job.steps)
        order = np.random.default_rng([job.seed, epoch]).permutation(job.count)
        for number in range(place, job.steps):
            rows = order[number * job.batch : (number + 1) * job.batch]
            state, loss, rate, norm = advance(job, state, rows)
            ended, metrics, improved = number == job.steps - 1, {}, False
            if ended:
                state, metrics, improved = _after_epoch(job, state)
            if job.folder and (ended or (job.every and state.step % job.every == 0)):
                store.keep(job.folder, state, job.description, job.keep, improved)
            yield Step(state.step, total, epoch + 1, loss, metrics, rate, norm, state)


def advance(job, state, rows):
    """(state, loss, rate, norm) after one step on the signals of these rows."""
    x, y = jobs.chosen(job, rows)
    rng = generator(state.rng)
    if job.augment is not None:
        x = job.augment(x, rng)
    before = rng.bit_generator.state
    mode = Training(rng, job.momentum, job.threads)
    mode.guarded = False  # what is lost is named below, with what the training knows
    with one_thread(), np.errstate(all="ignore"):  # what is not finite is found, and named, below
        try:
            loss, grads = gradient(job.net, job.loss, state.params, x, y, mode)
        except ValueError as error:  # a layer that refuses what another has made of the numbers
            raise divergence.explained(error, job, state, x, y, generator(before)) from None
        grads, norm = clip(grads, job.clip) if job.clip else (grads, global_norm(grads))
        params, optimiser = job.optimiser.step(state.params, grads, state.optimiser)
        params = mode.updated(params)
    sound = np.isfinite(loss) and np.isfinite(norm)
    if not (sound and divergence.finite(params) and divergence.finite(optimiser)):
        raise divergence.diverged(job, state, x, y, generator(before), loss)
    rate = float(job.optimiser.rate(state.step))
    for name, value in dict(loss=loss, rate=rate, norm=norm).items():
        state.history["steps"][name].append(value)
    made = dict(params=params, optimiser=optimiser, step=state.step + 1)
    return state._replace(**made, rng=rng.bit_generator.state), loss, rate, norm


def generator(state):
    """The random numbers that go on from a stored state."""
    made = np.random.PCG64()
    made.state = state
    return np.random.Generator(made)


def _after_epoch(job, state):
    """State with the epoch in its history, metrics of the validation data, and whether they are the best."""
    sizes = np.full(job.steps, job.batch)
    sizes[-1] = job.count - job.batch * (job.steps - 1)
    losses = state.history["steps"]["loss"][-job.steps :]
    line, epoch = (
        {"step": state.step, "train": float(np.average(losses, weights=sizes))},
        state.epoch + 1,
    )
    found, best, improved = {}, {"params": state.params, "value": None, "epoch": epoch}, False
    if job.validation is not None:
        signals, targets = job.validation
        count, mode = signals.shape[batch_axis(job.net.takes)], Mode(job.threads)
        mode.guarded = False  # a loss that is NaN is in the history, and never the best
        with np.errstate(all="ignore"):
            given = job.net, state.params, signals, count, job.batch * job.sets, mode
            found = _values(_outputs(*given), targets, job.loss, job.metrics)
        value, old = found[job.watch], state.best["value"]
        improved = bool(np.isfinite(value)) and (old is None or job.sign * (value - old) > 0)
        best = best | {"value": value} if improved else state.best
    for name, value in (line | found).items():
        state.history["epochs"][name].append(value)
    return state._replace(epoch=epoch, best=best), found, improved


def _waited(job, state):
    """Whether patience has ended."""
    return job.patience is not None and state.epoch - state.best["epoch"] >= job.patience


def _stored(job, state, total):
    """The last step of a finished training."""
    steps, epochs = state.history["steps"], state.history["epochs"]
    metrics = {name: v[-1] for name, v in epochs.items() if name not in ("step", "train") and v}
    last = (steps[name][-1] for name in ("rate", "norm"))
    return Step(state.step, total, state.epoch, steps["loss"][-1], metrics, *last, state)
