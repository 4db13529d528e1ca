"""The expression graph: a strategy as data, run as one function over a million candles or one.

Declare with the words of `vocabulary` on a `Market`, name the conditions with `checks`, put them
into `Rules`; `build` makes the function; `signals` runs it over history, `Series` on candles as
they come.
"""

from regatta.graph.batch import check_candles, segments, signals
from regatta.graph.build import build
from regatta.graph.functions import GraphFunction
from regatta.graph.graph import Feeder, Graph
from regatta.graph.market import Market
from regatta.graph.nodes import Condition, Node
from regatta.graph.rules import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Checks, Rules, checks
from regatta.graph.series import WARMING_UP, CheckValue, Series
from regatta.graph.vocabulary import (
    adx,
    apply,
    atr,
    before,
    bollinger,
    crosses_above,
    crosses_below,
    deviation,
    ema,
    held,
    higher_of,
    highest,
    lower_of,
    lowest,
    macd,
    rsi,
    sma,
    true_range,
    where,
    wilder,
)

__all__ = [
    "ENTER_LONG",
    "ENTER_SHORT",
    "EXIT_LONG",
    "EXIT_SHORT",
    "WARMING_UP",
    "CheckValue",
    "Checks",
    "Condition",
    "Feeder",
    "Graph",
    "GraphFunction",
    "Market",
    "Node",
    "Rules",
    "Series",
    "adx",
    "apply",
    "atr",
    "before",
    "bollinger",
    "build",
    "check_candles",
    "checks",
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
    "segments",
    "signals",
    "sma",
    "true_range",
    "where",
    "wilder",
]
