"""Timeframes: how long a candle lasts."""

from regatta.domain.errors import BadInput

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

TIMEFRAMES_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
}
"""Supported timeframes and their length. All start at multiples of their length in UTC."""


def timeframe_ms(timeframe: str) -> int:
    """Return the length of a timeframe such as "1m" in milliseconds.

    Raises BadInput when it is not one of `TIMEFRAMES_MS`.
    """
    try:
        return TIMEFRAMES_MS[timeframe]
    except KeyError:
        raise BadInput(f"timeframe {timeframe!r} is not known; allowed: {', '.join(TIMEFRAMES_MS)}") from None
