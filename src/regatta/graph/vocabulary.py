"""The words a strategy is written with.

Definitions are TA-Lib's, so that anyone can check them. Every word takes nodes (`m.close`) and
numbers and returns nodes or conditions. Periods are in candles of the node's own timeframe.
"""

from typing import NamedTuple

from regatta.graph.market import Market
from regatta.graph.nodes import (
    Application,
    Arithmetic,
    Choice,
    Condition,
    Node,
    Number,
    before,
    condition,
    cross,
    held,
    node,
)
from regatta.indicators import ADX, DEVIATION, EMA, HIGHEST, LATE_EMA, LOWEST, RSI, SMA, TRUE_RANGE, WILDER, Operator


class Macd(NamedTuple):
    """MACD line, its signal line, and the difference of the two."""

    line: Node
    signal: Node
    histogram: Node


class Bands(NamedTuple):
    """Bollinger Bands."""

    upper: Node
    middle: Node
    lower: Node


class Directional(NamedTuple):
    """Average directional index and the two directional indicators."""

    adx: Node
    plus_di: Node
    minus_di: Node


# --- Averages --------------------------------------------------------------------------------


def ema(x: Node, n: int) -> Node:
    """Return the exponential moving average, alpha 2 / (n + 1), seeded with the mean of the first n."""
    return Application(EMA, (x,), (n,))


def sma(x: Node, n: int) -> Node:
    """Return the mean of the last n values, this candle's included."""
    return Application(SMA, (x,), (n,))


def wilder(x: Node, n: int) -> Node:
    """Return Wilder's average, alpha 1 / n, seeded with the mean of the first n."""
    return Application(WILDER, (x,), (n,))


# --- Momentum --------------------------------------------------------------------------------


def rsi(x: Node, n: int = 14) -> Node:
    """Return Wilder's relative strength index, 0 to 100."""
    return Application(RSI, (x,), (n,))


def macd(x: Node, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Return MACD as TA-Lib: the fast average is seeded late, so that both start at candle `slow`.

    So the line is not `ema(x, fast) - ema(x, slow)` until about 10 * fast candles later. It is
    known from candle `slow` on; TA-Lib withholds it until the signal is known too.
    """
    if not fast < slow:
        raise ValueError(f"macd: fast is {fast}; allowed: less than slow, which is {slow}")
    line = Application(LATE_EMA, (x,), (fast, slow - fast)) - ema(x, slow)
    smooth = ema(line, signal)
    return Macd(line, smooth, line - smooth)


# --- Volatility ------------------------------------------------------------------------------


def true_range(m: Market) -> Node:
    """Return the range of the candle, the gap from the last close included."""
    return Application(TRUE_RANGE, (m.high, m.low, m.close), ())


def atr(m: Market, n: int = 14) -> Node:
    """Return the average true range: Wilder's average of the true range."""
    return wilder(true_range(m), n)


def deviation(x: Node, n: int) -> Node:
    """Return the population standard deviation of the last n values."""
    return Application(DEVIATION, (x,), (n,), 1)


def bollinger(x: Node, n: int = 20, deviations: Number = 2.0) -> Bands:
    """Return the mean of the last n values, and the lines `deviations` standard deviations off it."""
    middle = Application(DEVIATION, (x,), (n,), 0)
    width = deviation(x, n) * deviations
    return Bands(middle + width, middle, middle - width)


# --- Trend and extremes ----------------------------------------------------------------------


def adx(m: Market, n: int = 14) -> Directional:
    """Return Wilder's ADX, +DI and -DI, each 0 to 100."""
    inputs = (m.high, m.low, m.close)
    average, plus, minus = (Application(ADX, inputs, (n,), output) for output in range(3))
    return Directional(average, plus, minus)


def highest(x: Node, n: int) -> Node:
    """Return the highest of the last n values, this candle's included."""
    return Application(HIGHEST, (x,), (n,))


def lowest(x: Node, n: int) -> Node:
    """Return the lowest of the last n values, this candle's included."""
    return Application(LOWEST, (x,), (n,))


# --- Conditions and choices ------------------------------------------------------------------


def crosses_above(a: Node | Number, b: Node | Number) -> Condition:
    """Return whether a is above b now and was not at the candle before."""
    return cross("above", a, b)


def crosses_below(a: Node | Number, b: Node | Number) -> Condition:
    """Return whether a is below b now and was not at the candle before."""
    return cross("below", a, b)


def where(met: Condition, a: Node | Number, b: Node | Number = 0.0) -> Node:
    """Return a where the condition is met, else b: `where(cond, 20)` gives 20 points or none."""
    return Choice(condition(met), node(a), node(b))


def lower_of(a: Node | Number, b: Node | Number) -> Node:
    """Return the lower of two values; unknown when either is."""
    return Arithmetic("min", node(a), node(b))


def higher_of(a: Node | Number, b: Node | Number) -> Node:
    """Return the higher of two values; unknown when either is."""
    return Arithmetic("max", node(a), node(b))


def apply(operator: Operator, *inputs: Node, parameters: tuple[int, ...] = (), output: int = 0) -> Node:
    """Return an output of an operator of your own: see `regatta.indicators.operator`."""
    if len(inputs) != len(operator.inputs):
        raise ValueError(f"{operator.name} takes {', '.join(operator.inputs)}; got {len(inputs)} inputs")
    return Application(operator, inputs, parameters, output)


__all__ = [
    "Bands",
    "Directional",
    "Macd",
    "adx",
    "apply",
    "atr",
    "before",
    "bollinger",
    "crosses_above",
    "crosses_below",
    "deviation",
    "ema",
    "held",
    "higher_of",
    "highest",
    "lower_of",
    "lowest",
    "macd",
    "rsi",
    "sma",
    "true_range",
    "where",
    "wilder",
]
