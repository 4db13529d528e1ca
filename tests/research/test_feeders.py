"""Higher timeframes of a backtest are those of the aggregate step, to the bit."""

import numpy as np
import pytest

from regatta.domain.aggregate import Bucket, aggregate
from regatta.domain.candle import Candle
from regatta.domain.errors import BadInput
from regatta.graph import Market, Rules, Series, build, checks, ema
from regatta.research.backtest import run
from regatta.research.feeders import feeds_of, higher_candles
from regatta.research.timeline import Floats, SymbolData
from tests.research.scenes import MINUTE, START, candles, instrument, setup
from tests.research.test_plain_and_compiled import walks

HIGHER = 5 * MINUTE


def run_of(n: int, start: int) -> Floats:
    """Return an unbroken run of n candles that begins at minute `start`."""
    rng = np.random.default_rng(n)
    close = 100 + np.cumsum(rng.normal(0, 0.1, n))
    spread = rng.random(n)
    first = START + start * MINUTE
    return np.vstack(
        [first + MINUTE * np.arange(1, n + 1), close, close + spread, close - spread, close, rng.random(n) * 1e3]
    )


def by_the_step(block: Floats) -> list[tuple[float, ...]]:
    bucket = Bucket("5m", HIGHER)
    made: list[tuple[float, ...]] = []
    for close_ms, *values in block.T.tolist():
        complete = aggregate(bucket, Candle("X", "1m", int(close_ms) - MINUTE, int(close_ms), *values))
        made.extend((c.close_ms, c.open, c.high, c.low, c.close, c.volume) for c in complete)
    return made


@pytest.mark.parametrize("start", [0, 1, 4])
@pytest.mark.parametrize("n", [1, 4, 5, 6, 23, 100])
def test_higher_candles_are_those_of_the_aggregate_step(n: int, start: int) -> None:
    block = run_of(n, start)
    assert list(map(tuple, higher_candles(block, MINUTE, HIGHER).T.tolist())) == by_the_step(block)


def test_a_backtest_sees_the_higher_candles_that_a_live_series_sees() -> None:
    m = Market()
    graph = build(Rules(enter_long=checks(above=m.close > ema(m.at("5m").close, 2))))
    symbol, data = next(iter(walks(6, 400).items()))
    result = run(setup(graph=graph), {symbol: SymbolData(data.instrument, data.candles)}, MINUTE)
    wanted = np.zeros(len(result.timeline), np.uint8)
    for start, end in result.timeline.runs[0]:
        series = Series(graph, graph.plain(), MINUTE)
        for row in range(start, end):
            close_ms, *values = result.timeline.blocks[0, :, row].tolist()
            wanted[row] = series.step(int(close_ms), *values)
    assert wanted.sum() > 50
    np.testing.assert_array_equal(result.timeline.signals[0] & 1, wanted)


def test_values_from_outside_can_not_be_backtested_yet() -> None:
    m = Market()
    graph = build(Rules(enter_long=checks(mood=m.outside("sentiment") > 50)))
    with pytest.raises(BadInput, match="'sentiment', which is not stored"):
        feeds_of(graph, run_of(10, 0), MINUTE)


def test_a_lower_timeframe_can_not_be_made() -> None:
    with pytest.raises(BadInput, match="candles of 1 minutes can't be made of ones of 5"):
        higher_candles(run_of(10, 0), HIGHER, MINUTE)


def test_no_candles_make_no_higher_candles() -> None:
    assert higher_candles(candles([]).block(), MINUTE, HIGHER).shape == (6, 0)
    assert instrument().symbol == "AAA/USDT:USDT"
