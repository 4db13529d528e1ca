"""Grids of the instruments that a bot trades, as its registration carries them.

Records hold whole ticks and lots. `BotRegistered.settings` may carry an object "instruments",
{symbol: {tick_size, lot_step, contract_size, quote}}, with which the tables also show prices
and quantities as exact decimal text.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import lru_cache

import msgspec

from regatta.domain.errors import BadInput
from regatta.domain.money import E8, half_even

_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


class Grid(msgspec.Struct, frozen=True):
    """Size of one tick (quote per base) and of one lot (base); the quote currency."""

    tick: Decimal
    lot: Decimal
    quote: str

    def price(self, ticks: int) -> str:
        """Return the exact price of `ticks` as text."""
        return plain(_EXACT.multiply(self.tick, ticks))

    def quantity(self, lots: int) -> str:
        """Return the exact quantity of `lots` in base units as text."""
        return plain(_EXACT.multiply(self.lot, lots))

    def average(self, lot_ticks: int, lots: int) -> str:
        """Return the mean price of `lots`, to eight places beyond the tick's, half-even.

        lot_ticks: sum of lots x ticks over the executions.
        """
        exact = _EXACT.divide(_EXACT.multiply(self.tick, lot_ticks), Decimal(lots))
        _, _, exponent = self.tick.as_tuple()
        assert isinstance(exponent, int)
        rounded = exact.quantize(Decimal(1).scaleb(min(exponent, 0) - 8), context=_EXACT)
        text = plain(rounded).rstrip("0")
        whole, _, places = text.partition(".")
        places = places.ljust(max(-exponent, 0), "0")
        return f"{whole}.{places}" if places else whole

    def value_e8(self, ticks: int, lots: int) -> int:
        """Return the value of `lots` at `ticks` in 10**-8 quote."""
        num, den = (self.tick * self.lot * E8).as_integer_ratio()
        return half_even(ticks * lots * num, den)


def plain(number: Decimal) -> str:
    """Return a Decimal without an exponent: "0.00000010", "12300"."""
    return format(number, "f")


class _Instrument(msgspec.Struct):
    tick_size: Decimal
    lot_step: Decimal
    contract_size: Decimal = Decimal(1)
    quote: str = ""


class _Settings(msgspec.Struct):
    instruments: dict[str, _Instrument] = {}


@lru_cache(maxsize=64)
def grids(settings: str) -> Mapping[str, Grid]:
    """Return the grids by symbol that a bot's settings (JSON text) carry; empty when none.

    Raises BadInput when the text is no JSON object or an instrument lacks its sizes.
    """
    try:
        found = msgspec.json.decode(settings, type=_Settings)
    except (msgspec.DecodeError, InvalidOperation) as fault:
        raise BadInput(f"settings: {fault}") from fault
    table: dict[str, Grid] = {}
    for symbol, item in found.instruments.items():
        for name in ("tick_size", "lot_step", "contract_size"):
            size: Decimal = getattr(item, name)
            if not (size.is_finite() and size > 0):
                raise BadInput(f"settings: instruments.{symbol}.{name} must be above 0, not {size}")
        table[symbol] = Grid(item.tick_size, item.lot_step * item.contract_size, item.quote)
    return table
