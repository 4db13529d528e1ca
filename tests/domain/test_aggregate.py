from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from regatta.domain.aggregate import Bucket, aggregate
from regatta.domain.candle import Candle
from regatta.domain.timeframe import timeframe_ms

MINUTE = 60_000


def minute(i: int, price: float) -> Candle:
    return Candle("X", "1m", i * MINUTE, (i + 1) * MINUTE, price, price + 2, price - 2, price + 1, 3.0)


def test_five_minutes_make_one_candle_at_the_close_of_the_fifth() -> None:
    bucket = Bucket("5m", timeframe_ms("5m"))
    made = [aggregate(bucket, minute(i, 100.0 + i)) for i in range(5)]
    assert made[:4] == [[], [], [], []]
    assert made[4] == [Candle("X", "5m", 0, 5 * MINUTE, 100.0, 106.0, 98.0, 105.0, 15.0)]


def test_after_a_gap_the_unfinished_candle_is_returned_with_the_next_minute() -> None:
    bucket = Bucket("5m", timeframe_ms("5m"))
    aggregate(bucket, minute(0, 100.0))
    assert [c.open_ms for c in aggregate(bucket, minute(7, 107.0))] == [0]


def test_one_minute_can_finish_two_candles() -> None:
    bucket = Bucket("5m", timeframe_ms("5m"))
    aggregate(bucket, minute(0, 100.0))
    assert [c.open_ms for c in aggregate(bucket, minute(9, 109.0))] == [0, 5 * MINUTE]


@given(st.sets(st.integers(0, 60), min_size=1))
def test_no_minute_is_lost_or_counted_twice(minutes: set[int]) -> None:
    bucket = Bucket("15m", timeframe_ms("15m"))
    done = [candle for i in sorted(minutes) for candle in aggregate(bucket, minute(i, 100.0))]
    assert sum(c.volume for c in done) + 3.0 * bucket.count == 3.0 * len(minutes)
    assert all(a.close_ms <= b.open_ms for a, b in pairwise(done))
