"""A lane: one market feed, one venue, and the bots that trade on it, in one total order.

Each moment of the feed is handled in steps, and each step that led to anything ends with a
commit before its commands are carried out:

    triggered   resting orders against the closed candles
    settled     stops as the fills of the first step moved them
    closed      indicators, rounds, decisions
    opened      funding, then market orders at the first prices after the close
    ending      (end of stored history) bots ask for what is open to be closed
    ended       which the venue does, at the last closes

1. Nothing is sent that is not committed; nothing is told to outlets that is not committed.
2. A feed that can be replayed carries a cursor: the commit that holds what a step led to also
   holds the `MarketReached` of that step. After a crash the feed resumes behind the cursor,
   and the steps in between, which led to nothing, lead to nothing again.
3. A bot that raises is marked failed and gets no more market events; its stops stay at the
   venue, and the other bots go on. Started by hand it warms up again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import structlog

from regatta.bot.bot import FAILED, Bot
from regatta.domain.aggregate import Bucket, aggregate
from regatta.domain.bus import Committed
from regatta.domain.candle import Candle
from regatta.domain.events import (
    AnyRecord,
    BotStateChanged,
    CancelOrder,
    CandleClosed,
    CandleOpened,
    CloseTimePassed,
    EndOfData,
    FundingSettled,
    MarketEvent,
    MarketReached,
    PlaceOrder,
    SeriesInterrupted,
    VenueReport,
)
from regatta.domain.order import Order
from regatta.domain.timeframe import timeframe_ms
from regatta.domain.venue import Venue
from regatta.engine.bus import EventBus

log = structlog.get_logger("regatta.engine")

STEPS = ("triggered", "settled", "closed", "opened", "ending", "ended")


class Instant(Protocol):
    """A moment of a feed. phase: "closed" (candles and what belongs to their close) or "opened"."""

    @property
    def at_ms(self) -> int: ...
    @property
    def phase(self) -> str: ...
    @property
    def events(self) -> Sequence[MarketEvent]: ...


class Feed(Protocol):
    """Where market events come from, moment by moment."""

    @property
    def name(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    def instants(self) -> AsyncIterator[Instant]: ...


class MatchingVenue(Venue, Protocol):
    """A venue that is driven by the market's events: the simulated one."""

    def remember(self, candle: Candle) -> None: ...
    def match(self, candle: Candle) -> Sequence[VenueReport]: ...
    def settle(self, candle: Candle) -> Sequence[VenueReport]: ...
    def opened(self, event: CandleOpened) -> Sequence[VenueReport]: ...
    def funding(self, event: FundingSettled) -> Sequence[VenueReport]: ...
    def ended(self, at_ms: Mapping[str, int]) -> Sequence[VenueReport]: ...


class Journal(Protocol):
    """What the engine needs of a journal."""

    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]: ...


class Lane:
    """One feed, one venue, and their bots."""

    def __init__(
        self, *, feed: Feed, venue: MatchingVenue, bots: Sequence[Bot], journal: Journal, bus: EventBus
    ) -> None:
        self.feed = feed
        self.venue = venue
        self.bots = {bot.name: bot for bot in bots}
        self.lock = asyncio.Lock()
        self.prices: dict[str, tuple[float, int]] = {}
        self.ended = False
        self.at_ms = 0
        self._journal = journal
        self._bus = bus
        self._records: list[AnyRecord] = []
        self._step = ""
        self._reached = (0, "")
        self._skip: tuple[int, str] | None = None
        self._last_close_ms: dict[str, int] = {}
        self._watchers: dict[tuple[str, str], list[Bot]] = {}
        for bot in bots:
            for symbol in bot.symbols:
                self._watchers.setdefault((symbol, bot.timeframe), []).append(bot)
        # Candles of longer timeframes are made here, once for all bots.
        self._buckets: dict[str, list[Bucket]] = {}
        for symbol, timeframe in self._watchers:
            if timeframe != feed.timeframe:
                self._buckets.setdefault(symbol, []).append(Bucket(timeframe, timeframe_ms(timeframe)))
        self._longer = sorted({bot.timeframe for bot in bots} - {feed.timeframe})

    # --- taking up again -----------------------------------------------------------------

    def resume_behind(self, at_ms: int, step: str) -> None:
        """Skip the steps of the moment `at_ms` up to and including `step`: the journal has them."""
        self._reached = (at_ms, step)
        self._skip = (at_ms, step)
        self.at_ms = at_ms

    def warmed(self, tail: Sequence[Candle]) -> None:
        """Note the last candles of one symbol before the lane starts: its price, its close."""
        last = tail[-1]
        self.prices[last.symbol] = (last.close, last.close_ms)
        self._last_close_ms[last.symbol] = last.close_ms
        self.venue.remember(last)
        for bucket in self._buckets.get(last.symbol, ()):
            begun = last.close_ms - last.close_ms % bucket.length_ms
            for candle in tail:
                if candle.open_ms >= begun:
                    aggregate(bucket, candle)

    async def carry_out(self, orders: Sequence[Order], cancels: Sequence[Order], at_ms: int) -> None:
        """Carry out what the journal intends but the simulated venue had not yet reported."""
        async with self.lock:
            for order in orders:
                self._take(await self.venue.place(order, at_ms))
            for order in cancels:
                self._take(await self.venue.cancel(order.client_id, order.symbol, at_ms))
            await self._commit()

    # --- the loop ------------------------------------------------------------------------

    async def run(self) -> None:
        """Handle moment after moment until the feed ends."""
        async for instant in self.feed.instants():
            async with self.lock:
                await self.handle(instant)
        self.ended = True

    async def handle(self, instant: Instant) -> None:
        """Handle one moment of the feed, step by step."""
        self.at_ms = instant.at_ms
        if instant.events and type(instant.events[-1]) is EndOfData:
            await self._end(instant.events[-1])
            return
        if instant.phase == "opened":
            if self._enter("opened"):
                self._open(instant.events)
                await self._commit()
            return
        candles = [event.candle for event in instant.events if type(event) is CandleClosed]
        if self._enter("triggered"):
            match = self.venue.match
            for candle in candles:
                reports = match(candle)
                if reports:
                    self._take(reports)
            if self._records:
                await self._commit()
        else:
            for candle in candles:
                self.venue.remember(candle)
        if self._enter("settled"):
            for candle in candles:
                reports = self.venue.settle(candle)
                if reports:
                    self._take(reports)
            if self._records:
                await self._commit()
        if self._enter("closed"):
            self._close(instant.events)
            if self._records:
                await self._commit()

    async def _end(self, event: EndOfData) -> None:
        if self._enter("ending"):
            for bot in self.bots.values():
                self._records.extend(self._ask(bot, event))
            await self._commit()
        if self._enter("ended"):
            self._take(self.venue.ended(self._last_close_ms))
            await self._commit()

    def _enter(self, step: str) -> bool:
        """Begin a step; False when the journal already holds what it led to."""
        if self._skip is not None:
            at_ms, done = self._skip
            if self.at_ms < at_ms or (self.at_ms == at_ms and STEPS.index(step) <= STEPS.index(done)):
                return False
            self._skip = None
        self._step = step
        return True

    def _close(self, events: Sequence[MarketEvent]) -> None:
        bus = self._bus
        for event in events:
            if type(event) is CandleClosed:
                candle = event.candle
                symbol = candle.symbol
                self.prices[symbol] = (candle.close, candle.close_ms)
                self._last_close_ms[symbol] = candle.close_ms
                self._decide(event, symbol, candle.timeframe)
                for bucket in self._buckets.get(symbol, ()):
                    for longer in aggregate(bucket, candle):
                        self._decide(CandleClosed(longer), symbol, longer.timeframe)
                if bus:
                    bus.publish(event)
            elif type(event) is CloseTimePassed:
                self._tell_all(event)
                for timeframe in self._longer:
                    if event.close_ms % timeframe_ms(timeframe) == 0:
                        self._tell_all(CloseTimePassed(timeframe, event.close_ms))
            elif type(event) is SeriesInterrupted:
                for bucket in self._buckets.get(event.symbol, ()):
                    bucket.count = 0
                self._tell_all(event)

    def _decide(self, event: CandleClosed, symbol: str, timeframe: str) -> None:
        for bot in self._watchers.get((symbol, timeframe), ()):
            if bot.state != FAILED:
                try:
                    answers = bot.on(event)
                except Exception as fault:
                    answers = self._failed(bot, fault)
                if answers:
                    self._records.extend(answers)

    def _tell_all(self, event: MarketEvent) -> None:
        for bot in self.bots.values():
            self._records.extend(self._ask(bot, event))

    def _open(self, events: Sequence[MarketEvent]) -> None:
        for event in events:
            if type(event) is CandleOpened:
                self.prices[event.symbol] = (event.price, event.open_ms)
                reports = self.venue.opened(event)
                if reports:
                    self._take(reports)
                if self._bus:
                    self._bus.publish(event)
            elif type(event) is FundingSettled:
                self._take(self.venue.funding(event))

    # --- reports, commits, commands --------------------------------------------------------

    def _take(self, reports: Sequence[VenueReport]) -> None:
        """Note what the venue reported, and what the bots answer to it."""
        for report in reports:
            self._records.append(report)
            bot = self.bots.get(report.bot)
            if bot is not None:
                self._records.extend(self._ask(bot, report))

    def _ask(self, bot: Bot, event: MarketEvent | VenueReport | BotStateChanged) -> Sequence[AnyRecord]:
        if bot.state == FAILED and isinstance(event, MarketEvent):
            return ()
        try:
            return bot.on(event)
        except Exception as fault:
            return self._failed(bot, fault)

    def _failed(self, bot: Bot, fault: Exception) -> Sequence[AnyRecord]:
        log.exception("bot failed; it takes no more decisions, its stops stay at the venue", bot=bot.name)
        bot.abandon()
        bot.state = FAILED
        bot.last_error = f"{type(fault).__name__}: {fault}"
        return [BotStateChanged(at_ms=self.at_ms, bot=bot.name, state=FAILED, by=f"engine: {bot.last_error}")]

    async def submit(self, records: Sequence[AnyRecord]) -> None:
        """Journal and carry out what came from outside the feed. The caller holds the lock."""
        self._records.extend(records)
        await self._commit()

    async def tell(self, bot: Bot, change: BotStateChanged) -> None:
        """Journal a change of a bot's state, with what the bot answers. The caller holds the lock."""
        self._records.append(change)
        self._records.extend(self._ask(bot, change))
        await self._commit()

    async def _commit(self) -> None:
        """Commit what has been noted, publish it, carry the commands out; until nothing is left."""
        while self._records:
            records, self._records = self._records, []
            reached = (self.at_ms, self._step)
            if self._step and reached != self._reached:
                for bot in self.bots.values():
                    holds = bot.take_holds(self.at_ms)
                    if holds is not None:
                        records.append(holds)
                records.append(MarketReached(at_ms=self.at_ms, feed=self.feed.name, phase=self._step))
                self._reached = reached
            numbers = await self._journal.append(records)
            if self._bus:
                for number, record in zip(numbers, records, strict=True):
                    self._bus.publish(Committed(number, record))
            for record in records:
                if type(record) is PlaceOrder:
                    self._take(await self.venue.place(record.order, record.at_ms))
                elif type(record) is CancelOrder:
                    self._take(await self.venue.cancel(record.client_id, record.symbol, record.at_ms))
