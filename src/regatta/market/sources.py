"""Where replays get their candles: the store, or memory."""

from collections.abc import Mapping, Sequence

import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.money import E8
from regatta.domain.timeframe import timeframe_ms
from regatta.market.candles import Candles
from regatta.market.settlement import Settlement
from regatta.market.store import CandleStore

MARK_TIMEFRAMES = ("1m", "5m", "15m", "1h")
"""Where marks of a settlement are looked for, finest first."""

WINDOW_CANDLES = 16_384
"""Candles of a symbol that are read and kept at once: a file holds a month."""


class StoredSource:
    """Stored candles of one venue and timeframe, read a stretch at a time."""

    kind = "replay"

    def __init__(self, store: CandleStore, venue: str, symbols: Sequence[str], timeframe: str) -> None:
        """Raises BadInput when one of the symbols has no candles."""
        timeframe_ms(timeframe)
        self._store = store
        self._venue = venue
        self.timeframe = timeframe
        self.symbols: Sequence[str] = tuple(sorted(set(symbols)))
        spans = {symbol: store.span(venue, symbol, timeframe) for symbol in self.symbols}
        absent = [symbol for symbol, span in spans.items() if span is None]
        if absent:
            stored = sorted({s.symbol for s in store.series() if (s.venue, s.timeframe) == (venue, timeframe)})
            raise BadInput(
                f"no {timeframe} candles of {venue} are stored for {', '.join(absent)} in {store.data_dir}; "
                f"stored: {', '.join(stored) or 'none'}. `regatta data import` adds some"
            )
        self._windows: dict[str, tuple[int, int, Candles | None]] = {}
        self.first_ms = min(span[0] for span in spans.values() if span)
        self.end_ms: int | None = max(span[1] for span in spans.values() if span) + timeframe_ms(timeframe)

    def read(self, symbol: str, from_ms: int, to_ms: int) -> Candles:
        """Return the candles that open in [from_ms, to_ms)."""
        start, stop, window = self._windows.get(symbol, (0, 0, None))
        if window is None or from_ms < start or to_ms > stop:
            start, stop = from_ms, max(to_ms, from_ms + WINDOW_CANDLES * timeframe_ms(self.timeframe))
            window = self._store.read(self._venue, symbol, self.timeframe, start, stop)
            self._windows[symbol] = start, stop, window
        return window.between(from_ms, to_ms)

    def before(self, symbol: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles that had closed by before_ms."""
        return self._store.last(self._venue, symbol, self.timeframe, before_ms, n)

    def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Return the stored settlements in [from_ms, to_ms), with the mark price where it is stored."""
        return stored_settlements(self._store, self._venue, symbol, from_ms, to_ms)


def stored_settlements(
    store: CandleStore, venue: str, symbol: str, from_ms: int = 0, to_ms: int = 1 << 62
) -> list[Settlement]:
    """Return the stored funding settlements of a symbol in [from_ms, to_ms).

    The mark price is the open of the mark candle in whose first minute the settlement lies,
    else the close of the one that had just closed; None when neither is stored.
    """
    times, rates = store.funding(venue, symbol, from_ms, to_ms)
    if not len(times):
        return []
    marks = np.full(len(times), np.nan)
    minutes = times - times % 60_000
    for timeframe in MARK_TIMEFRAMES:
        step = timeframe_ms(timeframe)
        candles = store.read(venue, symbol, timeframe, int(minutes[0]) - step, int(minutes[-1]) + 1, kind="mark")
        for at_ms, prices in ((candles.open_ms, candles.open), (candles.close_ms, candles.close)):
            if len(at_ms):
                place = np.minimum(np.searchsorted(at_ms, minutes), len(at_ms) - 1)
                found = (at_ms[place] == minutes) & np.isnan(marks)
                marks[found] = prices[place[found]]
    return [
        Settlement(at_ms, round(rate * E8), None if mark != mark else mark)
        for at_ms, rate, mark in zip(times.tolist(), rates.tolist(), marks.tolist(), strict=True)
    ]


class MemorySource:
    """Candles that are at hand, of one timeframe."""

    kind = "replay"

    def __init__(
        self, candles: Mapping[str, Candles], settlements: Mapping[str, Sequence[Settlement]] | None = None
    ) -> None:
        """candles: by symbol, at least one symbol, all of one timeframe."""
        timeframes = {part.timeframe for part in candles.values()}
        if len(timeframes) != 1:
            raise BadInput(f"candles of one timeframe are expected, not of {', '.join(sorted(timeframes)) or 'none'}")
        self.timeframe = timeframes.pop()
        self.symbols: Sequence[str] = tuple(sorted(candles))
        self._candles = candles
        self._settlements = settlements or {}
        ends = [int(part.close_ms[-1]) for part in candles.values() if len(part)]
        self.end_ms: int | None = max(ends, default=0)

    def read(self, symbol: str, from_ms: int, to_ms: int) -> Candles:
        """Return the candles that open in [from_ms, to_ms)."""
        return self._candles[symbol].between(from_ms, to_ms)

    def before(self, symbol: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles that had closed by before_ms."""
        candles = self._candles[symbol]
        stop = int(np.searchsorted(candles.close_ms, before_ms, side="right"))
        return candles.part(max(0, stop - n), stop)

    def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Return the settlements in [from_ms, to_ms)."""
        return [s for s in self._settlements.get(symbol, ()) if from_ms <= s.at_ms < to_ms]
