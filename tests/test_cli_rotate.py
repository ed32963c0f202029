"""`spherekit rotate`, end to end on small files."""

import numpy as np
import pytest
from helpers.commands import refused, run
from tolerances import CHAIN, COMMAND_SAMPLES, IDENTITY

import spherekit
from spherekit import io, wigner
from spherekit.sampling import HEALPix
from spherekit.testing import random_flm

L, NSIDE = 17, 16
#: Between the ecliptic of J2000 and that of healpy, by another precession: two seconds of arc.
PRECESSION = 1e-5


def beam(lon, lat, width=0.05):
    """Coefficients of a smooth spot at a place in degrees."""
    ell = np.arange(L)
    spot = np.zeros(L * L, complex)
    spot[ell * (ell + 1)] = np.sqrt((2 * ell + 1) / (4 * np.pi)) * np.exp(
        -width * ell * (ell + 1) / 2
    )
    return wigner.rotate(spot, np.radians(lon), np.radians(90 - lat), 0, reality=True)


def brightest(flm):
    """(lon, lat) of the maximum, to 0.05 degrees by a parabola through the finest samples."""
    grid = spherekit.sampling.MW(720)
    f = spherekit.inverse(flm, L, sampling=grid, reality=True)
    t, p = np.unravel_index(f.argmax(), f.shape)
    return np.degrees(grid.phi[p]), 90 - np.degrees(grid.theta[t])


@pytest.fixture
def spot(here):
    """map.fits in galactic coordinates, with a spot at (l, b) = (0, 0)."""
    flm = beam(0, 0)
    f = spherekit.inverse(flm, L, sampling=HEALPix(NSIDE), reality=True)
    io.write_map("map.fits", f, unit="mK", coordsys="G")
    io.write_alm("alm.fits", flm, unit="mK")
    return flm


def test_euler(spot, capsys):
    run("rotate map.fits --euler 30,40,50 --L 17 -o out.fits --plot out.png")
    assert "rotated by 30, 40, 50 degrees" in capsys.readouterr().out
    expected = wigner.rotate(spot, *np.radians([30, 40, 50]), reality=True)
    values = spherekit.inverse(expected, L, sampling=HEALPix(NSIDE), reality=True)
    out = io.read_map("out.fits")
    np.testing.assert_allclose(
        out.values, values, rtol=0, atol=COMMAND_SAMPLES * np.abs(values).max()
    )
    assert out.units == ("mK",)
    run("rotate map.fits --euler 30,40,50 -o out.fits --force")


@pytest.mark.parametrize(
    "frame, lon, lat", [("equatorial", 266.405, -28.936), ("ecliptic", 266.84, -5.54)]
)
def test_the_galactic_center(frame, lon, lat, spot, capsys):
    """Sgr A*'s neighbour: (266.405, -28.936) equatorial, (266.84, -5.54) ecliptic, to a sample's half."""
    run(f"rotate map.fits --to {frame} -o {frame}.fits --L 17")
    assert f"from galactic to {frame}" in capsys.readouterr().out
    flm = spherekit.analyse(
        io.read_map(f"{frame}.fits").values, L, sampling=HEALPix(NSIDE), reality=True
    )[0]
    found = brightest(flm)
    assert abs(found[0] - lon) < 0.15 and abs(found[1] - lat) < 0.15
    run(f"rotate {frame}.fits --to galactic -o back.fits --L 17 --force")
    there, back = io.read_map("map.fits"), io.read_map("back.fits")
    assert back.coordsys == "G"
    np.testing.assert_allclose(
        back.values, there.values, rtol=0, atol=COMMAND_SAMPLES * there.values.max()
    )


def test_frames_agree_with_healpix():
    """The matrices of healpy 1.18's Rotator, whose ecliptic is that of J2000 by another precession."""
    for source, target, expected in (
        ("galactic", "equatorial", [[-0.0548755604, 0.4941094279, -0.8676661490],
                                    [-0.8734370902, -0.4448296300, -0.1980763734],
                                    [-0.4838350155, 0.7469822445, 0.4559837762]]),
    ):  # fmt: skip
        matrix = wigner.euler.to_rotation(*wigner.frame_angles(source, target)).as_matrix()
        np.testing.assert_allclose(matrix, expected, rtol=0, atol=PRECESSION)
    tilt = wigner.frame_angles("equatorial", "ecliptic")[1]
    assert abs(np.degrees(tilt) - 23.4392911) < 1e-4
    with pytest.raises(ValueError, match="galactic, ecliptic"):
        wigner.frame_angles("galactic", "supergalactic")


def test_coefficients_and_arrays(spot, rng):
    run("rotate alm.fits --euler 10,20,30 -o out.fits --plot out.pdf")
    expected = wigner.rotate(spot, *np.radians([10, 20, 30]), reality=True)
    np.testing.assert_allclose(io.read_alm("out.fits"), expected, rtol=0, atol=IDENTITY)
    flm = random_flm(8, rng, spin=2)
    f = spherekit.inverse(flm, 8, spin=2, sampling="mw")
    io.write_arrays("map.npz", values=f, grid="mw:8", spin=2, unit="uK")
    run("rotate map.npz --euler=-10,20,30 -o out.npz --plot spin.png")
    turned = spherekit.inverse(wigner.rotate(flm, *np.radians([-10, 20, 30])), 8, spin=2)
    stored = io.read_arrays("out.npz")
    np.testing.assert_allclose(stored["values"], turned, rtol=0, atol=CHAIN)
    assert [str(stored[k]) for k in ("grid", "spin", "unit")] == ["mw:8", "2", "uK"]
    io.write_arrays("flm.npz", flm=flm, L=8, spin=2, unit="uK")
    run("rotate flm.npz --to galactic --from equatorial -o turned.npz")
    angles = wigner.frame_angles("equatorial", "galactic")
    np.testing.assert_allclose(
        io.read_arrays("turned.npz")["flm"], wigner.rotate(flm, *angles), rtol=0, atol=IDENTITY
    )


@pytest.mark.parametrize(
    "line, words",
    [
        ("rotate map.fits -o out.fits", "one of --euler"),
        ("rotate map.fits --euler 1,2,3 --to ecliptic -o out.fits", "one of --euler"),
        ("rotate map.fits --euler 1,2 -o out.fits", "A,B,C"),
        ("rotate map.fits --to mars -o out.fits", "invalid choice"),
        ("rotate plain.fits --to ecliptic -o out.fits", "--from galactic, ecliptic or equatorial"),
        ("rotate alm.fits --L 5 --euler 1,2,3 -o out.fits", "omit --L or --lmax"),
        ("rotate alm.fits --lmax 4 --euler 1,2,3 -o out.fits", "omit --L or --lmax"),
        ("rotate map.fits --euler 1,2,3 -o out.npz", "expected .fits"),
        ("rotate map.fits --euler 1,2,3 --from ecliptic -o out.fits", "applies to --to only"),
    ],
)
def test_refusals(line, words, spot, capsys):
    io.write_map("plain.fits", io.read_map("map.fits").values)
    assert words in refused(capsys, line, 2)


def test_outputs_are_not_replaced(spot, capsys):
    assert "exists" in refused(capsys, "rotate map.fits --euler 1,2,3 -o map.fits")
