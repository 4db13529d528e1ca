"""A bot through the whole engine in simulated time: the event-driven backtest.

The same lane, bot, venue and feed as live trading; only the clock does not wait and the journal
lies in memory. Slower than the kernel by three orders of magnitude, and the proof that the
kernel tells the truth.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from regatta.bot.bot import Bot
from regatta.domain.events import AnyRecord, TradeClosed
from regatta.domain.instrument import Instrument
from regatta.domain.position import Trade
from regatta.engine.assembly import History, Plan, make_bot, warm_up
from regatta.engine.bus import EventBus
from regatta.engine.lane import Feed, Lane
from regatta.graph import GraphFunction, Series
from regatta.sim.dice import Dice
from regatta.sim.venue import Frictions, SimulatedVenue

EVERYTHING = 1 << 40
"""More candles than any store holds."""


class Journal(Protocol):
    """A journal that tells what was appended."""

    install_tag: str

    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]: ...


class SimulationFeed(Feed, History, Protocol):
    """A feed over stored or generated candles that also knows what came before."""


async def simulate(
    what: Plan,
    function: GraphFunction,
    instruments: Mapping[str, Instrument],
    feed: SimulationFeed,
    journal: Journal,
    *,
    from_ms: int,
) -> Bot:
    """Run one bot over a feed until it ends; return the bot.

    Candles that closed by from_ms warm the series up.
    """
    settings = what.settings
    bot = make_bot(what, function, instruments, journal.install_tag)
    venue = SimulatedVenue(settings.venue, instruments, Frictions(slippage=settings.risk.slippage), Dice(0))
    lane = Lane(feed=feed, venue=venue, bots=[bot], journal=journal, bus=EventBus())
    warm_up(lane, feed, from_ms, EVERYTHING, _series)
    await lane.run()
    return bot


def trades_of(records: Sequence[AnyRecord]) -> list[Trade]:
    """Return the trades of a journal in the order of their closing time, then symbol."""
    trades = [record.trade for record in records if isinstance(record, TradeClosed)]
    return sorted(trades, key=lambda trade: (trade.closed_ms, trade.symbol))


def _series(bot: Bot, symbol: str) -> Series:
    series = bot.series(symbol)
    assert isinstance(series, Series)
    return series
