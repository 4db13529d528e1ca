"""What outlets may know of the engine: a bus they listen to.

A listener is called in the engine's thread, after the commit, and must return at once
(put the event into a queue of its own). What a listener raises is logged and stays its own.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from regatta.domain.events import AnyRecord, CandleClosed, CandleOpened


class Committed(msgspec.Struct, frozen=True, gc=False):
    """A record that is in the journal for good, with its sequence number there."""

    seq: int
    record: AnyRecord


BusEvent = Committed | CandleClosed | CandleOpened
Listener = Callable[[BusEvent], None]


class Bus(Protocol):
    """Publish and subscribe within one process."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each event from now on; return the function that ends it."""
        ...
