"""At which price an order is executed: scalar rules, the same for kernel and simulated venue.

The order of `strategies.md`: a market order meets the next open; a stop fills at the stop, or
at the open when the candle opened beyond it, less slippage; a resting limit order (a target)
fills at its price, or at the open when that is better, without slippage. No path of prices
inside a candle is invented.
"""

from regatta.domain.money import ceil_steps, floor_steps, nearest_steps


def market_fill_ticks(sign: int, price: float, slippage: float, num: int, den: int) -> int:
    """Return the fill of a market order (sign +1 buys, -1 sells) that meets `price`.

    Slippage is a fraction against the order, rounded to the tick against the order too.
    At least one tick.
    """
    if sign > 0:
        return ceil_steps(price * (1.0 + slippage), num, den)
    ticks = floor_steps(price * (1.0 - slippage), num, den)
    if ticks < 1:
        ticks = 1
    return ticks


def stop_touched(sign: int, stop: float, low: float, high: float) -> bool:
    """Tell whether the stop of a position (sign +1 long, -1 short) lies inside the candle."""
    if sign > 0:
        return low <= stop
    return high >= stop


def target_touched(sign: int, target: float, low: float, high: float) -> bool:
    """Tell whether the target of a position (sign +1 long, -1 short) lies inside the candle."""
    if sign > 0:
        return high >= target
    return low <= target


def stop_fill_ticks(sign: int, stop: float, open_: float, slippage: float, num: int, den: int) -> int:
    """Return the fill of a touched stop of a position (sign +1 long, -1 short).

    For a long position at min(stop, open) less slippage: a gap beyond the stop fills at the open.
    """
    price = stop
    if (sign > 0 and open_ < stop) or (sign < 0 and open_ > stop):
        price = open_
    return market_fill_ticks(-sign, price, slippage, num, den)


def target_fill_ticks(sign: int, target_ticks: int, open_: float, num: int, den: int) -> int:
    """Return the fill of a touched target of a position: the target, or a better open."""
    open_ticks = nearest_steps(open_, num, den)
    if sign > 0:
        return max(target_ticks, open_ticks)
    return min(target_ticks, open_ticks)
