"""Times as people read them: UTC, to the minute or as fine as needed."""

from datetime import UTC, datetime

EARLIEST_MS = 946_684_800_000
LATEST_MS = 4_102_444_800_000
"""2000-01-01 and 2100-01-01: what lies outside is not a time in milliseconds."""


def utc_text(at_ms: int) -> str:
    """Return "2025-05-04 15:33 UTC", with seconds or milliseconds only where there are some."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    if at_ms % 1000:
        return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d} UTC"
    if at_ms % 60_000:
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def month_of(at_ms: int) -> str:
    """Return "2025-05"."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}"


def month_start_ms(month: str) -> int:
    """Return when "2025-05" begins."""
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp()) * 1000


def next_month(month: str) -> str:
    """Return "2026-01" for "2025-12"."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"
