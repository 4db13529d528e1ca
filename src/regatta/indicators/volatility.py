"""Volatility: true range, mean and standard deviation of a window."""

# ruff: noqa: FURB136 - steps compare instead of calling min and max (operator, rule 3)
from math import nan, sqrt

from regatta.indicators.operator import Operator, Parameter


def true_range_step(high: float, low: float, close: float, k: int, was: float) -> tuple[int, float, float]:
    """Return the greatest of high - low, |high - last close| and |low - last close|.

    k: 1 once there is a last close, which is `was`. Known from the second candle on, as TA-Lib.
    """
    if k == 0:
        return 1, close, nan
    # The range from the lower of (low, last close) to the higher of (high, last close) is the same number.
    top = high if high > was else was
    bottom = low if low < was else was
    return k, close, top - bottom


def deviation_step(
    x: float, n: int, share: float, S: list[float], b: int, k: int, mean: float, m2: float, peak: float
) -> tuple[int, float, float, float, float, float]:
    """Return mean and population standard deviation of the last n inputs.

    k: below n the number of inputs seen, then n + the place in the ring. mean, m2: mean and sum
    of squared distances from it, moved by Welford's rule. They are taken anew, in two passes over
    the ring, each time it wraps, and when m2 has fallen far below `peak`, the most it was since
    then: what is left after a large move has gone would be mostly its rounding error. So there is
    no drift and few digits are lost, in O(1) on average.
    """
    if k < n:
        S[b + k] = x
        k += 1
        away = x - mean
        mean += away / k
        m2 += away * (x - mean)
        if k < n:
            return k, mean, m2, peak, nan, nan
        return k, mean, m2, m2, mean, (sqrt(m2 * share) if m2 > 0.0 else 0.0)
    j = b + k - n
    old = S[j]
    S[j] = x
    change = x - old
    was = mean
    mean += change * share
    m2 += change * ((x - mean) + (old - was))
    k += 1
    if k == 2 * n or m2 < 1e-4 * peak:
        mean = 0.0
        for j in range(b, b + n):
            mean += S[j]
        mean /= n
        m2 = 0.0
        for j in range(b, b + n):
            away = S[j] - mean
            m2 += away * away
        peak = m2
        if k == 2 * n:
            k = n
    elif m2 > peak:
        peak = m2
    return k, mean, m2, peak, mean, (sqrt(m2 * share) if m2 > 0.0 else 0.0)


TRUE_RANGE = Operator(
    name="true_range",
    step=true_range_step,
    inputs=("high", "low", "close"),
    outputs=("true_range",),
    parameters=(),
    constants=lambda: (),
    state=lambda: (0, 0.0),
    warmup=lambda: (2,),
    memory=lambda: 1,
)

DEVIATION = Operator(
    name="deviation",
    step=deviation_step,
    inputs=("x",),
    outputs=("mean", "deviation"),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n, 1.0 / n),
    state=lambda n: (0, 0.0, 0.0, 0.0),
    ring=lambda n: n,
    warmup=lambda n: (n, n),
    memory=lambda n: n - 1,
)
