from decimal import Decimal

import pytest

from regatta.domain.errors import BadInput
from regatta.market import instruments as tables
from regatta.market.instruments import VENUES, instruments, resolve, source


@pytest.mark.parametrize("venue", VENUES)
def test_each_venue_has_about_sixty_sound_instruments(venue: str) -> None:
    table = instruments(venue)
    assert 55 <= len(table) <= 70
    assert list(table) == sorted(table)
    assert len(source(venue)) > 40
    for symbol, instrument in table.items():
        assert instrument.symbol == symbol
        assert instrument.venue == venue
        assert instrument.quote == "USDT"
        assert symbol.endswith(":USDT") == (instrument.kind == "swap")
        assert instrument.min_quantity >= instrument.lot_step > 0
        assert instrument.min_quantity % instrument.lot_step == 0
        assert Decimal(0) <= instrument.maker_fee <= instrument.taker_fee < Decimal("0.01")
        assert 1 <= instrument.max_leverage <= 500
        # What the kernel computes with fits its 64 bits: a million USDT at this price.
        num, den = instrument.unit
        assert num < 2**40
        assert den < 2**40


def test_the_largest_coins_are_there_everywhere() -> None:
    for venue in VENUES:
        bases = {instrument.base for instrument in instruments(venue).values()}
        assert {"BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "LINK", "AVAX", "LTC", "DOT", "SUI"} <= bases


def test_recorded_filters_are_in_the_table() -> None:
    btc = instruments("binanceusdm")["BTC/USDT:USDT"]
    assert (btc.tick_size, btc.lot_step, btc.min_notional) == (Decimal("0.1"), Decimal("0.0001"), Decimal(100))
    contract = instruments("kucoinfutures")["BTC/USDT:USDT"]
    assert (contract.contract_size, contract.lot_step) == (Decimal("0.001"), Decimal(1))


@pytest.mark.parametrize(
    "name", ["BTC/USDT:USDT", "BTC/USDT", "BTCUSDT", "BTC-USDT", "BTC-USDT-USDT", "btcusdt", "Btc/Usdt"]
)
def test_users_may_write_a_symbol_as_they_like(name: str) -> None:
    assert resolve("binanceusdm", name).symbol == "BTC/USDT:USDT"
    if name.count("U") + name.count("u") == 1:
        assert resolve("binance", name).symbol == "BTC/USDT"


def test_the_venues_own_names_are_known() -> None:
    assert resolve("kucoinfutures", "XBTUSDTM").symbol == "BTC/USDT:USDT"
    assert resolve("mexc", "BTC_USDT").symbol == "BTC/USDT:USDT"
    assert resolve("mexc", "TRUMPOFFICIAL_USDT").base == "TRUMP"


def test_an_unknown_symbol_is_answered_with_near_matches() -> None:
    with pytest.raises(BadInput, match=r"binanceusdm has no instrument 'BCTUSDT'; did you mean .*BTC/USDT:USDT"):
        resolve("binanceusdm", "BCTUSDT")
    with pytest.raises(BadInput, match=r"has no instrument 'x'; known are .* and others"):
        resolve("binanceusdm", "x")


def test_a_name_that_fits_two_instruments_is_answered_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"venue": "binance", "source": "", "kind": "spot", "maker_fee": "0", "taker_fee": "0"}
    columns = ["symbol", "id", "tick_size", "lot_step", "min_quantity", "min_notional"]
    rows = [["BTCU/SDT", "A", "1", "1", "1", "1"], ["BTC/USDT", "B", "1", "1", "1", "1"]]
    monkeypatch.setattr(tables, "_table", lambda venue: {**both, "columns": columns, "rows": rows})
    for cached in (tables.instruments, tables._names):
        monkeypatch.setattr(tables, cached.__name__, cached.__wrapped__)
    with pytest.raises(BadInput, match="'BTCUSDT' is ambiguous at binance: it may be BTC/USDT or BTCU/SDT"):
        resolve("binance", "BTCUSDT")
    assert resolve("binance", "BTC/USDT").symbol == "BTC/USDT"


def test_an_unknown_venue_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"there is no venue 'binanceusd' \(did you mean binanceusdm\?\); allowed:"):
        instruments("binanceusd")
