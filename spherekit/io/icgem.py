"""Gravity models in the format of the International Centre for Global Earth Models (``.gfc``)."""

from spherekit.io import coefficient_rows, shtools
from spherekit.io.coefficient_conventions import UNSPECIFIED, Convention, agreed

_NORMALIZATIONS = {"fully_normalized": "4pi", "unnormalized": "unnorm"}
_END = b"end_of_head"
#: Keys of rows that change with time.
_TIME_VARIABLE = {b"gfct", b"trnd", b"dot", b"acos", b"asin"}
_CONSTANTS = {"earth_gravity_constant": "gm", "gravity_constant": "gm", "radius": "radius"}
_CONSTANTS |= {"max_degree": "max_degree"}


def is_icgem(text):
    """Whether a text has the line that ends the header of ICGEM."""
    return any(line.startswith(_END) for line in text.content.splitlines())


def read(path, text, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of a static model: those of the potential divided by GM / radius."""
    header, end = _header(text)
    state = header.get("norm", "fully_normalized")
    if state not in _NORMALIZATIONS:
        raise ValueError(f"{path} has norm {state!r}; expected {' or '.join(_NORMALIZATIONS)}")
    convention, _ = agreed(path, requested, Convention(_NORMALIZATIONS[state], 1))
    attributes = {}
    for key in ("modelname", "tide_system"):
        if key in header:
            attributes[key] = header[key]
    for key, name in _CONSTANTS.items():
        if key in header:
            attributes[name] = _number(path, key, header[key])
    highest = attributes.pop("max_degree", None)
    highest = None if highest is None else int(highest)
    body = coefficient_rows.after(text, end)
    rows = body._replace(content=body.content.replace(b"gfc", b"   "), original=body.content)
    options = dict(highest=highest, attributes={"": attributes})
    try:
        return shtools.read_rows(rows, end + 1, L, convention, **options)
    except ValueError:
        _refuse_other_rows(body)
        raise


def _header(text):
    """The values of the header by their keys, and the number of its last line."""
    header = {}
    for number, line in enumerate(text.content.splitlines(), text.first):
        if line.startswith(_END):
            return header, number
        words = line.decode("latin-1").split()
        if len(words) > 1:
            header.setdefault(words[0], words[1])
    raise ValueError(f"{text.path} has no line end_of_head; expected one after the header of ICGEM")


def _number(path, key, word):
    values = coefficient_rows.as_numbers([word.upper().replace("D", "E")])
    if values is None or values[0] <= 0:
        raise ValueError(f"{path} has {key} {word!r}; expected a number above 0")
    return values[0]


def _refuse_other_rows(body):
    """Raise ValueError for the first row that does not begin with ``gfc``."""
    for number, line in enumerate(body.content.splitlines(), body.first):
        key = line.split()[:1]
        if key and key[0] in _TIME_VARIABLE:
            raise body.error(number, "a static model, with rows gfc only")
        if key and key[0] != b"gfc":
            raise body.error(number, "a row gfc, degree, order, C_lm, S_lm")
