"""A stretch of candles of one symbol, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from regatta.domain.candle import Candle
from regatta.domain.timeframe import timeframe_ms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Gap(msgspec.Struct, frozen=True):
    """Candles that are not there.

    after_ms: close of the last candle before the gap, which is the open of the first missing
    one; missing: how many candles.
    """

    after_ms: int
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Closed candles of one symbol, oldest first, without duplicates; gaps are possible.

    open_ms: int64, UTC; prices in quote and volume in base units, float64; all of shape (n,).
    """

    symbol: str
    timeframe: str
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @staticmethod
    def empty(symbol: str, timeframe: str) -> "Candles":
        """Return no candles."""
        none = np.empty(0)
        return Candles(symbol, timeframe, np.empty(0, np.int64), none, none, none, none, none)

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def step_ms(self) -> int:
        """Length of a candle."""
        return timeframe_ms(self.timeframe)

    @property
    def close_ms(self) -> Ints:
        """Close times, shape (n,)."""
        return self.open_ms + self.step_ms

    def gaps(self) -> list[Gap]:
        """Return where candles are missing between the first and the last one."""
        step = self.step_ms
        apart = np.diff(self.open_ms)
        return [
            Gap(int(self.open_ms[i]) + step, int(apart[i] // step) - 1) for i in np.flatnonzero(apart > step).tolist()
        ]

    def part(self, start: int, stop: int) -> "Candles":
        """Return candles [start:stop] by position, as views."""
        cut = slice(start, stop)
        return Candles(
            self.symbol,
            self.timeframe,
            self.open_ms[cut],
            self.open[cut],
            self.high[cut],
            self.low[cut],
            self.close[cut],
            self.volume[cut],
        )

    def between(self, from_ms: int, to_ms: int) -> "Candles":
        """Return the candles that open in [from_ms, to_ms)."""
        start, stop = np.searchsorted(self.open_ms, [from_ms, to_ms])
        return self.part(int(start), int(stop))

    def block(self) -> Floats:
        """Return the matrix of a compiled graph: rows close_ms, open, high, low, close, volume; (6, n)."""
        return np.vstack([self.close_ms.astype(np.float64), self.open, self.high, self.low, self.close, self.volume])

    def rows(self) -> Iterator[Candle]:
        """Yield the candles one by one."""
        step = self.step_ms
        for t, o, h, low, c, v in zip(
            self.open_ms.tolist(),
            self.open.tolist(),
            self.high.tolist(),
            self.low.tolist(),
            self.close.tolist(),
            self.volume.tolist(),
            strict=True,
        ):
            yield Candle(self.symbol, self.timeframe, t, t + step, o, h, low, c, v)
