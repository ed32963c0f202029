"""Names of columns in a list, as options and files have them: ``Q,U``, ``0,1``, ``"T,x",U``.

A name with a comma, of digits alone or with blanks around it stands in double quotes, and a double quote in
it is doubled.
"""

import re

_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*[^,]*?))\s*(?:,|$)')


def split(text):
    """The parts of a list: numbers, and names as text.

    >>> split("Q, U"), split("0,1"), split('"0","T,x"'), split('say "T"')
    (['Q', 'U'], [0, 1], ['0', 'T,x'], ['say "T"'])
    """
    parts, at = [], 0
    while at <= len(text):
        match = _PART.match(text, at)
        quoted, plain = match.groups()
        if quoted is not None:
            parts.append(quoted.replace('""', '"'))
        else:
            parts.append(int(plain) if plain.isascii() and plain.isdigit() else plain)
        at = match.end() if match.group().endswith(",") else len(text) + 1
    return parts


def join(names):
    """The list of these names, of which `split` makes them again.

    >>> join(["Q", "U"]), join(["T,x", "0"])
    ('Q,U', '"T,x","0"')
    """
    return ",".join(map(_quoted, names))


def _quoted(name):
    if split(name) == [name]:
        return name
    return '"{}"'.format(name.replace('"', '""'))
