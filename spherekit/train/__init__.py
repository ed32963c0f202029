"""Training without a deep-learning framework: trees of arrays, autograd's gradients, and a loop.

for step in train.fit(net, net.init(rng), (signals, labels), validation=..., metrics=["accuracy"]):
    ...                                     # step.step, step.loss, step.metrics, step.state
"""

from spherekit.train import checkpoints, losses, metrics, schedules, trees
from spherekit.train.figure import curves
from spherekit.train.loop import Step, evaluate, finish, fit, predict, progress
from spherekit.train.optimisers import Optimiser, adam, adamw, clip, global_norm, sgd
from spherekit.train.profile import profile
from spherekit.train.retrieval import retrieval
from spherekit.train.trouble import Diverged

__all__ = [
    "Diverged", "Optimiser", "Step", "adam", "adamw", "checkpoints", "clip", "curves", "evaluate",
    "finish", "fit", "global_norm", "losses", "metrics", "predict", "profile", "progress",
    "retrieval", "schedules", "sgd", "trees",
]  # fmt: skip
