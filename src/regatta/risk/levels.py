"""Stops and targets: where a position ends, rounded so that it never gets worse than asked.

`sign` is +1 for a long position, -1 for a short one.
"""

from regatta.domain.money import ceil_steps, floor_steps


def stop_price(sign: int, entry: float, share: float) -> float:
    """Return the stop price at `share` (0.02 is 2 %) against the position."""
    return entry * (1.0 - sign * share)


def target_price(sign: int, entry: float, share: float) -> float:
    """Return the target price at `share` in favour of the position."""
    return entry * (1.0 + sign * share)


def stop_ticks(sign: int, entry_ticks: int, entry: float, share: float, num: int, den: int) -> int:
    """Return the stop on the grid, rounded towards the entry and at least one tick off it.

    entry_ticks, entry: the actual average entry as ticks and as price; num / den: tick size.
    Never below one tick.
    """
    price = stop_price(sign, entry, share)
    if sign > 0:
        ticks = ceil_steps(price, num, den)
        if ticks > entry_ticks - 1:
            ticks = entry_ticks - 1
        if ticks < 1:
            ticks = 1
    else:
        ticks = floor_steps(price, num, den)
        if ticks < entry_ticks + 1:
            ticks = entry_ticks + 1
    return ticks


def target_ticks(sign: int, entry_ticks: int, entry: float, share: float, num: int, den: int) -> int:
    """Return the target on the grid, rounded away from the entry and at least one tick off it.

    Never below one tick: a short position's target of 100 % and more rests at the lowest price.
    """
    price = target_price(sign, entry, share)
    if sign > 0:
        ticks = ceil_steps(price, num, den)
        if ticks < entry_ticks + 1:
            ticks = entry_ticks + 1
    else:
        ticks = floor_steps(price, num, den)
        if ticks > entry_ticks - 1:
            ticks = entry_ticks - 1
        if ticks < 1:
            ticks = 1
    return ticks
