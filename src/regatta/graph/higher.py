"""Candles of higher timeframes, made from a series' own candles as they come."""

from collections.abc import Iterator, Sequence

from regatta.domain.aggregate import Bucket, aggregate
from regatta.domain.candle import Candle
from regatta.domain.timeframe import timeframe_ms

NUMBERS = ("open_ms", "open", "high", "low", "close", "volume", "count")
"""What a bucket holds, in the order of `numbers`."""


class HigherCandles:
    """One candle in the making for each higher timeframe."""

    def __init__(self, timeframes: Sequence[str], own_ms: int) -> None:
        for timeframe in timeframes:
            if timeframe_ms(timeframe) % own_ms or timeframe_ms(timeframe) == own_ms:
                raise ValueError(
                    f"candles of {timeframe} can't be made of candles of {own_ms / 60_000:g} minutes; "
                    "allowed: multiples of the strategy's own timeframe"
                )
        self._own_ms = own_ms
        self._buckets = [Bucket(timeframe, timeframe_ms(timeframe)) for timeframe in timeframes]

    def take(self, close_ms: int, *candle: float) -> Iterator[tuple[str, tuple[float, ...]]]:
        """Add a candle (open, high, low, close, volume); yield timeframe and values of each that is known by it."""
        one = Candle("", "", close_ms - self._own_ms, close_ms, *candle)
        for bucket in self._buckets:
            for made in aggregate(bucket, one):
                yield bucket.timeframe, (made.open, made.high, made.low, made.close, made.volume)

    def numbers(self) -> list[float]:
        """Return what is in the making, for a snapshot."""
        return [float(getattr(bucket, name)) for bucket in self._buckets for name in NUMBERS]

    def restore(self, numbers: Sequence[float]) -> None:
        """Go on from `numbers`; an empty sequence starts anew."""
        for n, bucket in enumerate(self._buckets):
            its = numbers[n * len(NUMBERS) : (n + 1) * len(NUMBERS)] or [0.0] * len(NUMBERS)
            for name, value in zip(NUMBERS, its, strict=True):
                setattr(bucket, name, int(value) if name in ("open_ms", "count") else value)
