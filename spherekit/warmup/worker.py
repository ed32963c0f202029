"""A process that runs steps of a warm-up: ``python -m spherekit.warmup.worker``.

It reads titles of steps, one per line, and writes a line for each: a JSON object with the "seconds" that the
step took, or with the "traceback" of its error.
"""

import json
import os
import signal
import sys

from spherekit.warmup.processes import StepError, run_step
from spherekit.warmup.steps import STEPS


def main(steps=STEPS):
    """Run those of the steps that standard input names, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends its workers
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what steps print
    steps_by_title = {step.title: step for step in steps}
    for line in sys.stdin:
        try:
            answer = {"seconds": run_step(steps_by_title[line.strip()])}
        except StepError as error:
            answer = {"traceback": error.traceback}
        print(json.dumps(answer), file=output, flush=True)


if __name__ == "__main__":
    main()
