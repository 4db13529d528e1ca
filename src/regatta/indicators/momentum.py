"""Momentum: the relative strength index."""

# ruff: noqa: FURB136 - steps compare instead of calling min and max (operator, rule 3)
from math import nan

from regatta.indicators.operator import Operator, Parameter, residual_candles


def rsi_step(
    x: float, n: int, alpha: float, k: int, was: float, up: float, down: float
) -> tuple[int, float, float, float, float]:
    """Return 100 * up / (up + down): Wilder's averages of the rises and of the falls of x.

    In [0, 100]; 0 when nothing has moved, as TA-Lib. Seeded with the mean of the first n changes.
    k: inputs seen, up to n + 1; was: the last input; up, down: sums of the seed, then averages.
    Source: Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    change = x - was
    # One selection gives both: the fall is what the rise lacks of the change. No branch to mispredict.
    rise = change if change > 0.0 else 0.0
    fall = rise - change
    if k > n:
        up += alpha * (rise - up)
        down += alpha * (fall - down)
    else:
        k += 1
        if k == 1:
            return k, x, up, down, nan
        up += rise
        down += fall
        if k <= n:
            return k, x, up, down, nan
        up /= n
        down /= n
    moved = up + down
    return k, x, up, down, (100.0 * up / moved if moved > 0.0 else 0.0)


RSI = Operator(
    name="rsi",
    step=rsi_step,
    inputs=("x",),
    outputs=("rsi",),
    parameters=(Parameter("n", 2),),
    constants=lambda n: (n, 1.0 / n),
    state=lambda n: (0, 0.0, 0.0, 0.0),
    warmup=lambda n: (n + 1,),
    memory=lambda n: n + residual_candles(1.0 - 1.0 / n),
)
