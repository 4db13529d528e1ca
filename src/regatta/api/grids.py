"""What bots are registered, on which instruments: turns ticks and lots into exact decimals.

Read from the registrations in the journal, so that bots which are no longer in the settings keep
their prices.
"""

from decimal import Decimal

import msgspec

from regatta.api.schemas import InstrumentView
from regatta.domain.events import BotRegistered
from regatta.domain.instrument import Instrument


class _Settings(msgspec.Struct):
    instruments: dict[str, Instrument] = {}


class Grids:
    """Mode and instruments of every bot that was ever registered."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._initial_e8: dict[str, int] = {}
        self._instruments: dict[tuple[str, str], Instrument] = {}

    def register(self, record: BotRegistered) -> None:
        """Take note of a registration; a later one of the same bot replaces what it names."""
        self._modes[record.bot] = record.mode
        self._initial_e8.setdefault(record.bot, record.initial_balance_e8)
        settings = msgspec.json.decode(record.settings or "{}", type=_Settings)
        for symbol, instrument in settings.instruments.items():
            self._instruments[record.bot, symbol] = instrument

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
        instrument = self._instruments.get((bot, symbol))
        return instrument.quote if instrument else symbol.partition("/")[2].partition(":")[0]

    def quote_of(self, bot: str) -> str:
        """Return the quote currency of a bot: that of its instruments, "" when none is known."""
        return next((i.quote for (name, _), i in self._instruments.items() if name == bot), "")

    def price(self, bot: str, symbol: str, ticks: int) -> str:
        """Return the exact price; "" when the instrument is not known."""
        instrument = self._instruments.get((bot, symbol))
        return format(instrument.price_decimal(ticks), "f") if instrument else ""

    def quantity(self, bot: str, symbol: str, lots: int) -> str:
        """Return the exact quantity in base units; "" when the instrument is not known."""
        instrument = self._instruments.get((bot, symbol))
        return format(instrument.quantity(lots), "f") if instrument else ""

    def views(self) -> list[InstrumentView]:
        """Return every known instrument once, sorted by venue and symbol."""
        unique = {(i.venue, i.symbol): i for i in self._instruments.values()}
        return [_view(unique[key]) for key in sorted(unique)]


def decimals(step: Decimal) -> int:
    """Return how many decimals show every multiple of a step: 0.050 has 2, 10 has 0."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "steps are finite"
    return max(0, -exponent)


def _view(instrument: Instrument) -> InstrumentView:
    return InstrumentView(
        venue=instrument.venue,
        symbol=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        kind=instrument.kind,
        tick_size=format(instrument.tick_size, "f"),
        lot_step=format(instrument.lot_step, "f"),
        contract_size=format(instrument.contract_size, "f"),
        price_decimals=decimals(instrument.tick_size),
        quantity_decimals=decimals(instrument.lot_step * instrument.contract_size),
    )
