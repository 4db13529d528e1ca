from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regatta.risk.sizing import (
    BELOW_MINIMUM,
    BY_AMOUNT,
    BY_PERCENT,
    BY_QUANTITY,
    BY_RISK,
    NO_BALANCE,
    TOO_LARGE,
    entry_lots,
    risk_quantity,
)


def lots(**changes: float) -> int:
    numbers: dict[str, float] = {
        "mode": BY_RISK,
        "amount": 0.01,
        "equity": 10_000.0,
        "free": 10_000.0,
        "entry": 100.0,
        "stop": 98.0,
        "allocation": 1.0,
        "leverage": 1.0,
        "tradable": 0.99,
        "max_notional": inf,
        "fee": 0.0005,
        "slippage": 0.0002,
        "lot_num": 1,
        "lot_den": 100,
        "min_lots": 1,
        "min_notional": 5.0,
    }
    return entry_lots(**{**numbers, **changes})  # type: ignore[arg-type]


@given(st.floats(10, 1e6), st.floats(0.001, 0.05), st.floats(0.01, 1e5), st.floats(0.5, 0.999))
def test_a_full_stop_loses_the_chosen_share_costs_included(
    equity: float, share: float, entry: float, distance: float
) -> None:
    stop = entry * distance
    quantity = risk_quantity(equity, share, entry, stop, 0.0005, 0.0002)
    lost = quantity * ((entry - stop) + 0.0005 * entry + (0.0005 + 0.0002) * stop)
    assert lost == pytest.approx(equity * share)


def test_each_sizing_mode_gives_its_own_quantity() -> None:
    assert lots() == 4720  # 100 / (2 + 0.05 + 0.0686) = 47.2009, floored to the lot of 0.01
    assert lots(mode=BY_PERCENT, amount=0.02) == 200
    assert lots(mode=BY_AMOUNT, amount=250.0) == 250
    assert lots(mode=BY_QUANTITY, amount=1.239) == 123


def test_the_free_balance_and_its_reserve_bound_the_size() -> None:
    assert lots(free=1_000.0) == 990
    assert lots(free=1_000.0, leverage=3.0) == 2970
    assert lots(max_notional=500.0) == 500


def test_refusals_name_their_reason() -> None:
    assert lots(equity=0.0) == NO_BALANCE
    assert lots(free=-1.0) == NO_BALANCE
    assert lots(mode=BY_AMOUNT, amount=4.0) == BELOW_MINIMUM
    assert lots(mode=BY_QUANTITY, amount=0.05, min_lots=10) == BELOW_MINIMUM
    assert lots(mode=BY_QUANTITY, amount=1e12, free=1e15, equity=1e15) == TOO_LARGE


@given(st.floats(1, 1e7), st.floats(1, 1e7), st.floats(0.001, 1e5), st.floats(0.0001, 0.5), st.integers(1, 20))
def test_an_entry_never_costs_more_than_the_account_carries(
    equity: float, free: float, entry: float, amount: float, leverage: int
) -> None:
    n = lots(equity=equity, free=free, entry=entry, stop=entry * 0.98, amount=amount, leverage=float(leverage))
    assert n in (BELOW_MINIMUM, NO_BALANCE, TOO_LARGE) or n / 100 * entry <= leverage * free * 0.99 * (1 + 1e-12)
