"""Exact money as whole numbers: the arithmetic that kernel, bot and simulated venue share.

1. An amount of quote currency is an int of 10**-8 (`_e8`). Each notional and each fee is
   rounded half-even to that grid exactly once, where it arises; sums are then exact and do
   not depend on their order.
2. Prices are whole ticks, quantities whole lots. Tick and value of one tick x one lot are
   ratios of two ints (`num`, `den`), so that `ticks * num / den` is the double nearest to the
   decimal price: the same bits that parsing the venue's text gives.
3. Every function here takes and returns plain ints and floats and is valid both as plain
   Python and compiled: the research kernel compiles these very functions.

int64 carries 92 billion quote units; `sizing` refuses what would not fit.
"""

from decimal import Decimal
from math import ceil, floor

E8 = 100_000_000


def half_even(n: int, d: int) -> int:
    """Return n / d rounded to the nearest int, ties to even. d > 0; n of any sign."""
    q = n // d
    r = n - q * d
    twice = r + r
    if twice > d or (twice == d and q % 2 == 1):
        q += 1
    return q


def notional_e8(ticks: int, lots: int, unit_num: int, unit_den: int) -> int:
    """Return the value of `lots` at `ticks`, in 10**-8 quote.

    unit_num / unit_den: value of one lot at a price of one tick, in 10**-8 quote.
    """
    return half_even(ticks * lots * unit_num, unit_den)


def fee_e8(amount_e8: int, rate_e8: int) -> int:
    """Return `amount * rate` in 10**-8 quote; rate_e8: 10**-8 (0.0005 is 50,000).

    The amount is split at 10**8 so that no product leaves int64. Also serves funding:
    rate and amount may be negative.
    """
    whole = amount_e8 // E8
    rest = amount_e8 - whole * E8
    return whole * rate_e8 + half_even(rest * rate_e8, E8)


def to_float(amount_e8: int) -> float:
    """Return the amount in quote units, for decisions (never for books)."""
    return float(amount_e8) / 1e8


def price_of(ticks: int, num: int, den: int) -> float:
    """Return the price of `ticks`: the double nearest to the decimal value."""
    return float(ticks * num) / float(den)


def _steps(x: float, num: int, den: int) -> float:
    return x * float(den) / float(num)


def floor_steps(x: float, num: int, den: int) -> int:
    """Return how many whole steps of num / den fit into x.

    A naive floor loses a step on up to half of all on-grid values, because x and the step
    are binary fractions. The tolerance is 1e-9 steps plus two units in the last place of
    the quotient: beyond four million steps the second term is the larger one.
    """
    q = _steps(x, num, den)
    return int(floor(q + (1e-9 + abs(q) * 4.5e-16)))  # noqa: RUF046 - compiled, floor gives a float


def ceil_steps(x: float, num: int, den: int) -> int:
    """Return the fewest whole steps of num / den that are at least x (same tolerance)."""
    q = _steps(x, num, den)
    return int(ceil(q - (1e-9 + abs(q) * 4.5e-16)))  # noqa: RUF046 - compiled, floor gives a float


def nearest_steps(x: float, num: int, den: int) -> int:
    """Return the number of steps nearest to x: for values that lie on the grid already."""
    return int(floor(_steps(x, num, den) + 0.5))  # noqa: RUF046


def to_decimal(amount_e8: int) -> Decimal:
    """Return the amount as an exact Decimal with eight places."""
    return Decimal(amount_e8).scaleb(-8)


def from_decimal(amount: Decimal) -> int:
    """Return a Decimal amount in 10**-8 quote, rounded half-even."""
    num, den = amount.as_integer_ratio()
    return half_even(num * E8, den)
