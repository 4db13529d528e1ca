"""The only place that reads the time of the world.

Everything else gets a `domain.clock.Clock`. With a simulated clock a month runs in seconds.
"""

import asyncio
import time


class RealClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the present time, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at_ms: int) -> None:
        """Return when `at_ms` has come, or at once when it has passed."""
        remaining_ms = at_ms - self.now_ms()
        await asyncio.sleep(max(0.0, remaining_ms / 1000))


class SimulatedClock:
    """A clock that jumps to whatever is waited for: no real time passes."""

    def __init__(self, start_ms: int = 0) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Return the simulated time, UTC."""
        return self._now_ms

    async def sleep_until(self, at_ms: int) -> None:
        """Move the clock to `at_ms` (never back) and let other tasks run once."""
        self._now_ms = max(self._now_ms, at_ms)
        await asyncio.sleep(0)


def monotonic_s() -> float:
    """Return seconds of a clock that never steps, for measuring durations."""
    return time.perf_counter()
