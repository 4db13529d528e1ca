"""Averages: exponential, Wilder's, simple."""

from math import nan

from regatta.indicators.operator import Operator, Parameter, residual_candles


def exponential_step(x: float, n: int, alpha: float, k: int, e: float) -> tuple[int, float, float]:
    """Move e by the share alpha towards x. Seeded with the mean of the first n inputs, as TA-Lib.

    k: inputs seen, up to n; it starts below 0 where the first inputs are to be left out.
    e: the sum of the seed while k < n, then the average.
    """
    if k >= n:
        e += alpha * (x - e)
        return k, e, e
    k += 1
    if k > 0:
        e += x
    if k < n:
        return k, e, nan
    e /= n
    return k, e, e


def simple_step(x: float, n: int, S: list[float], b: int, k: int, s: float) -> tuple[int, float, float]:
    """Return the mean of the last n inputs.

    k: below n the number of inputs seen, then n + the place in the ring; s: sum of the ring.
    The sum is taken anew each time the ring wraps, so that rounding errors can't pile up.
    """
    if k < n:
        S[b + k] = x
        s += x
        k += 1
        return k, s, (s / n if k == n else nan)
    j = b + k - n
    s += x - S[j]
    S[j] = x
    k += 1
    if k == 2 * n:
        k = n
        s = 0.0
        for j in range(b, b + n):
            s += S[j]
    return k, s, s / n


EMA = Operator(
    name="ema",
    step=exponential_step,
    inputs=("x",),
    outputs=("ema",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n, 2.0 / (n + 1)),
    state=lambda n: (0, 0.0),
    warmup=lambda n: (n,),
    memory=lambda n: n - 1 + residual_candles(1.0 - 2.0 / (n + 1)),
)

# An EMA whose seed leaves the first `skip` inputs out: MACD's fast average starts late.
LATE_EMA = Operator(
    name="late_ema",
    step=exponential_step,
    inputs=("x",),
    outputs=("late_ema",),
    parameters=(Parameter("n", 1), Parameter("skip", 0)),
    constants=lambda n, skip: (n, 2.0 / (n + 1)),
    state=lambda n, skip: (-skip, 0.0),
    warmup=lambda n, skip: (n + skip,),
    memory=lambda n, skip: n - 1 + skip + residual_candles(1.0 - 2.0 / (n + 1)),
)

WILDER = Operator(
    name="wilder",
    step=exponential_step,
    inputs=("x",),
    outputs=("wilder",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n, 1.0 / n),
    state=lambda n: (0, 0.0),
    warmup=lambda n: (n,),
    memory=lambda n: n - 1 + residual_candles(1.0 - 1.0 / n),
)

SMA = Operator(
    name="sma",
    step=simple_step,
    inputs=("x",),
    outputs=("sma",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n,),
    state=lambda n: (0, 0.0),
    ring=lambda n: n,
    warmup=lambda n: (n,),
    memory=lambda n: n - 1,
)
