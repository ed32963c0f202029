"""Training of networks: gradients by autograd, optimizers, the training loop, checkpoints and metrics.

::

    for step in train.fit(net, net.init(rng), (signals, labels), validation=..., metrics=["accuracy"]):
        ...                             # step.step, step.loss, step.metrics, step.params, step.state

==================  ==================================================================================
training            `fit`, `Step`, `EarlyStopping`, `Checkpointing`, `finish`, `progress`, `Diverged`
inference           `predict`, `evaluate`, `retrieval`
optimizers          `sgd`, `adam`, `adamw`, `Optimizer`, `global_norm`, `clip_by_global_norm`
modules             `losses`, `metrics`, `schedules`, `checkpoints`, `config`
performance         `profile`, `tune_allocator`
plots               `curves`
==================  ==================================================================================
"""

from spherekit._core.workspace import tune_allocator
from spherekit.train import checkpoints, config, losses, metrics, schedules
from spherekit.train.divergence import Diverged
from spherekit.train.job import Checkpointing, EarlyStopping
from spherekit.train.loop import Step, evaluate, finish, fit, predict, progress
from spherekit.train.optimizers import (
    Optimizer,
    adam,
    adamw,
    clip_by_global_norm,
    global_norm,
    sgd,
)
from spherekit.train.plots import curves
from spherekit.train.profiling import profile
from spherekit.train.shrec17 import retrieval

__all__ = [
    "Checkpointing", "Diverged", "EarlyStopping", "Optimizer", "Step", "adam", "adamw", "checkpoints",
    "clip_by_global_norm", "config", "curves", "evaluate", "finish", "fit", "global_norm", "losses",
    "metrics", "predict", "profile", "progress", "retrieval", "schedules", "sgd", "tune_allocator",
]  # fmt: skip


def __dir__():
    return sorted(__all__)
