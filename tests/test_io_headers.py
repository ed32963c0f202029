"""Headers of FITS files: every spelling is read right or refused, whatever else the header says."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table
from hypothesis import given
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.frames import frame_letter, frame_of
from spherekit.io.missing import is_missing
from spherekit.io.stokes import sign_of_u, stokes_of
from spherekit.sampling.healpix import UNSEEN


def ring_map(path, values, name="T", **header):
    column = fits.Column(name, "D", array=values)
    return table(path, [column], **{"ORDERING": "RING", **header})


# --- frames ----------------------------------------------------------------------------------------

SPELLINGS = {
    "galactic": "G g GAL Gal GALACTIC Galactic galactic",
    "ecliptic": "E e ECL ECLIPTIC Ecliptic",
    "equatorial": "C c Q q EQ EQU EQUATORIAL Equatorial CEL CELESTIAL ICRS icrs FK5 J2000",
    "": "unknown none ?",
}
PAIRS = [(word, frame) for frame, words in SPELLINGS.items() for word in words.split()]


@pytest.mark.parametrize(("word", "frame"), PAIRS)
@pytest.mark.parametrize("key", ["COORDSYS", "SKYCOORD"])
def test_frames_by_every_spelling(tmp_path, word, frame, key):
    assert frame_of(word) == frame_of(f"  {word} ") == frame
    sky = io.read_map(ring_map(tmp_path / "map.fits", np.ones(12), **{key: f"{word}  "}))
    assert sky.frame == frame and sky.coordsys == word
    io.write_map(tmp_path / "out.fits", np.ones(12), coordsys=word)
    assert io.read_map(tmp_path / "out.fits").frame == frame
    letter = fits.getheader(tmp_path / "out.fits", 1).get("COORDSYS", "")
    assert letter == frame_letter(word) == {"": ""}.get(frame, letter) and letter in ("", *"GEC")


@given(word=st.text(min_size=1, max_size=12))
def test_other_words_are_no_frames(word):
    known = {w.upper() for words in SPELLINGS.values() for w in words.split()}
    try:
        frame = frame_of(word)
    except ValueError as error:
        assert "must be one of" in str(error) or "B1950" in str(error)
    else:
        assert frame == "" or word.strip().upper() in known | {
            *("ECLIP", "J2000.0", "RADEC", "RA/DEC"),
            *("GEOGRAPHIC", "GEO", "PLANETOCENTRIC", "HORIZONTAL", "ALTAZ"),
            *(f"{b}CENTRICMEANECLIPTIC" for b in ("BARY", "GEO", "HELIO")),
        }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (dict(COORDSYS="EQ2"), "must be one of galactic: G.*got 'EQ2'"),
        (dict(COORDSYS="Earth"), "got 'Earth'"),
        (dict(COORDSYS="FK4"), "B1950"),
        (dict(COORDSYS="G", SKYCOORD="Ecliptic"), "COORDSYS = 'G' and SKYCOORD = 'Ecliptic'"),
        (dict(COORDSYS="C", RADESYS="FK4"), "B1950"),
        (dict(COORDSYS="C", EQUINOX=1950.0), "EQUINOX = 1950.0"),
        (dict(COORDSYS="E", EQUINOX="B1950"), "EQUINOX = B1950"),
        (dict(EQUINOX=1950), "EQUINOX = 1950"),
        (dict(COORDSYS="C", EQUINOX="spring"), "EQUINOX = 'spring'"),
    ],
)
def test_frames_that_are_refused(tmp_path, header, message):
    path = ring_map(tmp_path / "map.fits", np.ones(12), **header)
    with pytest.raises(ValueError, match=message):
        io.read_map(path)
    assert io.read_map(path, frame="galactic").frame == "galactic"


@pytest.mark.parametrize(
    ("header", "frame"),
    [
        (dict(COORDSYS="G", EQUINOX=1950.0), "galactic"),  # the same sky at every equinox
        (dict(COORDSYS="C", EQUINOX=2000.0), "equatorial"),
        (dict(COORDSYS="C", EQUINOX="J2000", RADESYS="FK5"), "equatorial"),
        (dict(RADESYS="ICRS"), "equatorial"),
        (dict(COORDSYS="E", RADESYS="ICRS"), "ecliptic"),
        (dict(COORDSYS="C", SKYCOORD="EQUATORIAL"), "equatorial"),
        (dict(COORDSYS="  "), ""),
        ({}, ""),
    ],
)
def test_frames_of_several_keys(tmp_path, header, frame):
    assert io.read_map(ring_map(tmp_path / "map.fits", np.ones(12), **header)).frame == frame


def test_the_first_header_speaks_where_the_table_is_silent(tmp_path):
    column = [fits.Column("U", "D", array=np.ones(12))]
    path = tmp_path / "map.fits"
    table(path, column, primary=dict(COORDSYS="G", POLCCONV="IAU"), ORDERING="RING")
    sky = io.read_map(path)
    assert sky.frame == "galactic" and sky.file_polcconv == "IAU" and np.all(sky.values == -1)


CONTRADICTIONS = [
    (dict(COORDSYS="C"), dict(COORDSYS="G"), "COORDSYS = 'C' and COORDSYS = 'G'"),
    (dict(SKYCOORD="C"), dict(COORDSYS="G"), "SKYCOORD = 'C' and COORDSYS = 'G'"),
    (dict(COORDSYS="GAL"), dict(COORDSYS="Galactic"), ""),
    (dict(COORDSYS="G"), dict(COORDSYS="unknown", RADESYS="ICRS"), ""),
    (dict(POLCCONV="COSMO"), dict(POLCCONV="IAU"), "POLCCONV = 'COSMO' and POLCCONV = 'IAU'"),
    (dict(POLCCONV="unknown"), dict(POLCCONV="cosmo"), ""),
    (dict(ORDERING="RING"), dict(ORDERING="NESTED"), "ORDERING = 'RING' and ORDERING = 'NESTED'"),
    (dict(ORDERING="RING"), dict(ORDERING="ring"), ""),
]


@pytest.mark.parametrize(("own", "primary", "message"), CONTRADICTIONS)
def test_two_headers_that_contradict_each_other_are_refused(tmp_path, own, primary, message):
    column = [fits.Column("T", "D", array=np.ones(12))]
    path = table(tmp_path / "map.fits", column, primary=primary, **{"ORDERING": "RING", **own})
    if not message:
        assert io.read_map(path).frame in ("galactic", "")
        return
    with pytest.raises(ValueError, match=message):
        io.read_map(path)


@pytest.mark.parametrize("where", ["table", "primary"])
@pytest.mark.parametrize(
    ("key", "words", "error"),
    [
        ("BAD_DATA", (7.0,), None),
        ("ORDERING", ("NESTED",), None),
        ("NSIDE", (4,), "NSIDE = 4"),
        ("INDXSCHM", ("SPARSE",), "IMPLICIT or EXPLICIT"),
        ("OBS_NPIX", (17,), "OBS_NPIX = 17"),
        ("LASTPIX", (11,), "LASTPIX = 11"),
        ("OBJECT", ("PARTIAL",), "NSIDE and pixel numbers"),
        ("PIXTYPE", ("CAR",), "PIXTYPE = 'CAR'"),
        ("EQUINOX", (1950.0,), "EQUINOX = 1950"),
        ("EPOCH", (1950.0,), "EPOCH = 1950"),
        ("SPIN", (1,), "SPIN = 1"),
        ("POLCCONV", ("LEFT",), "COSMO or IAU"),
    ],
)
def test_every_key_of_a_map_is_read_from_both_headers(tmp_path, where, key, words, error):
    header = {key: words[0]}
    column = [fits.Column("T", "D", array=np.arange(48.0))]
    own, primary = (header, {}) if where == "table" else ({}, header)
    ordering = {} if key == "ORDERING" else {"ORDERING": "RING"}
    path = table(tmp_path / "map.fits", column, primary=primary, **ordering, **own)
    if error:
        with pytest.raises(ValueError, match=error):
            io.read_map(path)
        return
    sky = io.read_map(path)
    if key == "BAD_DATA":
        assert np.flatnonzero(is_missing(sky.values)).tolist() == [7]
    else:
        assert sky.ordering == "nested"


# --- ordering, index schemes, sizes ----------------------------------------------------------------


@pytest.mark.parametrize("word", ["RING", "ring", "NESTED", "NEST"])
@pytest.mark.parametrize("given_ordering", ["ring", "nested"])
def test_an_ordering_that_contradicts_the_header_is_refused(tmp_path, word, given_ordering):
    column = [fits.Column("T", "D", array=np.arange(12.0))]
    path = table(tmp_path / "map.fits", column, ORDERING=word)
    if word.lower().startswith(given_ordering[:4]):
        assert io.read_map(path, ordering=given_ordering).ordering == given_ordering
    else:
        with pytest.raises(ValueError, match=f"ORDERING = {word}, but ordering="):
            io.read_map(path, ordering=given_ordering)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            dict(ORDERING="NUNIQ"),
            "NUNIQ, but the table has the columns T; expected .* UNIQ",
        ),
        (dict(ORDERING="SPIRAL"), "expected RING, NESTED or NUNIQ"),
        (dict(NSIDE="many"), "NSIDE = 'many'"),
        (dict(NSIDE=1.5), "NSIDE = 1.5"),
        (dict(NSIDE=0), "NSIDE = 0"),
        (dict(NSIDE=4), "has NSIDE = 4, but the table has 48 samples .as for nside 2"),
        (dict(INDXSCHM="SPARSE"), "IMPLICIT or EXPLICIT"),
        (dict(LASTPIX=11), "LASTPIX = 11"),
        (dict(FIRSTPIX=1, LASTPIX=48, NSIDE=2), "do not match|LASTPIX = 48"),
        (dict(FIRSTPIX=1, LASTPIX=48), "LASTPIX = 48|NSIDE"),
        (dict(OBS_NPIX=17), "OBS_NPIX = 17"),
        (dict(OBJECT="PARTIAL"), "NSIDE and pixel numbers"),
        (dict(PIXTYPE="CAR"), "PIXTYPE = 'CAR'"),
        (dict(POLCCONV="LEFT"), "COSMO or IAU"),
        (dict(BAD_DATA="bad"), "BAD_DATA = 'bad'"),
        (dict(BAD_DATA=True), "BAD_DATA = True"),
    ],
)
def test_headers_that_contradict_the_table(tmp_path, header, message):
    path = ring_map(tmp_path / "map.fits", np.ones(48), **header)
    with pytest.raises(ValueError, match=message) as refusal:
        io.read_map(path)
    assert "map.fits" in str(refusal.value)


def test_a_range_of_pixels_without_numbers(tmp_path):
    header = dict(NSIDE=2, FIRSTPIX=5, LASTPIX=14)
    sky = io.read_map(ring_map(tmp_path / "part.fits", np.arange(10.0), **header))
    assert np.array_equal(sky.values[5:15], np.arange(10.0)) and sky.nside == 2
    assert np.all(np.delete(sky.values, np.s_[5:15]) == UNSEEN)


PARTS = [
    ([3, 5, 3, 3], {}, "2 of 4 pixel numbers are repeated"),
    ([0, 1, 2, 3], dict(NSIDE=None), "needs the key NSIDE"),
    ([0, 1, 2, 3], dict(OBS_NPIX=5), "OBS_NPIX = 5"),
    ([0, 1, 2, 9], dict(FIRSTPIX=0, LASTPIX=7), "pixel numbers are 0 to 9"),
    ([3, 2, 1, 0], dict(INDXSCHM="IMPLICIT"), "INDXSCHM = IMPLICIT"),
    ([0, 1, 2, 48], {}, "do not match"),
    ([0, 1, 2, 3], dict(GRAIN=4), "GRAIN"),
]


@pytest.mark.parametrize(("pixels", "header", "message"), PARTS)
@pytest.mark.parametrize("name", ["PIXEL", "pix", "IPIX", "hpx_pixel"])
def test_parts_of_the_sky_that_are_refused(tmp_path, pixels, header, message, name):
    columns = [fits.Column(name, "J", array=pixels), fits.Column("T", "E", array=[1, 2, 3, 4])]
    header = {"ORDERING": "RING", "NSIDE": 2, "INDXSCHM": "EXPLICIT", **header}
    path = table(
        tmp_path / "part.fits", columns, **{k: v for k, v in header.items() if v is not None}
    )
    with pytest.raises(ValueError, match=message):
        io.read_map(path)


def test_twelve_rows_of_a_finer_map_are_not_a_map_of_nside_1(tmp_path):
    """A cut-sky file without NSIDE, of as many samples as a smaller full map."""
    columns = [
        fits.Column("PIXEL", "J", array=np.arange(100, 112)),
        fits.Column("T", "E", array=np.ones(12)),
    ]
    with pytest.raises(ValueError, match="needs the key NSIDE"):
        io.read_map(table(tmp_path / "part.fits", columns, ORDERING="NESTED"))


@pytest.mark.parametrize("header", [{}, dict(NSIDE=2), dict(NSIDE=4)])
@pytest.mark.parametrize("dim", [None, "(2,2)"])
def test_cubes_are_refused(tmp_path, header, dim):
    """Four values a pixel at nside 2 are as many as a map of nside 4 has."""
    cube = np.arange(192.0).reshape((48, 2, 2) if dim else (48, 4))
    path = table(
        tmp_path / "cube.fits",
        [fits.Column("T", "4D", array=cube, dim=dim)],
        ORDERING="RING",
        **header,
    )
    if header == dict(NSIDE=4) and dim is None:  # rows of four samples, as the header has it
        assert np.array_equal(io.read_map(path).values, cube.ravel())
        return
    with pytest.raises(ValueError, match="several per pixel"):
        io.read_map(path)
    result = io.read_table(path)
    assert result.columns["T"].size == 192 and result.shapes["T"] == cube.shape


def test_pixel_numbers_in_rows_as_the_samples(tmp_path):
    pixels = np.random.default_rng(0).permutation(3072)[:2048].reshape(2, 1024)
    columns = [
        fits.Column("PIXEL", "1024J", array=pixels),
        fits.Column("T", "1024D", array=pixels * 0.5),
    ]
    header = dict(ORDERING="RING", NSIDE=16, INDXSCHM="EXPLICIT")
    sky = io.read_map(table(tmp_path / "part.fits", columns, **header))
    assert np.array_equal(sky.values[pixels], pixels * 0.5)
    assert np.count_nonzero(sky.values == UNSEEN) == 1024


def test_sparse_cubes_are_refused(tmp_path):
    columns = [
        fits.Column("PIXEL", "J", array=np.arange(4)),
        fits.Column("T", "3D", array=np.ones((4, 3))),
    ]
    path = table(tmp_path / "c.fits", columns, ORDERING="RING", NSIDE=2, INDXSCHM="EXPLICIT")
    with pytest.raises(ValueError, match="several per pixel"):
        io.read_map(path)


# --- columns and tables ----------------------------------------------------------------------------


def test_columns_without_a_name_and_with_the_same(tmp_path):
    columns = [fits.Column(n, "D", array=np.full(12, i)) for i, n in enumerate("ABC")]
    path = table(tmp_path / "map.fits", columns, ORDERING="RING")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"TTYPE2  = 'B ", b"TTYPE2  = 'A "))
    assert io.read_map(path, field=None).columns == ("A", "A_2", "C")
    assert io.read_map(path, field=None).values[:, 0].tolist() == [0, 1, 2]
    path.write_bytes(content.replace(b"TTYPE2", b"TTIPE2"))
    assert io.read_map(path, field=None).columns == ("A", "COLUMN_2", "C")


STOKES = ["I_STOKES", "Q_STOKES", "U_STOKES"], ["TEMPERATURE", "Q_POLARISATION", "U_POLARISATION"]
STOKES += ["temperature", "Q-POLARIZATION", "U-POLARIZATION"], ["T", "Q", "U"], ["I", "q", "u"]
STOKES += (["I_Stokes", "Q_Stokes", "U_Stokes"],)


@pytest.mark.parametrize("names", STOKES)
def test_short_names_of_fields(tmp_path, names):
    values = np.arange(36.0).reshape(3, 12)
    io.write_map(tmp_path / "map.fits", values, column=names, unit=["K", "mK", "uK"])
    for first in "ITit":
        sky = io.read_map(tmp_path / "map.fits", field=(first, "Q", "u"))
        assert np.array_equal(sky.values, values) and sky.columns == tuple(names)
    assert sky.units == ("K", "mK", "uK")
    assert io.read_map(tmp_path / "map.fits", field="u").values[0] == 24
    assert [stokes_of(name) for name in names] == list("IQU")
    assert fits.getheader(tmp_path / "map.fits", 1)["POLCCONV"] == "COSMO"


@pytest.mark.parametrize("number", [1, np.int64(1), np.uint8(1), np.array(1)])
def test_fields_by_any_whole_number(tmp_path, number):
    io.write_map(tmp_path / "map.fits", np.arange(24.0).reshape(2, 12), column=["A", "B"])
    sky = io.read_map(tmp_path / "map.fits", field=number)
    assert sky.values[0] == 12 and sky.values.shape == (12,)
    assert io.read_map(tmp_path / "map.fits", field=[number]).values.shape == (1, 12)


@pytest.mark.parametrize("field", [2, -1, "C", "Q", "I", ("A", "C"), np.int64(7)])
def test_fields_that_are_not_there(tmp_path, field):
    io.write_map(tmp_path / "map.fits", np.zeros((2, 12)), column=["A", "B"])
    with pytest.raises(ValueError, match="its fields are 0 A, 1 B"):
        io.read_map(tmp_path / "map.fits", field=field)


@pytest.mark.parametrize("field", [1.0, None, object(), 1j])
def test_fields_that_are_none(tmp_path, field):
    io.write_map(tmp_path / "map.fits", np.zeros((2, 12)), column=["A", "B"])
    with pytest.raises(TypeError, match="number or name"):
        io.read_map(tmp_path / "map.fits", field=[field])


def test_every_table_is_listed_and_chosen(tmp_path):
    path = tmp_path / "many.fits"
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2)), name="BEAM")]
    for i, name in enumerate(["FIRST", "Second", ""]):
        column = fits.Column("T", "D", array=np.full(12, i))
        hdus.append(fits.BinTableHDU.from_columns([column], name=name))
        if i:
            hdus[-1].header["ORDERING"] = "RING"
    fits.HDUList(hdus).writeto(path)
    assert [(t.hdu, t.name) for t in io.tables(path)] == [(2, "FIRST"), (3, "SECOND"), (4, "")]
    assert io.read_table(path).columns["T"][0] == 0
    sky = io.read_map(path)  # the first table that is a map
    assert sky.values[0] == 1 and sky.hdu == 3
    for hdu in (4, np.int64(4)):
        assert io.read_map(path, hdu=hdu).values[0] == 2
    assert io.read_map(path, hdu="second").hdu == 3
    for hdu in (0, 1, 5, "THIRD"):
        with pytest.raises(ValueError, match="its tables are 2 FIRST, 3 SECOND, 4"):
            io.read_map(path, hdu=hdu)
    for hdu in (1.5, True):
        with pytest.raises(TypeError, match="hdu is"):
            io.read_map(path, hdu=hdu)


# --- polarization ----------------------------------------------------------------------------------


@pytest.mark.parametrize("names", STOKES)
@pytest.mark.parametrize("stated", ["IAU", "iau", "COSMO", "cosmo  ", ""])
def test_the_sign_of_u(tmp_path, names, stated):
    values = 1 + np.arange(36.0).reshape(3, 12)
    values[:, 4] = UNSEEN
    values[:, 5] = np.nan
    columns = [fits.Column(n, "D", array=v) for n, v in zip(names, values, strict=True)]
    header = dict(POLCCONV=stated) if stated else {}
    sky = io.read_map(table(tmp_path / "iqu.fits", columns, ORDERING="RING", **header), field=None)
    if stated.upper() == "IAU":
        values[2] = np.where(is_missing(values[2]), values[2], -values[2])
    assert np.array_equal(sky.values, values, equal_nan=True)
    assert sky.polcconv == "COSMO" and sky.file_polcconv == stated.strip().upper()


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        *(("U", -1), ("U_MEAN", -1), ("U_STOKES_INP", -1), ("U-POLARISATION", -1)),
        *(("IU_COV", -1), ("QU", -1), ("TU", -1), ("UU", 1), ("QQ_COV", 1), ("II", 1)),
        *(("Q_STOKES", 1), ("I", 1), ("HITS", 1), ("N_OBS", 1), ("U_RMS", 1), ("TMASK", 1)),
        *(("SIGNAL", None), ("COLUMN_1", None), ("BESTFIT", None), ("URANUS", None)),
    ],
)
def test_which_columns_change_their_sign(name, sign):
    assert sign_of_u(name) == sign


def test_iau_columns_that_nothing_tells_apart(tmp_path):
    columns = [fits.Column(f"C{i}", "D", array=np.ones(12)) for i in range(2)]
    path = table(tmp_path / "map.fits", columns, ORDERING="RING", POLCCONV="IAU")
    with pytest.raises(ValueError, match="name of C0, C1 does not determine"):
        io.read_map(path, field=(0, 1))
    sky = io.read_map(path)
    assert sky.polcconv == sky.file_polcconv == "IAU" and sky.values[0] == 1
    path = table(tmp_path / "map.fits", columns, ORDERING="RING", POLCCONV="IAU", STOKES="U")
    sky = io.read_map(path)
    assert sky.polcconv == "COSMO" and sky.values[0] == -1


def test_frames_of_planets_and_panoramas(tmp_path):
    path = tmp_path / "relief.fits"
    io.write_map(path, np.arange(12.0), coordsys="geographic")
    assert fits.getheader(path, 1)["COORDSYS"] == "GEOGRAPHIC"
    assert io.read_map(path).frame == "geographic"
    assert io.frame_of("AltAz") == "horizontal"
