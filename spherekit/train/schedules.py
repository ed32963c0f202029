"""Learning rates as functions of the step, 0, 1, 2, ...: frozen values, equal where their settings are."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from spherekit._core import checks

__all__ = ["Schedule", "as_schedule", "constant", "cosine", "exponential", "steps"]


@dataclass(frozen=True)
class Schedule:
    """A learning rate that depends on the step: ``schedule(step)``.

    `constant`, `cosine`, `steps` and `exponential` create it.

    Attributes
    ----------
    kind : str
        Name of the function that created it.
    settings : tuple of (name, value)

    >>> print(exponential(1.0, 0.5, every=10))
    exponential(learning_rate=1.0, factor=0.5, every=10)
    """

    kind: str
    settings: tuple

    def __call__(self, step):
        return _RULES[self.kind](step, **dict(self.settings))

    def __str__(self):
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.settings)})"


def constant(learning_rate):
    """The same learning rate at all steps.

    Parameters
    ----------
    learning_rate : float

    Returns
    -------
    Schedule

    >>> constant(0.1)(5)
    0.1
    """
    return _schedule("constant", learning_rate=_learning_rate(learning_rate))


def cosine(learning_rate, steps, warmup=0, floor=0.0):
    """A linear rise to ``learning_rate`` in ``warmup`` steps, then half a cosine down to ``floor``.

    With the learning rate r, eta(t) = r (t+1)/warmup before t = warmup; then
    floor + (r - floor) (1 + cos(pi (t - warmup)/(steps - warmup)))/2 (Loshchilov and Hutter 2017,
    arXiv:1608.03983, equation 5, without restarts); ``floor`` from ``steps`` on.

    Parameters
    ----------
    learning_rate : float
        The largest one.
    steps : int
        Of the training.
    warmup : int
        Fewer than ``steps``.
    floor : float

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError, TypeError
        Values out of range, or not numbers.

    >>> schedule = cosine(1.0, 12, warmup=2)
    >>> [round(schedule(step), 3) for step in (0, 1, 2, 7, 12, 20)]
    [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    steps, learning_rate = checks.integer(steps, "steps", 1), _learning_rate(learning_rate)
    warmup = checks.integer(warmup, "warmup", 0)
    if warmup >= steps:
        raise ValueError(f"warmup is {warmup} of {steps} steps; expected fewer than steps")
    expected = f"a learning rate from 0 to {learning_rate:g}"
    floor = checks.real_number(floor, "floor", expected, lambda x: 0 <= x <= learning_rate)
    return _schedule("cosine", learning_rate=learning_rate, steps=steps, warmup=warmup, floor=floor)


def steps(learning_rates, at):
    """``learning_rates[0]`` until step ``at[0]``, then ``learning_rates[1]`` until ``at[1]``, and so on.

    Parameters
    ----------
    learning_rates : sequence of float
    at : sequence of int
        Steps, ascending; one fewer than learning rates.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError, TypeError
        Sequences that do not fit each other; values out of range, or not numbers.

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


def exponential(learning_rate, factor, every=1):
    """learning_rate * factor^(step/every).

    Parameters
    ----------
    learning_rate : float
        At step 0.
    factor : float
        Above 0, at most 1.
    every : int
        Steps in which the learning rate is multiplied by ``factor``.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError, TypeError
        Values out of range, or not numbers.

    >>> exponential(1.0, 0.5, every=10)(20)
    0.25
    """
    every, expected = checks.integer(every, "every", 1), "a number above 0, at most 1"
    factor = checks.real_number(factor, "factor", expected, lambda x: 0 < x <= 1)
    learning_rate = _learning_rate(learning_rate)
    return _schedule("exponential", learning_rate=learning_rate, factor=factor, every=every)


def as_schedule(learning_rate):
    """A number, or a function of the step, as a function of the step.

    Parameters
    ----------
    learning_rate : float or callable

    Returns
    -------
    callable

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


def _exponential_rule(step, learning_rate, factor, every):
    return learning_rate * factor ** (step / every)


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
