"""Compile the kernels ahead of time, so that later runs do not compile.

The compiled kernels are cached for this machine and user. --for prepares only what some commands (or kinds of
calls, in Python) need: batches of maps, float32 (single precision), wigner (transforms on the rotation group,
rotations, coupling coefficients), and nn (layers of networks).
"""

import sys
import time

from spherekit.cli import options


def arguments(parser):
    parser.add_argument(
        "--for",
        dest="names",
        metavar="NAMES",
        help=f"what to prepare, a comma-separated list of: {', '.join(_names())}; default: everything",
    )
    parser.add_argument(
        "--processes",
        type=int,
        help="number of processes; default: the CPUs of this process",
    )


def run(args):
    from spherekit._core.jit import cache_folder, runs_as_python

    if runs_as_python():
        raise options.Usage(
            "there is nothing to compile, since SPHEREKIT_SIMD=numpy or NUMBA_DISABLE_JIT is set and kernels "
            "run as plain Python; unset these variables"
        )
    if cache_folder() is None:
        raise options.Usage(
            "there is no cache for compiled kernels: SPHEREKIT_CACHE is 0, or there is no home folder; set "
            "SPHEREKIT_CACHE to a folder"
        )
    if args.processes is not None and args.processes < 1:
        raise options.Usage(f"--processes is {args.processes}; expected an integer >= 1")
    names = [] if args.names is None else _selection(args.names)
    _check_folder(names)
    start = time.perf_counter()
    for title, seconds in compile_kernels(names, args.processes):
        print(f"{seconds:7.2f} s  {title}")
    print(f"{time.perf_counter() - start:7.2f} s  in total; cached in {cache_folder()}")


def _names():
    from spherekit.warmup.steps import NAMES

    return NAMES


def _check_folder(names):
    """Raise OSError if kernels are still to be compiled for these names, and the cache cannot be written."""
    from spherekit.warmup import completion

    reason = completion.write_obstacle()
    if reason is not None and not all(map(completion.is_recorded, names or _names())):
        raise OSError(
            f"the kernels cannot be cached: {reason}: {completion.written_folder()}; set SPHEREKIT_CACHE to "
            "a folder that can be written"
        )


def _selection(text):
    """The names of --for."""
    from spherekit._core.names import closest

    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise options.Usage(f"--for names nothing; expected any of {', '.join(_names())}")
    for name in names:
        if name not in _names():
            match = closest(name, _names())
            hint = f"did you mean {match}? " if match else ""
            raise options.Usage(f"--for is {name}; {hint}expected any of {', '.join(_names())}")
    return names


def compile_kernels(names=(), processes=None):
    """Run the warm-up for these names, with progress on standard error; return (title, seconds) of each step.

    The traceback of a step that fails is printed. Raises `NotCachedError` if a kernel could not be cached.
    """
    from tqdm import tqdm

    from spherekit._core.progress import is_quiet
    from spherekit.warmup.completion import note_complete
    from spherekit.warmup.processes import StepError, run
    from spherekit.warmup.steps import select

    steps = select(names)
    terminal = sys.stderr.isatty() and not is_quiet()
    with tqdm(total=len(steps), disable=not terminal, leave=False, unit="step") as progress_bar:
        show = _show_bar(progress_bar) if terminal else _show_lines(len(steps))
        try:
            seconds = run(steps, processes, show)
        except StepError as error:
            progress_bar.clear()
            print(error.traceback, file=sys.stderr)
            raise
    note_complete(names or _names())
    return [(step.title, seconds[step.title]) for step in steps]


def _show_bar(progress_bar):
    def show(completed, title):
        progress_bar.set_description_str("compiling kernels", refresh=False)
        progress_bar.set_postfix_str(title or "", refresh=False)
        progress_bar.update(completed - progress_bar.n)
        progress_bar.refresh()

    return show


def _show_lines(total):
    """A function that shows the completed steps and a running one, at intervals that suit a log."""
    from spherekit._core.progress import INTERVAL, info

    start = time.monotonic()
    due = INTERVAL

    def show(completed, title):
        nonlocal due
        seconds = time.monotonic() - start
        if seconds >= due:
            running = f", running: {title}" if title else ""
            info(f"compiling kernels: {completed} of {total} steps, {seconds:.0f} s{running}")
            due = seconds + INTERVAL

    return show
