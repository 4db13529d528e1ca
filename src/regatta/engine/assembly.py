"""From settings to bots: the place where strategy, graph, series, rules and books meet."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
import numpy as np

from regatta.bot.book import Book
from regatta.bot.bot import Bot
from regatta.domain.candle import Candle
from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import timeframe_ms
from regatta.engine.lane import Lane
from regatta.graph import Graph, GraphFunction, Market, Rules, Series, build, segments
from regatta.settings.bot import BotSettings

DAY_CANDLES = 1440
"""Candles of history that are told one by one, so that longer candles under way are complete."""


class StrategyLike(Protocol):
    """What is needed of a strategy to make a bot of it."""

    @property
    def Parameters(self) -> type[Any]: ...  # noqa: N802 - it is a class
    def rules(self, market: Market, parameters: Any) -> Rules: ...


class CandleColumns(Protocol):
    """Candles of one symbol as columns (`market.Candles`)."""

    def __len__(self) -> int: ...
    def block(self) -> np.ndarray[Any, np.dtype[np.float64]]: ...


class History(Protocol):
    """A feed that knows the candles before a moment."""

    @property
    def timeframe(self) -> str: ...
    def history(self, symbol: str, before_ms: int, n: int) -> CandleColumns: ...


class Plan(msgspec.Struct, frozen=True):
    """A bot's settings with the graph that its strategy declares."""

    settings: BotSettings
    graph: Graph


def plan(settings: BotSettings, strategy: StrategyLike) -> Plan:
    """Build the graph of a bot's strategy with its parameters.

    Raises BadInput when the strategy looks at values from outside the candles: no source of them
    is connected yet, and it would warm up for ever.
    """
    parameters = strategy.Parameters.model_validate(dict(settings.parameters))
    graph = build(strategy.rules(Market(), parameters))
    outside = [feeder.name for feeder in graph.feeders if not feeder.is_timeframe]
    if outside:
        raise BadInput(
            f"bot {settings.name}: strategy {settings.strategy} needs values from outside the candles "
            f"({', '.join(outside)}), and no source of them is connected"
        )
    return Plan(settings, graph)


def make_bot(
    what: Plan,
    function: GraphFunction,
    instruments: Mapping[str, Instrument],
    tag: str,
    initial_e8: int | None = None,
) -> Bot:
    """Make a bot with empty books; initial_e8: what the journal says it started with, if it does."""
    settings = what.settings
    rules = settings.risk.rules()
    own = {symbol: instruments[symbol] for symbol in settings.symbols}
    length_ms = timeframe_ms(settings.timeframe)
    return Bot(
        name=settings.name,
        tag=tag,
        timeframe=settings.timeframe,
        series={symbol: Series(what.graph, function, length_ms) for symbol in settings.symbols},
        rules=rules,
        slippage=settings.risk.slippage,
        book=Book(
            settings.name, own, settings.initial_balance_e8 if initial_e8 is None else initial_e8, rules.leverage
        ),
        outputs=[output.bit for output in what.graph.outputs],
        scored="score" in what.graph.columns,
    )


def warm_up(lane: Lane, feed: History, before_ms: int, candles: int, series_of: Callable[[Bot, str], Series]) -> None:
    """Run every bot's series over the candles that closed by `before_ms`, gaps included.

    candles: how many of the feed's candles to take at most. The same steps as live, in a batch:
    the state is the same to the bit as if the bot had been there.
    """
    feed_ms = timeframe_ms(feed.timeframe)
    symbols = sorted({symbol for bot in lane.bots.values() for symbol in bot.symbols})
    for symbol in symbols:
        block = feed.history(symbol, before_ms, candles).block()
        if block.shape[1] == 0:
            continue
        tail = [_candle(symbol, feed.timeframe, column, feed_ms) for column in block[:, -DAY_CANDLES:].T]
        lane.warmed(tail)
        for bot in lane.bots.values():
            if symbol not in bot.symbols:
                continue
            own_ms = timeframe_ms(bot.timeframe)
            rows = block if own_ms == feed_ms else longer(block, feed_ms, own_ms, before_ms)
            count = rows.shape[1]
            if count == 0:
                continue
            series = series_of(bot, symbol)
            for start, stop in segments(rows, own_ms):
                if start:
                    series.reset()
                series.batch(np.ascontiguousarray(rows[:, start:stop]), np.zeros(stop - start, np.uint8))
            bot.warmed(symbol, count, int(rows[0, -1]), float(rows[4, -1]))


def longer(
    block: np.ndarray[Any, np.dtype[np.float64]], from_ms: int, to_ms: int, before_ms: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the complete candles of a longer timeframe, as a block (6, n), made of a shorter one's."""
    close_ms = block[0].astype(np.int64)
    starts = (close_ms - from_ms) // to_ms * to_ms
    first = np.flatnonzero(np.concatenate([[True], np.diff(starts) != 0])) if len(starts) else np.empty(0, np.int64)
    last = np.concatenate([first[1:], [len(starts)]]) - 1 if len(first) else first
    made = np.empty((6, len(first)))
    made[0] = starts[first] + to_ms
    made[1] = block[1, first]
    if len(first):
        made[2] = np.maximum.reduceat(block[2], first)
        made[3] = np.minimum.reduceat(block[3], first)
    made[4] = block[4, last]
    # Summed in the order of time, one after the other, as the aggregate step does.
    for k, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        volume = 0.0
        for value in block[5, a : b + 1].tolist():
            volume += value
        made[5, k] = volume
    complete = (made[0] <= before_ms) & (close_ms[last] == made[0]) if len(first) else np.empty(0, bool)
    # A bucket at the end that is not complete is still being made; older ones ended with a gap.
    if len(first):
        complete[:-1] = True
        # The first one may have begun before the history does.
        complete[0] &= close_ms[first[0]] - from_ms == starts[first[0]]
    return np.ascontiguousarray(made[:, complete])


def _candle(symbol: str, timeframe: str, column: np.ndarray[Any, np.dtype[np.float64]], length_ms: int) -> Candle:
    close, open_, high, low, last, volume = column.tolist()
    return Candle(symbol, timeframe, int(close) - length_ms, int(close), open_, high, low, last, volume)
