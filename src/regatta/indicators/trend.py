"""Trend: the average directional index with its two directional indicators."""

# ruff: noqa: FURB136 - steps compare instead of calling min and max (operator, rule 3)
from math import ceil, nan

from regatta.indicators.operator import Operator, Parameter, residual_candles


def adx_step(
    high: float,
    low: float,
    close: float,
    n: int,
    alpha: float,
    k: int,
    high_was: float,
    low_was: float,
    close_was: float,
    ranges: float,
    plus: float,
    minus: float,
    adx: float,
) -> tuple[int, float, float, float, float, float, float, float, float, float, float]:
    """Return ADX, +DI and -DI, each in [0, 100].

    ranges, plus, minus: Wilder's running sums of true range and directional movement (the sum of
    the first n - 1 values, then each step keeps 1 - 1/n of it and adds the new value).
    adx: the sum of the first n directional indices, then Wilder's average of them.
    k: candles seen, up to 2 n. The indicators are 0 when the market did not move; a directional
    index that does not exist (both indicators 0) leaves the average as it is: both as TA-Lib.
    Source: Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    if k == 0:
        return 1, high, low, close, ranges, plus, minus, adx, nan, nan, nan
    top = high if high > close_was else close_was
    bottom = low if low < close_was else close_was
    rise = high - high_was
    fall = low_was - low
    if k >= n:
        ranges -= alpha * ranges
        plus -= alpha * plus
        minus -= alpha * minus
    ranges += top - bottom
    # & instead of `and`: which way the market moved can't be predicted, so a branch would cost more.
    plus += rise if (rise > 0.0) & (rise > fall) else 0.0
    minus += fall if (fall > 0.0) & (fall > rise) else 0.0
    if k < n:
        return k + 1, high, low, close, ranges, plus, minus, adx, nan, nan, nan

    plus_di = 100.0 * plus / ranges if ranges > 0.0 else 0.0
    minus_di = 100.0 * minus / ranges if ranges > 0.0 else 0.0
    total = plus_di + minus_di
    apart = plus_di - minus_di
    apart = apart if apart > 0.0 else -apart
    if k >= 2 * n:
        if total > 0.0:
            adx += alpha * (100.0 * apart / total - adx)
        return k, high, low, close, ranges, plus, minus, adx, adx, plus_di, minus_di
    if total > 0.0:
        adx += 100.0 * apart / total
    k += 1
    if k < 2 * n:
        return k, high, low, close, ranges, plus, minus, adx, nan, plus_di, minus_di
    adx /= n
    return k, high, low, close, ranges, plus, minus, adx, adx, plus_di, minus_di


ADX = Operator(
    name="adx",
    step=adx_step,
    inputs=("high", "low", "close"),
    outputs=("adx", "plus_di", "minus_di"),
    parameters=(Parameter("n", 2),),
    constants=lambda n: (n, 1.0 / n),
    state=lambda n: (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    warmup=lambda n: (2 * n, n + 1, n + 1),
    # Two smoothings, one on the other. The weight of what lies r candles back falls as
    # (1 + r/n) * keep**r, which 1.2 times the candles of a single smoothing cover (n 2 to 1000).
    memory=lambda n: 2 * n - 1 + ceil(1.2 * residual_candles(1.0 - 1.0 / n)),
)
