"""Lengths of fast Fourier transforms."""

import math


def next_fast_length(n: int, largest_prime: int = 5) -> int:
    """Return the smallest length >= n without prime factors above ``largest_prime`` (at most 11).

    This is `scipy.fft.next_fast_len`, of real transforms with 5 and of complex ones with 11. It is defined
    here because the import of SciPy takes longer than a transform of a small map.

    >>> next_fast_length(191), next_fast_length(77), next_fast_length(77, 11)
    (192, 80, 77)
    """
    odd_products = [1]
    for prime in (3, 5, 7, 11):
        if prime <= largest_prime:
            powers = [prime**k for k in range(math.ceil(math.log(n, prime)) + 1)]
            odd_products = [q * p for q in odd_products for p in powers if q * p < 2 * n]
    return min(q << (-(-n // q) - 1).bit_length() for q in odd_products)
