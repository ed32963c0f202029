"""Messages about work that takes long, through the logger ``spherekit``.

Where neither this logger nor the root logger has a handler, messages are written to standard error. The
environment variable SPHEREKIT_QUIET=1 silences them.
"""

import contextlib
import contextvars
import functools
import logging
import os
import sys
import threading
import time

logger = logging.getLogger("spherekit")
_MUTED = contextvars.ContextVar("whether progress is muted", default=False)

#: Seconds of compilation in this process before the first message, and between messages.
FIRST, INTERVAL = 1.0, 10.0


class _StandardError(logging.StreamHandler):
    """A handler that writes to the present `sys.stderr`, which notebooks and tests replace."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    @property
    def stream(self):
        return sys.stderr


def is_quiet():
    """Return whether SPHEREKIT_QUIET asks for no messages."""
    return os.environ.get("SPHEREKIT_QUIET", "").strip() not in ("", "0")


def info(message):
    """Show a message."""
    if not is_quiet():
        _prepare()
        logger.info(message)


def _prepare():
    """Let the logger write to standard error, unless the program has configured it or the root logger."""
    handler = _standard_error()
    if handler in logger.handlers:
        logger.removeHandler(handler)  # the program may have added its own meanwhile
        if logger.hasHandlers():
            logger.setLevel(logging.NOTSET)
    if not logger.hasHandlers():
        logger.addHandler(handler)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


@functools.cache
def _standard_error():
    return _StandardError()


# --- bars --------------------------------------------------------------------------------------------


class Bar:
    """The progress of a task, as shown by `progress_bar`: the number of completed items and their total."""

    def __init__(self, title, total=None, unit="", draws=False):
        self.title, self.total, self.unit = title, total, unit
        self.completed = 0
        self.note = ""
        self._started = time.monotonic()
        self._draws = draws
        self._drawn = None
        self._draw(0)

    def update(self, count=1, note=""):
        """Note that ``count`` more items are complete; ``note`` is shown beside their number."""
        self.completed += count
        self.note = note
        self._draw(count)

    def __call__(self, completed, total=None):
        """Note that ``completed`` items are complete in all, of ``total``."""
        self.total = self.total if total is None else total
        self.update(completed - self.completed)

    @contextlib.contextmanager
    def hidden(self):
        """Context manager that hides the bar, for the lines that its block prints."""
        if self._drawn is None or self._drawn.disable:
            yield
            return
        with self._drawn.external_write_mode():
            yield

    def close(self):
        """Remove the bar from the terminal."""
        self._draws = False
        if self._drawn is not None:
            self._drawn.close()

    @property
    def is_active(self):
        """Whether items are left, or their number is not known and the first is complete."""
        return bool(self.completed) if self.total is None else self.completed < self.total

    def _draw(self, count):
        if not self._draws:
            return
        if self._drawn is None and self.is_active:
            from tqdm.std import tqdm

            unit = f" {self.unit}" if self.unit else "it"
            self._drawn = tqdm(desc=self.title, total=self.total, leave=False, unit=unit)
            count = self.completed
        if self._drawn is not None:
            self._drawn.total = self.total
            self._drawn.set_postfix_str(self.note, refresh=False)
            self._drawn.update(count)
            if not self.is_active:
                self.close()

    def __str__(self):
        """The progress in words, such as "maps: 12 of 100, 3.1/s, 28 s left"."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        per_second = self.completed / seconds
        count = f"{self.completed}" + ("" if self.total is None else f" of {self.total}")
        phrases = [f"{self.title}: {count}" + (f" {self.unit}" if self.unit else "")]
        phrases += [f"{per_second:.2g}/s"] if per_second else [f"{seconds:.0f} s"]
        if per_second and self.total is not None:
            phrases.append(f"{max(self.total - self.completed, 0) / per_second:.0f} s left")
        return ", ".join([*phrases, self.note] if self.note else phrases)


@contextlib.contextmanager
def progress_bar(title, total=None, unit=""):
    """Context manager that shows the progress of a task: a bar on a terminal, else a line every 10 s.

    The lines go through the logger. Nothing is shown where SPHEREKIT_QUIET or the program's configuration
    of the logger silences it.

    Parameters
    ----------
    title : str
        The name of the task.
    total : int, optional
        The number of items.
    unit : str
        The name of the items.

    Yields
    ------
    Bar
        `Bar.update` adds completed items; the bar is also a function of (completed, total).

    >>> with progress_bar("maps", 3) as progress:
    ...     progress.update()
    ...     progress(3, 3)
    >>> progress.completed
    3
    """
    is_shown = not is_quiet() and not _MUTED.get() and _shows_messages()
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    progress = Bar(title, total, unit, draws=is_shown and is_terminal)
    try:
        with contextlib.nullcontext() if is_terminal or not is_shown else _lines(progress):
            yield progress
    finally:
        progress.close()


@contextlib.contextmanager
def muted_bars():
    """Context manager in which `progress_bar` shows nothing: the caller shows its own progress."""
    token = _MUTED.set(True)
    try:
        yield
    finally:
        _MUTED.reset(token)


def _shows_messages():
    _prepare()
    return logger.isEnabledFor(logging.INFO)


@contextlib.contextmanager
def _lines(progress):
    """Show the progress every `INTERVAL` seconds, by a thread."""
    finished = threading.Event()

    def show():
        while not finished.wait(INTERVAL):
            if progress.is_active:
                info(str(progress))

    with _beside(show, finished):
        yield


@contextlib.contextmanager
def _beside(show, finished):
    """Run ``show()`` in a thread during the block; at its end the event ``finished`` is set."""
    reporter = threading.Thread(target=show, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        finished.set()
        reporter.join()


# --- compilation ------------------------------------------------------------------------------------


class _Compilation:
    """The state of the messages about compilation in this process."""

    started = None  # when the present kernel was begun
    seconds = 0.0  # spent on the kernels before it
    kernels = 0
    frequency = ", once for this machine"
    due = FIRST  # seconds in all at which the next message is shown
    is_waiting = False  # for a kernel that another process compiles
    is_muted = False


@contextlib.contextmanager
def compilation():
    """Context manager in which a kernel is compiled, or another process is awaited that compiles it.

    A thread shows a message whenever one is due.
    """
    if _Compilation.is_muted or is_quiet():
        yield
        return
    _Compilation.started = time.monotonic()
    finished = threading.Event()
    try:
        with _beside(lambda: _report(finished.wait), finished):
            yield
    finally:
        _Compilation.seconds = _seconds()
        _Compilation.started = None
        _Compilation.is_waiting = False


def _seconds():
    """Return the seconds of compilation in this process until now."""
    return _Compilation.seconds + time.monotonic() - _Compilation.started


def _report(wait):
    """Show a message whenever one is due, until ``wait(seconds)`` returns that the kernel is complete."""
    while not wait(max(0.0, _Compilation.due - _seconds())):
        seconds = _seconds()
        if _Compilation.is_waiting:
            info(f"waiting for a kernel that another process compiles: {seconds:.0f} s")
        else:
            progress = f"{_Compilation.kernels} compiled, {seconds:.0f} s"
            info(f"compiling kernels{_Compilation.frequency}: {progress}")
        _Compilation.due = seconds + INTERVAL


def waiting(is_waiting):
    """Note whether this process waits for another one that compiles the kernel."""
    _Compilation.is_waiting = is_waiting


@contextlib.contextmanager
def muted_compilation():
    """Context manager in which compilation shows no messages: the caller shows its own progress."""
    previous, _Compilation.is_muted = _Compilation.is_muted, True
    try:
        yield
    finally:
        _Compilation.is_muted = previous


def count_kernel():
    """Note that a kernel is complete."""
    _Compilation.kernels += 1


def not_cached(reason):
    """Note that compiled kernels are not cached, and why."""
    _Compilation.frequency = f", in each process ({reason})"
