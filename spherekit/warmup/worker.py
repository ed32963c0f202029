"""A process that runs steps of a warm-up: ``python -m spherekit.warmup.worker``.

It reads titles of steps, one per line, and writes a line for each: a JSON object with the "seconds" that the
step took, or with the "traceback" of its error, or with the reason why kernels are "not_cached".
"""

import json
import os
import signal
import sys
import threading
import time

from spherekit.warmup.processes import NotCachedError, StepError, run_step
from spherekit.warmup.steps import STEPS

#: Seconds between looks for the parent process.
INTERVAL = 1.0


def main(steps=STEPS):
    """Run those of the steps that standard input names, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends its workers
    if sys.platform != "win32":
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what steps print
    steps_by_title = {step.title: step for step in steps}
    for line in sys.stdin:
        try:
            answer = {"seconds": run_step(steps_by_title[line.strip()])}
        except StepError as error:
            answer = {"traceback": error.traceback}
        except NotCachedError as error:
            answer = {"not_cached": error.reason}
        print(json.dumps(answer), file=output, flush=True)


def _end_with_parent(parent):
    """End this process, also while it runs a step, when the parent process has ended."""
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
