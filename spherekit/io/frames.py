"""Coordinate frames in headers of files: of the sky, a planet (geographic), a panorama (horizontal).

HEALPix (Fortran, IDL, C++) and healpy write one letter (G; E; C or Q), Planck GALACTIC, WMAP
``SKYCOORD = 'Galactic'``, Fermi GAL and CEL, HiPS and astropy full names.
"""

from spherekit.io.headers import MergedHeader, number, refuse_contradiction, text, texts

#: The letter of each frame that is written to COORDSYS.
LETTERS = {"galactic": "G", "ecliptic": "E", "equatorial": "C"}
#: Frames without a letter, whose name is written.
_NAMED = ("geographic", "horizontal")

_SPELLINGS = {
    "galactic": ["G", "GAL", "GALACTIC"],
    "ecliptic": (
        "E ECL ECLIP ECLIPTIC BARYCENTRICMEANECLIPTIC GEOCENTRICMEANECLIPTIC HELIOCENTRICMEANECLIPTIC"
    ).split(),
    "equatorial": (
        "C CEL CELESTIAL Q EQ EQU EQUATORIAL ICRS FK5 J2000 J2000.0 RADEC RA/DEC"
    ).split(),
    "geographic": ["GEOGRAPHIC", "GEO", "PLANETOCENTRIC"],
    "horizontal": ["HORIZONTAL", "ALTAZ"],
    "": ["", "UNKNOWN", "UNDEFINED", "UNSPECIFIED", "NONE", "?"],
}
_FRAMES = {spelling: frame for frame, names in _SPELLINGS.items() for spelling in names}
_B1950 = ("FK4", "FK4-NO-E", "FK4NOETERMS", "B1950", "B1950.0")


def frame_of(name: str | None) -> str:
    """The coordinate frame of the sky for a name or letter, in any case and with surrounding blanks.

    Parameters
    ----------
    name : str or None
        A value of COORDSYS, SKYCOORD or RADESYS of a header.

    Returns
    -------
    {"galactic", "ecliptic", "equatorial", "geographic", "horizontal", ""}
        "" if ``name`` is None, blank, or a word such as "unknown".

    Raises
    ------
    ValueError
        Other names (the message lists the accepted ones); frames of equinox B1950.

    Examples
    --------
    >>> frame_of("GALACTIC"), frame_of("g "), frame_of("Q"), frame_of("ICRS")
    ('galactic', 'galactic', 'equatorial', 'equatorial')
    """
    key = "" if name is None else str(name).strip().upper()
    if key in _B1950:
        raise ValueError(
            f"the frame is {str(name).strip()!r}, of equinox B1950; convert the data to J2000 "
            "(equatorial) or Galactic coordinates first"
        )
    if key not in _FRAMES:
        choices = "; ".join(
            f"{frame}: {', '.join(_SPELLINGS[frame])}" for frame in (*LETTERS, *_NAMED)
        )
        raise ValueError(
            f"the frame must be one of {choices} (in any case); got {str(name).strip()!r}"
        )
    return _FRAMES[key]


def frame_letter(name):
    """The value of COORDSYS for a frame: G, E, C, GEOGRAPHIC, HORIZONTAL, or "" for no frame.

    >>> frame_letter("galactic"), frame_letter("EQU"), frame_letter("geo"), frame_letter("")
    ('G', 'C', 'GEOGRAPHIC', '')
    """
    frame = frame_of(name)
    return LETTERS.get(frame, frame.upper())


def coordsys_of(table):
    """The value of COORDSYS or SKYCOORD in the header of a table or in the primary header; "" if none."""
    header = MergedHeader(table)
    return text(header, "COORDSYS") or text(header, "SKYCOORD")


def table_frame(table):
    """The frame in the header of a table or in the primary header: COORDSYS or SKYCOORD, else RADESYS.

    Returns
    -------
    str
        As `frame_of`; "" if there is no such key.

    Raises
    ------
    ValueError
        An unknown frame, keys or headers that contradict each other, or ecliptic or equatorial coordinates of
        another equinox than 2000.

    >>> from spherekit.io import Table
    >>> table_frame(Table({"SKYCOORD": "Galactic"}, {}, {}, primary={"EQUINOX": 2000.0}))
    'galactic'
    """
    pairs = [pair for pair in texts(table, "COORDSYS", "SKYCOORD") if frame_of(pair[1])]
    frames = [frame_of(word) for _, word in pairs]
    refuse_contradiction(pairs, frames)
    if frames and frames[0] not in ("ecliptic", "equatorial"):
        return frames[0]  # the same at every equinox
    header = MergedHeader(table)
    system = frame_of(text(header, "RADESYS") or text(header, "RADECSYS"))
    _refuse_equinox(header)
    return frames[0] if frames else system


def _refuse_equinox(header):
    """Raise ValueError for another equinox than 2000. EPOCH is an old name of the key."""
    key = "EQUINOX" if text(header, "EQUINOX") else "EPOCH"
    equinox = text(header, key)
    if equinox.upper() in ("", "J2000", "J2000.0"):
        return
    year = 1950 if equinox.upper().startswith("B1950") else number(header, key)
    if year != 2000:
        raise ValueError(
            f"the header has {key} = {equinox}; expected equinox 2000: convert the data to it or to "
            "Galactic coordinates first"
        )
