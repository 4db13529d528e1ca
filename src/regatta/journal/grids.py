"""Grids of the instruments that a bot trades, as its registration carries them.

Records hold whole ticks and lots. `BotRegistered.settings` may carry an object "instruments",
{symbol: {tick_size, lot_step, contract_size, ...}}, with which the tables also show prices and
quantities as exact decimal text.
"""

from collections.abc import Mapping
from decimal import Context, Decimal

import msgspec

from regatta.domain.errors import BadInput

_EXACT = Context(prec=80)


class Grid(msgspec.Struct, frozen=True):
    """The part of an instrument that turns ticks and lots into decimals."""

    tick_size: Decimal
    lot_step: Decimal
    contract_size: Decimal = Decimal(1)

    def price(self, ticks: int | None) -> str:
        """Return the exact price as text, "" for None."""
        return "" if ticks is None else format(_EXACT.multiply(self.tick_size, ticks), "f")

    def quantity(self, lots: int) -> str:
        """Return the exact quantity in base units as text."""
        return format(_EXACT.multiply(_EXACT.multiply(self.lot_step, self.contract_size), lots), "f")


class _WithInstruments(msgspec.Struct):
    instruments: dict[str, Grid] = {}


def grids_in(settings: str) -> Mapping[str, Grid]:
    """Return the grids by symbol in a bot's settings (JSON text, or ""); empty when it names none.

    Raises BadInput when the text is no JSON object or a size is none.
    """
    try:
        found = msgspec.json.decode(settings or "{}", type=_WithInstruments).instruments
    except msgspec.DecodeError as fault:
        raise BadInput(f"settings: {fault}") from None
    for symbol, grid in found.items():
        for name in ("tick_size", "lot_step", "contract_size"):
            size: Decimal = getattr(grid, name)
            if not (size.is_finite() and size > 0):
                raise BadInput(f"settings: instruments.{symbol}.{name} is {size}; allowed: above 0")
    return found
