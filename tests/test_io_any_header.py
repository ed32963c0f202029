"""Headers drawn at random: a file is read right or refused, in our own words, whatever it says."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.missing import is_missing
from spherekit.sampling.healpix import UNSEEN, reorder

#: Of the last two, only columns of distinct integers are pixel numbers.
PIXEL_NAMES = ["PIXEL", "HPX_INDEX", "ipix", "Pixel number", "IDX", "INDEX"]


@st.composite
def files(draw):
    """(columns, header, first header, expected fields in RING order, whether it must be read)."""
    nside = draw(st.sampled_from([1, 2, 4]))
    n_pix = 12 * nside**2
    seed = draw(st.integers(0, 99))
    sky = np.random.default_rng(seed).integers(-100, 100, (2, n_pix)).astype(float)
    styles = ["{}_STOKES", "{}", "{}_CMB", "synch-{}", "{}_ML_HM1", "Stokes{}", "{} (uK)", "{}_353"]
    style = draw(st.sampled_from([*styles, None]))
    names = ("A", "B") if style is None else (style.format("Q"), style.format("U"))
    must, header = True, {}

    order = draw(st.sampled_from(["RING", "ring", "NESTED", "NEST", "SPIRAL", None]))
    nested = order is not None and order.upper().startswith("NEST")
    must &= order not in ("SPIRAL", None)
    header["ORDERING"] = order
    expected = reorder(sky, "nested") if nested else sky.copy()

    header["NSIDE"] = draw(st.sampled_from([nside, str(nside), float(nside), 2 * nside, "x", None]))
    right_nside = header["NSIDE"] in (nside, str(nside), float(nside))
    must &= right_nside
    coordsys = draw(st.sampled_from([*"GEC", "GALACTIC", "EQU", "Mars", "FK4", None]))
    header["COORDSYS"] = coordsys
    must &= coordsys not in ("Mars", "FK4")
    header["POLCCONV"] = draw(st.sampled_from(["IAU", " iau", "COSMO", "OTHER", None]))
    iau = str(header["POLCCONV"]).strip().upper() == "IAU"
    must &= header["POLCCONV"] != "OTHER" and not (iau and names == ("A", "B"))

    # what is missing, and how the file says so
    kind = draw(st.sampled_from(["D", "E", "I", "I scaled", "J"]))
    lost = np.random.default_rng(seed + 1).random(n_pix) < 0.2
    bad = draw(st.sampled_from([None, -999.0, "-999", "nothing"]))
    header["BAD_DATA"] = bad
    must &= bad != "nothing"
    stored = sky.copy()
    sentinel = draw(st.sampled_from([UNSEEN, np.nan] if kind in "DE" else [-32000]))
    sentinel = -999.0 if bad in (-999.0, "-999") else sentinel  # also where numbers are scaled
    stored[:, lost] = sentinel
    if kind[0] in "IJ" and sentinel == -32000:
        header["TNULL1"] = header["TNULL2"] = draw(st.sampled_from([-32000, "-32000"]))
    if kind == "I scaled":
        header.update(TSCAL1=0.5, TZERO1=3.0, TSCAL2=0.5, TZERO2=3.0)
        stored[:, ~lost] = (sky[:, ~lost] - 3) * 2
    moved = reorder(np.arange(n_pix), "nested") if nested else np.arange(n_pix)
    expected[:, lost[moved]] = np.nan

    # which pixels, in which rows
    scheme = draw(st.sampled_from(["full", "full", "all numbers", "part", "twice"]))
    header["INDXSCHM"] = draw(st.sampled_from(["IMPLICIT", "EXPLICIT", None]))
    columns, width = [], 1
    if scheme == "full":
        width = draw(st.sampled_from([1, 4, n_pix]))
        must &= header["INDXSCHM"] != "EXPLICIT"
    else:
        assume(header["NSIDE"] != 2 * nside)  # nothing else says how fine these pixels are
        rng = np.random.default_rng(seed + 2)
        pixels = rng.permutation(n_pix)
        pixels = pixels if scheme == "all numbers" else pixels[: n_pix // 2]
        pixels = pixels if scheme != "twice" else np.append(pixels, pixels[:1])
        stored = stored[:, pixels]
        must &= scheme != "twice" and header["INDXSCHM"] != "IMPLICIT"
        unseen = ~np.isin(moved, pixels)
        expected[:, unseen] = np.nan
        pixel_name = draw(st.sampled_from(PIXEL_NAMES[: 4 if scheme == "twice" else None]))
        columns.append(fits.Column(pixel_name, "J", array=pixels))
        first = draw(st.booleans())
        header = {
            (f"{k[:-1]}{int(k[-1]) + 1}" if first and k.startswith("T") else k): v
            for k, v in header.items()
        }
    code = f"{width if width > 1 else ''}{kind[0]}"
    for name, values in zip(names, stored, strict=True):
        rows = values.reshape(-1, width) if width > 1 else values
        columns.append(fits.Column(name, code, array=rows))
    if iau:
        expected[1] = -expected[1]
    if scheme != "full" and not first:
        columns.append(columns.pop(0))
    header = {k: v for k, v in header.items() if v is not None}
    of_map = [key for key in header if not key[-1].isdigit()]
    primary = draw(st.sets(st.sampled_from(of_map))) if of_map else ()
    primary = {key: header.pop(key) for key in primary}
    return columns, header, primary, expected, must


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(file=files())
def test_any_header_is_read_right_or_refused(tmp_path_factory, file):
    columns, header, primary, expected, must = file
    path = table(tmp_path_factory.mktemp("h") / "map.fits", columns, primary, **header)
    names = [c.name for c in columns if c.name not in PIXEL_NAMES]
    try:
        sky = io.read_map(path, field=tuple(names))
    except ValueError as error:
        assert not must, error
        assert "map.fits" in str(error) and "Error" not in str(error)
        return
    assert sky.values.shape == expected.shape
    missing = is_missing(sky.values)
    assert np.array_equal(missing, np.isnan(expected))
    assert np.array_equal(sky.values[~missing], expected[~missing])


KEYS = (
    "ORDERING NSIDE COORDSYS SKYCOORD POLCCONV BAD_DATA INDXSCHM TNULL1 TFORM1 TSCAL1 TZERO1 TDIM1"
)
KEYS += (
    " FIRSTPIX LASTPIX OBS_NPIX OBJECT GRAIN PIXTYPE EQUINOX RADESYS TTYPE1 TUNIT1 TFIELDS NAXIS1"
)
KEYS += " NAXIS2 PCOUNT TNULL2 TFORM2 STOKES EXTNAME MAX-LPOL THEAP BITPIX XTENSION TDISP1 TBCOL1"
KEYS += " SPIN EPOCH RADECSYS HISTORY MOCORDER L MWSS"
CARDS = st.builds(
    lambda key, value: f"{key:<8}= {value:>20}",
    st.sampled_from(KEYS.split()),
    st.one_of(
        st.sampled_from(["'RING'", "'1J'", "'4E'", "'PJ(3)'", "'A8'", "'X'", "T", "''", "'(2,2)'"]),
        st.integers(-(2**40), 2**40).map(str),
        st.floats().map(lambda x: f"{x:.12G}"),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    ),
)


FILES = ["map", "alm", "cl", "part", "multi-order", "mw"]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(cards=st.lists(CARDS, min_size=1, max_size=4), kind=st.sampled_from(FILES))
def test_any_cards_raise_no_foreign_error(tmp_path_factory, cards, kind):
    """Cards of any content, valid FITS or not, in place of those of a good file."""
    path = tmp_path_factory.mktemp("c") / "file.fits"
    if kind == "alm":
        io.write_alm(path, np.zeros(9))
    elif kind == "cl":
        io.write_cl(path, np.ones(12))
    elif kind == "part":
        io.write_map(path, np.arange(5), pixels=np.arange(5), nside=2, ordering="nested")
    elif kind == "multi-order":
        columns = [
            fits.Column("UNIQ", "K", array=[4, 20, 21]),
            fits.Column("P", "D", array=[1, 2, 3]),
        ]
        table(path, columns, ORDERING="NUNIQ", MOCORDER=1)
    elif kind == "mw":
        io.write_mw(io.Map(np.ones((4, 7)), "mw:4"), path)
    else:
        io.write_map(path, np.ones((2, 12)), column=["Q", "U"], unit="K", coordsys="G")
    content = bytearray(path.read_bytes())
    for card in cards:
        text = card[:80].ljust(80).encode()
        at = content.find(text[:9], 2880)
        at = content.find(b"END".ljust(80), 2880) if at < 0 else at
        if content[at : at + 3] == b"END":
            content[at + 80 : at + 160] = b"END".ljust(80)
        content[at : at + 80] = text
    path.write_bytes(bytes(content))
    read = [io.read_table, io.tables, io.read_map, io.read_alms, io.read_cl, io.read_mw, io.read]
    for function in read:
        try:
            function(path)
        except (ValueError, MemoryError) as error:
            assert "file.fits" in str(error) or isinstance(error, MemoryError)


@pytest.mark.parametrize(
    "card", ["PCOUNT  =              -100000", "NAXIS2  =                  -48"]
)
def test_sizes_below_zero_end(tmp_path, card):
    """They send a reader back in the file, for ever."""
    path = tmp_path / "file.fits"
    io.write_map(path, np.ones(12))
    content = path.read_bytes()
    at = content.index(card[:9].encode(), 2880)
    path.write_bytes(content[:at] + card.ljust(80).encode() + content[at + 80 :])
    for read in (io.read_table, io.tables, io.read_map):
        with pytest.raises(ValueError, match="file.fits"):
            read(path)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["map", "nested", "part", "integers"]),
    cut=st.none() | st.integers(0, 12000),
    changes=st.lists(
        st.tuples(st.integers(0, 12000), st.binary(min_size=1, max_size=6)), max_size=4
    ),
)
def test_damaged_maps(tmp_path_factory, kind, cut, changes):
    """Truncated files, and random bytes in headers and data: a map, or an error that names the file."""
    path = tmp_path_factory.mktemp("b") / "file.fits"
    values = np.ones(12, np.int16) if kind == "integers" else np.ones((2, 48))
    options = dict(ordering="nested") if kind == "nested" else dict(partial=kind == "part")
    io.write_map(path, values, column=["Q", "U"][: np.atleast_2d(values).shape[0]], **options)
    content = bytearray(path.read_bytes())
    for at, new in changes:
        content[at : at + len(new)] = new
    path.write_bytes(content[:cut])
    for read in (io.read_map, lambda path: io.read_map(path, field=None, native=True), io.read):
        try:
            read(path)
        except (ValueError, MemoryError) as error:
            assert "file.fits" in str(error) or isinstance(error, MemoryError)
