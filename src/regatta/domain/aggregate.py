"""Higher timeframes from lower ones: one resumable step, for history and live alike."""

import msgspec

from regatta.domain.candle import Candle


class Bucket(msgspec.Struct):
    """A higher candle in the making. count: lower candles in it; 0: empty."""

    timeframe: str
    length_ms: int
    open_ms: int = 0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: float = 0.0
    count: int = 0


def aggregate(bucket: Bucket, candle: Candle) -> list[Candle]:
    """Add one lower candle and return the higher candles that are complete by it (0 to 2).

    A bucket ends with the lower candle that closes at its end or, after a gap, when the next
    candle arrives. A bucket in which candles were missing is still returned: what is missing
    is the feed's to report.
    """
    done: list[Candle] = []
    start = candle.open_ms - candle.open_ms % bucket.length_ms
    if bucket.count and start != bucket.open_ms:
        done.append(_close(bucket, candle.symbol))
    if bucket.count == 0:
        bucket.open_ms, bucket.open = start, candle.open
        bucket.high, bucket.low, bucket.volume = candle.high, candle.low, 0.0
    if candle.high > bucket.high:
        bucket.high = candle.high
    if candle.low < bucket.low:
        bucket.low = candle.low
    bucket.close = candle.close
    bucket.volume += candle.volume
    bucket.count += 1
    if candle.close_ms == start + bucket.length_ms:
        done.append(_close(bucket, candle.symbol))
    return done


def _close(bucket: Bucket, symbol: str) -> Candle:
    bucket.count = 0
    return Candle(
        symbol,
        bucket.timeframe,
        bucket.open_ms,
        bucket.open_ms + bucket.length_ms,
        bucket.open,
        bucket.high,
        bucket.low,
        bucket.close,
        bucket.volume,
    )
