"""Frames of the sky in files: the spellings in use, and the letters that writers give.

Spellings: HEALPix (Fortran, IDL, C++) and healpy write one letter (G; E; C or Q), Planck GALACTIC,
WMAP ``SKYCOORD = 'Galactic'``, Fermi GAL and CEL, HiPS and astropy whole names.
"""

from spherekit.io.headers import merged, number, refuse_contradiction, text, texts

#: The letter that writers give to a frame in COORDSYS.
LETTERS = {"galactic": "G", "ecliptic": "E", "equatorial": "C"}

_SPELLINGS = {
    "galactic": ("G", "GAL", "GALACTIC"),
    "ecliptic": (
        "E",
        "ECL",
        "ECLIP",
        "ECLIPTIC",
        "BARYCENTRICMEANECLIPTIC",
        "GEOCENTRICMEANECLIPTIC",
        "HELIOCENTRICMEANECLIPTIC",
    ),
    "equatorial": (
        *("C", "CEL", "CELESTIAL", "Q", "EQ", "EQU", "EQUATORIAL"),
        *("ICRS", "FK5", "J2000", "J2000.0", "RADEC", "RA/DEC"),
    ),
    "": ("", "UNKNOWN", "UNDEFINED", "UNSPECIFIED", "NONE", "?"),
}
_FRAMES = {spelling: frame for frame, names in _SPELLINGS.items() for spelling in names}
_OLD = ("FK4", "FK4-NO-E", "FK4NOETERMS", "B1950", "B1950.0")


def frame_of(name):
    """The frame of the sky that a name or letter means, in any case and with blanks around it.

    Parameters
    ----------
    name : str or None
        As in COORDSYS, SKYCOORD or RADESYS of a header.

    Returns
    -------
    {"galactic", "ecliptic", "equatorial", ""}
        "" where ``name`` is None, blank, or says that it is not known.

    Raises
    ------
    ValueError
        Anything else, with the list of what is known; frames of B1950.

    >>> frame_of("GALACTIC"), frame_of("g "), frame_of("Q"), frame_of("ICRS")
    ('galactic', 'galactic', 'equatorial', 'equatorial')
    """
    key = "" if name is None else str(name).strip().upper()
    if key in _OLD:
        raise ValueError(
            f"the frame is {str(name).strip()!r}, of equinox B1950; convert the data to J2000 "
            "(equatorial) or Galactic coordinates first"
        )
    if key not in _FRAMES:
        known = "; ".join(f"{frame}: {', '.join(_SPELLINGS[frame])}" for frame in LETTERS)
        raise ValueError(f"the frame is {str(name).strip()!r}; known are {known} (any case)")
    return _FRAMES[key]


def frame_letter(name):
    """The letter that stands for a frame in COORDSYS: G, E, C, or "" for no frame.

    >>> frame_letter("galactic"), frame_letter("EQU"), frame_letter("")
    ('G', 'C', '')
    """
    return LETTERS.get(frame_of(name), "")


def coordsys_of(table):
    """COORDSYS or SKYCOORD as a table, or else the first header of its file, has it; "" if none."""
    header = merged(table)
    return text(header, "COORDSYS") or text(header, "SKYCOORD")


def table_frame(table):
    """The frame that a table or the first header of its file states: COORDSYS or SKYCOORD, else RADESYS.

    Returns
    -------
    str
        As of `frame_of`; "" where nothing is stated.

    Raises
    ------
    ValueError
        An unknown frame, keys or headers that contradict each other, or ecliptic or equatorial
        coordinates of another equinox than 2000.

    >>> from spherekit.io import Table
    >>> table_frame(Table({"SKYCOORD": "Galactic"}, {}, {}, primary={"EQUINOX": 2000.0}))
    'galactic'
    """
    stated = texts(table, "COORDSYS", "SKYCOORD")
    stated = [(key, word) for key, word in stated if frame_of(word)]
    frames = [frame_of(word) for _, word in stated]
    refuse_contradiction(stated, frames)
    if frames and frames[0] == "galactic":
        return "galactic"  # the same at every equinox
    header = merged(table)
    system = frame_of(text(header, "RADESYS") or text(header, "RADECSYS"))
    _refuse_equinox(header)
    return frames[0] if frames else system


def _refuse_equinox(header):
    """Refuse coordinates of another equinox than 2000; EPOCH is the old name of the key."""
    key = "EQUINOX" if text(header, "EQUINOX") else "EPOCH"
    equinox = text(header, key)
    if equinox.upper() in ("", "J2000", "J2000.0"):
        return
    year = 1950 if equinox.upper().startswith("B1950") else number(header, key)
    if year != 2000:
        raise ValueError(
            f"the header says {key} = {equinox}; convert the data to equinox 2000 or to Galactic "
            "coordinates first"
        )
