"""The engine: lanes of bots on one event loop, and what may be asked of them from outside."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from regatta import __version__
from regatta.bot.bot import FAILED, PAUSED, RUNNING, STOPPED, Bot
from regatta.domain.bus import Bus
from regatta.domain.clock import Clock
from regatta.domain.errors import BadInput
from regatta.domain.events import AnyRecord, BotStateChanged, EngineStarted, EngineStopped, PlaceOrder
from regatta.domain.money import to_float
from regatta.domain.order import Side
from regatta.engine.bus import EventBus
from regatta.engine.clock import monotonic_s
from regatta.engine.control import BotStatus, EngineStatus, FeedStatus, LivePosition, SymbolChecks
from regatta.engine.lane import Lane
from regatta.graph.rules import OUTPUTS

log = structlog.get_logger("regatta.engine")

SPEEDS = (1.0, 10.0, 60.0, 600.0)
"""Speeds of a virtual market that can be chosen: market time per real time."""

LAG_EVERY_S = 0.5
LAG_WARNING_S = 0.05


class Journal(Protocol):
    """What the engine needs of a journal."""

    @property
    def last_seq(self) -> int: ...
    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]: ...


class BotProfile:
    """What is fixed about a bot and only shown: never read by the bot itself."""

    def __init__(self, *, mode: str, venue: str, strategy: str, parameters: dict[str, object], quote: str) -> None:
        self.mode = mode
        self.venue = venue
        self.strategy = strategy
        self.parameters = parameters
        self.quote = quote


class Engine:
    """Runs lanes until it is stopped, their feeds have ended, or the journal fails."""

    def __init__(
        self,
        *,
        lanes: Sequence[Lane],
        profiles: Mapping[str, BotProfile],
        journal: Journal,
        bus: EventBus,
        clock: Clock,
        journal_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._lanes = tuple(lanes)
        self._profiles = dict(profiles)
        self._journal = journal
        self._journal_bytes = journal_bytes
        self._bus = bus
        self._clock = clock
        self._started_ms = clock.now_ms()
        self._tasks: list[asyncio.Task[None]] = []
        self._lag_ms = 0.0
        self._errors: list[str] = []

    # --- life ----------------------------------------------------------------------------

    async def start_up(self) -> None:
        """Journal that the engine is up and start every lane."""
        await self._journal.append([EngineStarted(at_ms=self._clock.now_ms(), version=__version__)])
        self._tasks = [asyncio.create_task(lane.run(), name=f"lane {lane.feed.name}") for lane in self._lanes]

    async def run_to_the_end(self) -> None:
        """Return when every feed has ended; raise what ended a lane otherwise."""
        await asyncio.gather(*self._tasks)

    async def shut_down(self, reason: str) -> None:
        """End in order: let the moment under way finish, journal the end.

        Stops stay at the venue; nothing is closed. Safe to call after a lane has failed: then
        the journal is not touched again.
        """
        failed = False
        for lane, task in zip(self._lanes, self._tasks, strict=True):
            if task.done():
                failed = failed or (not task.cancelled() and task.exception() is not None)
                continue
            async with lane.lock:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not failed:
            await self._journal.append([EngineStopped(at_ms=self._clock.now_ms(), reason=reason)])

    async def watch_lag(self) -> None:
        """Measure the delay of the event loop for ever; > 50 ms is logged."""
        while True:
            before = monotonic_s()
            await asyncio.sleep(LAG_EVERY_S)
            lag = monotonic_s() - before - LAG_EVERY_S
            self._lag_ms = max(0.0, lag * 1000)
            if lag > LAG_WARNING_S:
                log.warning("the event loop was late", lag_ms=round(self._lag_ms, 1))

    # --- what is told --------------------------------------------------------------------

    @property
    def bus(self) -> Bus:
        """Where records and candles are published."""
        return self._bus

    def status(self) -> EngineStatus:
        """Return the state of everything."""
        now_ms = self._clock.now_ms()
        errors = list(self._errors)
        errors.extend(f"{bot.name}: {bot.last_error}" for _, bot in self._bots() if bot.last_error)
        return EngineStatus(
            version=__version__,
            started_ms=self._started_ms,
            now_ms=now_ms,
            loop_lag_ms=self._lag_ms,
            journal_seq=self._journal.last_seq,
            journal_bytes=self._journal_bytes(),
            bots=[self._bot_status(bot, lane) for lane, bot in self._bots()],
            feeds=[self._feed_status(lane) for lane in self._lanes],
            errors=errors,
        )

    def positions(self) -> Sequence[LivePosition]:
        """Return all open positions with live prices, oldest first."""
        found = [self._live(lane, bot, symbol) for lane, bot in self._bots() for symbol in bot.book.positions]
        return sorted(found, key=lambda p: (p.opened_ms, p.bot, p.symbol))

    def prices(self) -> dict[str, tuple[float, int]]:
        """Return the last price and its time by symbol."""
        return {symbol: price for lane in self._lanes for symbol, price in lane.prices.items()}

    def checks(self, bot: str, symbol: str) -> SymbolChecks:
        """Return every check of the bot's strategy on the symbol, as of its last closed candle."""
        _, found = self._one(bot)
        if symbol not in found.symbols:
            raise BadInput(f"bot {bot} does not watch {symbol!r}; it watches {', '.join(found.symbols)}")
        series = found.series(symbol)
        outputs = {OUTPUTS[bit]: tuple(series.checks(bit)) for bit in found.outputs}
        ready = all(check.passed is not None for checks in outputs.values() for check in checks)
        return SymbolChecks(bot=bot, symbol=symbol, close_ms=series.last_ms or 0, ready=ready, outputs=outputs)

    # --- what can be asked ---------------------------------------------------------------

    async def start(self, bot: str | None = None, by: str = "user") -> None:
        """Start one bot or all: entries allowed."""
        await self._change(bot, RUNNING, by)

    async def stop(self, bot: str | None = None, close_positions: bool = False, by: str = "user") -> None:
        """Stop one bot or all: no new entries; open positions stay protected unless closed."""
        await self._change(bot, STOPPED, by)
        if close_positions:
            await self._close_all(bot, "manual")

    async def pause(self, bot: str | None = None, by: str = "user") -> None:
        """Pause entries of one bot or all."""
        await self._change(bot, PAUSED, by)

    async def resume(self, bot: str | None = None, by: str = "user") -> None:
        """Allow entries again."""
        await self._change(bot, RUNNING, by)

    async def kill(self, close_positions: bool = False, by: str = "user") -> None:
        """Halt all bots, cancel all entry orders, optionally close all positions."""
        await self._change(None, STOPPED, f"kill switch, {by}")
        if close_positions:
            await self._close_all(None, "kill")

    async def close_position(self, symbol: str, bot: str | None = None, by: str = "user") -> Sequence[str]:
        """Close the open position(s) of the symbol at market; return the orders' client ids."""
        holders = [(lane, b) for lane, b in self._chosen(bot) if symbol in b.book.positions]
        if not holders:
            whose = f"bot {bot}" if bot else "no bot"
            raise BadInput(f"{whose} has {'no' if bot else 'an'} open position in {symbol!r}")
        ids: list[str] = []
        for lane, holder in holders:
            ids.extend(await self._close(lane, holder, symbol, "manual"))
        return ids

    async def set_speed(self, speed: float) -> None:
        """Set the speed of the virtual markets."""
        if speed not in SPEEDS:
            raise BadInput(f"speed {speed:g} is not allowed; choose one of {', '.join(f'{s:g}' for s in SPEEDS)}")
        feeds = [lane.feed for lane in self._lanes if hasattr(lane.feed, "set_speed")]
        if not feeds:
            raise BadInput("no virtual market runs; real markets have no speed")
        for feed in feeds:
            feed.set_speed(speed)

    # --- within --------------------------------------------------------------------------

    def _bots(self) -> list[tuple[Lane, Bot]]:
        return [(lane, bot) for lane in self._lanes for bot in lane.bots.values()]

    def _one(self, name: str) -> tuple[Lane, Bot]:
        for lane, bot in self._bots():
            if bot.name == name:
                return lane, bot
        known = ", ".join(bot.name for _, bot in self._bots())
        raise BadInput(f"there is no bot {name!r}; bots: {known}")

    def _chosen(self, name: str | None) -> list[tuple[Lane, Bot]]:
        return self._bots() if name is None else [self._one(name)]

    async def _change(self, name: str | None, state: str, by: str) -> None:
        for lane, bot in self._chosen(name):
            async with lane.lock:
                if bot.state == state or (bot.state == FAILED and name is None and state != STOPPED):
                    continue  # a failed bot is started again by its name only, not with all the others
                change = BotStateChanged(at_ms=lane.at_ms or self._clock.now_ms(), bot=bot.name, state=state, by=by)
                await lane.tell(bot, change)

    async def _close_all(self, name: str | None, reason: str) -> None:
        for lane, bot in self._chosen(name):
            for symbol in sorted(bot.book.positions):
                await self._close(lane, bot, symbol, reason)

    async def _close(self, lane: Lane, bot: Bot, symbol: str, reason: str) -> list[str]:
        async with lane.lock:
            records = bot.close(symbol, lane.at_ms, reason)
            await lane.submit(records)
        return [record.order.client_id for record in records if isinstance(record, PlaceOrder)]

    def _bot_status(self, bot: Bot, lane: Lane) -> BotStatus:
        book, profile = bot.book, self._profiles[bot.name]
        equity = book.equity_e8(self._marks(lane, bot))
        return BotStatus(
            name=bot.name,
            mode=profile.mode,
            state=bot.state,
            venue=profile.venue,
            strategy=profile.strategy,
            timeframe=bot.timeframe,
            quote=profile.quote,
            symbols=bot.symbols,
            parameters=profile.parameters,
            initial_balance_e8=book.initial_e8,
            balance_e8=book.balance_e8,
            equity_e8=equity,
            unrealised_e8=equity - book.balance_e8,
            open_positions=len(book.positions),
            max_positions=bot.rules.max_positions,
            trades=book.trades,
            wins=book.wins,
            losses=book.losses,
            signals=book.signals,
            holds=bot.holds(),
            last_error=bot.last_error,
        )

    @staticmethod
    def _marks(lane: Lane, bot: Bot) -> dict[str, float]:
        return {**bot.marks, **{symbol: price for symbol, (price, _) in lane.prices.items()}}

    def _feed_status(self, lane: Lane) -> FeedStatus:
        feed = lane.feed
        newest = max((at_ms for _, at_ms in lane.prices.values()), default=0)
        return FeedStatus(
            name=feed.name,
            kind=getattr(feed, "kind", "replay"),
            state="ended" if lane.ended else "running",
            symbols=len({symbol for bot in lane.bots.values() for symbol in bot.symbols}),
            market_time_ms=lane.at_ms,
            speed=getattr(feed, "speed", None),
            last_event_age_ms=max(0, lane.at_ms - newest) if newest else 0,
        )

    def _live(self, lane: Lane, bot: Bot, symbol: str) -> LivePosition:
        book = bot.book
        position = book.positions[symbol]
        instrument = book.instruments[symbol]
        price, at_ms = lane.prices.get(symbol, (bot.marks[symbol], lane.at_ms))
        value = instrument.notional_e8(instrument.ticks(price), position.lots)
        unrealised = position.side.sign * (value - position.cost_e8)
        stop, target = position.stop_ticks, position.target_ticks
        return LivePosition(
            position_id=position.position_id,
            bot=bot.name,
            mode=self._profiles[bot.name].mode,
            symbol=symbol,
            side="long" if position.side is Side.BUY else "short",
            quantity=float(instrument.quantity(position.lots)),
            entry_price=instrument.price(position.entry_ticks),
            price=price,
            stop_price=None if stop is None else instrument.price(stop),
            target_price=None if target is None else instrument.price(target),
            notional=to_float(value),
            unrealised=to_float(unrealised),
            unrealised_pct=100.0 * unrealised / position.cost_e8,
            fees=to_float(position.fees_e8),
            opened_ms=position.opened_ms,
            price_at_ms=at_ms,
        )
