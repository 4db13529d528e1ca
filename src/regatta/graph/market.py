"""The market as a strategy sees it: columns of candles, and of what is known from elsewhere."""

from regatta.domain.timeframe import timeframe_ms
from regatta.graph.nodes import BASE, Column, Node

CANDLE_COLUMNS = ("open", "high", "low", "close", "volume")
"""Columns of a candle in the order of its rows in a block; row 0 is the close time."""


class Market:
    """The candles of one symbol: on the strategy's own timeframe, or on a higher one.

    Values of a higher timeframe or from outside are the last ones known at a candle's close:
    nothing of a candle is seen before that candle has closed.
    """

    def __init__(self, timeframe: str = BASE) -> None:
        self.timeframe = timeframe
        self.open, self.high, self.low, self.close, self.volume = (
            Column(timeframe, name, row) for row, name in enumerate(CANDLE_COLUMNS, start=1)
        )

    def at(self, timeframe: str) -> "Market":
        """Return the candles of a higher timeframe such as "4h"."""
        timeframe_ms(timeframe)
        return Market(timeframe)

    def outside(self, name: str) -> Node:
        """Return a value that comes from outside the candles, such as "funding" or "sentiment"."""
        if not name.isidentifier():
            raise ValueError(f"outside value {name!r}: a name of letters, digits and _ is needed")
        return Column(name, "value", 1)
