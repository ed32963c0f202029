"""One check of whole-number arguments, shared by the grids and the pixel index maps."""

import operator

# A grid of this band-limit has 10^12 samples: anything beyond is a slip, not a job.
MAX_SIZE = 2**20


def whole(value, name, minimum, maximum=MAX_SIZE, hint=""):
    """Return `value` as a Python int, or say what is wrong with it.

    Raises TypeError for anything that is not a whole number (booleans and floats included) and
    ValueError outside ``[minimum, maximum]``.

    >>> whole(8, "L", 1)
    8
    """
    try:
        if isinstance(value, bool) or type(value).__name__ == "bool_":
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be a whole number, got {value!r} ({type(value).__name__}); "
            f"pass an int >= {minimum}"
        ) from None
    if not minimum <= number <= maximum:
        raise ValueError(
            f"{name} = {number} is out of range: expected {minimum} <= {name} <= {maximum}"
            + (f" ({hint})" if hint else "")
        )
    return number
