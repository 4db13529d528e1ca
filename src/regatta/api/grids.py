"""What bots are registered, on which instruments: turns ticks and lots into exact decimals.

Read from the registrations in the journal, so that bots which are no longer in the settings keep
their prices.
"""

from decimal import Decimal

import msgspec

from regatta.api.schemas import InstrumentView


class Grid(msgspec.Struct, frozen=True):
    """The part of an instrument that a registration has to name, sizes as in `domain.instrument`."""

    tick_size: Decimal
    lot_step: Decimal
    contract_size: Decimal = Decimal(1)
    quote: str = ""

    @property
    def lot(self) -> Decimal:
        """Base units of one lot."""
        return self.lot_step * self.contract_size


class _Settings(msgspec.Struct):
    instruments: dict[str, Grid] = {}


class Grids:
    """Mode and instruments of every bot that was ever registered."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._venues: dict[str, str] = {}
        self._initial_e8: dict[str, int] = {}
        self._grids: dict[str, dict[str, Grid]] = {}

    def register(self, bot: str, *, mode: str, venue: str, initial_e8: int, settings: str) -> None:
        """Take note of a registration; a later one of the same bot replaces what it names.

        settings: JSON text with "instruments" {symbol: {tick_size, lot_step, ...}}, or "".
        """
        self._modes[bot] = mode
        self._venues[bot] = venue
        self._initial_e8.setdefault(bot, initial_e8)
        named = msgspec.json.decode(settings or "{}", type=_Settings).instruments
        self._grids.setdefault(bot, {}).update(named)

    @property
    def bots(self) -> list[str]:
        """All bots, in the order of their first registration."""
        return list(self._modes)

    def mode(self, bot: str) -> str:
        return self._modes.get(bot, "virtual")

    def initial_e8(self, bot: str) -> int:
        return self._initial_e8.get(bot, 0)

    def quote(self, bot: str, symbol: str) -> str:
        """Return the quote currency: of the instrument, else as the symbol says it."""
        grid = self._grids.get(bot, {}).get(symbol)
        return grid.quote if grid and grid.quote else quote_of(symbol)

    def quote_of_bot(self, bot: str) -> str:
        """Return the quote currency of a bot's instruments, "" when it has none."""
        return next((self.quote(bot, symbol) for symbol in self._grids.get(bot, {})), "")

    def price(self, bot: str, symbol: str, ticks: int) -> str:
        """Return the exact price; "" when the instrument is not known."""
        grid = self._grids.get(bot, {}).get(symbol)
        return format(grid.tick_size * ticks, "f") if grid else ""

    def quantity(self, bot: str, symbol: str, lots: int) -> str:
        """Return the exact quantity in base units; "" when the instrument is not known."""
        grid = self._grids.get(bot, {}).get(symbol)
        return format(grid.lot * lots, "f") if grid else ""

    def views(self) -> list[InstrumentView]:
        """Return every known instrument once, sorted by venue and symbol."""
        unique = {
            (self._venues[bot], symbol): grid for bot, grids in self._grids.items() for symbol, grid in grids.items()
        }
        return [_view(venue, symbol, unique[venue, symbol]) for venue, symbol in sorted(unique)]


def quote_of(symbol: str) -> str:
    """Return the quote currency in a unified symbol: "USDT" of "BTC/USDT:USDT"."""
    return symbol.partition("/")[2].partition(":")[0]


def decimals(step: Decimal) -> int:
    """Return how many decimals show every multiple of a step: 0.050 has 2, 10 has 0."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "steps are finite"
    return max(0, -exponent)


def _view(venue: str, symbol: str, grid: Grid) -> InstrumentView:
    return InstrumentView(
        venue=venue,
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote=grid.quote or quote_of(symbol),
        kind="swap" if ":" in symbol else "spot",
        tick_size=format(grid.tick_size, "f"),
        lot_step=format(grid.lot_step, "f"),
        contract_size=format(grid.contract_size, "f"),
        price_decimals=decimals(grid.tick_size),
        quantity_decimals=decimals(grid.lot),
    )
