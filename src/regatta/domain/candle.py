"""Candles: open, high, low, close and volume of one period, stamped with its open."""

import msgspec


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One closed candle. open_ms: UTC time of its open; volume in base units."""

    symbol: str
    timeframe: str
    open_ms: int
    close_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
