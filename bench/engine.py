"""ENGINE: the event-driven path: feed, hub of events, venue, bot, journal in memory, no outlets.

`ema_rsi` with its defaults on ten symbols of the generated market, one shared balance; beside
it the fused loop of W1, timed in the same run.
"""

import asyncio
import time

from bench.fused import fused
from bench.measure import best_of, peak_rss_mb
from regatta.engine.assembly import plan
from regatta.engine.code_cache import CodeCache
from regatta.engine.simulation import simulate, trades_of
from regatta.engine.strategy_files import named
from regatta.journal import MemoryJournal
from regatta.market.feed import ReplayFeed
from regatta.market.generated import GeneratedMarket, random_walk
from regatta.market.instruments import instruments
from regatta.market.sources import MemorySource
from regatta.settings.bot import BotSettings
from regatta.settings.demo import SYMBOLS

MINUTE_MS = 60_000
START_MS = 1_767_225_600_000
CANDLES = 20_000
LIMIT_CANDLES = 1_000_000
CHOSEN = SYMBOLS[:10]


def run(rounds: int = 3) -> dict[str, object]:
    """Measure and return one line of results."""
    table = instruments("binanceusdm")
    market = GeneratedMarket(7, {symbol: table[symbol] for symbol in CHOSEN}, START_MS)
    candles = {symbol: market.candles(symbol, 0, CANDLES) for symbol in CHOSEN}
    settings = BotSettings(name="V1", strategy="ema_rsi", symbols=CHOSEN)
    what = plan(settings, named("ema_rsi"))
    function = CodeCache().graph(what.graph)
    best, trades = float("inf"), 0
    for _ in range(rounds):
        feed = ReplayFeed(MemorySource(candles), table, name="bench", from_ms=START_MS)
        journal = MemoryJournal()
        started = time.perf_counter()
        asyncio.run(simulate(what, function, table, feed, journal, from_ms=START_MS))
        best = min(best, time.perf_counter() - started)
        trades = len(trades_of(journal.records))
    walk = random_walk(LIMIT_CANDLES)
    columns = (walk.open, walk.high, walk.low, walk.close)
    limit = LIMIT_CANDLES / best_of(3, lambda: fused(*columns, 1e7))[0]
    rate = CANDLES * len(CHOSEN) / best
    return {
        "workload": "ENGINE",
        "candles_per_s": round(rate),
        "ratio_to_limit": round(rate / limit, 6),
        "limit_candles_per_s": round(limit),
        "trades": trades,
        "peak_rss_mb": round(peak_rss_mb()),
    }
