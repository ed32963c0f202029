"""Learning-rate schedules: functions of the step 0, 1, 2, ..., which compare by their settings."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from spherekit._core import checks

__all__ = ["Schedule", "as_schedule", "constant", "cosine", "exponential", "steps"]


def __dir__():
    return sorted(__all__)


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the step, ``schedule(step)``.

    Schedules are created by `constant`, `cosine`, `steps` and `exponential`.

    Attributes
    ----------
    kind : str
        Name of the function that created the schedule.
    settings : tuple of (name, value)
        Arguments of that function.

    Examples
    --------
    >>> print(exponential(1.0, 0.5, decay_steps=10))
    exponential(learning_rate=1.0, factor=0.5, decay_steps=10)
    """

    kind: str
    settings: tuple

    def __call__(self, step):
        return _RULES[self.kind](step, **dict(self.settings))

    def __str__(self):
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.settings)})"


def constant(learning_rate: float) -> Schedule:
    """Constant learning rate.

    Parameters
    ----------
    learning_rate : float
        Learning rate, at least 0.

    Returns
    -------
    Schedule

    Raises
    ------
    TypeError
        ``learning_rate`` is not a number.
    ValueError
        ``learning_rate`` is negative or not finite.

    Examples
    --------
    >>> constant(0.1)(5)
    0.1
    """
    return _schedule("constant", learning_rate=_learning_rate(learning_rate))


def cosine(learning_rate: float, steps: int, warmup: int = 0, floor: float = 0.0) -> Schedule:
    """Cosine annealing after a linear warm-up.

    With the learning rate r, eta(t) = r (t+1)/warmup for t < warmup, then
    eta(t) = floor + (r - floor) (1 + cos(pi (t - warmup)/(steps - warmup)))/2 (Loshchilov and Hutter 2017,
    arXiv:1608.03983, equation 5, without restarts), and eta(t) = floor for t >= steps.

    Parameters
    ----------
    learning_rate : float
        Largest learning rate.
    steps : int
        Number of steps of the training.
    warmup : int
        Number of steps of the linear warm-up, fewer than ``steps``.
    floor : float
        Final learning rate, from 0 to ``learning_rate``.

    Returns
    -------
    Schedule

    Raises
    ------
    TypeError
        An argument is not a number, or ``steps`` or ``warmup`` is not an integer.
    ValueError
        An argument is out of range.

    Examples
    --------
    >>> schedule = cosine(1.0, 12, warmup=2)
    >>> [round(schedule(step), 3) for step in (0, 1, 2, 7, 12, 20)]
    [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    steps = checks.integer(steps, "steps", 1)
    learning_rate = _learning_rate(learning_rate)
    warmup = checks.integer(warmup, "warmup", 0)
    if warmup >= steps:
        raise ValueError(f"warmup is {warmup} of {steps} steps; expected fewer than steps")
    expected = f"a learning rate from 0 to {learning_rate:g}"
    floor = checks.real_number(floor, "floor", expected, lambda x: 0 <= x <= learning_rate)
    return _schedule("cosine", learning_rate=learning_rate, steps=steps, warmup=warmup, floor=floor)


def steps(learning_rates: Sequence[float], at: Sequence[int]) -> Schedule:
    """Piecewise constant learning rate.

    It is ``learning_rates[0]`` before step ``at[0]``, then ``learning_rates[1]`` before step ``at[1]``, and
    so on.

    Parameters
    ----------
    learning_rates : sequence of float
        Learning rates, at least 0.
    at : sequence of int
        Steps at which the learning rate changes, in ascending order; one fewer than ``learning_rates``.

    Returns
    -------
    Schedule

    Raises
    ------
    TypeError
        An argument is not a sequence of numbers.
    ValueError
        A value is out of range, the lengths do not fit, or ``at`` is not ascending.

    Examples
    --------
    >>> schedule = steps((1.0, 0.1), at=(10,))
    >>> schedule(9), schedule(10)
    (1.0, 0.1)
    """
    if not (isinstance(learning_rates, Iterable) and isinstance(at, Iterable)):
        raise TypeError(
            f"learning_rates is {learning_rates!r}, at is {at!r}; expected a sequence of each"
        )
    learning_rates = tuple(map(_learning_rate, learning_rates))
    at = tuple(checks.integer(step, "at", 1) for step in at)
    if len(learning_rates) != len(at) + 1 or list(at) != sorted(set(at)):
        raise ValueError(
            f"{len(learning_rates)} learning rates at the steps {at}; expected one more learning rate than "
            "steps, and ascending steps"
        )
    return _schedule("steps", learning_rates=learning_rates, at=at)


def exponential(learning_rate: float, factor: float, decay_steps: int = 1) -> Schedule:
    """Exponential decay: eta(t) = learning_rate factor^(t/decay_steps).

    Parameters
    ----------
    learning_rate : float
        Learning rate at step 0.
    factor : float
        Decay factor, above 0 and at most 1.
    decay_steps : int
        Number of steps in which the learning rate is multiplied by ``factor``.

    Returns
    -------
    Schedule

    Raises
    ------
    TypeError
        An argument is not a number, or ``decay_steps`` is not an integer.
    ValueError
        An argument is out of range.

    Examples
    --------
    >>> exponential(1.0, 0.5, decay_steps=10)(20)
    0.25
    """
    decay_steps = checks.integer(decay_steps, "decay_steps", 1)
    expected = "a number above 0, at most 1"
    factor = checks.real_number(factor, "factor", expected, lambda x: 0 < x <= 1)
    settings = dict(factor=factor, decay_steps=decay_steps)
    return _schedule("exponential", learning_rate=_learning_rate(learning_rate), **settings)


def as_schedule(learning_rate: float | Callable[[int], float]) -> Callable[[int], float]:
    """Convert a number to a constant schedule; return functions of the step unchanged.

    Parameters
    ----------
    learning_rate : float or callable
        Learning rate, or a function of the step.

    Returns
    -------
    callable
        Function of the step.

    Raises
    ------
    TypeError
        ``learning_rate`` is neither a number nor callable.
    ValueError
        ``learning_rate`` is a negative number or not finite.

    Examples
    --------
    >>> as_schedule(0.1)(7)
    0.1
    """
    return learning_rate if callable(learning_rate) else constant(learning_rate)


def _cosine_rule(step, learning_rate, steps, warmup, floor):
    if step < warmup:
        return learning_rate * (step + 1) / warmup
    fraction = min((step - warmup) / (steps - warmup), 1)
    return floor + (learning_rate - floor) * 0.5 * (1 + math.cos(math.pi * fraction))


def _steps_rule(step, learning_rates, at):
    return learning_rates[sum(step >= change for change in at)]


def _exponential_rule(step, learning_rate, factor, decay_steps):
    return learning_rate * factor ** (step / decay_steps)


_RULES = {
    "constant": lambda step, learning_rate: learning_rate,
    "cosine": _cosine_rule,
    "steps": _steps_rule,
    "exponential": _exponential_rule,
}


def _schedule(kind, **settings):
    return Schedule(kind, tuple(settings.items()))


def _learning_rate(value):
    expected = "a number >= 0, or a schedule"
    return checks.real_number(value, "learning_rate", expected, lambda x: 0 <= x < math.inf)
