"""The platform: settings and a data directory become a journal, a market, bots and an engine.

This is the one place where things are wired together, and the only one that knows modes.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
import structlog

from regatta.bot.bot import Bot
from regatta.bot.client_id import bot_code
from regatta.domain.clock import Clock
from regatta.domain.errors import BadInput
from regatta.domain.events import AnyRecord, BotRegistered
from regatta.domain.instrument import Instrument
from regatta.engine.assembly import Plan, make_bot, plan, warm_up
from regatta.engine.bus import EventBus
from regatta.engine.clock import RealClock
from regatta.engine.code_cache import CodeCache, Warming
from regatta.engine.control import Control
from regatta.engine.engine import BotProfile, Engine
from regatta.engine.lane import Lane
from regatta.engine.recovery import Cursor, fold, restore_venue
from regatta.engine.strategy_files import named
from regatta.graph import GraphFunction, Series
from regatta.journal import Journal, Reader
from regatta.market.feed import ReplayFeed, Source
from regatta.market.generated import GeneratedMarket
from regatta.market.instruments import instruments as instrument_table
from regatta.market.sources import StoredSource
from regatta.market.store import CandleStore
from regatta.settings.bot import BotSettings
from regatta.settings.market import VirtualMarketSettings
from regatta.settings.platform import Settings
from regatta.sim.dice import Dice
from regatta.sim.venue import Frictions, SimulatedVenue

log = structlog.get_logger("regatta.platform")

JOURNAL_FILE = "journal.sqlite"


class Platform:
    """One running installation."""

    def __init__(
        self, settings: Settings, data_dir: Path, *, clock: Clock | None = None, compiling: bool = True
    ) -> None:
        """Make a platform that has not started. compiling: False keeps to plain Python."""
        self.settings = settings
        self.data_dir = data_dir
        self._clock = clock or RealClock()
        self._cache = CodeCache() if compiling else None
        self._journal: Journal | None = None
        self._reader: Reader | None = None
        self._engine: Engine | None = None
        self._background: list[asyncio.Task[None]] = []
        self._warmings: list[Warming] = []

    # --- what others use -----------------------------------------------------------------

    @property
    def control(self) -> Control:
        """What may be asked of the running engine. After `start` only."""
        assert self._engine is not None, "the platform has not started"
        return self._engine

    @property
    def reader(self) -> Reader:
        """The journal's tables, to read. After `start` only."""
        assert self._reader is not None, "the platform has not started"
        return self._reader

    async def start(self) -> None:
        """Open the journal, take up what it holds, warm up, and let the market run.

        Raises BadInput for settings that don't fit what the journal holds, EnvironmentFault for
        a disk or a lock that does not allow it.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._journal = journal = await Journal.open(self.data_dir / JOURNAL_FILE)
        try:
            await self._wire(journal)
        except BaseException:
            await journal.close()
            raise

    async def wait(self) -> None:
        """Return when every market has ended; raise what ended the engine otherwise."""
        assert self._engine is not None
        await self._engine.run_to_the_end()

    async def stop(self, reason: str) -> None:
        """End in order: the moment under way is finished, the journal flushed. Stops stay."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for warming in self._warmings:
            warming.stop()
        if self._engine is not None:
            await self._engine.shut_down(reason)
        if self._reader is not None:
            self._reader.close()
        if self._journal is not None:
            await self._journal.close()

    # --- wiring --------------------------------------------------------------------------

    async def _wire(self, journal: Journal) -> None:
        market = self.settings.market
        wanted = [bot for bot in self.settings.bots if bot.enabled and bot.mode == "virtual"]
        if not wanted:
            raise BadInput("no bot is enabled in mode virtual: there is nothing to run")
        _refuse_equal_codes(wanted)
        table = instrument_table(market.venue)
        symbols = self.settings.market_symbols
        feed = self._feed(market, symbols, table)
        plans = [plan(bot, named(bot.strategy)) for bot in wanted]
        functions = {p.graph.key: self._function(p) for p in plans}

        records = [record for _, record in journal.replay()]
        initial = _initial_balances(records)
        bots = {
            p.settings.name: make_bot(
                p, functions[p.graph.key], table, journal.install_tag, initial.get(p.settings.name)
            )
            for p in plans
        }
        cursors = fold(records, bots)
        frictions = {bot.name: Frictions(slippage=bot.risk.slippage) for bot in wanted}
        venue = SimulatedVenue(market.venue, table, frictions, Dice(market.seed))
        bus = EventBus()
        lane = Lane(feed=feed, venue=venue, bots=list(bots.values()), journal=journal, bus=bus)
        cursor = _cursor_of(feed.name, cursors)
        self._take_up(lane, feed, cursor, market)

        self._engine = Engine(
            lanes=[lane],
            profiles={bot.name: _profile(bot) for bot in wanted},
            journal=journal,
            bus=bus,
            clock=self._clock,
            journal_bytes=lambda: _size(self.data_dir / JOURNAL_FILE),
        )
        self._reader = Reader(self.data_dir / JOURNAL_FILE)
        at_ms = cursor.at_ms if cursor else market.start_ms
        await journal.append(_registrations(wanted, table, records, at_ms))
        to_place, to_cancel = restore_venue(venue, list(bots.values()), at_ms)
        await lane.carry_out(to_place, to_cancel, at_ms)
        await self._engine.start_up()
        self._background.append(asyncio.create_task(self._engine.watch_lag(), name="lag"))
        for p in plans:
            if self._cache is not None and not self._cache.known(p.graph):
                warming = self._cache.warm(p.graph)
                self._warmings.append(warming)
                name = f"compile {p.settings.name}"
                self._background.append(asyncio.create_task(self._compile(p, warming, lane), name=name))

    def _feed(
        self, market: VirtualMarketSettings, symbols: Sequence[str], table: Mapping[str, Instrument]
    ) -> ReplayFeed:
        source: Source
        if market.kind == "generated":
            chosen = {symbol: table[symbol] for symbol in symbols}
            source = GeneratedMarket(market.seed, chosen, market.start_ms, market.timeframe)
        else:
            source = StoredSource(CandleStore(self.data_dir), market.venue, symbols, market.timeframe)
        return ReplayFeed(
            source,
            table,
            name=_market_name(market, symbols),
            from_ms=market.start_ms,
            to_ms=market.replay.to_ms if market.replay else None,
            speed=float(market.speed),
            clock=self._clock,
        )

    def _function(self, what: Plan) -> GraphFunction:
        """Return the graph's function: compiled when that is a matter of milliseconds, else plain."""
        if self._cache is None or not self._cache.known(what.graph):
            return what.graph.plain()
        return self._cache.graph(what.graph)

    def _take_up(self, lane: Lane, feed: ReplayFeed, cursor: Cursor | None, market: VirtualMarketSettings) -> None:
        """Bring series, prices and feed to where the journal ends (or the market begins)."""
        at_ms = market.start_ms
        if cursor is not None:
            feed.resume_after(cursor.at_ms, cursor.step)
            lane.resume_behind(cursor.at_ms, cursor.step)
            decided = cursor.step not in ("triggered", "settled")
            at_ms = cursor.at_ms if decided else cursor.at_ms - market.timeframe_ms
        candles = market.history + (at_ms - market.start_ms) // market.timeframe_ms
        warm_up(lane, feed, at_ms, candles, _series)

    async def _compile(self, what: Plan, warming: Warming, lane: Lane) -> None:
        """Wait for a graph that another process compiles; plain Python serves until then."""
        await asyncio.to_thread(warming.wait)
        try:
            function = await asyncio.to_thread(warming.function)
        except Exception:
            log.exception("a strategy can't be compiled; plain Python goes on serving it", bot=what.settings.name)
            return
        bot = lane.bots[what.settings.name]
        async with lane.lock:
            for symbol in bot.symbols:
                _series(bot, symbol).use(function)
        log.info("strategy compiled", bot=bot.name)


def _series(bot: Bot, symbol: str) -> Series:
    series = bot.series(symbol)
    assert isinstance(series, Series)
    return series


def _market_name(market: VirtualMarketSettings, symbols: Sequence[str]) -> str:
    """Return a name that is the same for the same market: speed may change, prices may not."""
    text = market.model_dump_json(exclude={"speed"}) + ",".join(symbols)
    return f"{market.kind}-{blake2b(text.encode(), digest_size=4).hexdigest()}"


def _initial_balances(records: Sequence[AnyRecord]) -> dict[str, int]:
    initial: dict[str, int] = {}
    for record in records:
        if isinstance(record, BotRegistered):
            initial.setdefault(record.bot, record.initial_balance_e8)
    return initial


def _cursor_of(feed: str, cursors: Mapping[str, Cursor]) -> Cursor | None:
    if feed in cursors:
        return cursors[feed]
    if cursors:
        raise BadInput(
            f"the data directory holds a run on another market ({', '.join(sorted(cursors))}; now {feed}): "
            "use the same market settings, or another --data-dir"
        )
    return None


def _registrations(
    bots: Sequence[BotSettings], table: Mapping[str, Instrument], records: Sequence[AnyRecord], at_ms: int
) -> list[AnyRecord]:
    """Return a registration for each bot that is new or whose settings have changed."""
    last = {record.bot: record.settings for record in records if isinstance(record, BotRegistered)}
    new: list[AnyRecord] = []
    for bot in bots:
        settings = bot.model_dump(mode="json")
        settings["instruments"] = {symbol: msgspec.to_builtins(table[symbol], str_keys=True) for symbol in bot.symbols}
        text = msgspec.json.encode(settings, order="sorted").decode()
        if last.get(bot.name) != text:
            new.append(
                BotRegistered(
                    at_ms=at_ms,
                    bot=bot.name,
                    mode=bot.mode,
                    venue=bot.venue,
                    strategy=bot.strategy,
                    initial_balance_e8=bot.initial_balance_e8,
                    settings=text,
                )
            )
    return new


def _refuse_equal_codes(bots: Sequence[BotSettings]) -> None:
    """Refuse two bots whose orders would carry the same names."""
    seen: dict[str, str] = {}
    for bot in bots:
        other = seen.setdefault(bot_code(bot.name), bot.name)
        if other != bot.name:
            raise BadInput(f"bots {other} and {bot.name} get the same code in client order ids; rename one of them")


def _profile(bot: BotSettings) -> BotProfile:
    return BotProfile(
        mode=bot.mode, venue=bot.venue, strategy=bot.strategy, parameters=dict(bot.parameters), quote=bot.quote
    )


def _size(path: Path) -> int:
    """Return the bytes of the journal, with what has not yet been moved out of its log."""
    total = 0
    for part in (path, path.with_name(path.name + "-wal")):
        with contextlib.suppress(OSError):
            total += part.stat().st_size
    return total
