"""A journal in memory, for backtests and benchmarks: the same promises, but for the disk."""

from collections.abc import Iterator, Sequence

from regatta.domain.errors import EnvironmentFault
from regatta.domain.events import AnyRecord


class MemoryJournal:
    """Keeps the records of one run."""

    install_tag = "MEMO"

    def __init__(self) -> None:
        self.records: list[AnyRecord] = []
        self._closed = False

    @property
    def last_seq(self) -> int:
        """Number of the last record; 0 when there is none."""
        return len(self.records)

    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]:
        """Keep the records and return their numbers."""
        return self.append_now(records)

    def append_now(self, records: Sequence[AnyRecord]) -> Sequence[int]:
        """As `append`, for programs without an event loop."""
        if self._closed:
            raise EnvironmentFault("the journal in memory is closed")
        first = len(self.records) + 1
        self.records.extend(records)
        return range(first, first + len(records))

    def replay(self, after: int = 0) -> Iterator[tuple[int, AnyRecord]]:
        """Yield every record with a number above `after`, oldest first, up to the last one now."""
        for seq in range(after, len(self.records)):
            yield seq + 1, self.records[seq]

    async def close(self) -> None:
        """Take no more records."""
        self.close_now()

    def close_now(self) -> None:
        """As `close`, without an event loop."""
        self._closed = True
