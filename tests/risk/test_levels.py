from hypothesis import given
from hypothesis import strategies as st

from regatta.domain.money import price_of
from regatta.risk.levels import stop_ticks, target_ticks

SIGNS = st.sampled_from([1, -1])


def test_a_stop_of_two_percent_lies_two_percent_away() -> None:
    assert stop_ticks(1, 1000, 100.0, 0.02, 1, 10) == 980
    assert stop_ticks(-1, 1000, 100.0, 0.02, 1, 10) == 1020
    assert target_ticks(1, 1000, 100.0, 0.05, 1, 10) == 1050
    assert target_ticks(-1, 1000, 100.0, 0.05, 1, 10) == 950


@given(SIGNS, st.integers(1, 10**7), st.floats(0.0001, 0.9))
def test_levels_are_never_worse_than_asked_nor_on_the_entry(sign: int, entry: int, share: float) -> None:
    price = price_of(entry, 1, 100)
    stop = stop_ticks(sign, entry, price, share, 1, 100)
    target = target_ticks(sign, entry, price, share, 1, 100)
    assert stop >= 1
    assert target >= 1
    if entry > 1:
        assert sign * (entry - stop) >= 1 or stop == 1
        assert sign * (target - entry) >= 1 or target == 1
    asked = price * (1 - sign * share)
    one = 0.01
    assert sign * (price_of(stop, 1, 100) - asked) >= -one
    assert sign * (price_of(target, 1, 100) - price * (1 + sign * share)) >= -1e-9 * price or target == 1
