"""Funding settlements: what a venue settled when, and which candle it is charged with."""

from collections.abc import Sequence

import msgspec
import numpy as np

from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import MINUTE_MS
from regatta.market.candles import Candles


class Settlement(msgspec.Struct, frozen=True):
    """One funding settlement. rate_e8: 10**-8, positive: longs pay; mark: None when not known."""

    at_ms: int
    rate_e8: int
    mark: float | None

    @property
    def minute_ms(self) -> int:
        """The minute that it belongs to."""
        return self.at_ms - self.at_ms % MINUTE_MS


class Charge(msgspec.Struct, frozen=True):
    """A settlement that is charged as candle `row` opens, at a mark price in whole ticks."""

    row: int
    rate_e8: int
    mark_ticks: int


def charges(
    settlements: Sequence[Settlement], candles: Candles, instrument: Instrument, close_before: float | None = None
) -> list[Charge]:
    """Return at which candle each settlement is charged; those after the last open are left out.

    A settlement belongs to the first candle that opens at its minute or later (venues settle
    some milliseconds after the full hour). Where no mark price is known it is the close of the
    candle before. close_before: that of the candle before the first; None: there is none, and
    what settled before the first candle concerned nobody.
    """
    at_ms = np.array([s.minute_ms for s in settlements], dtype=np.int64)
    rows = np.searchsorted(candles.open_ms, at_ms).tolist()
    first_ms = int(candles.open_ms[0]) if len(candles) and close_before is None else 0
    found: list[Charge] = []
    for settlement, row in zip(settlements, rows, strict=True):
        if row < len(candles) and settlement.minute_ms >= first_ms:
            mark = settlement.mark
            if mark is None:
                first = float(candles.open[0]) if close_before is None else close_before
                mark = float(candles.close[row - 1]) if row else first
            found.append(Charge(row, settlement.rate_e8, max(1, instrument.ticks(mark))))
    return found
