from decimal import Decimal

import pytest

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument, path_symbol, unified_symbol


def bitcoin(**changes: object) -> Instrument:
    fields: dict[str, object] = {
        "venue": "binanceusdm",
        "symbol": "BTC/USDT:USDT",
        "base": "BTC",
        "quote": "USDT",
        "kind": "swap",
        "tick_size": Decimal("0.1"),
        "lot_step": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional": Decimal(100),
        "max_leverage": 125,
        "maker_fee": Decimal("0.0002"),
        "taker_fee": Decimal("0.0005"),
    }
    return Instrument(**{**fields, **changes})  # type: ignore[arg-type]


def test_prices_and_quantities_are_exact_decimals_of_whole_steps() -> None:
    btc = bitcoin()
    assert btc.price_decimal(1_091_234) == Decimal("109123.4")
    assert btc.quantity(7) == Decimal("0.007")
    assert btc.price(1_091_234) == 109123.4
    assert btc.ticks(109123.4) == 1_091_234


def test_the_value_of_a_contract_counts_its_size() -> None:
    contract = bitcoin(lot_step=Decimal(1), min_quantity=Decimal(1), contract_size=Decimal("0.001"))
    assert contract.notional_e8(1_000_000, 3) == 300 * 10**8
    assert contract.quantity(3) == Decimal("0.003")


def test_fees_and_minimums_are_whole_numbers() -> None:
    btc = bitcoin(min_quantity=Decimal("0.0025"))
    assert (btc.maker_fee_e8, btc.taker_fee_e8) == (20_000, 50_000)
    assert btc.min_lots == 3, "the venue's minimum is met, not missed"


@pytest.mark.parametrize("field", ["tick_size", "lot_step", "contract_size"])
def test_a_grid_of_zero_is_refused_by_name(field: str) -> None:
    with pytest.raises(BadInput, match=rf"BTC/USDT:USDT: {field} must be above 0"):
        bitcoin(**{field: Decimal(0)})


@pytest.mark.parametrize(
    ("name", "unified"),
    [("BTC-USDT", "BTC/USDT"), ("BTC-USDT-USDT", "BTC/USDT:USDT"), ("BTC/USDT:USDT", "BTC/USDT:USDT")],
)
def test_path_symbols_and_unified_symbols_name_the_same(name: str, unified: str) -> None:
    assert unified_symbol(name) == unified
    assert unified_symbol(path_symbol(unified)) == unified


def test_a_symbol_of_no_known_form_is_refused() -> None:
    with pytest.raises(BadInput, match="'BTCUSDT' is not in the form"):
        unified_symbol("BTCUSDT")
