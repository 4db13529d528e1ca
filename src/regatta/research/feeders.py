"""Rows of higher timeframes for graphs that look at them, made from the backtest's own candles.

A higher candle is known at its end or, when its last lower candle is missing, when the next
lower candle has closed: as `domain.aggregate` has it, candle by candle, and to the bit.
"""

import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.timeframe import TIMEFRAMES_MS
from regatta.graph import Graph
from regatta.research.timeline import Floats


def feeds_of(graph: Graph, block: Floats, timeframe_ms: int) -> dict[str, Floats]:
    """Return what the graph's feeders deliver over an unbroken run of candles.

    block: float64 (6, n), as the graph takes it. Raises BadInput for feeders that are not a
    higher timeframe: what comes from outside is not stored.
    """
    feeds: dict[str, Floats] = {}
    for feeder in graph.feeders:
        if not feeder.is_timeframe or feeder.name not in TIMEFRAMES_MS:
            raise BadInput(f"the strategy looks at {feeder.name!r}, which is not stored: it can't be backtested")
        feeds[feeder.name] = higher_candles(block, timeframe_ms, TIMEFRAMES_MS[feeder.name])
    return feeds


def higher_candles(block: Floats, lower_ms: int, higher_ms: int) -> Floats:
    """Return the higher candles of an unbroken run as (6, m): known_ms, open, high, low, close, volume.

    Only what is known by the run's last close. Raises BadInput unless the higher timeframe is a
    multiple of the lower one.
    """
    if higher_ms % lower_ms or higher_ms <= lower_ms:
        raise BadInput(f"candles of {higher_ms // 60_000} minutes can't be made of ones of {lower_ms // 60_000}")
    each = higher_ms // lower_ms
    open_ms = block[0].astype(np.int64) - lower_ms
    starts = np.flatnonzero(open_ms % higher_ms == 0)
    if len(open_ms) and (not len(starts) or starts[0] != 0):
        starts = np.concatenate([[0], starts])
    ends = np.append(starts[1:], len(open_ms))
    whole = block[0, ends - 1].astype(np.int64) % higher_ms == 0 if len(starts) else np.zeros(0, bool)
    starts, ends = starts[whole], ends[whole]
    found = np.empty((6, len(starts)))
    if not len(starts):
        return found
    found[0] = block[0, ends - 1]
    found[1] = block[1, starts]
    found[2] = np.maximum.reduceat(block[2, : ends[-1]], starts)
    found[3] = np.minimum.reduceat(block[3, : ends[-1]], starts)
    found[4] = block[4, ends - 1]
    # Summed in the order of time, as the step does: another order gives other last digits.
    found[5] = 0.0
    for position in range(each):
        rows = starts + position
        inside = rows < ends
        found[5, inside] += block[5, rows[inside]]
    return found
