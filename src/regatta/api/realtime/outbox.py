"""What one client still has to be sent: events in order, values in their newest state.

1. Frames are numbered 1, 2, 3 ... as they are taken, so that nothing is missing between two of them.
2. Events are sent in their order, each once. If more than `MAX_EVENTS` wait, they are replaced by
   one snapshot, which holds what they told.
3. Of a value only the newest state is sent; a slow client gets fewer of them, nobody waits for it.
4. A snapshot comes before anything that changed after it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, get_args

import orjson

from regatta.api.frames import Topic

MAX_EVENTS = 2000
"""Events that may wait for one client."""

MAX_REPLIES = 200
"""Answers that may wait for one client; one who asks on without reading is closed."""

TOPICS: frozenset[str] = frozenset(get_args(Topic))


class Values(Protocol):
    """The newest state of each value, shared by all clients, as JSON text."""

    def versions(self) -> Mapping[str, int]:
        """Return how often each value has changed."""
        ...

    def since(self, topic: str, version: int) -> str | None:
        """Return the JSON data that brings a client from `version` to now; None when it says nothing."""
        ...


class Outbox:
    """What waits for one client."""

    def __init__(self) -> None:
        self.topics = set(TOPICS)
        self.wants_snapshot = True
        self.seq = 0
        self._events: deque[tuple[str, str]] = deque()
        self._replies: deque[tuple[str, str | int | None, str]] = deque()
        self._sent: dict[str, int] = {}

    def put_event(self, topic: str, data: str) -> None:
        """Queue an event. data: JSON text."""
        if self.wants_snapshot or topic not in self.topics:
            return
        if len(self._events) >= MAX_EVENTS:
            self.resync()
            return
        self._events.append((topic, data))

    def put_reply(self, kind: str, id_: str | int | None, data: str) -> bool:
        """Queue the answer to a request; False when too many wait."""
        self._replies.append((kind, id_, data))
        return len(self._replies) <= MAX_REPLIES

    def resync(self) -> None:
        """Send a snapshot next, in place of the events that wait."""
        self.wants_snapshot = True
        self._events.clear()

    def has_replies(self) -> bool:
        return bool(self._replies)

    def has_news(self, values: Values) -> bool:
        """Tell whether there is an event, a snapshot or a newer value to send."""
        if self.wants_snapshot or self._events:
            return True
        return any(topic in self.topics and self._sent.get(topic, 0) < v for topic, v in values.versions().items())

    def take_replies(self, at: str) -> Iterable[str]:
        """Yield the frames that answer requests."""
        while self._replies:
            kind, id_, data = self._replies.popleft()
            yield self._frame(kind, at, data, f'"id":{orjson.dumps(id_).decode()},')

    def take(self, at: str, values: Values, snapshot: Callable[[], str]) -> Iterable[str]:
        """Yield the frames of one flush: a snapshot if wanted, events, then newer values."""
        if self.wants_snapshot:
            self.wants_snapshot = False
            self._events.clear()
            self._sent = dict(values.versions())
            yield self._frame("snapshot", at, snapshot())
            return
        while self._events:
            topic, data = self._events.popleft()
            yield self._frame(topic, at, data)
            if self.wants_snapshot:
                return
        for topic, version in values.versions().items():
            sent = self._sent.get(topic, 0)
            if topic in self.topics and sent < version:
                data_of_value = values.since(topic, sent)
                self._sent[topic] = version
                if data_of_value is not None:
                    yield self._frame(topic, at, data_of_value)

    def _frame(self, kind: str, at: str, data: str, extra: str = "") -> str:
        self.seq += 1
        return f'{{"type":"{kind}","seq":{self.seq},"at":"{at}",{extra}"data":{data}}}'
