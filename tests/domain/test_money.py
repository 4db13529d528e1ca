from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regatta.domain.money import (
    E8,
    ceil_steps,
    fee_e8,
    floor_steps,
    from_decimal,
    half_even,
    nearest_steps,
    notional_e8,
    price_of,
    to_decimal,
)

TICKS = [Decimal(t) for t in ("0.1", "0.01", "0.05", "0.25", "0.5", "1", "5", "0.00001", "0.0000001", "0.000000001")]


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**12))
def test_half_even_rounds_as_decimal_does(n: int, d: int) -> None:
    assert half_even(n, d) == round(Fraction(n, d))


@given(st.integers(-(10**17), 10**17), st.integers(-(10**7), 10**7))
def test_a_fee_is_the_exact_product_rounded_half_even(amount: int, rate: int) -> None:
    exact = Fraction(amount * rate, E8)
    assert fee_e8(amount, rate) == round(exact)


@given(st.sampled_from(TICKS), st.integers(1, 2**40))
@example(Decimal("0.01"), 29)
@example(Decimal("0.01"), 11_196_001)
def test_on_grid_prices_never_lose_a_step(tick: Decimal, ticks: int) -> None:
    num, den = tick.as_integer_ratio()
    price = float(tick * ticks)
    assert price_of(ticks, num, den) == price, "the same bits as parsing the venue's text"
    assert floor_steps(price, num, den) == ticks
    assert ceil_steps(price, num, den) == ticks
    assert nearest_steps(price, num, den) == ticks


@given(st.sampled_from(TICKS), st.integers(1, 10**9), st.floats(0.01, 0.99))
def test_off_grid_values_are_floored_and_ceiled(tick: Decimal, steps: int, between: float) -> None:
    num, den = tick.as_integer_ratio()
    x = float(tick) * (steps + between)
    assert floor_steps(x, num, den) == steps
    assert ceil_steps(x, num, den) == steps + 1


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.sampled_from(TICKS), st.sampled_from(TICKS))
def test_a_notional_equals_the_decimal_product_on_the_grid(ticks: int, lots: int, tick: Decimal, lot: Decimal) -> None:
    num, den = (tick * lot * E8).as_integer_ratio()
    exact = (tick * ticks * (lot * lots)).quantize(Decimal("1e-8"), ROUND_HALF_EVEN)
    assert to_decimal(notional_e8(ticks, lots, num, den)) == exact


@given(st.decimals(-(10**9), 10**9, places=8))
def test_decimals_survive_the_way_into_the_books_and_back(amount: Decimal) -> None:
    assert to_decimal(from_decimal(amount)) == amount


@pytest.mark.parametrize(("n", "d", "expected"), [(5, 10, 0), (15, 10, 2), (-5, 10, 0), (-15, 10, -2), (25, 10, 2)])
def test_ties_go_to_the_even_neighbour(n: int, d: int, expected: int) -> None:
    assert half_even(n, d) == expected
