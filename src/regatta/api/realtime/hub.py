"""The one listener on the engine's bus, and the clients that it serves.

1. The listener only takes note: a dict entry for a price, a list entry for a record.
2. All work for clients happens in the hub's own task, ten times a second, in slices, so that the
   engine gets its turn in between.
3. If more records wait than `MAX_WAITING` (the loop was blocked for long), the board is filled
   from the journal anew and every client gets a snapshot.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog

from regatta.api.board import SHOWN, Board
from regatta.api.frames import Topic
from regatta.api.grids import Grids
from regatta.api.realtime.client import Client
from regatta.api.realtime.values import TICK_S, LiveValues
from regatta.api.schemas import SpeedView
from regatta.api.times import iso
from regatta.api.views import live_position_view, price_views, status_view
from regatta.domain.bus import BusEvent, Committed
from regatta.domain.clock import Clock
from regatta.domain.events import CandleClosed, CandleOpened, PositionChanged
from regatta.engine.control import Control

log = structlog.get_logger("regatta.api.realtime")

MAX_WAITING = 50_000
SLICE = 100
"""Records or clients that are worked on without giving way."""

MAX_CLIENTS = 1000
MAX_PER_ADDRESS = 64


class Hub:
    """Feeds the board and the clients from the bus."""

    def __init__(
        self,
        *,
        control: Control,
        clock: Clock,
        refill: Callable[[], Awaitable[Board]],
    ) -> None:
        self._control = control
        self._clock = clock
        self._refill = refill
        self.board = Board(Grids())
        self.values = LiveValues(control, lambda: self.board.today_e8())
        self.clients: set[Client] = set()
        self._waiting: deque[Committed] = deque()
        self._overflowed = False
        self._speed: float | None = None
        self._state_text = ""
        self._state_tick = -1
        self._tick = 0
        self._unsubscribe = control.bus.subscribe(self.listen)

    # --- the bus ---------------------------------------------------------------------------

    def listen(self, event: BusEvent) -> None:
        """Take note of an event. Called in the engine's thread; must return at once."""
        kind = type(event)
        if kind is CandleClosed:
            candle = event.candle  # type: ignore[union-attr]
            self.values.note_price(candle.symbol, candle.close, candle.close_ms)
        elif kind is CandleOpened:
            self.values.note_price(event.symbol, event.price, event.open_ms)  # type: ignore[union-attr]
        elif type(event.record) in SHOWN:  # type: ignore[union-attr]
            if len(self._waiting) < MAX_WAITING:
                self._waiting.append(event)  # type: ignore[arg-type]
            else:
                self._overflowed = True
        elif type(event.record) is PositionChanged:  # type: ignore[union-attr]
            self.values.note_positions()

    # --- the task ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            while True:
                await asyncio.sleep(TICK_S)
                try:
                    await self.tick()
                except Exception:
                    log.exception("a tick of the realtime channel failed; the next one goes on")
        finally:
            self._unsubscribe()

    async def tick(self) -> None:
        """Apply what waits, bring the values up to date, and wake the clients that have news."""
        self._tick += 1
        if self._overflowed:
            await self._start_over()
        await self._apply_waiting()
        if not self.clients:
            return
        self.values.refresh()
        self._watch_speed()
        for n, client in enumerate(tuple(self.clients)):
            if n % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            client.offer(self.values)

    async def _apply_waiting(self) -> None:
        done = 0
        while self._waiting:
            committed = self._waiting.popleft()
            event = self.board.apply(committed)
            self._state_text = ""
            if event is not None:
                self.values.note_positions()
                self._tell(event[0], orjson.dumps(event[1]).decode())
            done += 1
            if done % SLICE == 0:
                await asyncio.sleep(0)

    async def _start_over(self) -> None:
        self._waiting.clear()
        self._overflowed = False
        log.warning("too many records waited for the realtime channel; it starts over from the journal")
        self.board = await self._refill()
        self._state_text = ""
        for client in self.clients:
            client.outbox.resync()

    def _watch_speed(self) -> None:
        speed = self.values.speed
        if speed is not None and speed.speed != self._speed:
            known = self._speed is not None
            self._speed = speed.speed
            if known:
                self.tell_speed(speed)

    def tell_speed(self, speed: SpeedView) -> None:
        """Tell every client the market's speed."""
        self._speed = speed.speed
        self._tell("speed", speed.model_dump_json())

    def _tell(self, topic: Topic, data: str) -> None:
        for client in self.clients:
            client.outbox.put_event(topic, data)

    # --- snapshots -----------------------------------------------------------------------------

    def state(self) -> str:
        """Return the whole state as JSON text of an object that is still open at its end.

        What depends on who asks (`session`) is to be added. Made at most once a tick.
        """
        if self._state_tick != self._tick or not self._state_text:
            self._state_text = orjson.dumps(self.whole()).decode()[:-1]
            self._state_tick = self._tick
        return self._state_text

    def whole(self) -> dict[str, Any]:
        """Return the whole state but for what depends on who asks."""
        return {
            "status": status_view(self._control.status(), self.board.today_e8()).model_dump(),
            "positions": [live_position_view(p).model_dump() for p in self._control.positions()],
            "prices": [price.model_dump() for price in price_views(self._control.prices())],
            **self.board.parts(),
        }

    def now(self) -> str:
        """Return the wall clock's time as the frames say it."""
        return iso(self._clock.now_ms())

    # --- clients -------------------------------------------------------------------------------

    def room_for(self, address: str) -> bool:
        """Tell whether one more client from this address may join."""
        if len(self.clients) >= MAX_CLIENTS:
            return False
        return sum(client.address == address for client in self.clients) < MAX_PER_ADDRESS
