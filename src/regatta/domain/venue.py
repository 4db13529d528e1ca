"""What a venue is to the engine. Nothing above this protocol knows a venue's own words."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from regatta.domain.events import VenueReport
from regatta.domain.instrument import Instrument
from regatta.domain.order import Order


class Venue(Protocol):
    """An exchange market that orders can be sent to.

    `place` and `cancel` may raise `OutcomeUnknown`; what came of an order always arrives as
    reports, in the order in which the venue made them. Placing a client id that the venue has
    already seen changes nothing (the simulated venue) or is never done (real ones).
    """

    @property
    def name(self) -> str:
        """Name of the venue, e.g. "binanceusdm"."""
        ...

    def instruments(self) -> Mapping[str, Instrument]:
        """Return what can be traded, by unified symbol."""
        ...

    async def place(self, order: Order, at_ms: int) -> Sequence[VenueReport]:
        """Send an order; return what the venue said about it at once."""
        ...

    async def cancel(self, client_id: str, symbol: str, at_ms: int) -> Sequence[VenueReport]:
        """Cancel an order by its client id."""
        ...

    async def open_orders(self) -> Sequence[Order]:
        """Return the orders that are working at the venue now."""
        ...
