"""Every indicator with its oracle. What is listed here takes the whole contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import talib

from regatta.graph import (
    Market,
    Node,
    adx,
    atr,
    before,
    bollinger,
    deviation,
    ema,
    highest,
    lowest,
    macd,
    rsi,
    sma,
    true_range,
    wilder,
)
from tests.graph.candles import Block

Oracle = Callable[[Block, Block, Block, Block], Any]  # high, low, close, volume


@dataclass(frozen=True)
class Case:
    """An indicator as a strategy writes it, and what TA-Lib says.

    early: candles by which it is known before TA-Lib shows it.
    """

    name: str
    node: Node
    oracle: Oracle
    early: int = 0


def cases(n: int, slow: int = 26, signal: int = 9) -> list[Case]:
    """Return every indicator with periods made of n (n < slow)."""
    m = Market()
    bands = bollinger(m.close, n, 2.5)
    lines = macd(m.close, n, slow, signal)
    directional = adx(m, n)
    return [
        Case("ema", ema(m.close, n), lambda h, l, c, v: talib.EMA(c, n)),
        Case("sma", sma(m.volume, n), lambda h, l, c, v: talib.SMA(v, n)),
        Case("wilder", wilder(true_range(m), n), lambda h, l, c, v: talib.ATR(h, l, c, n)),
        Case("atr", atr(m, 2 * n), lambda h, l, c, v: talib.ATR(h, l, c, 2 * n)),
        Case("true_range", true_range(m), lambda h, l, c, v: talib.TRANGE(h, l, c)),
        Case("rsi", rsi(m.close, n), lambda h, l, c, v: talib.RSI(c, n)),
        Case("macd", lines.line, lambda h, l, c, v: talib.MACD(c, n, slow, signal)[0], early=signal - 1),
        Case("macd_signal", lines.signal, lambda h, l, c, v: talib.MACD(c, n, slow, signal)[1]),
        Case("macd_histogram", lines.histogram, lambda h, l, c, v: talib.MACD(c, n, slow, signal)[2]),
        Case("deviation", deviation(m.close, n), lambda h, l, c, v: talib.STDDEV(c, n)),
        Case("bollinger_upper", bands.upper, lambda h, l, c, v: talib.BBANDS(c, n, 2.5, 2.5)[0]),
        Case("bollinger_middle", bands.middle, lambda h, l, c, v: talib.BBANDS(c, n, 2.5, 2.5)[1]),
        Case("bollinger_lower", bands.lower, lambda h, l, c, v: talib.BBANDS(c, n, 2.5, 2.5)[2]),
        Case("adx", directional.adx, lambda h, l, c, v: talib.ADX(h, l, c, n)),
        Case("plus_di", directional.plus_di, lambda h, l, c, v: talib.PLUS_DI(h, l, c, n)),
        Case("minus_di", directional.minus_di, lambda h, l, c, v: talib.MINUS_DI(h, l, c, n)),
        Case("highest", highest(m.high, n), lambda h, l, c, v: talib.MAX(h, n)),
        Case("lowest", lowest(m.low, n), lambda h, l, c, v: talib.MIN(l, n)),
        Case("before", before(m.close, n), lambda h, l, c, v: np.concatenate([np.full(n, np.nan), c[:-n]])),
        Case("previous", before(m.close), lambda h, l, c, v: np.concatenate([[np.nan], c[:-1]])),
    ]


NAMES = [case.name for case in cases(5)]
