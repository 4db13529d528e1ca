"""Instruments: what can be traded where, and on which grid of prices and quantities."""

from decimal import Decimal
from functools import cached_property
from typing import Literal

import msgspec

from regatta.domain.errors import BadInput
from regatta.domain.money import E8, nearest_steps, notional_e8, price_of


class Instrument(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One tradable symbol of one venue, in ccxt's unified form ("BTC/USDT", "BTC/USDT:USDT").

    tick_size: quote per base; lot_step, min_quantity: in base for spot, in contracts for
    swaps; contract_size: base per contract (1 for spot); min_notional: quote;
    maker_fee, taker_fee: fractions (0.001 is 0.1 %).
    """

    venue: str
    symbol: str
    base: str
    quote: str
    kind: Literal["spot", "swap"]
    tick_size: Decimal
    lot_step: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    contract_size: Decimal = Decimal(1)
    max_leverage: int = 1
    maker_fee: Decimal
    taker_fee: Decimal

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_step", "contract_size"):
            if not getattr(self, name) > 0:
                raise BadInput(f"{self.venue} {self.symbol}: {name} must be above 0, not {getattr(self, name)}")

    @cached_property
    def tick(self) -> tuple[int, int]:
        """Tick size as a ratio of two ints (num, den)."""
        return self.tick_size.as_integer_ratio()

    @cached_property
    def lot(self) -> tuple[int, int]:
        """Base units of one lot (lot_step x contract_size) as a ratio of two ints."""
        return (self.lot_step * self.contract_size).as_integer_ratio()

    @cached_property
    def unit(self) -> tuple[int, int]:
        """Value of one lot at a price of one tick in 10**-8 quote, as a ratio of two ints."""
        return (self.tick_size * self.lot_step * self.contract_size * E8).as_integer_ratio()

    @cached_property
    def min_lots(self) -> int:
        """Fewest lots that the venue accepts."""
        num, den = (self.min_quantity / self.lot_step).as_integer_ratio()
        return max(1, -(-num // den))

    @cached_property
    def min_notional_e8(self) -> int:
        """Smallest order value in 10**-8 quote."""
        return int(self.min_notional * E8)

    @cached_property
    def maker_fee_e8(self) -> int:
        """Maker fee in 10**-8."""
        return int(self.maker_fee * E8)

    @cached_property
    def taker_fee_e8(self) -> int:
        """Taker fee in 10**-8."""
        return int(self.taker_fee * E8)

    def price(self, ticks: int) -> float:
        """Return the price of `ticks` as the nearest double."""
        return price_of(ticks, *self.tick)

    def ticks(self, price: float) -> int:
        """Return the tick nearest to a price that lies on the grid."""
        return nearest_steps(price, *self.tick)

    def price_decimal(self, ticks: int) -> Decimal:
        """Return the exact price of `ticks`."""
        return self.tick_size * ticks

    def quantity(self, lots: int) -> Decimal:
        """Return the exact quantity of `lots` in base units."""
        return self.lot_step * self.contract_size * lots

    def notional_e8(self, ticks: int, lots: int) -> int:
        """Return the value of `lots` at `ticks` in 10**-8 quote."""
        return notional_e8(ticks, lots, *self.unit)


def path_symbol(symbol: str) -> str:
    """Return the symbol as it stands in URLs and file names: BTC-USDT, BTC-USDT-USDT."""
    return symbol.replace("/", "-").replace(":", "-")


def unified_symbol(name: str) -> str:
    """Return ccxt's form of BTC-USDT (spot), BTC-USDT-USDT (swap) or an already unified symbol.

    Raises BadInput when the name has neither form ("BTCUSDT" needs a table of instruments).
    """
    if "/" in name:
        return name
    match name.split("-"):
        case [base, quote] if base and quote:
            return f"{base}/{quote}"
        case [base, quote, settle] if base and quote and settle:
            return f"{base}/{quote}:{settle}"
    raise BadInput(f"symbol {name!r} is not in the form BTC/USDT, BTC/USDT:USDT, BTC-USDT or BTC-USDT-USDT")
