"""Learning rates as functions of the step, 0, 1, 2, ...: small frozen values, equal if they say the same."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from spherekit._core import checks


@dataclass(frozen=True)
class Schedule:
    """``schedule(step)`` is the rate; ``kind`` and ``settings`` say which."""

    kind: str
    settings: tuple

    def __call__(self, step):
        return _KINDS[self.kind](step, **dict(self.settings))

    def __str__(self):
        return f"{self.kind}({', '.join(f'{k}={v!r}' for k, v in self.settings)})"


def constant(rate):
    """The same rate always.

    >>> constant(0.1)(5)
    0.1
    """
    return _made("constant", rate=_rate(rate))


def cosine(rate, steps, warmup=0, floor=0.0):
    """Straight up to ``rate`` in ``warmup`` steps, then half a cosine down to ``floor`` at ``steps``.

    rate (t+1)/warmup before; then floor + (rate - floor) (1 + cos(pi (t - warmup)/(steps - warmup)))/2
    (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts); ``floor`` after.

    >>> schedule = cosine(1.0, 12, warmup=2)
    >>> [round(schedule(step), 3) for step in (0, 1, 2, 7, 12, 20)]
    [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    steps, rate = checks.whole_number(steps, "steps", 1), _rate(rate)
    warmup = checks.whole_number(warmup, "warmup", 0)
    if warmup >= steps:
        raise ValueError(f"warmup is {warmup} of {steps} steps; expected fewer than steps")
    expected = f"a rate from 0 to {rate:g}"
    floor = checks.real_number(floor, "floor", expected, lambda x: 0 <= x <= rate)
    return _made("cosine", rate=rate, steps=steps, warmup=warmup, floor=floor)


def steps(rates, at):
    """``rates[0]`` until step ``at[0]``, then ``rates[1]`` until ``at[1]``, and so on.

    >>> schedule = steps((1.0, 0.1), at=(10,))
    >>> schedule(9), schedule(10)
    (1.0, 0.1)
    """
    if not (isinstance(rates, Iterable) and isinstance(at, Iterable)):
        raise TypeError(f"rates is {rates!r}, at is {at!r}; expected a sequence of each")
    rates = tuple(map(_rate, rates))
    at = tuple(checks.whole_number(step, "at", 1) for step in at)
    if len(rates) != len(at) + 1 or list(at) != sorted(set(at)):
        raise ValueError(
            f"{len(rates)} rates at the steps {at}; expected one more rate than steps, which grow"
        )
    return _made("steps", rates=rates, at=at)


def exponential(rate, factor, every=1):
    """rate * factor^(step/every).

    >>> exponential(1.0, 0.5, every=10)(20)
    0.25
    """
    every, expected = checks.whole_number(every, "every", 1), "a number above 0, at most 1"
    factor = checks.real_number(factor, "factor", expected, lambda x: 0 < x <= 1)
    return _made("exponential", rate=_rate(rate), factor=factor, every=every)


def as_schedule(rate):
    """A number or a function of the step, as a function of the step."""
    return rate if callable(rate) else constant(rate)


def _cosine(step, rate, steps, warmup, floor):
    if step < warmup:
        return rate * (step + 1) / warmup
    done = min((step - warmup) / (steps - warmup), 1)
    return floor + (rate - floor) * 0.5 * (1 + math.cos(math.pi * done))


def _steps(step, rates, at):
    return rates[sum(step >= some for some in at)]


_KINDS = {
    "constant": lambda step, rate: rate,
    "cosine": _cosine,
    "steps": _steps,
    "exponential": lambda step, rate, factor, every: rate * factor ** (step / every),
}


def _made(kind, **settings):
    return Schedule(kind, tuple(settings.items()))


def _rate(value):
    expected = "a number >= 0, or a schedule"
    return checks.real_number(value, "rate", expected, lambda x: 0 <= x < math.inf)
