"""The definitions, in plain loops: what every fast transform is tested against.

Nothing here is meant to be fast; everything is meant to be read beside the papers. Wigner's d is
the explicit finite sum in 50-digit decimals (no cancellation is left at any degree used by the
tests), so a value from this file is right to the last bit or two of a float64.

Grids enter only through their ring view (``ring_theta``, ``ring_n_phi``, ``ring_phi0``,
``ring_weights``), ``period``, ``L`` and ``shape``.

References
----------
McEwen & Wiaux, "A novel sampling theorem on the sphere", IEEE TSP 59 (2011) 5876,
arXiv:1110.6298 (the theorem on equispaced colatitudes).
"""

import cmath
import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

import numpy as np

DIGITS = 50


@cache
def _cos_sin_half(theta):
    """cos(theta/2) and sin(theta/2) of a float64 taken as exact, by their Taylor series."""
    with localcontext() as context:
        context.prec = DIGITS + 10
        x = Decimal(theta) / 2
        cosine, sine, term, k = Decimal(0), Decimal(0), Decimal(1), 0
        while abs(term) > Decimal(10) ** -(DIGITS + 10):
            if k % 2 == 0:
                cosine += term if k % 4 == 0 else -term
            else:
                sine += term if k % 4 == 1 else -term
            k += 1
            term = term * x / k
        return cosine, sine


@cache
def _wigner_d(ell, m, n, cosine, sine):
    """The explicit sum over k, cosine and sine of theta / 2 being decimals."""
    with localcontext() as context:
        context.prec = DIGITS
        total, one = Decimal(0), Decimal(1)
        for k in range(max(0, n - m), min(ell + n, ell - m) + 1):
            below = (
                math.factorial(ell + n - k)
                * math.factorial(k)
                * math.factorial(m - n + k)
                * math.factorial(ell - m - k)
            )
            # An exponent of 0 stands for the factor 1, also at the poles (Decimal 0**0 raises).
            cosines = cosine ** (2 * ell + n - m - 2 * k) if 2 * ell + n - m - 2 * k else one
            sines = sine ** (m - n + 2 * k) if m - n + 2 * k else one
            total += (-1) ** (m - n + k) * cosines * sines / below
        square = (
            math.factorial(ell + m)
            * math.factorial(ell - m)
            * math.factorial(ell + n)
            * math.factorial(ell - n)
        )
        return float(Decimal(square).sqrt() * total)


def wigner_d(ell, m, n, theta):
    """d^l_mn(theta) = <l m| exp(-i theta J_y) |l n>: Wigner's sum."""
    if abs(m) > ell or abs(n) > ell:
        return 0.0
    return _wigner_d(ell, m, n, *_cos_sin_half(float(theta)))


def _delta(ell, m, n):
    """d^l_mn(pi/2), with pi/2 exact."""
    if abs(m) > ell or abs(n) > ell:
        return 0.0
    with localcontext() as context:
        context.prec = DIGITS + 10
        half = Decimal("0.5").sqrt()
    return _wigner_d(ell, m, n, half, half)


def spin_harmonic(spin, ell, m, theta, phi):
    """sY_lm(theta, phi) = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi}."""
    norm = (-1) ** spin * math.sqrt((2 * ell + 1) / (4 * math.pi))
    return norm * wigner_d(ell, m, -spin, theta) * cmath.exp(1j * m * phi)


def degrees_and_orders(L):
    """(index, l, m) of the flat layout flm[l*l + l + m], in order."""
    for ell in range(L):
        for m in range(-ell, ell + 1):
            yield ell * ell + ell + m, ell, m


def samples(grid):
    """(theta, phi, weight) of every sample of a grid, in the order of its flattened samples."""
    for theta, n_phi, phi0, weight in zip(
        grid.ring_theta, grid.ring_n_phi, grid.ring_phi0, grid.ring_weights, strict=True
    ):
        for p in range(int(n_phi)):
            yield float(theta), float(phi0) + 2 * math.pi * p / int(n_phi), float(weight)


def evaluate(flm, theta, phi, spin=0, reality=False):
    """f(theta_i, phi_i) = sum_lm flm sY_lm(theta_i, phi_i); its real part with reality."""
    L = math.isqrt(len(flm))
    values = np.zeros(len(theta), dtype=complex)
    for i, (theta_i, phi_i) in enumerate(zip(theta, phi, strict=True)):
        for index, ell, m in degrees_and_orders(L):
            values[i] += flm[index] * spin_harmonic(spin, ell, m, theta_i, phi_i)
    return values.real if reality else values


def evaluate_adjoint(values, theta, phi, L, spin=0):
    """Conjugate transpose of `evaluate`: sum_i values_i conj(sY_lm(theta_i, phi_i))."""
    flm = np.zeros(L * L, dtype=complex)
    for value, theta_i, phi_i in zip(values, theta, phi, strict=True):
        for index, ell, m in degrees_and_orders(L):
            flm[index] += value * spin_harmonic(spin, ell, m, theta_i, phi_i).conjugate()
    return flm


def derivative(function, x, degree):
    """The derivative at x of a trigonometric polynomial: the formula of M. Riesz, a sum of 2 degree values.

    f'(x) = sum_k (-1)^(k+1) f(x + t_k) / (4 n sin^2(t_k / 2)), t_k = (2k-1) pi / 2n, for degrees <= n
    (Zygmund, Trigonometric Series, vol. II, chapter X, 3.11).
    """
    total = 0
    for k in range(1, 2 * degree + 1):
        t = (2 * k - 1) * math.pi / (2 * degree)
        total += (-1) ** (k + 1) * function(x + t) / (4 * degree * math.sin(t / 2) ** 2)
    return total


def partial_derivatives(flm, theta, phi, spin=0):
    """d/dtheta and d/dphi of the signal at one point that is not a pole."""
    degree = max(1, math.isqrt(len(flm)) - 1)
    by_theta = derivative(lambda x: evaluate(flm, [x], [phi], spin)[0], theta, degree)
    by_phi = derivative(lambda x: evaluate(flm, [theta], [x], spin)[0], phi, degree)
    return by_theta, by_phi


def raise_spin(flm, theta, phi, spin=0):
    """eth f = -(d/dtheta + i / sin(theta) d/dphi - s cot(theta)) f at one point."""
    by_theta, by_phi = partial_derivatives(flm, theta, phi, spin)
    f = evaluate(flm, [theta], [phi], spin)[0]
    return -(by_theta + 1j * by_phi / math.sin(theta) - spin * f / math.tan(theta))


def lower_spin(flm, theta, phi, spin=0):
    """-(d/dtheta - i / sin(theta) d/dphi + s cot(theta)) f at one point."""
    by_theta, by_phi = partial_derivatives(flm, theta, phi, spin)
    f = evaluate(flm, [theta], [phi], spin)[0]
    return -(by_theta - 1j * by_phi / math.sin(theta) + spin * f / math.tan(theta))


def vorticity_and_divergence(flm, theta, phi):
    """Of the wind -v + i u with these coefficients of spin 1, at one point of the unit sphere.

    (dv/dphi + d(u sin theta)/dtheta) / sin(theta), (du/dphi - d(v sin theta)/dtheta) / sin(theta)
    """
    by_theta, by_phi = partial_derivatives(flm, theta, phi, 1)
    f = evaluate(flm, [theta], [phi], 1)[0]
    sine = math.sin(theta)
    by_theta = sine * by_theta + math.cos(theta) * f
    return (-by_phi.real + by_theta.imag) / sine, (by_phi.imag + by_theta.real) / sine


def inverse(flm, grid, spin=0, reality=False):
    """Samples on the grid of the signal with coefficients flm: the sum at each sample."""
    theta, phi, _ = zip(*samples(grid), strict=True)
    return evaluate(flm, theta, phi, spin, reality).reshape(grid.shape)


def forward(f, grid, L, spin=0):
    """Coefficients of degree < L from samples: the rule of the grid, for any samples."""
    f = np.asarray(f).reshape(-1)
    if grid.period is None:
        return _forward_product_rule(f, grid, L, spin)
    return _forward_equispaced(f, grid, L, spin)


def inverse_adjoint(f, grid, L, spin=0):
    """Conjugate transpose of the (complex) inverse: the plain sum, without weights."""
    theta, phi, _ = zip(*samples(grid), strict=True)
    return evaluate_adjoint(np.asarray(f).reshape(-1), theta, phi, L, spin)


def _forward_product_rule(f, grid, L, spin):
    """sum_i w_i f_i conj(sY_lm(theta_i, phi_i)): Gauss-Legendre, DH, HEALPix, any rings."""
    theta, phi, weights = zip(*samples(grid), strict=True)
    weighted = [weight * value for weight, value in zip(weights, f, strict=True)]
    return evaluate_adjoint(weighted, theta, phi, L, spin)


def sine_moment(p):
    """w(p) = integral over 0..pi of e^{i p theta} sin theta."""
    if abs(p) == 1:
        return p * 0.5j * math.pi
    return 2 / (1 - p * p) if p % 2 == 0 else 0.0


def _theta_spectrum(f_m, theta, sign, period):
    """{m': F_mm'} of samples over 0..pi, extended to the circle with F(-theta) = sign F(theta).

    The interpolant is the one of least degree with that parity. So an even number of nodes
    gives half of the highest frequency to either side, and where the extension is odd the value
    at a pole, which is its own mirror image, is taken as zero.
    """
    nodes = [theta[0] + 2 * math.pi * t / period for t in range(period)]
    extended = []
    for t in range(period):
        # theta_mirror = 2 pi - theta_t: for nodes pi (2t+1)/P it is P-1-t, for 2 pi t/P it is -t.
        mirror = period - 1 - t if theta[0] > 0 else (period - t) % period
        if mirror == t and sign < 0:
            extended.append(0.0)
        else:
            extended.append(f_m[t] if t < len(f_m) else sign * f_m[mirror])
    spectrum = {}
    for k in range(-(period // 2), period // 2 + 1):
        total = sum(
            value * cmath.exp(-1j * k * node) for value, node in zip(extended, nodes, strict=True)
        )
        spectrum[k] = total / period * (0.5 if 2 * abs(k) == period else 1.0)
    return spectrum


def _forward_equispaced(f, grid, L, spin):
    """The sampling theorem on equispaced colatitudes, step by step as in McEwen & Wiaux (2011)."""
    n_theta, n_phi = grid.shape
    f = f.reshape(n_theta, n_phi)
    phi = [float(grid.ring_phi0[0]) + 2 * math.pi * p / n_phi for p in range(n_phi)]
    flm = np.zeros(L * L, dtype=complex)
    for m in range(-(L - 1), L):
        f_m = [
            sum(f[t, p] * cmath.exp(-1j * m * phi[p]) for p in range(n_phi)) / n_phi
            for t in range(n_theta)
        ]
        spectrum = _theta_spectrum(f_m, grid.ring_theta, (-1) ** (m + spin), grid.period)
        # G_mm' = 2 pi sum_m'' F_mm'' w(m'' - m'), the product with sin theta over 0..pi.
        moments = {
            k: 2 * math.pi * sum(value * sine_moment(j - k) for j, value in spectrum.items())
            for k in range(-(L - 1), L)
        }
        for ell in range(max(abs(m), abs(spin)), L):
            total = sum(
                _delta(ell, k, m) * _delta(ell, k, -spin) * moments[k] for k in range(-ell, ell + 1)
            )
            norm = (-1) ** spin * math.sqrt((2 * ell + 1) / (4 * math.pi))
            flm[ell * ell + ell + m] = norm * 1j ** ((m + spin) % 4) * total
    return flm


# --- the rotation group ---------------------------------------------------------------------------


def wigner_D(ell, m, n, alpha, beta, gamma):
    """D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}."""
    return cmath.exp(-1j * (m * alpha + n * gamma)) * wigner_d(ell, m, n, beta)


def wigner_inverse(flmn, grid):
    """Samples (gamma, beta, alpha): sum_lmn (2l+1)/(8 pi^2) flmn conj(D^l_mn)."""
    N, L = (len(flmn) + 1) // 2, math.isqrt(len(flmn[0]))
    points = [(theta, phi) for theta, phi, _ in samples(grid.sphere)]
    f = np.zeros((len(grid.gamma), len(points)), complex)
    for g, gamma in enumerate(grid.gamma):
        for i, (beta, alpha) in enumerate(points):
            for index, ell, m in degrees_and_orders(L):
                for n in range(-min(ell, N - 1), min(ell, N - 1) + 1):
                    D = wigner_D(ell, m, n, alpha, beta, gamma)
                    f[g, i] += (
                        (2 * ell + 1) / (8 * math.pi**2) * flmn[N - 1 + n][index] * D.conjugate()
                    )
    return f.reshape(grid.shape)


def wigner_forward(f, grid, L, N):
    """Coefficients: the integral over gamma by its Fourier sum, each order n as a field of spin -n."""
    flmn = np.zeros((2 * N - 1, L * L), complex)
    for n in range(1 - N, N):
        if n not in grid.orders:
            continue
        turns = [cmath.exp(-1j * n * gamma) for gamma in grid.gamma]
        f_n = (
            sum(turn * sheet for turn, sheet in zip(turns, f, strict=True))
            * 2
            * math.pi
            / len(turns)
        )
        flm = forward(f_n, grid.sphere, L, -n)
        for index, ell, _ in degrees_and_orders(L):
            if ell >= abs(n):
                flmn[N - 1 + n, index] = (
                    (-1) ** n * math.sqrt(4 * math.pi / (2 * ell + 1)) * flm[index]
                )
    return flmn


def wavelet_matrix(psi, grid, gamma):
    """(samples, L*L): f_lm -> <f, R_rho Psi> = sum_lmn f_lm conj(Psi_ln) conj(D^l_mn(phi, theta, gamma))."""
    N, L = (len(psi) + 1) // 2, len(psi[0])
    points = list(samples(grid))
    matrix = np.zeros((len(points), L * L), dtype=complex)
    for row, (theta, phi, _) in zip(matrix, points, strict=True):
        for index, ell, m in degrees_and_orders(L):
            for n in range(1 - N, N):
                if psi[N - 1 + n][ell] and abs(n) <= ell:
                    turned = psi[N - 1 + n][ell] * wigner_D(ell, m, n, phi, theta, gamma)
                    row[index] += turned.conjugate()
    return matrix


# --- regions of HEALPix pixels ------------------------------------------------------------------


def unit_vectors(theta, phi):
    """Directions as vectors, along the last axis."""
    theta, phi = np.asarray(theta, float), np.asarray(phi, float)
    sine = np.sin(theta)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], -1)


def distances(points, center):
    """The angle between unit vectors, accurate for all angles."""
    crossed = np.linalg.norm(np.cross(points, center), axis=-1)
    return np.arctan2(crossed, points @ center)


def turns(points, vertices):
    """How often a polygon turns about each point, less how often about its antipode.

    The sum over the edges of the angle at the point between the directions to both ends.
    """
    total = np.zeros(len(points))
    for a, b in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        a, b = (x - (points @ x)[:, None] * points for x in (a, b))
        sine = np.einsum("ij,ij->i", np.cross(a, b), points)
        total += np.arctan2(sine, np.einsum("ij,ij->i", a, b))
    return total / (2 * np.pi)


def degraded(f, parents, valid, pessimistic):
    """The mean of the valid samples of each parent pixel, by its number for each sample; NaN if none are."""
    result = np.full(parents.max() + 1, np.nan)
    for parent in range(result.size):
        members = parents == parent
        chosen = f[members & valid]
        if chosen.size and not (pessimistic and chosen.size < members.sum()):
            result[parent] = chosen.sum() / chosen.size
    return result


# --- HEALPix --------------------------------------------------------------------------------------
# Gorski et al., ApJ 622 (2005) 759, and its projection onto a plane: Calabretta & Roukema, MNRAS 381 (2007)
# 865. Here a turn has 8 units, so that pixels are squares on their corners, of half diagonal 1/nside.


def healpix_plane(theta, phi):
    """A direction in the plane of the HEALPix projection: 0 <= x < 8, -2 <= y <= 2."""
    z = math.cos(theta)
    x = (4 * phi / math.pi) % 8
    if abs(z) <= 2 / 3:
        return x, 1.5 * z
    distance = math.sqrt(6) * min(math.sin(theta / 2), math.cos(theta / 2))  # from the pole: 0 to 1
    middle = 2 * (x // 2) + 1
    return middle + (x - middle) * distance, math.copysign(2 - distance, z)


def healpix_direction(x, y, middle):
    """The inverse of `healpix_plane`; ``middle``: x of the middle of the facet, where abs(y) > 1."""
    if abs(y) <= 1:
        return math.acos(y / 1.5), x * math.pi / 4
    distance = 2 - abs(y)
    theta = 2 * math.asin(distance / math.sqrt(6))
    if distance > 0:
        x = middle + (x - middle) / distance
    return (theta if y > 0 else math.pi - theta), (x if distance > 0 else 0) * math.pi / 4


def healpix_centers(nside):
    """Centers of the pixels in the plane, in ring order [(x, y), ...]."""
    centers = []
    for ring in range(1, 4 * nside):
        in_cap = min(ring, 4 * nside - ring)
        y = 2 - ring / nside
        for j in range(4 * min(in_cap, nside)):
            if in_cap < nside:
                quarter, index = divmod(j, in_cap)
                x = 2 * quarter + 1 + (2 * index + 1 - in_cap) / nside
            else:
                x = (2 * j + 1 - (ring - nside) % 2) / nside
            centers.append((x, y))
    return centers


def healpix_pixel(nside, theta, phi):
    """The pixel of a direction: pixels are the squares abs(x - x0) + abs(y - y0) < 1/nside."""
    x, y = healpix_plane(theta, phi)
    distances = [
        min(abs(x - x0), 8 - abs(x - x0)) + abs(y - y0) for x0, y0 in healpix_centers(nside)
    ]
    return distances.index(min(distances))


def healpix_corners(nside):
    """Corners of the pixels to the N, W, S and E, directions [(theta, phi), ...]."""
    corners = []
    for x, y in healpix_centers(nside):
        steps = (0, 1), (-1, 0), (0, -1), (1, 0)
        middle = 2 * (x // 2) + 1
        points = [(x + dx / nside, y + dy / nside) for dx, dy in steps]
        corners.append([healpix_direction(*point, middle) for point in points])
    return corners


def healpix_neighbours(nside):
    """Pixels that share an edge or a corner with each pixel, to the SW, W, NW, N, NE, E, SE and S, or -1."""

    def key(theta, phi):
        vector = (
            math.sin(theta) * math.cos(phi),
            math.sin(theta) * math.sin(phi),
            math.cos(theta),
        )
        return tuple(round(1e6 * component) for component in vector)

    corners = [[key(*corner) for corner in points] for points in healpix_corners(nside)]
    pixels_at = {}
    for pixel, points in enumerate(corners):
        for corner in points:
            pixels_at.setdefault(corner, set()).add(pixel)
    result = []
    for pixel, (north, west, south, east) in enumerate(corners):

        def across_edge(a, b, pixel=pixel):
            (neighbour,) = pixels_at[a] & pixels_at[b] - {pixel}
            return neighbour

        def across_corner(a, b, c, pixel=pixel):
            beside = {pixel, across_edge(a, b), across_edge(b, c)}
            return next(iter(pixels_at[b] - beside), -1)

        result.append([
            across_edge(south, west), across_corner(south, west, north),
            across_edge(west, north), across_corner(west, north, east),
            across_edge(north, east), across_corner(north, east, south),
            across_edge(east, south), across_corner(east, south, west),
        ])  # fmt: skip
    return result


def neighbor_weights(grid):
    """The weights of Laplace's equation of all pairs of samples [shape=(n, n)].

    HEALPix: half the cotangents of the angles opposite to an edge of the convex hull of the centers. Other
    grids: the length of the common edge of two cells, which extend halfway to the next samples and rings,
    divided by the distance of their centers.
    """
    n = int(np.prod(grid.shape))
    weights = np.zeros((n, n))
    if grid.name == "healpix":
        from scipy.spatial import ConvexHull

        points = np.array(unit_vectors(grid.theta, grid.phi)).reshape(n, 3)
        for triangle in ConvexHull(points).simplices:
            for a, b, c in itertools.permutations(triangle):
                u, v = points[a] - points[c], points[b] - points[c]
                weights[a, b] += np.dot(u, v) / np.linalg.norm(np.cross(u, v)) / 2
        return weights
    theta = grid.ring_theta
    edges = [max(0, theta[0] - (theta[1] - theta[0]) / 2), *(theta[1:] + theta[:-1]) / 2]
    edges += [min(np.pi, theta[-1] + (theta[-1] - theta[-2]) / 2)]
    cells = [
        (row, grid.ring_phi0[row] + 2 * np.pi * k / count, 2 * np.pi / count)
        for row, count in enumerate(grid.ring_n_phi)
        for k in range(count)
    ]
    for i, j in itertools.product(range(n), repeat=2):
        (row, phi, width), (row2, phi2, width2) = cells[i], cells[j]
        distance = abs((phi - phi2 + np.pi) % (2 * np.pi) - np.pi)
        if row == row2 and abs(distance - width) < 1e-9 and np.sin(theta[row]) > 1e-9:
            weights[i, j] = (edges[row + 1] - edges[row]) / (np.sin(theta[row]) * width)
        elif abs(row - row2) == 1:
            common = sum(
                max(0, min(phi + width / 2, x + width2 / 2) - max(phi - width / 2, x - width2 / 2))
                for x in phi2 + 2 * np.pi * np.arange(-2, 3)
            )
            edge = edges[max(row, row2)]
            weights[i, j] = common * np.sin(edge) / abs(theta[row] - theta[row2])
    return weights


def diffused(f, missing, grid):
    """Missing samples as weighted means of their neighbors, by a dense solution; those of a pole are one."""
    n = missing.size
    f, missing = f.ravel(), missing.ravel()
    nodes = np.arange(n)
    for row in np.flatnonzero(np.sin(grid.ring_theta) < 1e-9):
        start = grid.ring_start[row]
        nodes[start : start + grid.ring_n_phi[row]] = start
    members = (nodes[:, None] == np.arange(n)).astype(float)
    weights = members.T @ neighbor_weights(grid) @ members
    laplacian = np.diag(weights.sum(axis=1)) - weights
    observed = members.T @ ~missing
    values = members.T @ np.where(missing, 0, f) / np.maximum(observed, 1)
    unknown = np.flatnonzero((observed == 0) & (members.sum(axis=0) > 0))
    known = observed > 0
    right = -laplacian[np.ix_(unknown, known)] @ values[known]
    values[unknown] = np.linalg.solve(laplacian[np.ix_(unknown, unknown)], right)
    return np.where(missing, values[nodes], f).reshape(grid.shape)


def healpix_interpolate(f, theta, phi):
    """The bilinear interpolation of a map at a point: along rings, and between them."""
    nside = math.isqrt(len(f) // 12)
    rows = {}
    for (x, y), value in zip(healpix_centers(nside), f, strict=True):
        center = healpix_direction(x, y, 2 * (x // 2) + 1)
        rows.setdefault(round(1e6 * center[0]), []).append((*center, value))
    rows = list(rows.values())

    def on_ring(row):
        step = 2 * math.pi / len(row)
        position = ((phi - row[0][1]) / step) % len(row)
        west = int(position)
        east = (west + 1) % len(row)
        return row[west][2] + (position - west) * (row[east][2] - row[west][2])

    knots = [(row[0][0], on_ring(row)) for row in rows]
    knots.insert(0, (0.0, sum(row[2] for row in rows[0]) / 4))
    knots.append((math.pi, sum(row[2] for row in rows[-1]) / 4))
    for (upper, above), (lower, below) in itertools.pairwise(knots):
        if upper <= theta <= lower:
            return above + (theta - upper) / (lower - upper) * (below - above)
    raise ValueError(f"no colatitude: {theta}")


def three_j(l1, l2, l3, m1, m2):
    """The 3j symbol (l1 l2 l3; m1 m2 -m1-m2), by Racah's sum in integers."""
    m3 = -m1 - m2
    degrees_orders = ((l1, m1), (l2, m2), (l3, m3))
    if not abs(l1 - l2) <= l3 <= l1 + l2 or any(abs(m) > ell for ell, m in degrees_orders):
        return 0.0
    f = math.factorial
    total = Fraction(0)
    for t in range(l1 + l2 + l3 + 1):
        below = (
            t,
            l3 - l2 + t + m1,
            l3 - l1 + t - m2,
            l1 + l2 - l3 - t,
            l1 - t - m1,
            l2 - t + m2,
        )
        if min(below) >= 0:
            total += Fraction((-1) ** t, math.prod(map(f, below)))
    square = Fraction(f(l1 + l2 - l3) * f(l1 - l2 + l3) * f(l2 + l3 - l1), f(l1 + l2 + l3 + 1))
    square *= math.prod(f(ell + m) * f(ell - m) for ell, m in degrees_orders)
    sign = (-1) ** (l1 - l2 - m3) * (-1 if total < 0 else 1)
    return sign * math.sqrt(square * total**2)


def coupling_sums(power, L, spin, spin2):
    """Sums of products of 3j symbols over l3 with l + l' + l3 even and odd: (2, L, L)."""
    sums = np.zeros((2, L, L))
    for a, b in itertools.product(range(max(spin, spin2), L), repeat=2):
        for c in range(abs(a - b), min(a + b + 1, len(power))):
            term = three_j(a, b, c, spin, -spin) * three_j(a, b, c, spin2, -spin2)
            term *= (-1) ** (spin + spin2) * (2 * c + 1) / (4 * np.pi) * power[c]
            sums[(a + b + c) % 2, a, b] += term
    return sums
