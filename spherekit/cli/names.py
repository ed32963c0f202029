"""Comma-separated lists of column names, in options and files: ``Q,U``, ``0,1``, ``"T,x",U``.

A name that contains a comma, consists of digits or has blanks around it is double-quoted, and a double quote
within it is doubled.
"""

import re

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*[^,]*?))\s*(?:,|$)')


def split(text):
    """The items of a list: numbers as int, names as str.

    >>> split("Q, U"), split("0,1"), split('"0","T,x"'), split('say "T"')
    (['Q', 'U'], [0, 1], ['0', 'T,x'], ['say "T"'])
    """
    items = []
    position = 0
    while position <= len(text):
        match = _ITEM.match(text, position)
        quoted, plain = match.groups()
        if quoted is not None:
            items.append(quoted.replace('""', '"'))
        else:
            items.append(int(plain) if plain.isascii() and plain.isdigit() else plain)
        position = match.end() if match.group().endswith(",") else len(text) + 1
    return items


def join(names):
    """The list of these names; the inverse of `split`.

    >>> join(["Q", "U"]), join(["T,x", "0"])
    ('Q,U', '"T,x","0"')
    """
    return ",".join(map(_quoted, names))


def _quoted(name):
    if split(name) == [name]:
        return name
    return '"{}"'.format(name.replace('"', '""'))
