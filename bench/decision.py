"""DECISION: from `CandleClosed` on the bus to the `Decision`, before the commit; 50 symbols.

Every symbol's candle of a minute closes at once. Two figures: from the last candle of the round
to its decisions, and from each candle's own arrival to the end of its handling (a hold).
"""

import statistics
import time
from collections.abc import Sequence

from regatta.domain.events import AnyRecord, CandleClosed, DecisionTaken
from regatta.engine.assembly import make_bot, plan
from regatta.engine.code_cache import CodeCache
from regatta.engine.strategy_files import named
from regatta.market.generated import GeneratedMarket
from regatta.market.instruments import instruments
from regatta.settings.bot import BotSettings

START_MS = 1_767_225_600_000
HISTORY = 200
MINUTES = 2_000


def run() -> dict[str, object]:
    """Measure and return one line of results; times in µs."""
    table = instruments("binanceusdm")
    symbols = tuple(sorted(table))[:50]
    market = GeneratedMarket(7, {symbol: table[symbol] for symbol in symbols}, START_MS)
    settings = BotSettings.model_validate({"name": "V1", "strategy": "ema_rsi", "symbols": symbols})
    what = plan(settings, named("ema_rsi"))
    bot = make_bot(what, CodeCache().graph(what.graph), table, "TEST")
    rows = [list(market.candles(symbol, 0, HISTORY + MINUTES).rows()) for symbol in symbols]
    holds: list[float] = []
    decisions: list[float] = []
    for minute in range(HISTORY + MINUTES):
        answers: Sequence[AnyRecord] = ()
        spent = 0.0
        for candles in rows:
            event = CandleClosed(candles[minute])
            started = time.perf_counter()
            answers = bot.on(event)
            spent = time.perf_counter() - started
            if minute >= HISTORY and not answers:
                holds.append(spent)
        if minute >= HISTORY and any(isinstance(record, DecisionTaken) for record in answers):
            decisions.append(spent)
        for held in list(bot.book.orders):  # nothing is filled here: each round starts flat
            del bot.book.orders[held]
    return {
        "workload": "DECISION",
        "symbols": len(symbols),
        "candle_us_median": round(statistics.median(holds) * 1e6, 2),
        "decision_us_median": round(statistics.median(decisions) * 1e6, 1),
        "decision_us_p99": round(statistics.quantiles(decisions, n=100)[98] * 1e6, 1),
        "rounds_with_decisions": len(decisions),
    }
