"""Taking up again: bots from the fold over the journal, the simulated venue from the bots.

The state of a bot is what its records say; nothing else is saved. A command whose outcome the
journal does not know is carried out again only where that is safe: the simulated venue lives in
this process, so what it had not reported by the last commit never happened.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from regatta.bot.bot import Bot
from regatta.domain.events import AnyRecord, MarketReached
from regatta.domain.order import Order, OrderStatus
from regatta.sim.venue import SimulatedVenue


class Cursor(msgspec.Struct, frozen=True):
    """How far the journal holds a feed: everything up to `step` of the moment `at_ms`."""

    at_ms: int
    step: str


def fold(records: Iterable[AnyRecord], bots: Mapping[str, Bot]) -> dict[str, Cursor]:
    """Apply every record to its bot; return the cursor of each feed.

    Records of bots that are not in `bots` (removed from the settings) are left alone.
    """
    cursors: dict[str, Cursor] = {}
    for record in records:
        if isinstance(record, MarketReached):
            cursors[record.feed] = Cursor(record.at_ms, record.phase)
        elif record.bot in bots:
            bots[record.bot].restore(record)
    return cursors


def restore_venue(venue: SimulatedVenue, bots: Sequence[Bot], at_ms: int) -> tuple[list[Order], list[Order]]:
    """Give the simulated venue back what it held; return (orders to place, orders to cancel).

    To place: intended in the journal, but not yet accepted. To cancel: a cancellation was
    intended, but not yet confirmed.
    """
    to_place: list[Order] = []
    to_cancel: list[Order] = []
    for bot in bots:
        for symbol, position in bot.book.positions.items():
            venue.hold_position(bot.name, symbol, position.lots * position.side.sign)
        for held in bot.book.orders.values():
            if held.status is OrderStatus.INTENDED and held.filled_lots == 0:
                to_place.append(held.order)
            else:
                venue.take(held.order, at_ms, held.filled_lots)
            if held.cancel_asked:
                to_cancel.append(held.order)
    return to_place, to_cancel
