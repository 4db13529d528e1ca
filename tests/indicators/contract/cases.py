"""Every indicator with its oracle. What is listed here takes the whole contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

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


class Columns(NamedTuple):
    """Columns of candles, as TA-Lib takes them."""

    high: Block
    low: Block
    close: Block
    volume: Block


Oracle = Callable[[Columns], Any]


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
        Case("ema", ema(m.close, n), lambda x: talib.EMA(x.close, n)),
        Case("sma", sma(m.volume, n), lambda x: talib.SMA(x.volume, n)),
        Case("wilder", wilder(true_range(m), n), lambda x: talib.ATR(x.high, x.low, x.close, n)),
        Case("atr", atr(m, 2 * n), lambda x: talib.ATR(x.high, x.low, x.close, 2 * n)),
        Case("true_range", true_range(m), lambda x: talib.TRANGE(x.high, x.low, x.close)),
        Case("rsi", rsi(m.close, n), lambda x: talib.RSI(x.close, n)),
        Case("macd", lines.line, lambda x: talib.MACD(x.close, n, slow, signal)[0], early=signal - 1),
        Case("macd_signal", lines.signal, lambda x: talib.MACD(x.close, n, slow, signal)[1]),
        Case("macd_histogram", lines.histogram, lambda x: talib.MACD(x.close, n, slow, signal)[2]),
        Case("deviation", deviation(m.close, n), lambda x: talib.STDDEV(x.close, n)),
        Case("bollinger_upper", bands.upper, lambda x: talib.BBANDS(x.close, n, 2.5, 2.5)[0]),
        Case("bollinger_middle", bands.middle, lambda x: talib.BBANDS(x.close, n, 2.5, 2.5)[1]),
        Case("bollinger_lower", bands.lower, lambda x: talib.BBANDS(x.close, n, 2.5, 2.5)[2]),
        Case("adx", directional.adx, lambda x: talib.ADX(x.high, x.low, x.close, n)),
        Case("plus_di", directional.plus_di, lambda x: talib.PLUS_DI(x.high, x.low, x.close, n)),
        Case("minus_di", directional.minus_di, lambda x: talib.MINUS_DI(x.high, x.low, x.close, n)),
        Case("highest", highest(m.high, n), lambda x: talib.MAX(x.high, n)),
        Case("lowest", lowest(m.low, n), lambda x: talib.MIN(x.low, n)),
        Case("before", before(m.close, n), lambda x: np.concatenate([np.full(n, np.nan), x.close[:-n]])),
        Case("previous", before(m.close), lambda x: np.concatenate([[np.nan], x.close[:-1]])),
    ]


NAMES = [case.name for case in cases(5)]
