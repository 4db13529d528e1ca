"""The hub: one stream of candles for each symbol and timeframe, whatever the number of bots.

It answers what feeds deliver: candles that follow each other go on, one that was there already
is dropped, a gap is told first. It opens no connections: the feed asks which streams are wanted.
"""

from collections.abc import Callable, Mapping

import msgspec

from regatta.domain.candle import Candle
from regatta.domain.events import CandleClosed, CandleOpened, MarketEvent, SeriesInterrupted
from regatta.domain.timeframe import timeframe_ms

STALE_AFTER_MS = 15_000


class Stream(msgspec.Struct, frozen=True, order=True):
    """What can be subscribed to."""

    symbol: str
    timeframe: str


class LastPrice(msgspec.Struct, frozen=True):
    """The newest price of a symbol; at_ms: when it was made, in market time."""

    price: float
    at_ms: int


class Hub:
    """Shared subscriptions, last prices, and the check that candles follow each other."""

    def __init__(self) -> None:
        self._wanted: dict[Stream, int] = {}
        self._next_ms: dict[Stream, int] = {}
        self._arrived_ms: dict[Stream, int] = {}
        self._prices: dict[str, LastPrice] = {}
        self.dropped = 0

    # --- who wants what ------------------------------------------------------------------

    def subscribe(self, symbol: str, timeframe: str) -> Callable[[], None]:
        """Ask for a stream; return the function that ends this subscription (once)."""
        stream = Stream(symbol, timeframe)
        timeframe_ms(timeframe)
        self._wanted[stream] = self._wanted.get(stream, 0) + 1
        ended = False

        def end() -> None:
            nonlocal ended
            if ended:
                return
            ended = True
            self._wanted[stream] -= 1
            if not self._wanted[stream]:
                del self._wanted[stream]
                # Taken up again later, it starts afresh: what is missed meanwhile is no gap.
                self._next_ms.pop(stream, None)
                self._arrived_ms.pop(stream, None)

        return end

    def streams(self) -> list[Stream]:
        """Return the streams that somebody wants, each once, sorted."""
        return sorted(self._wanted)

    # --- what arrives --------------------------------------------------------------------

    def take(self, event: MarketEvent, arrived_ms: int) -> list[MarketEvent]:
        """Return what goes on to the bots: nothing for what nobody wants or what is old.

        arrived_ms: clock time. A candle that does not follow the last one comes behind a
        `SeriesInterrupted` (a live feed fetches what is missing before it hands the candle in).
        """
        if isinstance(event, CandleClosed):
            return self._candle(event, arrived_ms)
        if isinstance(event, CandleOpened):
            self._price(event.symbol, event.price, event.open_ms)
        elif isinstance(event, SeriesInterrupted):
            stream = Stream(event.symbol, event.timeframe)
            self._next_ms[stream] = event.after_ms + event.missing * timeframe_ms(event.timeframe)
        return [event]

    def _candle(self, event: CandleClosed, arrived_ms: int) -> list[MarketEvent]:
        candle = event.candle
        stream = Stream(candle.symbol, candle.timeframe)
        if stream not in self._wanted:
            return []
        expected_ms = self._next_ms.get(stream, candle.open_ms)
        self._arrived_ms[stream] = arrived_ms
        if candle.open_ms < expected_ms:
            self.dropped += 1
            return []
        self._next_ms[stream] = candle.close_ms
        self._price(candle.symbol, candle.close, candle.close_ms)
        if candle.open_ms == expected_ms:
            return [event]
        return [self._interruption(candle, expected_ms), event]

    @staticmethod
    def _interruption(candle: Candle, expected_ms: int) -> SeriesInterrupted:
        missing = (candle.open_ms - expected_ms) // (candle.close_ms - candle.open_ms)
        return SeriesInterrupted(candle.symbol, candle.timeframe, expected_ms, missing)

    def _price(self, symbol: str, price: float, at_ms: int) -> None:
        known = self._prices.get(symbol)
        if known is None or at_ms >= known.at_ms:
            self._prices[symbol] = LastPrice(price, at_ms)

    # --- what is known -------------------------------------------------------------------

    def price(self, symbol: str) -> LastPrice | None:
        """Return the newest price of a symbol, None before the first."""
        return self._prices.get(symbol)

    def prices(self) -> Mapping[str, LastPrice]:
        """Return the newest prices by symbol."""
        return self._prices

    def follow(self, symbol: str, timeframe: str, close_ms: int) -> None:
        """Say that history up to a close is known: the next candle must open there."""
        self._next_ms[Stream(symbol, timeframe)] = close_ms

    def age_ms(self, stream: Stream, now_ms: int) -> int | None:
        """Return how long ago the stream's last candle arrived; None before the first."""
        arrived_ms = self._arrived_ms.get(stream)
        return None if arrived_ms is None else max(0, now_ms - arrived_ms)

    def stale(self, now_ms: int, speed: float = 1.0) -> list[Stream]:
        """Return the wanted streams from which no candle came for two intervals and 15 s.

        speed: market time per clock time, for replays. A stream without any candle so far is
        not listed: its feed knows when it began.
        """
        late = []
        for stream in self.streams():
            age_ms = self.age_ms(stream, now_ms)
            if age_ms is not None and age_ms > 2 * timeframe_ms(stream.timeframe) / speed + STALE_AFTER_MS:
                late.append(stream)
        return late
