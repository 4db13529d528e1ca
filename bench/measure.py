"""Timing and memory of a workload."""

import resource
import sys
import time
from collections.abc import Callable


def best_of(n: int, *work: Callable[[], object]) -> list[float]:
    """Return the shortest time in seconds of each piece of work, run n times in turn.

    In turn, so that what disturbs the machine disturbs all of them alike. Each is run once
    before, to compile and to load.
    """
    for one in work:
        one()
    shortest = [float("inf")] * len(work)
    for _ in range(n):
        for i, one in enumerate(work):
            start = time.perf_counter()
            one()
            shortest[i] = min(shortest[i], time.perf_counter() - start)
    return shortest


def peak_rss_mb() -> float:
    """Return the largest resident memory that this process ever had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
