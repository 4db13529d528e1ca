"""What a clock is. Real and simulated ones live in the engine and are handed in."""

from typing import Protocol


class Clock(Protocol):
    """Time of the world that the engine lives in: milliseconds since the Unix epoch, UTC."""

    def now_ms(self) -> int:
        """Return the present time."""
        ...

    async def sleep_until(self, at_ms: int) -> None:
        """Return when `at_ms` has come; at once when it lies in the past."""
        ...
