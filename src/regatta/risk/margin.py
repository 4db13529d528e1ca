"""What a bot is worth and what of it is free: integer rules in 10**-8 quote."""

from regatta.domain.money import half_even


def unrealised_e8(sign: int, value_e8: int, cost_e8: int) -> int:
    """Return the unrealised PnL of a position (sign +1 long) worth `value_e8` now."""
    return sign * (value_e8 - cost_e8)


def margin_e8(cost_e8: int, leverage: int) -> int:
    """Return what a position or an entry of that cost binds at this leverage."""
    return half_even(cost_e8, leverage)
