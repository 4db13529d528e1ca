"""Times as the API writes and reads them: ISO 8601 in UTC with milliseconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from regatta.domain.errors import BadInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def iso(at_ms: int) -> str:
    """Return milliseconds since the epoch as "2025-05-25T00:00:00.000Z"."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def day_of(at_ms: int) -> str:
    """Return the UTC day of a moment: "2025-05-25"."""
    return iso(at_ms)[:10]


def when_ms(text: str, name: str) -> int:
    """Return the moment that a user wrote: ISO 8601 (UTC unless it says otherwise), or a date.

    Raises BadInput that names the field.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{name}: {text!r} is not a time; allowed: ISO 8601 such as 2025-05-25 or 2025-05-25T12:30:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
