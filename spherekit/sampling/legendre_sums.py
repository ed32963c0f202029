"""Kernels on Legendre polynomials in the difference (Reinsch) form.

With ``y = 1 - cos(theta) = 2 sin^2(theta/2)`` and ``D_k = P_k - P_{k-1}`` the recursion reads

    D_{k+1} = k/(k+1) D_k - (2k+1)/(k+1) y P_k,      P_{k+1} = P_k + D_{k+1}.

It never forms ``cos(theta)``, so it keeps all digits near the pole, where the usual recursion
loses them as l^2 eps (P_2047 at theta = 0.001: 6e-15 here, 5e-11 there). All kernels expect
theta <= pi/2; the other half follows from P_l(pi - theta) = (-1)^l P_l(theta).
"""

import numpy as np

from spherekit._core.jit import jit


@jit
def legendre(n, y, p, slope):
    """Fill `p` with P_n and `slope` with ``n (P_n - P_{n-1} - y P_n)`` at every y (n >= 1)."""
    yy = np.empty(32)
    pp = np.empty(32)
    dd = np.empty(32)
    for start in range(0, y.size, 32):
        count = min(32, y.size - start)
        for j in range(32):
            yy[j] = y[start + min(j, count - 1)]
            dd[j] = -yy[j]
            pp[j] = 1.0 - yy[j]
        for k in range(1, n):
            a = k / (k + 1.0)
            b = (2 * k + 1.0) / (k + 1.0)
            for j in range(32):
                dd[j] = a * dd[j] - b * yy[j] * pp[j]
                pp[j] += dd[j]
        for j in range(count):
            p[start + j] = pp[j]
            slope[start + j] = n * (dd[j] - yy[j] * pp[j])


@jit
def legendre_twofold(n, y, p, slope):
    """What `legendre` computes, each value right to rounding.

    Its recursion, with ``E_k = k D_k`` so that the coefficients are whole numbers, in pairs of
    float64 (Dekker 1971, Numer. Math. 18, 224): a plain one gathers sqrt(n) roundings.
    """
    split = 134217729.0  # 2^27 + 1: halves a float64 into two factors whose products are exact
    for i in range(y.size):
        yy = y[i]
        ph, pl, eh, el = 1.0, 0.0, 0.0, 0.0
        for k in range(n):
            # t = (2k+1) y, exact as th + tl
            b = 2.0 * k + 1.0
            th = b * yy
            c = split * yy
            yh = c - (c - yy)
            tl = (b * yh - th) + b * (yy - yh)
            # u = t P
            uh = th * ph
            c = split * th
            x1 = c - (c - th)
            x2 = th - x1
            c = split * ph
            z1 = c - (c - ph)
            z2 = ph - z1
            ul = (((x1 * z1 - uh) + x1 * z2 + x2 * z1) + x2 * z2) + (th * pl + tl * ph)
            # E = E - u
            s = eh - uh
            v = s - eh
            el += ((eh - (s - v)) - (uh + v)) - ul
            eh = s + el
            el += s - eh
            # q = E / (k+1)
            b = k + 1.0
            qh = eh / b
            c = split * qh
            x1 = c - (c - qh)
            ql = ((eh - b * x1) - b * (qh - x1) + el) / b
            # P = P + q
            s = ph + qh
            v = s - ph
            pl += ((ph - (s - v)) + (qh - v)) + ql
            ph = s + pl
            pl += s - ph
        p[i] = ph
        slope[i] = eh - n * yy * ph


@jit
def zonal_sums(y, even, odd, sums):
    """``sums[l] = sum_r s_r P_l(y_r)``, with s = `even` for even l and s = `odd` for odd l."""
    yy = np.empty(32)
    pp = np.empty(32)
    dd = np.empty(32)
    ss = np.empty((2, 32))
    qq = np.empty(32)
    sums[:] = 0.0
    for start in range(0, y.size, 32):
        count = min(32, y.size - start)
        for j in range(32):
            yy[j] = y[start + min(j, count - 1)]
            ss[0, j] = even[start + j] if j < count else 0.0
            ss[1, j] = odd[start + j] if j < count else 0.0
            dd[j] = 0.0
            pp[j] = 1.0
        for ell in range(sums.size):
            parity = ell & 1
            for j in range(16):
                qq[j] = pp[j] * ss[parity, j] + pp[j + 16] * ss[parity, j + 16]
            for j in range(8):
                qq[j] += qq[j + 8]
            sums[ell] += ((qq[0] + qq[4]) + (qq[1] + qq[5])) + ((qq[2] + qq[6]) + (qq[3] + qq[7]))
            a = ell / (ell + 1.0)
            b = (2 * ell + 1.0) / (ell + 1.0)
            for j in range(32):
                dd[j] = a * dd[j] - b * yy[j] * pp[j]
                pp[j] += dd[j]


@jit
def zonal_series(y, c, even, odd):
    """``even[r] = sum over even l of c_l P_l(y_r)``, `odd` likewise: adjoint of `zonal_sums`."""
    yy = np.empty(32)
    pp = np.empty(32)
    dd = np.empty(32)
    acc = np.empty((2, 32))
    for start in range(0, y.size, 32):
        count = min(32, y.size - start)
        for j in range(32):
            yy[j] = y[start + min(j, count - 1)]
            dd[j] = 0.0
            pp[j] = 1.0
            acc[0, j] = 0.0
            acc[1, j] = 0.0
        for ell in range(c.size):
            parity = ell & 1
            a = ell / (ell + 1.0)
            b = (2 * ell + 1.0) / (ell + 1.0)
            for j in range(32):
                acc[parity, j] += c[ell] * pp[j]
                dd[j] = a * dd[j] - b * yy[j] * pp[j]
                pp[j] += dd[j]
        for j in range(count):
            even[start + j] = acc[0, j]
            odd[start + j] = acc[1, j]
