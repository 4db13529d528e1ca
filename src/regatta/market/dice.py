"""Random numbers as a function of a key and a place: no state, the same bits on every machine.

Only whole-number arithmetic, + - x and square roots known beforehand: no logarithm or cosine,
whose last bit differs between math libraries.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from regatta.market.candles import Floats, Ints

Bits = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_MASK: Final = (1 << 64) - 1


def key(seed: int, name: str) -> int:
    """Return a 64-bit key for a stream of random numbers (FNV-1a over the name, mixed with the seed)."""
    h = (0xCBF29CE484222325 ^ (seed * 0x9E3779B97F4A7C15)) & _MASK
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & _MASK
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    return h ^ (h >> 31)


def bits(stream: int | Bits, places: Ints) -> Bits:
    """Return 64 random bits for each place (splitmix64 at `stream + place`); places may be negative."""
    z = places.astype(np.uint64) * _GOLDEN + np.asarray(stream, np.uint64)
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def uniform(random: Bits) -> Floats:
    """Return floats in [0, 1) from the upper 53 bits."""
    return (random >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))


def bell(random: Bits) -> Floats:
    """Return bell-shaped floats of mean 0 and deviation 1, within +-3.46: the sum of four 16-bit uniforms."""
    fields = np.ascontiguousarray(random).view(np.uint16)
    total = fields[..., 0::4].astype(np.uint32)
    for field in (1, 2, 3):
        total += fields[..., field::4]
    return (total.astype(np.float64) - 131070.0) * (1.7320508075688772 / 65536.0)


def smooth(stream: int, places: Ints, period: int) -> Floats:
    """Return a curve through independent bell-shaped values `period` places apart (value noise).

    places: consecutive. Deviation about 0.8; the value at a place depends on nothing else.
    """
    first = int(places[0]) // period
    last = int(places[-1]) // period + 1
    knots = bell(bits(stream, np.arange(first, last + 1, dtype=np.int64)))
    index = places // period - first
    along = (places - (index + first) * period) * (1.0 / period)
    bend = along * along * (3.0 - 2.0 * along)
    left = knots[index]
    curve: Floats = left + (knots[index + 1] - left) * bend
    return curve


_LN2_HIGH: Final = 0.6931471803691238
_LN2_LOW: Final = 1.9082149292705877e-10
_TAYLOR: Final = tuple(1.0 / f for f in (39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1))


def exp(x: Floats) -> Floats:
    """Return e ** x to about 1e-15, by multiplications and additions only."""
    k = np.rint(x * 1.4426950408889634)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    y = np.full_like(r, _TAYLOR[0])
    for c in _TAYLOR[1:]:
        y = y * r + c
    return np.ldexp(y, k.astype(np.int32))
