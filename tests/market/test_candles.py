import numpy as np

from regatta.market.candles import Candles, Gap
from tests.market.markets import MINUTE, START, candles


def test_a_gap_is_told_by_the_close_before_it_and_the_number_of_missing_candles() -> None:
    part = candles(n=10, without=[3, 4, 8])
    assert part.gaps() == [Gap(START + 3 * MINUTE, 2), Gap(START + 8 * MINUTE, 1)]


def test_candles_without_a_hole_have_no_gap() -> None:
    assert candles(n=10).gaps() == []
    assert candles(n=1).gaps() == []
    assert Candles.empty("AAA/USDT", "1m").gaps() == []


def test_between_takes_opens_from_the_first_time_up_to_before_the_second() -> None:
    part = candles(n=10).between(START + 2 * MINUTE, START + 5 * MINUTE)
    assert part.open_ms.tolist() == [START + 2 * MINUTE, START + 3 * MINUTE, START + 4 * MINUTE]
    assert len(candles(n=10).between(START + 5 * MINUTE, START + 2 * MINUTE)) == 0


def test_the_block_of_a_graph_starts_with_close_times_and_then_prices_and_volume() -> None:
    part = candles(n=3)
    block = part.block()
    assert block.shape == (6, 3)
    assert block.dtype == np.float64
    assert block[0].tolist() == [START + (i + 1) * MINUTE for i in range(3)]
    assert block[4].tolist() == part.close.tolist()


def test_rows_are_the_candles_one_by_one() -> None:
    first = next(candles(n=2).rows())
    assert (first.open_ms, first.close_ms, first.open, first.close) == (START, START + MINUTE, 100.0, 100.1)
    assert (first.symbol, first.timeframe, first.volume) == ("AAA/USDT:USDT", "1m", 1.0)
