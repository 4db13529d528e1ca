"""Small markets for the tests of this room."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import polars as pl

from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import timeframe_ms
from regatta.market.candles import Candles

MINUTE = 60_000
START = 1_746_057_600_000
"""2025-05-01 00:00 UTC."""


def instrument(symbol: str = "AAA/USDT:USDT", tick: str = "0.1", lot: str = "0.001") -> Instrument:
    base, rest = symbol.split("/")
    return Instrument(
        venue="test",
        symbol=symbol,
        base=base,
        quote=rest.split(":")[0],
        kind="swap" if ":" in rest else "spot",
        tick_size=Decimal(tick),
        lot_step=Decimal(lot),
        min_quantity=Decimal(lot),
        min_notional=Decimal(5),
        max_leverage=20,
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
    )


def candles(
    symbol: str = "AAA/USDT:USDT",
    n: int = 10,
    *,
    start_ms: int = START,
    timeframe: str = "1m",
    without: Sequence[int] = (),
    price: float = 100.0,
) -> Candles:
    """Return n candles, each closing 0.1 above its open; `without`: which of them are missing."""
    rows = np.array([i for i in range(n) if i not in without], dtype=np.int64)
    open_ = price + rows / 10
    close = price + (rows + 1) / 10
    return Candles(
        symbol,
        timeframe,
        start_ms + rows * timeframe_ms(timeframe),
        open_,
        close + 0.2,
        open_ - 0.2,
        close,
        (rows + 1).astype(np.float64),
    )


def frame(part: Candles) -> pl.DataFrame:
    """Return candles as the store's rows."""
    return pl.DataFrame(
        {
            "ts": part.open_ms,
            "open": part.open,
            "high": part.high,
            "low": part.low,
            "close": part.close,
            "volume": part.volume,
        }
    )
