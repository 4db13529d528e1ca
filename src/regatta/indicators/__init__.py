"""Indicators: one scalar step function each, described by data.

See `operator` for what a step may do and what an operator says about itself. Indicators that
are made of others (ATR, MACD, Bollinger Bands) are put together in `regatta.graph.vocabulary`.
"""

from regatta.indicators.averages import EMA, LATE_EMA, SMA, WILDER
from regatta.indicators.delays import DELAY
from regatta.indicators.extremes import HIGHEST, LOWEST
from regatta.indicators.momentum import RSI
from regatta.indicators.operator import Operator, Parameter, residual_candles
from regatta.indicators.trend import ADX
from regatta.indicators.volatility import DEVIATION, TRUE_RANGE

OPERATORS: tuple[Operator, ...] = (EMA, LATE_EMA, WILDER, SMA, RSI, TRUE_RANGE, DEVIATION, ADX, HIGHEST, LOWEST, DELAY)
"""Every built-in operator; the contract suite of the tests takes them from here."""

__all__ = [
    "ADX",
    "DELAY",
    "DEVIATION",
    "EMA",
    "HIGHEST",
    "LATE_EMA",
    "LOWEST",
    "OPERATORS",
    "RSI",
    "SMA",
    "TRUE_RANGE",
    "WILDER",
    "Operator",
    "Parameter",
    "residual_candles",
]
