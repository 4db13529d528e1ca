"""The limit: W1 written by hand as one loop, without an intermediate array.

The rules of `ema_rsi` with its defaults and of the simulated venue, in floats, for one symbol,
a fixed size of 1 and no slippage. What a general engine loses against this loop is the price of
being general. RSI is computed only where a cross asks for it.
"""

from typing import Any

import numba

Array = Any

FEE = 0.001
STOP, TARGET = 0.02, 0.05
STARTUP = 1000


@numba.njit(nogil=True, error_model="numpy")
def fused(open_: Array, high: Array, low: Array, close: Array, cash: float) -> tuple[int, float]:
    """Return the number of trades and the final equity. Columns: float64 (n,)."""
    n = len(close)
    fast = close[:9].sum() / 9
    slow = close[:21].sum() / 21
    filter_ = close[:50].sum() / 50
    up = down = 0.0
    for i in range(1, 15):
        up += max(close[i] - close[i - 1], 0.0) / 14
        down += max(close[i - 1] - close[i], 0.0) / 14
    for i in range(9, 50):
        fast += (close[i] - fast) * (2 / 10)
    for i in range(21, 50):
        slow += (close[i] - slow) * (2 / 22)
    for i in range(15, 50):
        up = (up * 13 + max(close[i] - close[i - 1], 0.0)) * (1 / 14)
        down = (down * 13 + max(close[i - 1] - close[i], 0.0)) * (1 / 14)

    trades = 0
    stop, target = -1.0, 1e300
    held = False
    entering = leaving = False
    entry = 0.0
    last = close[49]
    was_above = fast > slow
    was_below = fast < slow
    for i in range(50, n):
        if entering or leaving:
            if entering:
                entry = open_[i]
                cash -= entry * FEE
                held = True
                # To the tick of 0.01: the stop towards the entry, the target away from it.
                stop = -(-(entry * (1 - STOP) * 100 - 1e-6) // 1) / 100
                target = -(-(entry * (1 + TARGET) * 100 - 1e-6) // 1) / 100
            else:
                cash += open_[i] - entry - open_[i] * FEE
                held = False
                stop, target = -1.0, 1e300
                trades += 1
            entering = leaving = False
        if low[i] <= stop or high[i] >= target:
            price = min(stop, open_[i]) if low[i] <= stop else max(target, open_[i])
            cash += price - entry - price * FEE
            held = False
            stop, target = -1.0, 1e300
            trades += 1
        x = close[i]
        fast += (x - fast) * (2 / 10)
        slow += (x - slow) * (2 / 22)
        filter_ += (x - filter_) * (2 / 51)
        change = x - last
        last = x
        up = (up * 13 + max(change, 0.0)) * (1 / 14)
        down = (down * 13 + max(-change, 0.0)) * (1 / 14)
        above, below = fast > slow, fast < slow
        if above and not was_above:
            if i >= STARTUP and not held and 100 * up < 75 * (up + down) and x > filter_:
                entering = True
        elif below and not was_below and held and 100 * up > 25 * (up + down):
            leaving = True
        was_above, was_below = above, below
    if held:
        cash += close[n - 1] - entry - close[n - 1] * FEE
        trades += 1
    return trades, cash
