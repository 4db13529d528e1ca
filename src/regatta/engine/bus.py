"""The event bus: the engine publishes, outlets listen. No listener can harm the engine."""

from collections.abc import Callable

import structlog

from regatta.domain.bus import BusEvent, Listener

log = structlog.get_logger("regatta.bus")


class EventBus:
    """Publish and subscribe within the engine's thread."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        """Tell whether anybody listens: publishing may be skipped otherwise."""
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each event from now on; return the function that ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: BusEvent) -> None:
        """Hand the event to every listener. What a listener raises is logged and stays its own."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed", event_kind=type(event).__name__)
