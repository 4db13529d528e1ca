"""One connected dashboard: its outbox, and when it may send."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from regatta.api.realtime.outbox import Outbox
from regatta.api.realtime.values import LiveValues

Send = Callable[[str], Awaitable[None]]


class Client:
    """A connection's sending side. The hub offers news; `serve` sends them as fast as the client reads.

    ended: set when its session is over and the connection has to be closed.
    """

    def __init__(self, address: str, session: str | None) -> None:
        self.address = address
        self.session = session
        self.outbox = Outbox()
        self.ended = asyncio.Event()
        self._wake = asyncio.Event()
        self._has_news = False

    def offer(self, values: LiveValues) -> None:
        """Wake the sender when there is something new. At most once a tick, by the hub."""
        if self.outbox.has_news(values):
            self._has_news = True
            self._wake.set()

    def reply(self, kind: str, id_: str | int | None, data: str) -> bool:
        """Queue an answer and wake the sender; False when too many answers wait."""
        self._wake.set()
        return self.outbox.put_reply(kind, id_, data)

    def resync(self) -> None:
        """Send a snapshot with the next flush."""
        self.outbox.resync()

    async def serve(self, send: Send, values: LiveValues, state: Callable[[], str], now: Callable[[], str]) -> None:
        """Send what waits until cancelled. While the client doesn't read, `send` waits, and values are skipped."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for frame in self._frames(values, state, now):
                await send(frame)

    def _frames(self, values: LiveValues, state: Callable[[], str], now: Callable[[], str]) -> Iterator[str]:
        yield from self.outbox.take_replies(now())
        # Answers go at once; all else waits for the hub's tick, ten a second.
        if self._has_news:
            self._has_news = False
            yield from self.outbox.take(now(), values, state)
