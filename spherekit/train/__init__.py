"""Training without a deep-learning framework: trees of arrays, autograd's gradients, and a loop.

for step in train.fit(net, net.init(rng), (signals, labels), validation=..., metrics=["accuracy"]):
    ...                                     # step.step, step.loss, step.metrics, step.state
"""

from spherekit.train import checkpoints, config, losses, metrics, schedules
from spherekit.train import pytree as trees
from spherekit.train.divergence import Diverged
from spherekit.train.loop import Step, evaluate, finish, fit, predict, progress
from spherekit.train.optimizers import Optimiser, adam, adamw, clip, global_norm, sgd
from spherekit.train.plots import curves
from spherekit.train.profiling import profile
from spherekit.train.shrec17 import retrieval

__all__ = [
    "Diverged", "Optimiser", "Step", "adam", "adamw", "checkpoints", "clip", "config", "curves", "evaluate",
    "finish", "fit", "global_norm", "losses", "metrics", "predict", "profile", "progress",
    "retrieval", "schedules", "sgd", "trees",
]  # fmt: skip
