"""The three ways of running one bot over the same candles."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from regatta.domain.instrument import Instrument
from regatta.domain.position import Trade
from regatta.engine.assembly import Plan, plan
from regatta.engine.clock import SimulatedClock
from regatta.engine.code_cache import CodeCache
from regatta.engine.platform import JOURNAL_FILE, Platform
from regatta.engine.simulation import simulate, trades_of
from regatta.engine.strategy_files import named
from regatta.graph import GraphFunction
from regatta.journal import MemoryJournal, Reader
from regatta.market.candles import Candles
from regatta.market.feed import ReplayFeed
from regatta.market.settlement import Settlement, charges
from regatta.market.sources import MemorySource
from regatta.research.backtest import Setup, run
from regatta.research.compiled import compile_kernel
from regatta.research.timeline import SymbolData
from regatta.settings.bot import BotSettings
from regatta.settings.platform import Settings


def compiled(
    settings: BotSettings,
    table: Mapping[str, Instrument],
    candles: Mapping[str, Candles],
    funding: Mapping[str, Sequence[Settlement]],
    from_ms: int,
    cache: CodeCache,
) -> list[Trade]:
    """Run the fused kernel on compiled code."""
    what = plan(settings, named(settings.strategy))
    setup = Setup(
        graph=what.graph,
        function=cache.graph(what.graph),
        kernel=compile_kernel(cache.jit),
        rules=settings.risk.rules(),
        slippage=settings.risk.slippage,
        initial_e8=settings.initial_balance_e8,
        bot=settings.name,
    )
    data = {
        symbol: SymbolData(table[symbol], part, charges(funding.get(symbol, ()), part, table[symbol]))
        for symbol, part in candles.items()
    }
    return run(setup, data, settings.timeframe_ms, from_ms=from_ms).trades()


def event_driven(
    settings: BotSettings,
    table: Mapping[str, Instrument],
    candles: Mapping[str, Candles],
    funding: Mapping[str, Sequence[Settlement]],
    from_ms: int,
    function: GraphFunction | None = None,
) -> list[Trade]:
    """Run the whole engine in simulated time; plain Python decides unless a function is given."""
    what: Plan = plan(settings, named(settings.strategy))
    feed = ReplayFeed(MemorySource(candles, funding), table, name="events", from_ms=from_ms)
    journal = MemoryJournal()
    asyncio.run(simulate(what, function or what.graph.plain(), table, feed, journal, from_ms=from_ms))
    return trades_of(journal.records)


async def virtual(settings: Settings, data_dir: Path) -> list[Trade]:
    """Run the platform on a replay of the candle store, with its journal on disk; read its tables."""
    platform = Platform(settings, data_dir, clock=SimulatedClock())
    await platform.start()
    try:
        await platform.wait()
    finally:
        await platform.stop("the replay is over")
    reader = Reader(data_dir / JOURNAL_FILE)
    rows = reader.trades(limit=10_000, descending=False)
    reader.close()
    return sorted((row.trade for row in rows), key=lambda trade: (trade.closed_ms, trade.symbol))
